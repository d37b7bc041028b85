#include "gateway/bearer_tokens.h"

#include "sqlbak_gateway/base/deadline.h"
#include "sqlbak_gateway/base/hash.h"

#include <optional>
#include <utility>

namespace sqlbak_gateway::gateway {

struct BearerTokens::Token {
  const config::TokenSource source;
  std::string hash;                         // keyed; empty if it has not been read, or cannot be
  std::optional<config::TokenStamp> stamp;  // as of `hash`; empty if it is still to be read
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
  std::vector<config::TokenSource> sources;
  for (const std::shared_ptr<Token>& token : tokens) sources.push_back(token->source);
  const std::vector<config::TokenLook> looks =
      files_.look(sources, Deadline::after(clock_.steady_now(), kPatience));
  for (std::size_t i = 0; i < looks.size(); ++i) {
    if (!looks[i].stamp) continue;  // there was no answer
    const Result<Secret>& read = looks[i].token;
    std::string hash = read ? keyed_hash(key_, read->reveal()) : std::string();
    MutexLock lock(mutex_);
    Token& token = *tokens[i];
    if (token.stamp == looks[i].stamp) continue;
    token.hash = std::move(hash);
    token.stamp.reset();
    // Otherwise the trouble may be this process's: without a descriptor nothing can be read.
    if (read) token.stamp = looks[i].stamp;
  }
}

}  // namespace sqlbak_gateway::gateway
