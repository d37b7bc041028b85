// What all pages for people share: the document around their content, as HTML and as JSON. It works without
// JavaScript. Regions with an id and `data-live` are what page.js replaces when it refreshes. Addresses are
// relative, so that a proxy may put the gateway below a path.
#pragma once

#include "gateway/page/html.h"
#include "gateway/page/json.h"
#include "gateway/page/pages.h"

#include <string>
#include <string_view>

namespace sqlbak_gateway::gateway {

// `root` is the way from the page to `/`: "" or "../".
std::string html_document(std::string_view title, std::string_view root, const GatewayFacts& gateway,
                          const Html& main);

// The members that every JSON document begins with, and the text of a finished one.
Json json_document(const GatewayFacts& gateway);
std::string text_of(const Json& document);

// "3 min", with the instant itself for those who point at it.
Html age(SystemTime then, SystemTime now);
// "3 min ago", or `otherwise` if there is no such instant.
Html ago_or(const std::optional<SystemTime>& then, SystemTime now, std::string_view otherwise);

}  // namespace sqlbak_gateway::gateway
