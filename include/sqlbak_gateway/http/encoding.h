// gzip for answers. Pure; safe from any thread.
#pragma once

#include "sqlbak_gateway/http/message.h"

#include <string>
#include <string_view>

namespace sqlbak_gateway::http {

// `text` as one gzip member (RFC 1952), at a level that favours speed: metrics shrink about twentyfold
// anyway.
std::string gzip(std::string_view text);

// Whether Accept-Encoding allows gzip (RFC 9110, 12.5.3): it names "gzip", "x-gzip" or "*" with a weight
// above 0; a name counts before "*". False without the header or with a malformed weight.
bool accepts_gzip(const Request& request);

}  // namespace sqlbak_gateway::http
