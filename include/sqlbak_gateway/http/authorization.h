// Reads the Authorization header. What the credentials grant is the gateway's business. Pure; safe from any
// thread.
#pragma once

#include "sqlbak_gateway/base/secret.h"
#include "sqlbak_gateway/http/message.h"

#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace sqlbak_gateway::http {

// RFC 7617. The name may be empty and never holds a ':'; the password may hold anything but control
// characters.
struct BasicCredentials {
  std::string name;
  Secret password;
};

// RFC 6750.
struct BearerCredentials {
  Secret token;
};

using Credentials = std::variant<BasicCredentials, BearerCredentials>;

// Empty if the value has another scheme or is malformed (not base64, no ':', control characters, a bad
// token).
std::optional<Credentials> parse_authorization(std::string_view header_value);
// From the request's Authorization header; empty if it has none. The server refuses requests with several.
std::optional<Credentials> credentials_of(const Request& request);

}  // namespace sqlbak_gateway::http
