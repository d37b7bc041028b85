// Text that JSON parsers refuse, though it is plain what it means.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sqlbak_gateway::sqlbak {

// `body` with U+FFFD for invalid UTF-8 and for escaped halves of surrogate pairs ("\ud83d": a
// name cut off in the middle of an emoji); nothing when it has neither.
std::optional<std::string> repaired_json(std::string_view body);

}  // namespace sqlbak_gateway::sqlbak
