#include "upstream/curl_failure.h"

#include "sqlbak_gateway/base/text.h"

#include <cerrno>
#include <system_error>

namespace sqlbak_gateway::upstream {
namespace {

using Failure = Completion::Failure;

// OpenSSL's X509_V_ERR_*, as CURLINFO_SSL_VERIFYRESULT gives them.
enum VerifyResult : long {
  kIssuerUnknown = 2,
  kNotYetValid = 9,
  kExpired = 10,
  kSelfSigned = 18,
  kSelfSignedAuthority = 19,
  kLocalIssuerUnknown = 20,
  kLeafUnverifiable = 21,
};

long long_info(CURL* easy, CURLINFO info) {
  long value = 0;
  curl_easy_getinfo(easy, info, &value);
  return value;
}

bool reached(CURL* easy, CURLINFO info) {
  curl_off_t microseconds = 0;
  curl_easy_getinfo(easy, info, &microseconds);
  return microseconds > 0;
}

Failure lasting(FailureReason reason, std::string message) {
  return {reason, std::move(message), true};
}
Failure passing(FailureReason reason, std::string message) {
  return {reason, std::move(message), false};
}

Failure no_url() {
  return lasting(FailureReason::config, "api_url is no URL that can be asked; check it");
}

Failure refused_certificate(CURL* easy, const std::string& host, std::string_view detail) {
  const std::string certificate = "the certificate of " + host;
  const auto refused = [&certificate](const std::string& why) {
    return lasting(FailureReason::connection, certificate + " " + why);
  };
  switch (const long result = long_info(easy, CURLINFO_SSL_VERIFYRESULT)) {
    case kExpired:
      return refused("has expired");
    case kNotYetValid:
      return refused("is not valid yet; check this machine's clock");
    case kSelfSigned:
      return refused("is self-signed; if that is meant to be, name it in ca_file");
    case kIssuerUnknown:
    case kSelfSignedAuthority:
    case kLocalIssuerUnknown:
    case kLeafUnverifiable:
      return refused(
          "was issued by an authority that is not trusted here; if it should be, name it in ca_file");
    default:
      // Names are compared by libcurl itself, which leaves no code of its own.
      if (detail.find("match") != detail.npos) return refused("is for another host name; check api_url");
      return refused("cannot be verified (OpenSSL's verify error " + std::to_string(result) + ")");
  }
}

// How messages about connecting name the API.
std::string route(const std::string& host, const std::string& proxy) {
  return proxy.empty() ? host : host + " through the proxy " + proxy;
}

Failure no_connection(CURL* easy, const std::string& host, const std::string& proxy) {
  const std::string whom = proxy.empty() ? host : "the proxy " + proxy + " towards " + host;
  const auto error = static_cast<int>(long_info(easy, CURLINFO_OS_ERRNO));
  if (error == ECONNREFUSED) {
    return passing(FailureReason::connection,
                   whom + " refused the connection: nothing listens there, or a firewall");
  }
  std::string message = "no connection to " + whom;
  if (error != 0) message += ": " + std::generic_category().message(error);
  return passing(FailureReason::connection, std::move(message));
}

Failure broken_connection(CURL* easy, const std::string& host, const std::string& proxy,
                          std::string_view detail) {
  const long connect = long_info(easy, CURLINFO_HTTP_CONNECTCODE);
  if (connect != 0 && connect / 100 != 2) {
    std::string message =
        "the proxy " + proxy + " answered " + std::to_string(connect) + " when asked for " + host;
    // As an API's: see judge().
    if (connect >= 500 && connect != 501) return passing(FailureReason::connection, std::move(message));
    return lasting(FailureReason::connection, message + "; check the proxy's address and credentials");
  }
  return passing(FailureReason::connection,
                 "the connection to " + route(host, proxy) + " broke" +
                     (reached(easy, CURLINFO_STARTTRANSFER_TIME_T) ? " in the middle of the answer" : "") +
                     ": " + valid_utf8(detail));
}

}  // namespace

std::string_view host_of(std::string_view url) {
  if (const auto scheme = url.find("://"); scheme != url.npos) url.remove_prefix(scheme + 3);
  url = url.substr(0, url.find_first_of("/?#"));
  if (const auto credentials = url.rfind('@'); credentials != url.npos) url.remove_prefix(credentials + 1);
  return url;
}

std::optional<std::string> proxy_of_environment(std::string_view verbose) {
  constexpr std::string_view kBegin = "Uses proxy env variable ";
  constexpr std::string_view kBetween = " == '";
  const auto between = verbose.find(kBetween);
  const auto end = verbose.rfind('\'');
  if (!verbose.starts_with(kBegin) || between == verbose.npos || end < between + kBetween.size()) {
    return std::nullopt;
  }
  const std::string_view variable = verbose.substr(kBegin.size(), between - kBegin.size());
  if (equal_ignoring_case(variable, "no_proxy")) return std::nullopt;
  std::string_view url = verbose.substr(0, end).substr(between + kBetween.size());
  url.remove_prefix(url.rfind('@') + 1);  // credentials, whatever is in them
  return valid_utf8(host_of(url)) + " (" + std::string(variable) + " of the environment)";
}

Failure describe(CURL* easy, CURLcode code, std::string_view detail, const Peer& peer,
                 const std::string& proxy) {
  const std::string host(host_of(peer.api_url));
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return passing(FailureReason::connection,
                     "the name of " + host + " cannot be resolved; check api_url and DNS");
    case CURLE_COULDNT_RESOLVE_PROXY:
      return passing(FailureReason::connection, "the name of the proxy " + proxy + " towards " + host +
                                                    " cannot be resolved; check the proxy's address and DNS");
    case CURLE_COULDNT_CONNECT:
      return no_connection(easy, host, proxy);
    case CURLE_OPERATION_TIMEDOUT:
      return describe_timeout(easy, peer, proxy);
    case CURLE_PEER_FAILED_VERIFICATION:
      return refused_certificate(easy, route(host, proxy), detail);
    case CURLE_SSL_CACERT_BADFILE:
      return lasting(
          FailureReason::config,
          "the certificates to trust cannot be read from " +
              (peer.ca_file.empty() ? "the system's store; install ca-certificates" : peer.ca_file));
    case CURLE_SSL_CONNECT_ERROR:
      return passing(FailureReason::connection,
                     "no TLS connection to " + route(host, proxy) + ": " + valid_utf8(detail));
    case CURLE_FILESIZE_EXCEEDED:
      return lasting(FailureReason::bad_response,
                     "the answer of " + host + " announces more than max_response_bytes, and was not read");
    case CURLE_PARTIAL_FILE:
      return describe_cut_off(peer);
    case CURLE_GOT_NOTHING:
      return passing(FailureReason::connection,
                     route(host, proxy) + " closed the connection without an answer");
    case CURLE_BAD_CONTENT_ENCODING:
      return lasting(FailureReason::bad_response, "the answer of " + host + " cannot be decompressed");
    case CURLE_UNSUPPORTED_PROTOCOL:
      if (!reached(easy, CURLINFO_PRETRANSFER_TIME_T)) return no_url();
      [[fallthrough]];
    case CURLE_WEIRD_SERVER_REPLY:
      return lasting(FailureReason::bad_response, "what " + host + " answered is not HTTP; check api_url");
    case CURLE_URL_MALFORMAT:
      return no_url();
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
      return broken_connection(easy, host, proxy, detail);
    default:
      return passing(FailureReason::connection,
                     "asking " + route(host, proxy) + " failed: " + std::string(curl_easy_strerror(code)));
  }
}

Failure describe_cut_off(const Peer& peer) {
  return passing(FailureReason::bad_response,
                 "the answer of " + std::string(host_of(peer.api_url)) + " was cut off before its end");
}

Failure describe_timeout(CURL* easy, const Peer& peer, const std::string& proxy) {
  const char* doing = "receiving the answer";
  if (!reached(easy, CURLINFO_NAMELOOKUP_TIME_T)) {
    doing = "looking up its name, or waiting for a connection to share";
  } else if (!reached(easy, CURLINFO_PRETRANSFER_TIME_T)) {
    doing = "connecting";  // TLS too: libcurl 7.88 does not tell them apart
  } else if (!reached(easy, CURLINFO_STARTTRANSFER_TIME_T)) {
    doing = "waiting for the answer";
  }
  return passing(
      FailureReason::timeout,
      "the time for asking " + route(std::string(host_of(peer.api_url)), proxy) + " was up while " + doing);
}

}  // namespace sqlbak_gateway::upstream
