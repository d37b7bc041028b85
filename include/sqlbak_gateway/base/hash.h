// Hashes. Pure functions, safe to call from any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sqlbak_gateway {

// HMAC-SHA-256 of `text` under `key`, as 64 lower-case hexadecimal digits: a name for a secret that reveals
// nothing about it.
std::string keyed_hash(std::string_view key, std::string_view text);

// FNV-1a, the same on every machine and in every version: files and spreads over time depend on it. Against
// accidents only, not against attacks.
constexpr std::uint64_t stable_hash(std::string_view text) {
  std::uint64_t value = 0xcbf29ce484222325u;
  for (const char c : text) value = (value ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return value;
}

}  // namespace sqlbak_gateway
