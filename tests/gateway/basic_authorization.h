// The Authorization header of HTTP basic authentication, as clients write it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sqlbak_gateway::gateway::testing {

inline std::string base64(std::string_view text) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string encoded;
  for (std::size_t i = 0; i < text.size(); i += 3) {
    std::uint32_t bits = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      bits = bits << 8 | (i + k < text.size() ? static_cast<unsigned char>(text[i + k]) : 0u);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      encoded += i + k > text.size() ? '=' : kDigits[bits >> (18 - 6 * k) & 0x3F];
    }
  }
  return encoded;
}

inline std::string basic_authorization(const std::string& name, const std::string& password) {
  return "Basic " + base64(name + ":" + password);
}

}  // namespace sqlbak_gateway::gateway::testing
