// BoundedTokens: reads tokens in bounded time, even if the file system of their files hangs.
//
// A thread of its own reads a token file, one at a time for each file, and the callers wait for it for a
// bounded time. If the file system hangs, the thread ends when it answers again; until then nobody waits for
// that file. Other sources need no thread.
#pragma once

#include "sqlbak_gateway/base/clock.h"
#include "sqlbak_gateway/base/deadline.h"
#include "sqlbak_gateway/config/token.h"

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

namespace sqlbak_gateway::config {

// Resource type, safe from any thread. Threads that hang outlive it.
class BoundedTokens {
 public:
  // May block for ever, and must stay valid while it does.
  using LookAtFile = std::function<TokenLook(const TokenSource&)>;
  // A file system that has not answered for this long counts as hanging.
  static constexpr Duration kPatience = std::chrono::seconds(5);
  // At most this many files are read at once, so that not every file on a hanging file system takes a thread.
  static constexpr std::size_t kTogether = 64;

  // Reader and clock must outlive it.
  BoundedTokens(const TokenReader& reader, const Clock& clock, LookAtFile look_at_file = look_at_token_file,
                Duration patience = kPatience);
  BoundedTokens(const BoundedTokens&) = delete;
  BoundedTokens& operator=(const BoundedTokens&) = delete;
  ~BoundedTokens();

  // Waits until `deadline` at most, and no longer than the patience. After that the token is an Error, and
  // the stamp is empty.
  TokenLook look(const TokenSource& source, Deadline deadline) const;
  // The same for many sources in their order, all of them within the patience for one.
  std::vector<TokenLook> look(const std::vector<TokenSource>& sources) const;

  // The reader itself, which waits as long as the file system takes.
  const TokenReader& unbounded() const { return reader_; }

 private:
  struct Looking;  // one file being read
  struct Shared;   // shared with the threads

  std::shared_ptr<Looking> begin(const TokenSource& source) const;
  std::vector<TokenLook> look(const std::vector<TokenSource>& sources, Deadline deadline) const;

  const TokenReader& reader_;
  const Clock& clock_;
  const LookAtFile look_at_file_;
  const Duration patience_;
  const std::shared_ptr<Shared> shared_;
};

}  // namespace sqlbak_gateway::config
