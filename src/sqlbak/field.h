// Fields that more than one document has. Unrecognised values are noted.
#pragma once

#include "sqlbak/json_value.h"
#include "sqlbak_gateway/base/result.h"
#include "sqlbak_gateway/sqlbak/notes.h"

#include <optional>
#include <string>
#include <string_view>

namespace sqlbak_gateway::sqlbak {

// The id of a job or a run; empty if it is not true, or an object or a list.
std::string identity(const Value& value, NotedField field, Notes& notes);

// Longer text is shortened (shortened_to) and noted, so that no API answer fills the memory with names.
// Answers shorten their labels further, to max_label_bytes.
inline constexpr std::size_t kMaxTextBytes = 4096;

// A scalar as text, or `otherwise` for null. At most kMaxTextBytes.
std::string text_or(std::string_view otherwise, const Value& value, NotedField field, Notes& notes);

// The truth of a scalar; empty for null.
std::optional<bool> flag_from(const Value& value, NotedField field, Notes& notes);

// For a value in the place of a list: an Error that names the list; empty if the value is falsy, because that
// is an empty list.
std::optional<Error> not_a_list(std::string_view path, const Value& value);

}  // namespace sqlbak_gateway::sqlbak
