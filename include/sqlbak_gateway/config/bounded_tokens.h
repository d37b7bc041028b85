// BoundedTokens: looks at tokens in bounded time, whatever the file system does that their files are on.
//
// A token file is looked at on a thread of its own, by one at a time for each file, and whoever wants to know
// waits for it for a while. A thread that a file system holds up ends when that answers again, and until then
// nobody waits for that file any more. Other sources need no thread.
#pragma once

#include "sqlbak_gateway/base/clock.h"
#include "sqlbak_gateway/base/deadline.h"
#include "sqlbak_gateway/config/token.h"

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

namespace sqlbak_gateway::config {

// Resource type, safe from any thread. Threads that are held up outlive it.
class BoundedTokens {
 public:
  // May block for ever, and must stay valid as long as it does.
  using LookAtFile = std::function<TokenLook(const TokenSource&)>;
  // After so long without an answer a file system hangs.
  static constexpr Duration kPatience = std::chrono::seconds(5);
  // So many files are looked at together, so that not every file on a file system that hangs takes a thread.
  static constexpr std::size_t kTogether = 64;

  // Reader and clock outlive it.
  BoundedTokens(const TokenReader& reader, const Clock& clock, LookAtFile look_at_file = look_at_token_file,
                Duration patience = kPatience);
  BoundedTokens(const BoundedTokens&) = delete;
  BoundedTokens& operator=(const BoundedTokens&) = delete;
  ~BoundedTokens();

  // Waits no longer than `deadline`, and no longer than the patience: then its token is an Error, and it has
  // no stamp.
  TokenLook look(const TokenSource& source, Deadline deadline) const;
  // The same for many, all of them within the patience for one; in their order.
  std::vector<TokenLook> look(const std::vector<TokenSource>& sources) const;

  // The reader itself, which waits for as long as the file system makes it.
  const TokenReader& unbounded() const { return reader_; }

 private:
  struct Looking;  // of one file
  struct Shared;   // with the threads

  std::shared_ptr<Looking> begin(const TokenSource& source) const;
  std::vector<TokenLook> look(const std::vector<TokenSource>& sources, Deadline deadline) const;

  const TokenReader& reader_;
  const Clock& clock_;
  const LookAtFile look_at_file_;
  const Duration patience_;
  const std::shared_ptr<Shared> shared_;
};

}  // namespace sqlbak_gateway::config
