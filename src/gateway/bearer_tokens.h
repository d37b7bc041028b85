// BearerTokens: which of the access entries' tokens a request brings. A token's file is read again when a
// request might bring it, so that rotation needs no reload, but at most once a second, so that requests with
// wrong tokens cost no reads. If its file system hangs, what was last read counts. Resource type, safe from
// any thread.
#pragma once

#include "sqlbak_gateway/base/clock.h"
#include "sqlbak_gateway/base/mutex.h"
#include "sqlbak_gateway/base/secret.h"
#include "sqlbak_gateway/config/bounded_tokens.h"
#include "sqlbak_gateway/config/config.h"

#include <memory>
#include <string>
#include <vector>

namespace sqlbak_gateway::gateway {

class BearerTokens {
 public:
  // How long a request waits for files.
  static constexpr Duration kPatience = std::chrono::seconds(1);
  // A changed file counts after so long at the latest.
  static constexpr Duration kLookAgainAfter = std::chrono::seconds(1);

  // `key`: of the keyed hashes that are kept instead of tokens. `files` and `clock` outlive it.
  BearerTokens(const config::BoundedTokens& files, std::string key, const Clock& clock);
  BearerTokens(const BearerTokens&) = delete;
  BearerTokens& operator=(const BearerTokens&) = delete;

  // A token and what is known of it. Shared by the generations of access rules that have it.
  struct Token;
  using Tokens = std::vector<std::shared_ptr<Token>>;
  // Not read before somebody asks.
  static std::shared_ptr<Token> make(config::TokenSource source);
  static const config::TokenSource& source(const Token& token);

  // The one that was given, as it is now; null if it is none of them. For a right one only its own file is
  // looked at. Waits for kPatience at most.
  const Token* find(const Tokens& tokens, const Secret& given) EXCLUDES(mutex_);

 private:
  std::shared_ptr<Token> known(const Tokens& tokens, const std::string& given) const EXCLUDES(mutex_);
  void look_again(const Tokens& tokens) EXCLUDES(mutex_);

  const config::BoundedTokens& files_;
  const std::string key_;
  const Clock& clock_;
  mutable Mutex mutex_;  // also of what every Token knows
};

}  // namespace sqlbak_gateway::gateway
