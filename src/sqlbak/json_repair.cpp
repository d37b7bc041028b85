#include "sqlbak/json_repair.h"

#include "sqlbak_gateway/base/text.h"

#include <charconv>
#include <cstdint>

namespace sqlbak_gateway::sqlbak {
namespace {

constexpr std::size_t kEscapeBytes = 6;  // \uXXXX

// The code unit that is escaped at `at`; 0 if there is no such escape.
std::uint32_t escaped_unit(std::string_view text, std::size_t at) {
  if (at + kEscapeBytes > text.size() || text[at] != '\\' || text[at + 1] != 'u') return 0;
  std::uint32_t unit = 0;
  const char* const end = text.data() + at + kEscapeBytes;
  return std::from_chars(end - 4, end, unit, 16).ptr == end ? unit : 0;
}

bool is_high(std::uint32_t unit) {
  return unit >= 0xD800 && unit <= 0xDBFF;
}
bool is_low(std::uint32_t unit) {
  return unit >= 0xDC00 && unit <= 0xDFFF;
}

// A backslash outside a string is no JSON, so that case does not matter.
bool repair_surrogates(std::string& text) {
  bool changed = false;
  for (std::size_t at = text.find('\\'); at != std::string::npos; at = text.find('\\', at)) {
    const std::uint32_t unit = escaped_unit(text, at);
    if (is_high(unit) && is_low(escaped_unit(text, at + kEscapeBytes))) {
      at += 2 * kEscapeBytes;
    } else if (is_high(unit) || is_low(unit)) {
      text.replace(at, kEscapeBytes, "\\uFFFD");
      changed = true;
      at += kEscapeBytes;
    } else {
      at += 2;
    }
  }
  return changed;
}

}  // namespace

std::optional<std::string> repaired_json(std::string_view body) {
  bool changed = !is_valid_utf8(body);
  std::string text = changed ? valid_utf8(body) : std::string(body);
  changed = repair_surrogates(text) || changed;
  if (!changed) return std::nullopt;
  return text;
}

}  // namespace sqlbak_gateway::sqlbak
