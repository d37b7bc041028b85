#include "config/reader.h"

#include "config/file.h"
#include "config/keys.h"
#include "sqlbak_gateway/base/text.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <filesystem>
#include <tuple>

namespace sqlbak_gateway::config {
namespace {

constexpr std::size_t kMaxPathBytes = 4096;  // Linux opens no longer path
// Bytes of a key in a message.
constexpr std::size_t kMostShown = 100;

std::string in_quotes(std::string_view text) {
  return '"' + json_escaped(cut_to(text, kMostShown)) + '"';
}

std::string header(const std::string& path) {
  return path.empty() ? "at the top level" : "in [" + path + "]";
}

// The table that has a key of that name, for messages about a key in the wrong table.
std::string home_of(std::string_view name) {
  for (const DocumentedKey& key : documented_keys()) {
    if (key.name == name) return key.table.empty() ? "at the top level" : "in [" + key.table + "]";
  }
  return "";
}

void sort_by_position(std::vector<Diagnostic>& diagnostics) {
  std::stable_sort(diagnostics.begin(), diagnostics.end(), [](const Diagnostic& a, const Diagnostic& b) {
    return std::tie(a.place.line, a.place.column) < std::tie(b.place.line, b.place.column);
  });
}

}  // namespace

Slot member_slot(const Slot& table, const Member& member) {
  const std::string_view shown = cut_to(member.key, kMostShown);
  const std::string key = shown.size() == member.key.size() ? toml_key(shown) : toml_string(shown) + "…";
  return {table.path.empty() ? key : table.path + '.' + key, member.at, member.value};
}

Reader::Reader(std::string file, Trust trust)
    : file_(std::move(file)),
      directory_(std::filesystem::path(file_).parent_path().string()),
      trust_(trust) {}

std::string Reader::token_directory() const {
  switch (trust_) {
    case Trust::full:
      return "";
    case Trust::less:
      return directory_;
    case Trust::own_tokens:
      return resolved(directory_, std::filesystem::path(file_).stem().string());
  }
  return directory_;
}

void Reader::error(Position at, std::string message) {
  if (errors_.size() == kMaxNotes) {
    ++more_errors_;
  } else {
    errors_.push_back({place(at), std::move(message)});
  }
}

void Reader::warning(Position at, std::string message) {
  if (warnings_.size() == kMaxNotes) {
    ++more_warnings_;
  } else {
    warnings_.push_back({place(at), std::move(message)});
  }
}

void Reader::unknown_key(const Slot& table, const Member& member,
                         const std::vector<std::string_view>& known) {
  if (errors_.size() == kMaxNotes) {
    ++more_errors_;
    return;
  }
  std::string message = "unknown key " + in_quotes(member.key) + ' ' + header(table.path);
  const std::string home = home_of(member.key);
  const auto near =
      home.empty() && member.key.size() <= kMostShown ? nearest(member.key, known) : std::nullopt;
  constexpr std::string_view kAccounts = "accounts.";
  const bool account = table.path.rfind(kAccounts, 0) == 0 &&
                       table.path.find_first_of(".\"", kAccounts.size()) == std::string::npos;
  if (account && home.empty() && !near && member.value.kind == Node::Kind::table) {
    const std::string name = table.path.substr(kAccounts.size()) + '.' + member.key;
    message +=
        ": a name with a dot stands in quotes: [accounts." + toml_string(cut_to(name, kMostShown)) + ']';
  } else if (near) {
    message += ": did you mean \"" + *near + "\"?";
  } else {
    message += home.empty() ? ": known are" : ": it belongs " + home + "; known here are";
    for (const std::string_view name : known) message += ' ' + std::string(name) + ',';
    message.pop_back();
  }
  error(member.at, std::move(message));
}

bool Reader::expect(const Slot& slot, Node::Kind kind, std::string_view expected) {
  if (slot.value.kind == kind) return true;
  error(slot.value.at,
        slot.path + " must be " + std::string(expected) + ", not " + std::string(kind_name(slot.value.kind)));
  return false;
}

std::optional<std::string> Reader::text(const Slot& slot) {
  if (!expect(slot, Node::Kind::string, "a string")) return std::nullopt;
  const std::string& text = slot.value.text;
  if (std::any_of(text.begin(), text.end(), [](char c) { return (c >= 0 && c < 0x20) || c == 0x7f; })) {
    error(slot.value.at, slot.path + " holds a control character (a line break, a tab, a NUL): take it out");
    return std::nullopt;
  }
  return text;
}

std::optional<std::string> Reader::nonempty_text(const Slot& slot) {
  auto value = text(slot);
  if (value && value->empty()) {
    error(slot.value.at, slot.path + " is empty: give a value, or leave the key out");
    return std::nullopt;
  }
  return value;
}

std::optional<std::string> Reader::path(const Slot& slot) {
  const auto value = nonempty_text(slot);
  if (!value) return std::nullopt;
  if (value->size() >= kMaxPathBytes) {
    error(slot.value.at, slot.path + " is too long for a path: it must have fewer than " +
                             std::to_string(kMaxPathBytes) + " bytes");
    return std::nullopt;
  }
  return resolved(directory_, *value);
}

std::optional<std::string> Reader::variable_name(const Slot& slot) {
  auto text = nonempty_text(slot);
  const auto in_name = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; };
  if (text && (std::isdigit(static_cast<unsigned char>(text->front())) != 0 || text->size() > 255 ||
               !std::all_of(text->begin(), text->end(), in_name))) {
    error(slot.value.at,
          slot.path + " must be the name of an environment variable (letters, digits, '_'), not its value");
    return std::nullopt;
  }
  return text;
}

