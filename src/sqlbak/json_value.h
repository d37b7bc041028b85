// Value: one value of a JSON document as decoding meets it, and the contract's rules for dynamic types.
// Scalars come with their contents; of objects and lists only whether they are empty. Value types and pure
// functions.
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

// Not false, 0, "", null, or an empty object or list.
bool truthy(const Value& value);

// A scalar as text: a string's content; a number as it is written, without decimals where it has none;
// "true", "false". Empty for null, objects and lists.
std::string text_of(const Value& value);

// Only a number is an instant.
EpochMs instant_of(const Value& value);

// A finite number that is not negative.
std::optional<double> amount_of(const Value& value);

// Months or days of retention: a number is cut to its integer part, true is 1, a string that holds an integer
// is that; null and everything else nothing. Cut to ±kMaxRetentionDays.
std::optional<std::int64_t> retention_of(const Value& value);

// The value for an operator's eyes: a scalar's text, "null", "{}", "[…]".
std::string sample_of(const Value& value);
// "a string", "an object", …
std::string_view kind_of(const Value& value);

}  // namespace sqlbak_gateway::sqlbak
