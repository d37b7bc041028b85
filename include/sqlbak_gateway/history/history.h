// History: what is remembered of the accounts, across restarts.
//
// One SQLite file, which one thread alone touches. Nobody waits for it longer than they want to: store()
// hands over a memory and returns; what is still to be written is the newest memory of each account, so the
// queue is never longer than there are accounts, and a slow disk makes it lag, not grow. A collection that
// ended is one transaction: a kill at any moment leaves the file as some earlier collection left it.
//
// Nothing that happens to the file stops collecting. A file that is damaged, cannot be written, belongs to
// another process or to a newer version, or a disk that is full, is a warning and a count of errors; what is
// remembered is then kept in memory only (by whoever holds it). The file is never deleted or replaced.
//
// Safe to call from any thread.
#pragma once

#include "sqlbak_gateway/account/memory.h"
#include "sqlbak_gateway/base/clock.h"
#include "sqlbak_gateway/base/deadline.h"
#include "sqlbak_gateway/base/log.h"
#include "sqlbak_gateway/base/result.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sqlbak_gateway::history {

// How long an account that is not configured any more is kept: a mistake in the configuration must not cost a
// year.
inline constexpr auto kUnconfiguredKept = std::chrono::hours(30 * 24);

// For the gateway's own metrics.
struct HistoryStatus {
  bool durable = false;                     // the file is in use; false: memory only
  std::uint64_t errors = 0;                 // reads, writes and openings that failed
  std::optional<std::uint64_t> size_bytes;  // of the file and its log; nothing when memory only
};

// Resource type.
class History {
 public:
  History() = default;
  History(const History&) = delete;
  History& operator=(const History&) = delete;
  // Ends at once, with what drain() has not waited for unwritten.
  virtual ~History() = default;

  // What is remembered of an account, with its last good snapshot; null: nothing, or what there is is
  // damaged. An Error, which is logged: it cannot be read now, or not before the deadline, because the disk
  // hangs, and may be later; ask again before anything is stored, which would replace it. Reads the file:
  // some milliseconds for a large account, so ask once for each.
  virtual Result<std::shared_ptr<const AccountMemory>> load(const std::string& account,
                                                            Deadline deadline) = 0;
  // To be written soon. Replaces what is not yet written of that account. What cannot be written is tried
  // again when something else could be, and by drain().
  virtual void store(const std::string& account, std::shared_ptr<const AccountMemory> memory) = 0;
  // The accounts that are configured now: after the start and each reload. Of others nothing stays in
  // memory, and they are forgotten kUnconfiguredKept after they last were configured.
  virtual void configured(std::vector<std::string> accounts) = 0;
  // Waits until everything handed over so far is written, at the longest until the deadline. False: something
  // was not.
  virtual bool drain(Deadline deadline) = 0;
  virtual HistoryStatus status() const = 0;
};

// Remembers nothing across restarts: for history.kind = "memory".
std::unique_ptr<History> make_memory_history();

// Opens or creates the file (mode 0600; its folder must exist). Never fails: what is wrong with the file is
// logged with what to do about it, and the result then remembers nothing across restarts. Clock and logger
// outlive it.
std::unique_ptr<History> open_history(const std::string& path, const Clock& clock, const Logger& log);

}  // namespace sqlbak_gateway::history
