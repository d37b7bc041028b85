// Prepared: a snapshot judged once, at its instant T, when its collection ends.
//
// It decides everything that an answer says, except ages, which go on growing (findings.h). What could not be
// read is an empty optional or instant, never zero, and makes no series. Plain data, immutable once made and
// shared by shared_ptr<const …>, so any number of threads may read it. docs/metrics.md has every rule in
// words.
#pragma once

#include "sqlbak_gateway/account/snapshot.h"
#include "sqlbak_gateway/evaluation/policy.h"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sqlbak_gateway::evaluation {

// Entries of the runs in the window, by status.
struct WindowCounts {
  std::uint64_t succeeded = 0;
  std::uint64_t failed = 0;
  std::uint64_t other = 0;

  std::uint64_t total() const { return succeeded + failed + other; }
  friend bool operator==(const WindowCounts&, const WindowCounts&) = default;
};

struct MaxAge {
  double seconds = 0;
  bool configured = false;  // else inferred from the gaps between past successes
  friend bool operator==(const MaxAge&, const MaxAge&) = default;
};

// One job and one backup type.
struct PreparedRow {
  BackupType type = BackupType::unknown;

  // The published exporter's values. Empty unless the type is enabled or was seen in the window; entries of
  // folders do not count as seen.
  std::optional<std::int64_t> retention_days;
  std::optional<bool> older_than_policy;
  std::optional<WindowCounts> window;
  EpochMs last_success_in_window;

  // Not limited to the window. Empty without runs.
  EpochMs last_success;
  EpochMs last_attempt;
  std::optional<bool> last_attempt_succeeded;  // the last finished attempt
  std::optional<std::uint64_t> consecutive_failures;
  std::optional<double> expected_interval_seconds;
  std::optional<double> last_duration_seconds;
  std::optional<double> last_size_bytes;
  std::optional<MaxAge> max_age;
  std::optional<bool> overdue;
  std::optional<bool> retention_violation;

  friend bool operator==(const PreparedRow&, const PreparedRow&) = default;
};

enum class JobState : std::uint8_t { protected_, late, failing, unknown, paused };

inline constexpr std::array kJobStates = {JobState::protected_, JobState::late, JobState::failing,
                                          JobState::unknown, JobState::paused};

// The value of the label `state`.
constexpr std::string_view name(JobState state) {
  constexpr std::array<std::string_view, kJobStates.size()> names = {"protected", "late", "failing",
                                                                     "unknown", "paused"};
  return names[static_cast<std::size_t>(state)];
}

// The policy for one job, after overrides.
struct JobPolicy {
  Duration lookback{};
  MaxAges max_age;
  bool ignored = false;
  // Lateness is judged by the API's clock, which dates the runs; everything else by ours.
  std::chrono::minutes api_clock_ahead{0};
  friend bool operator==(const JobPolicy&, const JobPolicy&) = default;
};

struct PreparedJob {
  std::shared_ptr<const JobSnapshot> source;  // what was judged; never null
  JobPolicy policy;
  double window_seconds = 0;
  std::vector<PreparedRow> rows;  // at most one for each type, in the order of kBackupTypes
  JobState state = JobState::unknown;
  std::optional<bool> enabled;                     // empty if the API does not say
  std::optional<std::uint64_t> databases_failing;  // empty if no entry names a database
  // The result is the same at every instant from judged_at to unchanged_until, so later collections share it.
  SystemTime judged_at{};
  SystemTime unchanged_until{};
};

// An override that matches no job or server, or several. In the latter case it holds for all of them.
struct AmbiguousOverride {
  bool of_server = false;  // else of a job
  std::string target;
  std::size_t matches = 0;
  friend bool operator==(const AmbiguousOverride&, const AmbiguousOverride&) = default;
};

// The statuses of servers that every account's counts have; others are counted where the API says them.
// Ascending.
inline constexpr std::array<std::string_view, 3> kKnownStatuses = {"disconnected", "offline", "online"};
constexpr bool is_known_status(std::string_view status) {
  for (const std::string_view known : kKnownStatuses) {
    if (known == status) return true;
  }
  return false;
}

struct StatusCount {
  std::string status;
  std::uint64_t servers = 0;
  friend bool operator==(const StatusCount&, const StatusCount&) = default;
};

struct PreparedAccount {
  std::shared_ptr<const Snapshot> snapshot;  // never null
  // By id, shorter ids first, so that numbers are in order. The order does not depend on the API, so
  // max_series always cuts the same jobs.
  std::vector<std::shared_ptr<const PreparedJob>> jobs;
  std::size_t row_count = 0;  // of all jobs together

  // Of the snapshot, one for each set of id, name and app type (the last wins).
  std::vector<const Server*> servers;
  std::uint64_t servers_offline = 0;
  std::vector<const Server*> servers_missed;          // those of `servers` that are offline and not ignored
  std::vector<StatusCount> servers_by_status;         // ascending; those of kKnownStatuses are always there
  std::optional<std::uint64_t> servers_without_jobs;  // empty while jobs are pending
  std::array<std::uint64_t, kJobStates.size()> jobs_by_state{};  // jobs still pending count as unknown
  std::vector<AmbiguousOverride> ambiguous_overrides;
};

// Judges a snapshot at its T. Jobs that are unchanged, and whose result is still the same, are shared with
// `previous`, which may be null; the result does not depend on it. Pure. Tallies must be in their documented
// order.
PreparedAccount prepare(std::shared_ptr<const Snapshot> snapshot, const Policy& policy,
                        const PreparedAccount* previous = nullptr);

}  // namespace sqlbak_gateway::evaluation
