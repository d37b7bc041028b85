#include "sqlbak_gateway/base/text.h"

#include "sqlbak_gateway/base/hash.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <numeric>

namespace sqlbak_gateway {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// Bytes of the valid UTF-8 sequence that `text` (not empty) starts with; 0 when it starts with none, and then
// `bad` is the length of the maximal subpart that one U+FFFD stands for (Unicode 15, table 3-7 and
// section 3.9).
std::size_t sequence_length(std::string_view text, std::size_t& bad) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  bad = 1;
  if (first < 0x80) return 1;
  std::size_t length = 0;
  unsigned char low = 0x80;
  unsigned char high = 0xBF;
  if (first >= 0xC2 && first <= 0xDF) {
    length = 2;
  } else if (first >= 0xE0 && first <= 0xEF) {
    length = 3;
    if (first == 0xE0) low = 0xA0;
    if (first == 0xED) high = 0x9F;
  } else if (first >= 0xF0 && first <= 0xF4) {
    length = 4;
    if (first == 0xF0) low = 0x90;
    if (first == 0xF4) high = 0x8F;
  } else {
    return 0;
  }
  for (std::size_t i = 1; i < length; ++i) {
    if (i >= text.size() || byte(i) < low || byte(i) > high) {
      bad = i;
      return 0;
    }
    low = 0x80;
    high = 0xBF;
  }
  return length;
}

struct Unit {
  std::string_view name;
  std::int64_t factor;
};

// Reads "<digits><unit>" off the front of `text`.
bool take_number(std::string_view& text, std::uint64_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

std::string quoted(std::string_view text) {
  constexpr std::size_t kMost = 64;
  std::string quoted_text(1, '"');
  quoted_text += json_escaped(text.substr(0, kMost));
  quoted_text += text.size() > kMost ? "…\"" : "\"";
  return quoted_text;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t substituted = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({row[j] + 1, row[j + 1] + 1, substituted});
    }
  }
  return row.back();
}

}  // namespace

std::string valid_utf8(std::string_view text) {
  std::string valid;
  valid.reserve(text.size());
  while (!text.empty()) {
    std::size_t bad = 0;
    const std::size_t length = sequence_length(text, bad);
    if (length > 0) {
      valid.append(text.substr(0, length));
      text.remove_prefix(length);
    } else {
      valid.append("\xEF\xBF\xBD");
      text.remove_prefix(bad);
    }
  }
  return valid;
}

bool is_valid_utf8(std::string_view text) {
  while (!text.empty()) {
    // ASCII, the usual case, eight bytes at a time.
    while (text.size() >= 8) {
      std::uint64_t word = 0;
      std::copy_n(text.data(), 8, reinterpret_cast<char*>(&word));
      if ((word & 0x8080808080808080u) != 0) break;
      text.remove_prefix(8);
    }
    if (text.empty()) return true;
    std::size_t bad = 0;
    const std::size_t length = sequence_length(text, bad);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string_view cut_to(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes) return text;
  const auto continues_character = [&](std::size_t i) {
    return (static_cast<unsigned char>(text[i]) & 0xC0) == 0x80;
  };
  while (bytes > 0 && continues_character(bytes)) --bytes;
  return text.substr(0, bytes);
}

std::string shortened_to(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes) return std::string(text);
  constexpr std::string_view kEllipsis = "…";
  constexpr std::size_t kHashDigits = 16;
  std::string shortened(cut_to(text, bytes - kEllipsis.size() - kHashDigits));
  return shortened.append(kEllipsis).append(keyed_hash("", text), 0, kHashDigits);
}

std::string_view trimmed(std::string_view text, std::string_view blanks) {
  const std::size_t begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

std::string lower_case(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), lower);
  return result;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view kUnreserved =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string encoded;
  encoded.reserve(text.size());
  for (const char c : text) {
    if (kUnreserved.find(c) != std::string_view::npos) {
      encoded += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      encoded += '%';
      encoded += kHex[byte >> 4];
      encoded += kHex[byte & 0xF];
    }
  }
  return encoded;
}

Result<std::string> percent_decoded(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      decoded += ' ';
    } else if (text[i] == '%') {
      unsigned byte = 0;
      const char* begin = text.data() + i + 1;
      if (i + 2 >= text.size() || std::from_chars(begin, begin + 2, byte, 16).ptr != begin + 2) {
        return Error{"a '%' in the query is not followed by two hexadecimal digits: write '%' itself as %25"};
      }
      decoded += static_cast<char>(byte);
      i += 2;
    } else {
      decoded += text[i];
    }
  }
  return decoded;
}

