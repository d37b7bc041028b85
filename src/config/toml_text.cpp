#include "config/toml_text.h"

#include "sqlbak_gateway/base/text.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <toml++/toml.h>

namespace sqlbak_gateway::config {
namespace {

// Deeper than any key of the configuration. Whatever is below is an unknown key, and is not copied.
constexpr int kMaxDepth = 8;
// The library recurses once for each segment of a dotted key and each list or inline table.
constexpr int kMaxDotsInAKey = 32;
constexpr int kMaxOpen = 32;
// The library needs up to 300 bytes for a value, and may compare each table with all before it: 3 s.
constexpr std::size_t kMaxValues = 300'000;
// What ends a key; and what stands before every value, table and further segment of a key.
constexpr std::string_view kStructure = "=,[]{}\n";
constexpr std::string_view kBeginsValue = "=,[{.";

Position position(const toml::source_position& at) {
  return {static_cast<int>(at.line), static_cast<int>(at.column)};
}

Node converted(const toml::node& from, int depth) {
  Node node;
  node.at = position(from.source().begin);
  if (const auto* text = from.as_string()) {
    node.kind = Node::Kind::string;
    node.text = text->get();
  } else if (const auto* integer = from.as_integer()) {
    node.kind = Node::Kind::integer;
    node.integer = integer->get();
    node.real = static_cast<double>(integer->get());
  } else if (const auto* real = from.as_floating_point()) {
    node.kind = Node::Kind::real;
    node.real = real->get();
  } else if (const auto* boolean = from.as_boolean()) {
    node.kind = Node::Kind::boolean;
    node.boolean = boolean->get();
  } else if (const auto* array = from.as_array()) {
    node.kind = Node::Kind::array;
    if (depth == kMaxDepth) return node;
    node.items.reserve(array->size());
    for (const toml::node& item : *array) node.items.push_back(converted(item, depth + 1));
  } else if (const auto* table = from.as_table()) {
    if (depth == kMaxDepth) return node;
    node.members.reserve(table->size());
    for (const auto& [key, value] : *table) {
      node.members.push_back(
          {std::string(key.str()), position(key.source().begin), converted(value, depth + 1)});
    }
  } else {
    node.kind = Node::Kind::date;
  }
  return node;
}

Position position_of(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const std::size_t line_start = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
  return {static_cast<int>(std::count(before.begin(), before.end(), '\n')) + 1,
          static_cast<int>(offset - line_start) + 1};
}

// The position after the string that begins at `from`, as TOML reads it; npos if it has no end.
std::size_t after_string(std::string_view text, std::size_t from) {
  const char quote = text[from];
  const std::string fence(3, quote);
  const bool many_lines = text.substr(from, 3) == fence;
  for (std::size_t i = from + (many_lines ? 3 : 1); i < text.size(); ++i) {
    if (text[i] == '\\' && quote == '"') {
      ++i;
    } else if (text[i] == '\n' && !many_lines) {
      return std::string_view::npos;
    } else if (text[i] == quote && !many_lines) {
      return i + 1;
    } else if (text[i] == quote && text.substr(i, 3) == fence) {
      // One or two quotes before the closing three belong to the string.
      std::size_t end = i + 3;
      while (end < std::min(text.size(), i + 5) && text[end] == quote) ++end;
      return end;
    }
  }
  return std::string_view::npos;
}

// What the library must not be given, because it would recurse or search without a limit of its own. All that
// counts stands outside of strings and comments; where a string has no end, the library stops as well.
std::optional<SyntaxError> beyond_bounds(std::string_view text) {
  const auto error = [&](std::size_t at, std::string message) {
    return SyntaxError{position_of(text, at), std::move(message)};
  };
  int dots = 0;  // in the current key
  int open = 0;
  std::size_t values = 0;
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (c == '#') {
      i = std::min(text.find('\n', i), text.size());
      continue;
    }
    if (c == '"' || c == '\'') {
      i = after_string(text, i);
      if (i == std::string_view::npos) return std::nullopt;
      continue;
    }
    if (c == '.') {
      if (++dots > kMaxDotsInAKey) return error(i, "the key is nested too deeply");
    } else if (kStructure.find(c) != std::string_view::npos) {
      dots = 0;
    }
    if (c == '[' || c == '{') {
      if (++open > kMaxOpen) return error(i, "lists and tables are nested too deeply");
    } else if (c == ']' || c == '}') {
      --open;
    }
    if (kBeginsValue.find(c) != std::string_view::npos && ++values > kMaxValues) {
      return error(i, "holds more than " + std::to_string(kMaxValues) +
                          " keys and values: spread them over several files");
    }
    ++i;
  }
  return std::nullopt;
}

// The library's description without what it quotes of a value: "Error while parsing X: Y" becomes "in a X:
// Y".
std::string without_values(std::string_view description) {
  constexpr std::string_view kPrefix = "Error while parsing ";
  constexpr std::string_view kInQuotes = "text must stand in quotes: key = \"text\"";
  if (description.substr(0, kPrefix.size()) == kPrefix) description.remove_prefix(kPrefix.size());
  for (const std::string_view quoting : {"representable", "trying to interpret"}) {
    if (description.find(quoting) != std::string_view::npos) return "a number is out of range";
  }
  std::string message = valid_utf8(description);
  if (message.find("could not determine value type") != std::string::npos) {
    return std::string(kInQuotes);
  }
  if (message.find("unescaped control characters") != std::string::npos) {
    return "a string does not end in its line: is the closing quote missing?";
  }
  // `lookback = 7d` is taken for a number, `summary = fa` for a boolean.
  using Kind = std::pair<std::string_view, std::string_view>;
  for (const auto& [kind, words] :
       {Kind{"boolean:", "neither true nor false"}, Kind{"decimal integer:", "not a number"},
        Kind{"floating-point:", "not a number"}, Kind{"date", "not a date"}}) {
    if (message.rfind(kind, 0) == 0) {
      return std::string(words) + "; " + std::string(kInQuotes);
    }
  }
  std::replace_if(
      message.begin(), message.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  return "in a " + message;
}

}  // namespace

const Member* Node::find(std::string_view key) const {
  const auto found =
      std::find_if(members.begin(), members.end(), [&](const Member& m) { return m.key == key; });
  return found == members.end() ? nullptr : &*found;
}

std::string_view kind_name(Node::Kind kind) {
  switch (kind) {
    case Node::Kind::string:
      return "a string";
    case Node::Kind::integer:
      return "an integer";
    case Node::Kind::real:
      return "a number with a fraction";
    case Node::Kind::boolean:
      return "a boolean";
    case Node::Kind::date:
      return "a date or time";
    case Node::Kind::array:
      return "a list";
    case Node::Kind::table:
      return "a table";
  }
  return "";
}

std::string toml_string(std::string_view text) {
  return '"' + json_escaped(text) + '"';
}

std::string toml_key(std::string_view text) {
  const auto bare = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  };
  return !text.empty() && std::all_of(text.begin(), text.end(), bare) ? std::string(text) : toml_string(text);
}

ParsedToml parse_toml(std::string_view text) {
  ParsedToml parsed;
  if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos) {
    parsed.errors.push_back({position_of(text, nul), "holds a NUL byte: this is not a TOML text (UTF-8)"});
    return parsed;
  }
  if (auto error = beyond_bounds(text)) {
    parsed.errors.push_back(std::move(*error));
    return parsed;
  }
  try {
    parsed.root = converted(toml::parse(text), 0);
  } catch (const toml::parse_error& error) {
    parsed.errors.push_back(
        {position(error.source().begin), "not valid TOML: " + without_values(error.description())});
  }
  return parsed;
}

}  // namespace sqlbak_gateway::config
