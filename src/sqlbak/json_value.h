// Value: one value of a JSON document, and how its type is converted to the one that is wanted. A scalar
// comes with its content; an object or a list only says whether it is empty. Value types and pure functions.
#pragma once

#include "sqlbak_gateway/account/epoch_ms.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sqlbak_gateway::sqlbak {

struct Value {
  enum class Kind : std::uint8_t { null, boolean, integer, real, string, object, list };

  Kind kind = Kind::null;
  bool negative = false;        // of an integer
  bool empty = true;            // of an object or a list
  bool boolean = false;         // of a boolean
  double number = 0.0;          // of an integer or a real; a real beyond double's range is infinite
  std::uint64_t magnitude = 0;  // of an integer: exact
  std::string_view text;  // of a string its content, of a real as it is written; valid until the next value

  bool is_number() const { return kind == Kind::integer || kind == Kind::real; }
  bool is_container() const { return kind == Kind::object || kind == Kind::list; }
};

// False for false, 0, "", null, and an empty object or list.
bool truthy(const Value& value);

// A scalar as text: the content of a string, a number as it is written but without zero decimals, "true" or
// "false". Empty for null, objects and lists.
std::string text_of(const Value& value);

// An instant is a number; empty for everything else.
EpochMs instant_of(const Value& value);

// A finite number that is not negative; empty for everything else.
std::optional<double> amount_of(const Value& value);

// Months or days of retention: the integer part of a number, 1 for true, or the integer that a string holds.
// Empty for null and everything else. Cut to ±kMaxRetentionDays.
std::optional<std::int64_t> retention_of(const Value& value);

// The value as it is shown to an operator: the text of a scalar, "null", "{}", "[…]".
std::string sample_of(const Value& value);
// "a string", "an object", …
std::string_view kind_of(const Value& value);

}  // namespace sqlbak_gateway::sqlbak
