// gzip for answers. Pure; safe from any thread.
#pragma once

#include "sqlbak_gateway/http/message.h"

#include <string>
#include <string_view>

namespace sqlbak_gateway::http {

// `text` as one gzip member (RFC 1952), at a level that favours speed: expositions shrink about twentyfold
// anyway.
std::string gzip(std::string_view text);

// Whether Accept-Encoding lets the answer be gzip (RFC 9110, 12.5.3): "gzip", "x-gzip" or "*" with a weight
// above 0, the specific before "*". Without the header, or with a malformed weight: no.
bool accepts_gzip(const Request& request);

}  // namespace sqlbak_gateway::http
