// A plain HTTP client for the simulator's tests: libcurl with its defaults, one connection per client.
#pragma once

#include "sqlbak_gateway/base/text.h"

#include <map>
#include <string>
#include <string_view>

#include <curl/curl.h>
#include <nlohmann/json.hpp>

namespace sqlbak_gateway::simulator::testing {

// The answer.
struct Seen {
  CURLcode result = CURLE_OK;
  long status = 0;
  std::string body;
  std::multimap<std::string, std::string> headers;  // names in lower case; those of 1xx answers too
  double seconds = 0;
  long new_connections = 0;

  bool has(const std::string& header) const { return headers.contains(header); }
  std::string header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? "" : found->second;
  }
  nlohmann::json json() const { return nlohmann::json::parse(body, nullptr, false); }
  nlohmann::json data() const { return json()["data"]; }
  nlohmann::json list() const { return data()["list"]; }
};

class CurlClient {
 public:
  CurlClient() : easy_(curl_easy_init()) {}
  ~CurlClient() { curl_easy_cleanup(easy_); }
  CurlClient(const CurlClient&) = delete;
  CurlClient& operator=(const CurlClient&) = delete;

  Seen get(const std::string& url, const std::string& token) { return perform("GET", url, token); }
  Seen perform(const std::string& method, const std::string& url, const std::string& token) {
    Seen seen;
    curl_easy_reset(easy_);
    curl_easy_setopt(easy_, CURLOPT_URL, url.c_str());
    curl_easy_setopt(easy_, CURLOPT_CUSTOMREQUEST, method == "HEAD" ? nullptr : method.c_str());
    curl_easy_setopt(easy_, CURLOPT_NOBODY, method == "HEAD" ? 1L : 0L);
    curl_easy_setopt(easy_, CURLOPT_PROXY, "");
    curl_easy_setopt(easy_, CURLOPT_TIMEOUT_MS, timeout_ms);
    if (accepts_gzip) curl_easy_setopt(easy_, CURLOPT_ACCEPT_ENCODING, "gzip");
    if (!ca_file.empty()) curl_easy_setopt(easy_, CURLOPT_CAINFO, ca_file.c_str());
    curl_slist* headers =
        token.empty() ? nullptr : curl_slist_append(nullptr, ("X-SqlBak-Token: " + token).c_str());
    curl_easy_setopt(easy_, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy_, CURLOPT_WRITEFUNCTION, append);
    curl_easy_setopt(easy_, CURLOPT_WRITEDATA, &seen.body);
    curl_easy_setopt(easy_, CURLOPT_HEADERFUNCTION, note_header);
    curl_easy_setopt(easy_, CURLOPT_HEADERDATA, &seen.headers);
    seen.result = curl_easy_perform(easy_);
    curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &seen.status);
    curl_easy_getinfo(easy_, CURLINFO_TOTAL_TIME, &seen.seconds);
    curl_easy_getinfo(easy_, CURLINFO_NUM_CONNECTS, &seen.new_connections);
    curl_slist_free_all(headers);
    return seen;
  }

  bool accepts_gzip = false;
  std::string ca_file;
  long timeout_ms = 20'000;

 private:
  static std::size_t append(char* bytes, std::size_t, std::size_t count, void* body) {
    static_cast<std::string*>(body)->append(bytes, count);
    return count;
  }
  static std::size_t note_header(char* bytes, std::size_t, std::size_t count, void* headers) {
    const std::string_view line(bytes, count);
    if (const std::size_t colon = line.find(':'); colon != line.npos) {
      static_cast<std::multimap<std::string, std::string>*>(headers)->emplace(
          lower_case(line.substr(0, colon)), std::string(trimmed(line.substr(colon + 1))));
    }
    return count;
  }

  CURL* easy_;
};

}  // namespace sqlbak_gateway::simulator::testing
