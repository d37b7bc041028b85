// BoundedTokens: looks at tokens in bounded time, whatever the file system does that their files are on.
// Token files are read by a BoundedReader; other sources do not block.
#pragma once

#include "sqlbak_gateway/base/bounded_reader.h"
#include "sqlbak_gateway/base/clock.h"
#include "sqlbak_gateway/base/deadline.h"
#include "sqlbak_gateway/config/token.h"

#include <cstddef>
#include <functional>
#include <vector>

namespace sqlbak_gateway::config {

// Resource type, safe from any thread. Threads that are held up outlive it.
class BoundedTokens {
 public:
  // May block for ever, and must stay valid as long as it does.
  using LookAtFile = std::function<TokenLook(const TokenSource&)>;
  // A file system that has not answered for so long hangs.
  static constexpr Duration kPatience = std::chrono::seconds(5);
  static constexpr std::size_t kTogether = BoundedReader<TokenLook>::kTogether;

  // Reader and clock outlive it.
  BoundedTokens(const TokenReader& reader, const Clock& clock, LookAtFile look_at_file = look_at_token_file,
                Duration patience = kPatience);

  // Waits no longer than `deadline`, and no longer than the patience: then its token is an Error, and it has
  // no stamp.
  TokenLook look(const TokenSource& source, Deadline deadline) const;
  // The same for many, all of them within the patience for one; in their order.
  std::vector<TokenLook> look(const std::vector<TokenSource>& sources,
                              Deadline deadline = Deadline::never()) const;

 private:
  const TokenReader& reader_;
  const LookAtFile look_at_file_;
  const BoundedReader<TokenLook> files_;
};

}  // namespace sqlbak_gateway::config
