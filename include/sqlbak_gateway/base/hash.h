// Keyed hashes: names for secrets that reveal nothing about them.
#pragma once

#include <string>
#include <string_view>

namespace sqlbak_gateway {

// HMAC-SHA-256 of `text` under `key`, as 64 lower-case hexadecimal digits. Pure; safe from any thread.
std::string keyed_hash(std::string_view key, std::string_view text);

}  // namespace sqlbak_gateway