Result<Duration> parse_duration(std::string_view text) {
  constexpr std::array<Unit, 5> kUnits = {
      {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};
  constexpr std::int64_t kTenYears = 3650LL * 86'400'000;
  const auto wrong = [&] {
    return Error{quoted(text) +
                 " is not a duration: write a number and a unit, as in \"90s\", \"15m\", \"168h\" or \"7d\""};
  };
  std::string_view rest = text;
  std::int64_t total = 0;
  std::size_t next_unit = 0;  // each unit once, largest first
  if (rest.empty()) return wrong();
  while (!rest.empty()) {
    std::uint64_t number = 0;
    if (!take_number(rest, number)) return wrong();
    std::size_t letters = 0;
    while (letters < rest.size() && rest[letters] >= 'a' && rest[letters] <= 'z') ++letters;
    const std::string_view unit = rest.substr(0, letters);
    rest.remove_prefix(letters);
    while (next_unit < kUnits.size() && kUnits[next_unit].name != unit) ++next_unit;
    if (next_unit == kUnits.size()) return wrong();
    const std::int64_t factor = kUnits[next_unit++].factor;
    if (number > static_cast<std::uint64_t>((kTenYears - total) / factor)) {
      return Error{quoted(text) + " is longer than ten years, the longest duration allowed"};
    }
    total += static_cast<std::int64_t>(number) * factor;
  }
  return std::chrono::duration_cast<Duration>(std::chrono::milliseconds(total));
}

std::string format_duration(Duration duration) {
  constexpr std::array<Unit, 5> kUnits = {
      {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};
  std::int64_t rest = std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
  std::string text = rest < 0 ? "-" : "";
  rest = rest < 0 ? -rest : rest;
  if (rest == 0) return "0s";
  for (const Unit& unit : kUnits) {
    if (rest / unit.factor == 0) continue;
    text.append(std::to_string(rest / unit.factor)).append(unit.name);
    rest %= unit.factor;
  }
  return text;
}

Result<std::uint64_t> parse_size(std::string_view text) {
  std::string_view rest = text;
  std::uint64_t number = 0;
  if (take_number(rest, number)) {
    for (const auto& [unit, shift] :
         {std::pair{std::string_view("B"), 0u}, {"KiB", 10u}, {"MiB", 20u}, {"GiB", 30u}}) {
      if (rest == unit && number <= (UINT64_MAX >> shift)) return number << shift;
    }
  }
  return Error{quoted(text) +
               " is not a size: write a number and a unit, as in \"512KiB\", \"16MiB\" or \"1GiB\""};
}

std::string format_time(SystemTime time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  std::array<char, 64> text{};
  const int length = std::snprintf(
      text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year()),
      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
      static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
      static_cast<int>(clock.seconds().count()), static_cast<int>(clock.subseconds().count()));
  return std::string(text.data(), static_cast<std::size_t>(length));
}

bool glob_matches(std::string_view pattern, std::string_view name) {
  // Greedy with one step back: on a mismatch the last '*' takes one more character. Linear in practice, and
  // never worse than |pattern| x |name|.
  std::size_t p = 0;
  std::size_t n = 0;
  std::size_t star = std::string_view::npos;
  std::size_t star_name = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_name = n;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n])) {
      ++p;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++star_name;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

std::optional<std::string> nearest(std::string_view text, const std::vector<std::string_view>& candidates) {
  std::optional<std::string> best;
  std::size_t best_distance = std::max<std::size_t>(2, text.size() / 3) + 1;
  for (const std::string_view candidate : candidates) {
    const std::size_t distance = edit_distance(text, candidate);
    if (distance < best_distance && distance < candidate.size()) {
      best_distance = distance;
      best = std::string(candidate);
    }
  }
  return best;
}

std::string json_escaped(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string escaped;
  escaped.reserve(text.size());
  for (const char c : valid_utf8(text)) {
    switch (c) {
      case '"':
        escaped += "\\\"";
        break;
      case '\\':
        escaped += "\\\\";
        break;
      case '\n':
        escaped += "\\n";
        break;
      case '\r':
        escaped += "\\r";
        break;
      case '\t':
        escaped += "\\t";
        break;
      default: {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7f) {
          escaped.append("\\u00");
          escaped += kHex[byte >> 4];
          escaped += kHex[byte & 0xF];
        } else {
          escaped += c;
        }
      }
    }
  }
  return escaped;
}

}  // namespace sqlbak_gateway
