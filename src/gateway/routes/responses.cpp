#include "gateway/routes/responses.h"

#include "sqlbak_gateway/base/text.h"
#include "sqlbak_gateway/http/encoding.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <utility>

namespace sqlbak_gateway::gateway {
namespace {

constexpr std::string_view kExpositionType = "text/plain; version=0.0.4; charset=utf-8";
constexpr std::string_view kTimeoutHeader = "X-Prometheus-Scrape-Timeout-Seconds";
constexpr std::size_t kWorthCompressing = 1024;  // bytes; below it the saving is not worth the work

// Nothing from elsewhere, no inline script or style, in nobody's frame.
constexpr std::string_view kContentSecurityPolicy =
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

http::Response try_later(int status, std::string text, Duration retry_after) {
  http::Response response = http::text_response(status, std::move(text));
  response.headers.push_back(
      {"Retry-After", std::to_string(std::chrono::ceil<std::chrono::seconds>(retry_after).count())});
  return response;
}

}  // namespace

Result<std::optional<Duration>> scrape_timeout(const http::Request& request) {
  const std::optional<std::string_view> header = request.header(kTimeoutHeader);
  if (!header) return std::optional<Duration>();
  double seconds = 0;
  const auto [end, error] = std::from_chars(header->data(), header->data() + header->size(), seconds);
  if (error != std::errc{} || end != header->data() + header->size() || !std::isfinite(seconds) ||
      seconds <= 0) {
    return Error{std::string(kTimeoutHeader) + " must be a positive number of seconds, like 10 or 9.5"};
  }
  constexpr double kLongest = 3600;  // longer than any scrape, and safely inside a Duration
  return std::optional<Duration>(
      std::chrono::duration_cast<Duration>(std::chrono::duration<double>(std::min(seconds, kLongest))));
}

bool prefers_json(const http::Request& request) {
  const std::string_view accept = request.header("Accept").value_or("");
  double json = 0;
  double html = 0;
  for (std::string_view rest = accept; !rest.empty();) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    const std::string_view range = rest.substr(0, comma);
    rest.remove_prefix(std::min(comma + 1, rest.size()));
    const std::string_view type = trimmed(range.substr(0, range.find(';')));
    double weight = 1;
    if (const std::size_t q = range.find("q="); q != std::string_view::npos) {
      const std::string_view number = trimmed(range.substr(q + 2));
      std::from_chars(number.data(), number.data() + number.size(), weight);
    }
    if (equal_ignoring_case(type, "application/json")) json = weight;
    if (equal_ignoring_case(type, "text/html")) html = weight;
  }
  return json > 0 && json > html;
}

http::Response access_denied(const Access& access, const Access::Verdict& verdict) {
  switch (verdict.denial) {
    case Access::Denial::throttled:
      return try_later(429, "too many failed attempts; try again later\n", verdict.retry_after);
    case Access::Denial::busy:
      return try_later(503, "busy checking other passwords, so this one was not checked; try again\n",
                       verdict.retry_after);
    case Access::Denial::unknown:
      break;
  }
  http::Response response = http::text_response(401, "invalid credentials\n");
  // A browser that is offered what nobody has would ask its user for a password in vain.
  if (access.takes_passwords()) {
    response.headers.push_back({"WWW-Authenticate", "Basic realm=\"sqlbak-gateway\", charset=\"UTF-8\""});
  }
  if (access.takes_bearer_tokens()) {
    response.headers.push_back({"WWW-Authenticate", "Bearer realm=\"sqlbak-gateway\""});
  }
  return response;
}

http::Response no_such_account() {
  return http::text_response(404, "no such account; /sd and / list those there are\n");
}

http::Response no_such_page() {
  return http::text_response(404, "no such page; / lists what there is\n");
}

http::Response page_response(std::string text, std::string_view type) {
  http::Response response = http::text_response(200, std::move(text));
  response.content_type = type;
  response.headers = {{"Vary", "Accept"},
                      {"Cache-Control", "no-store"},
                      {"Content-Security-Policy", std::string(kContentSecurityPolicy)},
                      {"X-Content-Type-Options", "nosniff"},
                      {"Referrer-Policy", "no-referrer"}};
  return response;
}

http::Response asset_response(PageAsset asset) {
  http::Response response = http::text_response(200, std::string(content(asset)));
  response.content_type = content_type(asset);
  // Its address changes with its content.
  response.headers = {{"Cache-Control", "private, max-age=86400"}, {"X-Content-Type-Options", "nosniff"}};
  return response;
}

ResponseCache::Body exposition_body(std::string text, bool& gzip) {
  gzip = gzip && text.size() >= kWorthCompressing;
  return std::make_shared<const std::string>(gzip ? http::gzip(text) : std::move(text));
}

http::Response exposition_response(ResponseCache::Body body, bool gzip) {
  http::Response response;
  response.content_type = kExpositionType;
  response.body = std::move(body);
  if (gzip) response.content_encoding = "gzip";
  return response;
}

http::Response compressed(http::Response response, const http::Request& request) {
  const bool already = !response.content_encoding.empty();
  if (!already && (!response.body || response.body->size() < kWorthCompressing)) return response;
  response.headers.push_back({"Vary", "Accept-Encoding"});
  if (!already && http::accepts_gzip(request)) {
    response.body = std::make_shared<const std::string>(http::gzip(*response.body));
    response.content_encoding = "gzip";
  }
  return response;
}

}  // namespace sqlbak_gateway::gateway
