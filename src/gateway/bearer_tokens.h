// BearerTokens: which of the access entries' tokens a request brings. A token's file is looked at whenever a
// request might bring it, so that rotation needs no reload.
//
// A file system that hangs must not hold up authentication: files are looked at without a lock, one thread at
// a time for each and few for all together. Who finds that they hang goes by what was last read.
// Resource type, safe from any thread.
#pragma once

#include "sqlbak_gateway/base/clock.h"
#include "sqlbak_gateway/base/mutex.h"
#include "sqlbak_gateway/base/result.h"
#include "sqlbak_gateway/base/secret.h"
#include "sqlbak_gateway/config/config.h"
#include "sqlbak_gateway/config/token.h"

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace sqlbak_gateway::gateway {

class BearerTokens {
 public:
  // As config::TokenReader has them; may block for ever.
  struct Files {
    std::function<config::TokenStamp(const config::TokenSource&)> stamp;
    std::function<Result<Secret>(const config::TokenSource&)> read;
  };
  // Looks at files at a time: fewer than the server has threads for urgent requests.
  static constexpr std::size_t kMostLooking = 8;
  // After so long without an end of it, looking at files hangs.
  static constexpr Duration kPatience = std::chrono::seconds(1);

  // `key`: of the keyed hashes that are kept instead of tokens.
  BearerTokens(Files files, std::string key, const Clock& clock);
  BearerTokens(const BearerTokens&) = delete;
  BearerTokens& operator=(const BearerTokens&) = delete;

  // A token and what is known of it. Shared by the generations of access rules that have it.
  struct Token;
  using Tokens = std::vector<std::shared_ptr<Token>>;
  // Not read before somebody asks.
  static std::shared_ptr<Token> make(config::TokenSource source);
  static const config::TokenSource& source(const Token& token);

  // The one that was given, as it is now; null: none. Of a right one nothing but its own file is looked at.
  const Token* find(const Tokens& tokens, const Secret& given) EXCLUDES(mutex_);

 private:
  class Look;

  Token* known(const Tokens& tokens, const std::string& given) const EXCLUDES(mutex_);
  void look_again(Token& token) EXCLUDES(mutex_);
  bool may_look(const Token& token) REQUIRES(mutex_);

  const Files files_;
  const std::string key_;
  const Clock& clock_;

  mutable Mutex mutex_;  // of what is known of every Token too; never held while a file is looked at
  Condition changed_;    // one was looked at
  std::size_t looking_ GUARDED_BY(mutex_) = 0;
  SteadyTime progress_ GUARDED_BY(mutex_){};  // when the latest began or ended
};

}  // namespace sqlbak_gateway::gateway
