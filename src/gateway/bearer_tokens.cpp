#include "gateway/bearer_tokens.h"

#include "sqlbak_gateway/base/deadline.h"
#include "sqlbak_gateway/base/hash.h"

#include <optional>
#include <utility>

namespace sqlbak_gateway::gateway {

struct BearerTokens::Token {
  const config::TokenSource source;
  std::string hash;                   // keyed; empty if it has not been read, or cannot be
  std::optional<SteadyTime> read_at;  // when its file last answered; empty before it has
};

BearerTokens::BearerTokens(const config::BoundedTokens& files, std::string key, const Clock& clock)
    : files_(files), key_(std::move(key)), clock_(clock) {}

std::shared_ptr<BearerTokens::Token> BearerTokens::make(config::TokenSource source) {
  return std::make_shared<Token>(Token{std::move(source), {}, {}});
}

const config::TokenSource& BearerTokens::source(const Token& token) {
  return token.source;
}

const BearerTokens::Token* BearerTokens::find(const Tokens& tokens, const Secret& given) {
  const std::string hash = keyed_hash(key_, given.reveal());
  if (std::shared_ptr<Token> likely = known(tokens, hash)) {
    look_again({std::move(likely)});
    if (const auto still = known(tokens, hash)) return still.get();
  }
  look_again(tokens);
  return known(tokens, hash).get();
}

// Compares with all of them, so that the time tells nothing.
std::shared_ptr<BearerTokens::Token> BearerTokens::known(const Tokens& tokens,
                                                         const std::string& given) const {
  MutexLock lock(mutex_);
  std::shared_ptr<Token> found;
  for (const std::shared_ptr<Token>& token : tokens) {
    if (equal_in_constant_time(given, token->hash)) found = token;
  }
  return found;
}

void BearerTokens::look_again(const Tokens& tokens) {
  const SteadyTime now = clock_.steady_now();
  Tokens due;
  std::vector<config::TokenSource> sources;
  {
    MutexLock lock(mutex_);
    for (const std::shared_ptr<Token>& token : tokens) {
      if (token->read_at && now < *token->read_at + kLookAgainAfter) continue;
      due.push_back(token);
      sources.push_back(token->source);
    }
  }
  if (due.empty()) return;
  const std::vector<config::TokenLook> looks = files_.look(sources, Deadline::after(now, kPatience));
  for (std::size_t i = 0; i < looks.size(); ++i) {
    if (!looks[i].stamp) continue;  // there was no answer, and what was last read counts
    std::string hash = looks[i].token ? keyed_hash(key_, looks[i].token->reveal()) : std::string();
    MutexLock lock(mutex_);
    due[i]->hash = std::move(hash);
    due[i]->read_at = now;
  }
}

}  // namespace sqlbak_gateway::gateway
