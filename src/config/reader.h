// Reader: takes values out of one configuration file, and notes what is wrong with them, where, and what
// would be right.
//
// It goes on after an error, so that it finds all mistakes of a file at once. It never shows values that may
// be secret.
#pragma once

#include "config/toml_text.h"
#include "sqlbak_gateway/base/clock.h"
#include "sqlbak_gateway/config/load.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sqlbak_gateway::config {

// A value and its name in messages.
struct Slot {
  std::string path;  // "server.timeout_offset"; empty for a file as a whole
  Position key_at;
  const Node& value;
};

// The slot of one member of a table. Its path is cut if the key is longer than any valid key.
Slot member_slot(const Slot& table, const Member& member);

// How far a file is trusted with tokens.
enum class Trust {
  full,        // the main file
  less,        // keys that say where a token goes are refused, and token files must lie below its directory
  own_tokens,  // likewise, and token files must lie in the folder beside it that has its name; no other
               // tokens
};

class Reader {
 public:
  // `file` is absolute.
  Reader(std::string file, Trust trust);

  const std::string& file() const { return file_; }
  const std::string& directory() const { return directory_; }
  bool less_trusted() const { return trust_ != Trust::full; }
  bool own_tokens_only() const { return trust_ == Trust::own_tokens; }
  // The directory that token files must lie in; empty for anywhere.
  std::string token_directory() const;
  Place place(Position at) const { return {file_, at.line, at.column}; }

  void error(Position at, std::string message);
  void warning(Position at, std::string message);
  // `known` are the names that are valid there.
  void unknown_key(const Slot& table, const Member& member, const std::vector<std::string_view>& known);

  // Each notes an error and returns empty if the value has another type or is out of range.
  bool expect(const Slot& slot, Node::Kind kind, std::string_view expected);
  std::optional<std::string> text(const Slot& slot);           // without control characters; may be empty
  std::optional<std::string> nonempty_text(const Slot& slot);  // likewise, not empty
  std::optional<std::string> path(const Slot& slot);           // absolute
  std::optional<std::string> variable_name(const Slot& slot);  // of an environment variable
  std::optional<bool> boolean(const Slot& slot);
  std::optional<Duration> duration(const Slot& slot, Duration min, Duration max);
  std::optional<std::uint64_t> size(const Slot& slot, std::uint64_t min, std::uint64_t max);
  std::optional<std::uint64_t> whole_number(const Slot& slot, std::uint64_t min, std::uint64_t max);
  // 0 (no limit), or from kMinRate to kMaxRate.
  std::optional<double> rate(const Slot& slot);

  bool has_errors() const { return !errors_.empty(); }
  // The notes, ascending by position. If there are very many, the first kMaxNotes of them and a count of the
  // others.
  std::vector<Diagnostic> take_errors();
  std::vector<Diagnostic> take_warnings();

  static constexpr double kMinRate = 0.01;
  static constexpr double kMaxRate = 10'000;
  static constexpr std::size_t kMaxNotes = 1000;

 private:
  std::string file_;
  std::string directory_;
  Trust trust_;
  std::vector<Diagnostic> errors_;
  std::vector<Diagnostic> warnings_;
  std::size_t more_errors_ = 0;
  std::size_t more_warnings_ = 0;
};

// "16MiB", "1000B": as parse_size reads it back.
std::string format_size(std::uint64_t bytes);
// Shortest decimal form: "50", "0.5".
std::string format_number(double number);

}  // namespace sqlbak_gateway::config