std::optional<bool> Reader::boolean(const Slot& slot) {
  if (!expect(slot, Node::Kind::boolean, "true or false")) return std::nullopt;
  return slot.value.boolean;
}

std::optional<Duration> Reader::duration(const Slot& slot, Duration min, Duration max) {
  if (!expect(slot, Node::Kind::string, "a duration in quotes, such as \"90s\" or \"15m\""))
    return std::nullopt;
  const auto value = parse_duration(slot.value.text);
  if (!value) {
    error(slot.value.at, slot.path + ": " + value.error().message);
    return std::nullopt;
  }
  if (*value < min || *value > max) {
    error(slot.value.at, slot.path + " is " + format_duration(*value) + ": it must be " +
                             format_duration(min) + " to " + format_duration(max));
    return std::nullopt;
  }
  return *value;
}

std::optional<std::uint64_t> Reader::size(const Slot& slot, std::uint64_t min, std::uint64_t max) {
  if (!expect(slot, Node::Kind::string, "a size in quotes, such as \"16MiB\"")) return std::nullopt;
  const auto value = parse_size(slot.value.text);
  if (!value) {
    error(slot.value.at, slot.path + ": " + value.error().message);
    return std::nullopt;
  }
  if (*value < min || *value > max) {
    error(slot.value.at, slot.path + " is " + format_size(*value) + ": it must be " + format_size(min) +
                             " to " + format_size(max));
    return std::nullopt;
  }
  return *value;
}

std::optional<std::uint64_t> Reader::whole_number(const Slot& slot, std::uint64_t min, std::uint64_t max) {
  if (!expect(slot, Node::Kind::integer, "a whole number")) return std::nullopt;
  const auto value = static_cast<std::uint64_t>(slot.value.integer);
  if (slot.value.integer < 0 || value < min || value > max) {
    error(slot.value.at, slot.path + " is " + std::to_string(slot.value.integer) + ": it must be " +
                             std::to_string(min) + " to " + std::to_string(max));
    return std::nullopt;
  }
  return value;
}

std::optional<double> Reader::rate(const Slot& slot) {
  if (slot.value.kind != Node::Kind::real && !expect(slot, Node::Kind::integer, "a number"))
    return std::nullopt;
  const double value = slot.value.real;
  if (!(value == 0 || (value >= kMinRate && value <= kMaxRate))) {
    error(slot.value.at, slot.path + " is " + format_number(value) + ": it must be " +
                             format_number(kMinRate) + " to " + format_number(kMaxRate) +
                             ", or 0 for no limit");
    return std::nullopt;
  }
  return value;
}

std::vector<Diagnostic> Reader::take_errors() {
  sort_by_position(errors_);
  if (more_errors_ > 0)
    errors_.push_back({place({}), "and " + std::to_string(more_errors_) + " more errors"});
  return std::move(errors_);
}

std::vector<Diagnostic> Reader::take_warnings() {
  sort_by_position(warnings_);
  if (more_warnings_ > 0)
    warnings_.push_back({place({}), "and " + std::to_string(more_warnings_) + " more warnings"});
  return std::move(warnings_);
}

std::string format_size(std::uint64_t bytes) {
  constexpr std::array<std::string_view, 4> kUnits = {"B", "KiB", "MiB", "GiB"};
  std::size_t unit = 0;
  while (unit + 1 < kUnits.size() && bytes != 0 && bytes % 1024 == 0) {
    bytes /= 1024;
    ++unit;
  }
  return std::to_string(bytes) + std::string(kUnits[unit]);
}

std::string format_number(double number) {
  std::array<char, 32> buffer{};
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number);
  return {buffer.data(), end};
}

}  // namespace sqlbak_gateway::config
