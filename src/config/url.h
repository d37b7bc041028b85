// URLs in the configuration. They are parsed strictly, because one of them decides where a token goes. Value
// types.
#pragma once

#include "sqlbak_gateway/base/result.h"

#include <string>
#include <string_view>

namespace sqlbak_gateway::config {

struct Url {
  std::string scheme;      // lower case
  std::string userinfo;    // as written, still escaped; may be a secret
  std::string host;        // without brackets
  std::string port;        // digits, 1 to 65535; may be empty
  std::string path;        // as written; with query and fragment, if there are any
  bool has_query = false;  // '?' or '#' follows the path
};

// Accepts SCHEME://[USERINFO@]HOST[:PORT][/PATH] in printable ASCII without blanks, quotes and backslashes;
// HOST is letters, digits, '.', '-', '_', or an IPv6 address in brackets. The Error is a half sentence that
// shows nothing of the text.
Result<Url> parse_url(std::string_view text);

// The base URL of an API without a trailing '/': https, or http to a loopback address, because the token goes
// there; without credentials, query and fragment. The Error is a half sentence that shows nothing of the
// text.
Result<std::string> parse_api_url(std::string_view text);

// scheme://host[:port], with brackets if the host needs them.
std::string origin(const Url& url);

}  // namespace sqlbak_gateway::config
