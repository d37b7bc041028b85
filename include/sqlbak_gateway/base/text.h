// Small, pure functions on text that more than one layer needs.
#pragma once

#include "sqlbak_gateway/base/clock.h"
#include "sqlbak_gateway/base/result.h"

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sqlbak_gateway {

// `text` with every byte that is not part of valid UTF-8 replaced by U+FFFD (Unicode's "maximal subpart"
// practice).
std::string valid_utf8(std::string_view text);
bool is_valid_utf8(std::string_view text);
// As much of valid UTF-8 as fits into so many bytes without cutting a character in two.
std::string_view cut_to(std::string_view text, std::size_t bytes);
// Valid UTF-8 that has at most so many bytes (at least 32): longer text is cut, between two characters, and
// ends with "…" and a hash of the whole, so that texts that differ only in their ends stay different.
std::string shortened_to(std::string_view text, std::size_t bytes);

// Without blanks, ASCII's unless told which, at both ends.
inline constexpr std::string_view kAsciiBlanks = " \t\n\v\f\r";
std::string_view trimmed(std::string_view text, std::string_view blanks = kAsciiBlanks);
// With ASCII letters in lower case; other bytes stay.
std::string lower_case(std::string_view text);
// Equal but for the case of ASCII letters.
bool equal_ignoring_case(std::string_view a, std::string_view b);

// Percent-encodes everything but RFC 3986's unreserved characters: safe as one path segment or one query
// value.
std::string percent_encoded(std::string_view text);
// Percent-decodes a query component ('+' is a blank). Error on a '%' that two hex digits do not follow.
Result<std::string> percent_decoded(std::string_view text);

// "90s", "1h30m", "500ms", "7d": whole numbers with the units ms, s, m, h, d, each at most once, largest
// first; "0s" is allowed. Error (with an example) for anything else, and for more than ten years.
Result<Duration> parse_duration(std::string_view text);
// The shortest text that parse_duration reads back: "1h30m", "250ms", "0s".
std::string format_duration(Duration duration);

// "16MiB", "512KiB", "1GiB", "4096B" to bytes; Error (with an example) otherwise.
Result<std::uint64_t> parse_size(std::string_view text);

// RFC 3339 in UTC with milliseconds: "2026-01-31T23:59:59.123Z".
std::string format_time(SystemTime time);

// Shell-style match of a whole name: '*' is any run of characters, '?' is one. No character classes, no
// escapes.
bool glob_matches(std::string_view pattern, std::string_view name);

// The candidate nearest to `text` by edit distance, when near enough to be a likely slip of the fingers.
std::optional<std::string> nearest(std::string_view text, const std::vector<std::string_view>& candidates);

// Text in a JSON or logfmt string: quotes, backslashes and control characters escaped, without the quotes
// around it.
std::string json_escaped(std::string_view text);

}  // namespace sqlbak_gateway
