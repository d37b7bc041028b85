// Remembered: what is known of a job beyond the runs that are kept, so that the gateway does not say "never"
// of a backup that succeeded before the window. Plain data, kept as long as the job exists.
#pragma once

#include "sqlbak_gateway/account/backup_type.h"
#include "sqlbak_gateway/account/epoch_ms.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace sqlbak_gateway {

// What is remembered of one backup type. A field is empty if it was never seen.
struct RememberedType {
  EpochMs last_success;                    // start of the last run with a succeeded entry
  EpochMs last_attempt;                    // start of the last run with any entry
  EpochMs last_finished;                   // start of the last run with entries that had finished
  bool last_finished_succeeded = false;    // all its entries did; meaningless without last_finished
  std::uint64_t consecutive_failures = 0;  // finished attempts up to last_finished, since one that succeeded
  // Starts of the latest successes that are no longer kept, ascending. They keep the rhythm of a job that has
  // stopped.
  std::vector<EpochMs> successes;
  static constexpr std::size_t kSuccesses = 16;

  friend bool operator==(const RememberedType&, const RememberedType&) = default;
};

struct Remembered {
  EpochMs first_seen;  // the instant T of the first collection that listed the job
  EpochMs oldest_run;  // the earliest start of any run ever known
  std::array<RememberedType, kBackupTypeCount> types;

  RememberedType& of(BackupType type) { return types[index(type)]; }
  const RememberedType& of(BackupType type) const { return types[index(type)]; }
  friend bool operator==(const Remembered&, const Remembered&) = default;
};

}  // namespace sqlbak_gateway
