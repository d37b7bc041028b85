#include "sqlbak_gateway/http/authorization.h"

#include "sqlbak_gateway/base/text.h"

#include <algorithm>
#include <cstdint>

namespace sqlbak_gateway::http {
namespace {

int base64_digit(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  if (c == '/') return 63;
  return -1;
}

// RFC 4648, section 4, with its padding; nothing for anything else.
std::optional<std::string> base64_decoded(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::size_t padding = 0;
  while (padding < 2 && !text.empty() && text.back() == '=') {
    text.remove_suffix(1);
    ++padding;
  }
  std::string decoded;
  decoded.reserve(text.size() * 3 / 4);
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const int digit = base64_digit(c);
    if (digit < 0) return std::nullopt;
    bits = (bits << 6) | static_cast<std::uint32_t>(digit);
    count += 6;
    if (count >= 8) {
      count -= 8;
      decoded.push_back(static_cast<char>((bits >> count) & 0xFFu));
    }
  }
  return decoded;
}

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
}

// RFC 6750, b64token: letters, digits, -._~+/ and '=' at the end.
bool is_bearer_token(std::string_view token) {
  while (!token.empty() && token.back() == '=') token.remove_suffix(1);
  return !token.empty() && std::all_of(token.begin(), token.end(), [](char c) {
    return base64_digit(c) >= 0 || c == '-' || c == '.' || c == '_' || c == '~';
  });
}

}  // namespace

std::optional<Credentials> parse_authorization(std::string_view header_value) {
  const std::string_view value = trimmed(header_value);
  const std::size_t blank = std::min(value.find(' '), value.size());
  const std::string_view scheme = value.substr(0, blank);
  const std::string_view rest = trimmed(value.substr(blank));
  if (equal_ignoring_case(scheme, "Bearer")) {
    if (!is_bearer_token(rest)) return std::nullopt;
    return BearerCredentials{Secret(std::string(rest))};
  }
  if (!equal_ignoring_case(scheme, "Basic")) return std::nullopt;
  const std::optional<std::string> decoded = base64_decoded(rest);
  if (!decoded || std::any_of(decoded->begin(), decoded->end(), is_control)) return std::nullopt;
  const std::size_t colon = decoded->find(':');
  if (colon == std::string::npos) return std::nullopt;
  return BasicCredentials{decoded->substr(0, colon), Secret(decoded->substr(colon + 1))};
}

std::optional<Credentials> credentials_of(const Request& request) {
  const std::optional<std::string_view> value = request.header("Authorization");
  return value ? parse_authorization(*value) : std::nullopt;
}

}  // namespace sqlbak_gateway::http
