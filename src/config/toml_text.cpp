#include "config/toml_text.h"

#include "sqlbak_gateway/base/text.h"

#include <algorithm>
#include <optional>

#include <toml++/toml.h>

namespace sqlbak_gateway::config {
namespace {

// Deeper than any key of the configuration; what lies below can only be an unknown key, and is not copied.
constexpr int kMaxDepth = 8;
// The library recurses once a segment of a dotted key when it frees a document, and has no limit of its own.
constexpr int kMaxDotsInALine = 32;

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
    for (const toml::node& item : *array) node.items.push_back(converted(item, depth + 1));
  } else if (const auto* table = from.as_table()) {
    if (depth == kMaxDepth) return node;
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

// Where a line has more dots outside of strings and comments than any key or number needs.
std::optional<std::size_t> too_many_dots(std::string_view text) {
  int dots = 0;
  char quote = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\n') {
      dots = 0;
      quote = 0;
    } else if (quote != 0) {
      if (c == '\\' && quote == '"') ++i;
      if (c == quote) quote = 0;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '#') {
      i = std::min(text.find('\n', i), text.size()) - 1;
    } else if (c == '.' && ++dots > kMaxDotsInALine) {
      return i;
    }
  }
  return std::nullopt;
}

// The library's description without what it quotes of a value: "Error while parsing X: Y" becomes "in a X:
// Y".
std::string without_values(std::string_view description) {
  constexpr std::string_view kPrefix = "Error while parsing ";
  if (description.substr(0, kPrefix.size()) == kPrefix) description.remove_prefix(kPrefix.size());
  for (const std::string_view quoting : {"representable", "trying to interpret"}) {
    if (description.find(quoting) != std::string_view::npos) return "a number is out of range";
  }
  std::string message = valid_utf8(description);
  if (message.find("could not determine value type") != std::string::npos) {
    return "text must stand in quotes: key = \"text\"";
  }
  if (message.find("unescaped control characters") != std::string::npos) {
    return "a string does not end in its line: is the closing quote missing?";
  }
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
  if (const auto dot = too_many_dots(text)) {
    parsed.errors.push_back({position_of(text, *dot), "the key is nested too deeply"});
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
