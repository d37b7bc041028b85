#include "sqlbak/json_value.h"

#include "sqlbak_gateway/account/snapshot.h"
#include "sqlbak_gateway/base/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace sqlbak_gateway::sqlbak {
namespace {

// A short number with a large exponent must not become a long text: beyond this length it stays as it is
// written.
constexpr std::size_t kMaxWrittenOutDigits = 64;

std::string integer_as_text(bool negative, std::uint64_t magnitude) {
  std::array<char, 21> text{'-'};
  char* const digits = text.data() + (negative ? 1 : 0);
  return {text.data(), std::to_chars(digits, text.data() + text.size(), magnitude).ptr};
}

// A real number without decimals becomes its digits (4.2e1 is 42), any other stays as it is written. This
// works on the text, so that no digit of a large id is lost in a double.
std::string real_as_text(std::string_view written) {
  std::string_view mantissa = written;
  int exponent = 0;
  if (const auto e = written.find_first_of("eE"); e != std::string_view::npos) {
    mantissa = written.substr(0, e);
    std::string_view power = written.substr(e + 1);
    if (power.starts_with('+')) power.remove_prefix(1);
    if (std::from_chars(power.data(), power.data() + power.size(), exponent).ec != std::errc{}) {
      return std::string(written);
    }
  }
  const bool negative = mantissa.starts_with('-');
  if (negative) mantissa.remove_prefix(1);
  const auto point = std::min(mantissa.find('.'), mantissa.size());

  std::string digits(mantissa.substr(0, point));
  if (point < mantissa.size()) digits += mantissa.substr(point + 1);
  auto before_point = static_cast<std::int64_t>(point) + exponent;
  const auto leading = std::min(digits.find_first_not_of('0'), digits.size());
  digits.erase(0, leading);
  before_point -= static_cast<std::int64_t>(leading);
  digits.erase(digits.find_last_not_of('0') + 1);

  if (digits.empty()) return "0";
  const bool has_decimals = before_point < static_cast<std::int64_t>(digits.size());
  const auto longest = static_cast<std::int64_t>(std::max(kMaxWrittenOutDigits, written.size()));
  if (has_decimals || before_point > longest) return std::string(written);
  digits.resize(static_cast<std::size_t>(before_point), '0');
  if (negative) digits.insert(digits.begin(), '-');
  return digits;
}

std::int64_t cut_to_retention(double days) {
  constexpr auto limit = static_cast<double>(kMaxRetentionDays);
  return static_cast<std::int64_t>(std::clamp(std::trunc(days), -limit, limit));
}

// An integer as most languages read it from text: an optional sign and digits, with blanks around them.
std::optional<std::int64_t> integer_in(std::string_view text) {
  text = trimmed(text);
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  std::int64_t magnitude = kMaxRetentionDays;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), magnitude);
  if (error == std::errc::result_out_of_range) magnitude = kMaxRetentionDays;
  magnitude = std::min(magnitude, kMaxRetentionDays);
  return negative ? -magnitude : magnitude;
}

}  // namespace

bool truthy(const Value& value) {
  switch (value.kind) {
    case Value::Kind::null:
      return false;
    case Value::Kind::boolean:
      return value.boolean;
    case Value::Kind::integer:
    case Value::Kind::real:
      return value.number != 0.0;
    case Value::Kind::string:
      return !value.text.empty();
    case Value::Kind::object:
    case Value::Kind::list:
      return !value.empty;
  }
  return false;
}

std::string text_of(const Value& value) {
  switch (value.kind) {
    case Value::Kind::boolean:
      return value.boolean ? "true" : "false";
    case Value::Kind::integer:
      return integer_as_text(value.negative, value.magnitude);
    case Value::Kind::real:
      return real_as_text(value.text);
    case Value::Kind::string:
      return std::string(value.text);
    case Value::Kind::null:
    case Value::Kind::object:
    case Value::Kind::list:
      return {};
  }
  return {};
}

EpochMs instant_of(const Value& value) {
  return value.is_number() ? EpochMs(value.number) : EpochMs();
}

std::optional<double> amount_of(const Value& value) {
  if (!value.is_number() || !std::isfinite(value.number) || value.number < 0.0) return std::nullopt;
  return value.number;
}

std::optional<std::int64_t> retention_of(const Value& value) {
  if (value.is_number()) return cut_to_retention(value.number);
  if (value.kind == Value::Kind::boolean && value.boolean) return 1;
  if (value.kind == Value::Kind::string) return integer_in(value.text);
  return std::nullopt;
}

std::string sample_of(const Value& value) {
  switch (value.kind) {
    case Value::Kind::null:
      return "null";
    case Value::Kind::object:
      return value.empty ? "{}" : "{…}";
    case Value::Kind::list:
      return value.empty ? "[]" : "[…]";
    case Value::Kind::boolean:
    case Value::Kind::integer:
    case Value::Kind::real:
    case Value::Kind::string:
      return text_of(value);
  }
  return {};
}

std::string_view kind_of(const Value& value) {
  switch (value.kind) {
    case Value::Kind::null:
      return "null";
    case Value::Kind::boolean:
      return "a boolean";
    case Value::Kind::integer:
    case Value::Kind::real:
      return "a number";
    case Value::Kind::string:
      return "a string";
    case Value::Kind::object:
      return "an object";
    case Value::Kind::list:
      return "a list";
  }
  return {};
}

}  // namespace sqlbak_gateway::sqlbak
