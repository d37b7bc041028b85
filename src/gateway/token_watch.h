// TokenWatch: an account's token, read when it is needed, and whether it has changed since. Its file may be
// on a file system that hangs. Resource type, safe from any thread.
#pragma once

#include "sqlbak_gateway/base/deadline.h"
#include "sqlbak_gateway/base/mutex.h"
#include "sqlbak_gateway/base/result.h"
#include "sqlbak_gateway/base/secret.h"
#include "sqlbak_gateway/config/bounded_tokens.h"
#include "sqlbak_gateway/config/config.h"

#include <atomic>
#include <optional>

namespace sqlbak_gateway::gateway {

class TokenWatch {
 public:
  // `tokens` outlives it.
  explicit TokenWatch(const config::BoundedTokens& tokens) : tokens_(tokens) {}
  TokenWatch(const TokenWatch&) = delete;
  TokenWatch& operator=(const TokenWatch&) = delete;

  // The token as it is now. Waits no longer than `deadline`.
  Result<Secret> read(const config::TokenSource& source, Deadline deadline) EXCLUDES(mutex_);
  // Whether it has changed since read() or since the call before. Waits no longer than `deadline`; one thread
  // at a time looks, and the others are told no at once.
  bool changed(const config::TokenSource& source, Deadline deadline) EXCLUDES(mutex_);

 private:
  const config::BoundedTokens& tokens_;
  std::atomic_flag looking_;
  Mutex mutex_;
  std::optional<config::TokenStamp> stamp_ GUARDED_BY(mutex_);  // empty: the file system did not answer
};

}  // namespace sqlbak_gateway::gateway
