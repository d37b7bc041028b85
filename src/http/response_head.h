// The bytes in front of an answer's body.
#pragma once

#include "sqlbak_gateway/base/clock.h"
#include "sqlbak_gateway/http/message.h"

#include <string>

namespace sqlbak_gateway::http {

// IMF-fixdate (RFC 9110, 5.6.7): "Sun, 06 Nov 1994 08:49:37 GMT".
std::string http_date(SystemTime time);

// Status line and headers with the empty line at their end. `connection` is the Connection header's value, or
// empty.
std::string response_head(const Response& response, std::string_view connection, SystemTime now);

}  // namespace sqlbak_gateway::http
