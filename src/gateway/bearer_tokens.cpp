#include "gateway/bearer_tokens.h"

#include "sqlbak_gateway/base/deadline.h"
#include "sqlbak_gateway/base/hash.h"

#include <optional>
#include <utility>

namespace sqlbak_gateway::gateway {

struct BearerTokens::Token {
  config::TokenSource source;
  std::string hash;                         // keyed; empty: it has not been read, or cannot be
  std::optional<config::TokenStamp> stamp;  // as it was before it was read; none: to be read
  std::optional<SteadyTime> looked_at_since;
};

BearerTokens::BearerTokens(Files files, std::string key, const Clock& clock)
    : files_(std::move(files)), key_(std::move(key)), clock_(clock) {}

std::shared_ptr<BearerTokens::Token> BearerTokens::make(config::TokenSource source) {
  return std::make_shared<Token>(Token{std::move(source), {}, {}, {}});
}

const config::TokenSource& BearerTokens::source(const Token& token) {
  return token.source;
}

const BearerTokens::Token* BearerTokens::find(const Tokens& tokens, const Secret& given) {
  const std::string hash = keyed_hash(key_, given.reveal());
  if (Token* likely = known(tokens, hash)) {
    look_again(*likely);
    if (const Token* still = known(tokens, hash)) return still;
  }
  for (const std::shared_ptr<Token>& token : tokens) look_again(*token);
  return known(tokens, hash);
}

// Compares with all of them, so that the time tells nothing.
BearerTokens::Token* BearerTokens::known(const Tokens& tokens, const std::string& given) const {
  MutexLock lock(mutex_);
  Token* found = nullptr;
  for (const std::shared_ptr<Token>& token : tokens) {
    if (equal_in_constant_time(given, token->hash)) found = token.get();
  }
  return found;
}

// Ends the look at a token's file with its scope, whatever happens in it.
class BearerTokens::Look {
 public:
  Look(BearerTokens& all, Token& token) : all_(all), token_(token) {}
  Look(const Look&) = delete;
  Look& operator=(const Look&) = delete;
  ~Look() {
    MutexLock lock(all_.mutex_);
    token_.looked_at_since.reset();
    all_.progress_ = all_.clock_.steady_now();
    --all_.looking_;
    all_.changed_.notify_all();
  }

 private:
  BearerTokens& all_;
  Token& token_;
};

void BearerTokens::look_again(Token& token) {
  std::optional<config::TokenStamp> before;
  {
    MutexLock lock(mutex_);
    if (!may_look(token)) return;
    before = token.stamp;
    progress_ = clock_.steady_now();
    token.looked_at_since = progress_;
    ++looking_;
  }
  const Look look(*this, token);
  const config::TokenStamp stamp = files_.stamp(token.source);
  if (stamp == before) return;
  const Result<Secret> read = files_.read(token.source);
  std::string hash = read ? keyed_hash(key_, read->reveal()) : std::string();
  MutexLock lock(mutex_);
  token.hash = std::move(hash);
  token.stamp.reset();
  // Else the trouble may be this process's: without a descriptor nothing can be read.
  if (read) token.stamp = stamp;
}

// Waits while others look, unless what they look at hangs.
bool BearerTokens::may_look(const Token& token) {
  while (token.looked_at_since || looking_ >= kMostLooking) {
    const SteadyTime since = token.looked_at_since.value_or(progress_);
    const SteadyTime now = clock_.steady_now();
    const Deadline patience = Deadline::after(since, kPatience);
    if (patience.passed(now)) return false;
    changed_.wait_for(mutex_, patience.remaining(now));
  }
  return true;
}

}  // namespace sqlbak_gateway::gateway
