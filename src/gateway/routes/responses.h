// Responses that several handlers give, and what they read from a request's headers. Pure; safe from any
// thread.
#pragma once

#include "gateway/access.h"
#include "gateway/page/page_assets.h"
#include "gateway/response_cache.h"
#include "sqlbak_gateway/base/clock.h"
#include "sqlbak_gateway/base/result.h"
#include "sqlbak_gateway/http/message.h"

#include <optional>
#include <string>
#include <string_view>

namespace sqlbak_gateway::gateway {

inline constexpr std::string_view kHtmlType = "text/html; charset=utf-8";
inline constexpr std::string_view kJsonType = "application/json";

// The timeout that Prometheus sends; empty if there is no such header. The Error is the client's.
Result<std::optional<Duration>> scrape_timeout(const http::Request& request);
// Whether Accept names JSON with a weight above 0 and above that of HTML.
bool prefers_json(const http::Request& request);

// Why the caller is not let in.
http::Response access_denied(const Access& access, const Access::Verdict& verdict);
// The same for an account that does not exist and for one that the caller may not see.
http::Response no_such_account();
http::Response no_such_page();

// A page that nobody may cache, frame or extend with content from elsewhere.
http::Response page_response(std::string text, std::string_view type);
http::Response asset_response(PageAsset asset);

// `text` in the Prometheus text format, compressed if `gzip` allows it and it is large enough. `gzip` says
// afterwards whether it is.
ResponseCache::Body exposition_body(std::string text, bool& gzip);
http::Response exposition_response(ResponseCache::Body body, bool gzip);

// `response` compressed if the client accepts that and the body is large enough. A body that is compressed
// already stays.
http::Response compressed(http::Response response, const http::Request& request);

}  // namespace sqlbak_gateway::gateway
