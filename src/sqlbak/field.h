// Fields that more than one document has, read by the contract's rules; what is not recognised is noted.
#pragma once

#include "sqlbak/json_value.h"
#include "sqlbak_gateway/base/result.h"
#include "sqlbak_gateway/sqlbak/notes.h"

#include <optional>
#include <string>
#include <string_view>

namespace sqlbak_gateway::sqlbak {

// The id of a job or a run; empty when it is not true, or an object or a list.
std::string identity(const Value& value, NotedField field, Notes& notes);

// Longer text is shortened (shortened_to) and noted, so that no API answer fills the memory with names. Answers
// shorten their labels further, to max_label_bytes.
inline constexpr std::size_t kMaxTextBytes = 4096;

// Any scalar as text, `otherwise` for null. At most kMaxTextBytes.
std::string text_or(std::string_view otherwise, const Value& value, NotedField field, Notes& notes);

// A scalar's truth; null is nothing.
std::optional<bool> flag_from(const Value& value, NotedField field, Notes& notes);

// For a value that stands where a list is needed: an Error that names the list, unless the value is falsy,
// which is an empty list.
std::optional<Error> not_a_list(std::string_view path, const Value& value);

}  // namespace sqlbak_gateway::sqlbak
