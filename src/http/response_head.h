// The bytes in front of an answer's body.
#pragma once

#include "sqlbak_gateway/base/clock.h"
#include "sqlbak_gateway/http/message.h"

#include <string>

namespace sqlbak_gateway::http {

// Status line and headers with the empty line at their end. `connection` is the value of the Connection
// header; no such header if it is empty.
std::string response_head(const Response& response, std::string_view connection, SystemTime now);

}  // namespace sqlbak_gateway::http
