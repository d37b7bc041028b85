// Job runs in packed form: only what evaluation counts. Value types.
#pragma once

#include "sqlbak_gateway/account/backup_type.h"
#include "sqlbak_gateway/account/epoch_ms.h"

#include <cstdint>
#include <string>
#include <vector>

namespace sqlbak_gateway {

// What one run did for one backup type. 24 bytes; an account has one for each run and type.
struct RunTally {
  EpochMs started_at;           // of the run
  std::uint32_t succeeded = 0;  // entries of the run's `backups` by status
  std::uint32_t failed = 0;
  std::uint32_t other = 0;  // any other status: running, cancelled, warning, or one never seen before
  BackupType type = BackupType::unknown;
  // A succeeded entry has a file whose is_deleted is not true, or lists no file at all: retention has not
  // removed it.
  bool undeleted = false;
  // The run may still change. This is its state at the collection's instant T.
  bool open = false;
  // The API does not list the run any more. It is in no window, but it was an attempt, and may have been the
  // last success.
  bool vanished = false;

  std::uint64_t total() const { return std::uint64_t{succeeded} + failed + other; }
  friend bool operator==(const RunTally&, const RunTally&) = default;
};
static_assert(sizeof(RunTally) == 24);

enum class EntryStatus : std::uint8_t { succeeded, failed, other };

// How the backup of one database ended in one run, where entries name a database.
struct DatabaseOutcome {
  EpochMs started_at;  // of the run
  std::string database;
  BackupType type = BackupType::unknown;
  EntryStatus status = EntryStatus::other;
  friend bool operator==(const DatabaseOutcome&, const DatabaseOutcome&) = default;
};

// End and size of one run's backups of one type, if the API gives either.
struct RunExtent {
  EpochMs started_at;                                            // of the run
  EpochMs finished_at;                                           // empty if the API gives no end
  double size_bytes = std::numeric_limits<double>::quiet_NaN();  // NaN if the API gives no size
  BackupType type = BackupType::unknown;
  friend bool operator==(const RunExtent& a, const RunExtent& b) {
    return a.started_at == b.started_at && a.finished_at == b.finished_at && a.type == b.type &&
           (a.size_bytes == b.size_bytes || (std::isnan(a.size_bytes) && std::isnan(b.size_bytes)));
  }
};

// Clocks that differ may put a run's start this far ahead of ours. A run that is further ahead is not
// believed, because it would keep its job from being late and hide earlier runs.
inline constexpr double kBelievedAheadMs = kMillisecondsPerDay;

// The known runs of one job: all runs of every window that is evaluated at T, and vanished runs. A run
// without a numeric started_at is in it while the API lists it. Immutable once in a snapshot, and shared
// between snapshots.
struct JobRuns {
  std::vector<RunTally> tallies;  // ascending by started_at, those without one last; one per run and type
  std::vector<DatabaseOutcome> databases;  // at most one per database, type and run
  std::vector<RunExtent> extents;          // at most one per run and type
};

}  // namespace sqlbak_gateway
