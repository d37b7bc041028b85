// Reading tokens: the accounts' API tokens and the bearer tokens of [[access]] entries.
//
// A token is read again whenever it is needed, so that a rotation needs no reload. Credentials of systemd are
// the exception, because systemd copies them when the service starts.
#pragma once

#include "sqlbak_gateway/base/result.h"
#include "sqlbak_gateway/base/secret.h"
#include "sqlbak_gateway/config/config.h"
#include "sqlbak_gateway/config/environment.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace sqlbak_gateway::config {

// Longer than any real token, but short enough for a request header.
inline constexpr std::size_t kMaxTokenBytes = 4096;

// Tells whether a token file was written or replaced, without reading it. A file that does not exist and a
// source that is not a file have the empty stamp. Value type.
struct TokenStamp {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::int64_t size = 0;
  std::int64_t modified_ns = 0;
  std::int64_t changed_ns = 0;
  friend bool operator==(const TokenStamp&, const TokenStamp&) = default;
};

// The result of reading a token's source. Value type.
struct TokenLook {
  std::optional<TokenStamp> stamp;  // from before the token was read; empty if there was no answer
  Result<Secret> token;
};

// As TokenReader reads it. Blocks on the file system.
TokenLook look_at_token_file(const TokenSource& source);

// Resource type, made once at the start. All methods are const, hold no lock and may be called from any
// thread; those on files block on the file system.
class TokenReader {
 public:
  // Reads every credential in $CREDENTIALS_DIRECTORY, once.
  explicit TokenReader(Environment environment);
  TokenReader(const TokenReader&) = delete;
  TokenReader& operator=(const TokenReader&) = delete;

  // The token: 1 to kMaxTokenBytes printable ASCII characters without a blank. One line break at the end of a
  // file is dropped. The Error names the file, variable or credential and what to do, and shows nothing of
  // its content.
  Result<Secret> read(const TokenSource& source) const;

 private:
  Environment environment_;
  std::string credentials_directory_;  // empty if systemd has passed no credentials
  std::map<std::string, Result<Secret>> credentials_;
};

}  // namespace sqlbak_gateway::config
