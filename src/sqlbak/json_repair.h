// Repairs text that JSON parsers refuse although its meaning is clear.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sqlbak_gateway::sqlbak {

// `body` with U+FFFD for invalid UTF-8 and for escaped halves of surrogate pairs ("\ud83d": a
// name cut off in the middle of an emoji); empty if it has neither.
std::optional<std::string> repaired_json(std::string_view body);

}  // namespace sqlbak_gateway::sqlbak
