// Snapshot: what one collection read of an account, as of its instant T. Plain data without behaviour;
// immutable once published and shared by shared_ptr<const …>, so that readers need no lock and unchanged jobs
// cost nothing to keep.
#pragma once

#include "sqlbak_gateway/account/backup_type.h"
#include "sqlbak_gateway/account/remembered.h"
#include "sqlbak_gateway/account/run.h"
#include "sqlbak_gateway/base/clock.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sqlbak_gateway {

// Text fields are valid UTF-8 and already carry the contract's substitutes: "unknown" for a missing or null
// name or app type, "" for a missing or null server id.
struct Server {
  std::string id;
  std::string name;
  std::string app_type;
  // Trimmed and lower-cased: "online", "offline", "disconnected", or whatever the API said.
  std::string status;

  bool online() const { return status == "online"; }
  friend bool operator==(const Server&, const Server&) = default;
};

struct Job {
  std::string id;  // as written in the JSON; never empty
  std::string name;
  std::string server_id;
  std::string server_name;          // of the server with that id, else "unknown"
  std::optional<std::string> type;  // "backup", "maintenance": empty if the API does not say
  std::optional<bool> enabled;      // empty if the API does not say
  friend bool operator==(const Job&, const Job&) = default;
};

// A longer retention is cut to this, so that arithmetic with it cannot overflow.
inline constexpr std::int64_t kMaxRetentionDays = 10'000'000;

// What a job's settings say of its schedule and retention; days are within ±kMaxRetentionDays.
struct JobSettings {
  BackupTypeSet enabled_types;           // never empty; `full` if the settings name none
  std::int64_t full_retention_days = 0;  // of `full`: the largest months x 30 + days over the destinations
  std::int64_t inc_retention_days = 0;   // of `diff`, `log` and `inc`
  std::optional<bool> enabled;           // empty if the settings do not say

  // 0 for `folder` and `unknown`, for which the API gives no retention.
  std::int64_t retention_days(BackupType type) const {
    switch (type) {
      case BackupType::full:
        return full_retention_days;
      case BackupType::diff:
      case BackupType::inc:
      case BackupType::log:
        return inc_retention_days;
      case BackupType::folder:
      case BackupType::unknown:
        return 0;
    }
    return 0;
  }
  friend bool operator==(const JobSettings&, const JobSettings&) = default;
};

// One job and what is known of it. A null pointer means "unknown", which makes no series; it does not mean
// "none".
struct JobSnapshot {
  Job job;
  std::shared_ptr<const JobSettings> settings;  // the last good ones
  std::shared_ptr<const JobRuns> runs;          // the last good ones
  // From before this collection; null for a job never seen before.
  std::shared_ptr<const Remembered> remembered;
  bool settings_current = true;  // false: this collection could not read them
  bool runs_current = true;      // false: this collection could not read the list or some run's details
  // If the runs are not current: T of the last collection that could read all of them; empty if none could.
  std::optional<SystemTime> runs_read_at;
  // How far back `runs` go from the T of the collection that listed them. A window that has grown since then,
  // by its lookback or its retention, counts only once it has been read.
  std::chrono::milliseconds runs_reach = std::chrono::milliseconds::max();
};

// `/me`, where it answers.
struct AccountInfo {
  std::string email;
  std::optional<bool> suspended;
  EpochMs created_at;
  friend bool operator==(const AccountInfo&, const AccountInfo&) = default;
};

struct Snapshot {
  SystemTime collected_at{};  // T: the start of the collection
  std::vector<Server> servers;
  std::vector<std::shared_ptr<const JobSnapshot>> jobs;  // those that have been read; ids are unique
  std::uint32_t jobs_pending = 0;                        // listed, but not read yet: only during a backfill
  std::uint32_t jobs_unreadable = 0;                     // listed, but settings or runs could not be read
  bool jobruns_available = true;      // false: some job's runs or some run's details could not be read
  bool jobsettings_available = true;  // false: some job's settings could not be read
  std::optional<AccountInfo> info;
  // How far the API's clock was ahead of ours during the collection (below zero: behind); zero if they agree,
  // or if no answer told.
  std::chrono::minutes api_clock_ahead{0};
};

// Answers take time, and their dates have whole seconds.
constexpr bool clocks_agree(std::chrono::milliseconds ahead) {
  return std::chrono::abs(ahead) < std::chrono::minutes(2);
}

}  // namespace sqlbak_gateway
