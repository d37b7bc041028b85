// History: keeps what is remembered of the accounts across restarts.
//
// It is one SQLite file that only one thread uses. No caller waits for the disk beyond its deadline: store()
// hands over a memory and returns. The queue holds only the newest memory of each account, so with a slow
// disk it lags but does not grow. A collection is one transaction: a kill at any moment leaves the file as
// some earlier collection left it.
//
// Trouble with the file never stops collecting. If it is damaged, cannot be written, belongs to another
// process or to a newer version, or if the disk is full, History warns and counts an error, and what is
// remembered stays in the memory of the accounts. The file is never deleted or replaced.
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

// How long an account that is no longer configured is kept, because a mistake in the configuration must not
// cost its history.
inline constexpr auto kUnconfiguredKept = std::chrono::hours(30 * 24);

// For the gateway's own metrics.
struct HistoryStatus {
  bool durable = false;                     // the file is in use; else memory only
  std::uint64_t errors = 0;                 // reads, writes and openings that failed
  std::optional<std::uint64_t> size_bytes;  // of the file and its log; empty if memory only
};

// Resource type.
class History {
 public:
  History() = default;
  History(const History&) = delete;
  History& operator=(const History&) = delete;
  // Ends at once. What is not written yet is lost; call drain() first.
  virtual ~History() = default;

  // What is remembered of an account, with its last good snapshot. Null if nothing is, or if it is damaged.
  // An Error, which is logged, if it cannot be read now, or not before the deadline because the disk hangs;
  // then ask again before you store anything, which would replace it. Reads the file, which takes
  // milliseconds for a large account, so ask once for each account.
  virtual Result<std::shared_ptr<const AccountMemory>> load(const std::string& account,
                                                            Deadline deadline) = 0;
  // Hands over a memory to be written soon. It replaces what is not yet written of that account. What cannot
  // be written is tried again after another write has succeeded, and by drain().
  virtual void store(const std::string& account, std::shared_ptr<const AccountMemory> memory) = 0;
  // Tells which accounts are configured, after the start and each reload. Other accounts take no memory, and
  // are forgotten kUnconfiguredKept after they were last configured.
  virtual void configured(std::vector<std::string> accounts) = 0;
  // Waits until everything handed over so far is written, but not beyond the deadline. Returns whether it is.
  virtual bool drain(Deadline deadline) = 0;
  virtual HistoryStatus status() const = 0;
};

// Remembers nothing across restarts; for history.kind = "memory".
std::unique_ptr<History> make_memory_history();

// Opens or creates the file (mode 0600; its folder must exist). Never fails: if the file cannot be used, logs
// what is wrong and what to do, and returns a history that remembers nothing across restarts. Clock and
// logger must outlive it.
std::unique_ptr<History> open_history(const std::string& path, const Clock& clock, const Logger& log);

}  // namespace sqlbak_gateway::history
