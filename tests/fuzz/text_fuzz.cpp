// Short texts that people and servers write: durations, sizes, addresses, URLs, globs, dates. What is
// understood can be written and reads back as the same. Everything else is refused.
#include "config/url.h"
#include "fuzz/fuzz.h"
#include "sqlbak_gateway/base/loopback.h"
#include "sqlbak_gateway/base/text.h"
#include "sqlbak_gateway/config/config.h"
#include "sqlbak_gateway/config/flags.h"
#include "sqlbak_gateway/upstream/retry.h"

namespace sqlbak_gateway::fuzz {
namespace {

// Obviously right and slow: for short texts only.
bool naive_glob(std::string_view pattern, std::string_view name) {
  if (pattern.empty()) return name.empty();
  if (pattern.front() == '*') {
    return naive_glob(pattern.substr(1), name) || (!name.empty() && naive_glob(pattern, name.substr(1)));
  }
  return !name.empty() && (pattern.front() == '?' || pattern.front() == name.front()) &&
         naive_glob(pattern.substr(1), name.substr(1));
}

bool printable_ascii(std::string_view text) {
  for (const char c : text) {
    if (c < 0x21 || c > 0x7e) return false;
  }
  return true;
}

}  // namespace
}  // namespace sqlbak_gateway::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sqlbak_gateway;
  using namespace sqlbak_gateway::fuzz;
  const std::string_view text = text_of(data, size);

  if (const Result<Duration> duration = parse_duration(text); duration.ok()) {
    require(*duration >= Duration::zero(), "durations are never below zero", text);
    const Result<Duration> again = parse_duration(format_duration(*duration));
    require(again.ok() && *again == *duration, "a duration reads back", text);
  } else {
    require(is_valid_utf8(duration.error().message), "messages are valid UTF-8");
  }
  if (const Result<std::uint64_t> bytes = parse_size(text); !bytes.ok()) {
    require(is_valid_utf8(bytes.error().message), "messages are valid UTF-8");
  }
  if (const Result<config::ListenAddress> address = config::parse_listen_address(text); address.ok()) {
    const Result<config::ListenAddress> again = config::parse_listen_address(to_text(*address));
    require(again.ok() && *again == *address, "an address reads back", text);
  }
  if (const Result<config::Url> url = config::parse_url(text); url.ok()) {
    require(!url->host.empty() && printable_ascii(text), "a URL has a host and no blanks", text);
    const Result<config::Url> again = config::parse_url(config::origin(*url));
    require(again.ok() && again->host == url->host && again->port == url->port && again->userinfo.empty(),
            "where a URL leads reads back", text);
  }
  if (const Result<std::string> url = config::parse_api_url(text); url.ok()) {
    const Result<config::Url> parts = config::parse_url(*url);
    require(parts.ok() && parts->userinfo.empty() && !parts->has_query, "an API's URL has no extras", text);
    require(parts->scheme == "https" || is_loopback(parts->host), "tokens go over TLS or nowhere", text);
  }
  (void)config::parse_flags({std::string(text)}).ok();

  const std::string valid = valid_utf8(text);
  require(is_valid_utf8(valid) && valid_utf8(valid) == valid, "repaired text is valid UTF-8");
  require((valid == text) == is_valid_utf8(text), "valid text stays as it is");
  const Result<std::string> decoded = percent_decoded(percent_encoded(text));
  require(decoded.ok() && *decoded == text, "percent-encoding reads back");
  const std::string escaped = json_escaped(valid);
  for (const char c : escaped)
    require(static_cast<unsigned char>(c) >= 0x20, "escaped text is one line", escaped);

  if (const auto wait =
          upstream::parse_retry_after(text, SystemTime(std::chrono::milliseconds(1768392000000)))) {
    require(*wait >= Duration::zero() && *wait <= upstream::kLongestRetryAfter, "nobody waits for ever",
            text);
  }
  (void)upstream::parse_http_date(text);
  (void)nearest(text.substr(0, 64), {"listen", "timeout_offset"});

  const std::size_t cut = text.find(' ');
  if (cut != text.npos && text.size() <= 24) {
    const std::string_view pattern = text.substr(0, cut);
    const std::string_view name = text.substr(cut + 1);
    require(glob_matches(pattern, name) == naive_glob(pattern, name), "a glob matches as it says", text);
  }
  return 0;
}
