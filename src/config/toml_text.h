// TOML text as a tree with positions. The rest of the layer knows nothing else of the TOML library. Value
// types.
#pragma once

#include "sqlbak_gateway/base/result.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sqlbak_gateway::config {

struct Position {
  int line = 0;    // from 1; 0 if unknown
  int column = 0;  // from 1, in characters
};

struct Member;

struct Node {
  enum class Kind { string, integer, real, boolean, date, array, table };
  Kind kind = Kind::table;
  Position at;
  std::string text;             // of a string
  std::int64_t integer = 0;     // of an integer
  double real = 0;              // of an integer or a real
  bool boolean = false;         // of a boolean
  std::vector<Node> items;      // of an array, in order
  std::vector<Member> members;  // of a table, ascending by key

  const Member* find(std::string_view key) const;
};

struct Member {
  std::string key;
  Position at;  // of the key
  Node value;
};

// "a string", "an integer", "a table", …
std::string_view kind_name(Node::Kind kind);

// `text` as a bare key where TOML allows it, else as a string in quotes.
std::string toml_key(std::string_view text);
std::string toml_string(std::string_view text);

struct SyntaxError {
  Position at;
  std::string message;  // shows at most single characters of the text, which may hold a secret
};

struct ParsedToml {
  Node root;
  std::vector<SyntaxError> errors;  // the first error, because what follows it is not read; or empty
};

// Parses bytes to a tree. A NUL, invalid UTF-8, a syntax error and keys nested too deep are one message. A
// byte order mark and CRLF line ends are accepted.
ParsedToml parse_toml(std::string_view text);

}  // namespace sqlbak_gateway::config
