// A vocabulary for tests that judge accounts: jobs, their settings and runs, in words and hours before T.
#pragma once

#include "sqlbak_gateway/evaluation/findings.h"
#include "support/manual_clock.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace sqlbak_gateway::testing {

// The instant of every collection, unless a test says otherwise: Wednesday, 2026-01-14T12:00:00Z.
inline constexpr SystemTime kT = ManualClock::kStart;
inline constexpr double kHour = 3600;  // in seconds, as expectations are
inline constexpr double kDay = 24 * kHour;

inline EpochMs ms_before_t(double milliseconds) {
  return EpochMs(EpochMs(kT).milliseconds() - milliseconds);
}
inline EpochMs hours_ago(double hours) {
  return ms_before_t(hours * kMillisecondsPerHour);
}
inline EpochMs days_ago(double days) {
  return ms_before_t(days * kMillisecondsPerDay);
}
inline constexpr EpochMs kUndated;
inline double unix_seconds_of(EpochMs instant) {
  return instant.milliseconds() / 1e3;
}

// One run's entries of one type.
inline RunTally run(BackupType type, EpochMs start, std::uint32_t succeeded, std::uint32_t failed,
                    std::uint32_t other) {
  RunTally tally;
  tally.type = type;
  tally.started_at = start;
  tally.succeeded = succeeded;
  tally.failed = failed;
  tally.other = other;
  return tally;
}
inline RunTally succeeded(BackupType type, EpochMs start) {
  return run(type, start, 1, 0, 0);
}
inline RunTally failed(BackupType type, EpochMs start) {
  return run(type, start, 0, 1, 0);
}
inline RunTally running(BackupType type, EpochMs start) {
  RunTally tally = run(type, start, 0, 0, 1);
  tally.open = true;
  return tally;
}
// A success whose files are still there.
inline RunTally kept(BackupType type, EpochMs start) {
  RunTally tally = succeeded(type, start);
  tally.undeleted = true;
  return tally;
}

inline Remembered since(EpochMs first_seen) {
  Remembered remembered;
  remembered.first_seen = first_seen;
  return remembered;
}

// A backup job with readable settings (a full backup without retention) and no runs, unless a test says
// otherwise.
class JobUnderTest {
 public:
  explicit JobUnderTest(std::string id = "10") {
    job_.job = {std::move(id), "Nightly", "1", "sql-1", std::nullopt, std::nullopt};
    settings_.enabled_types.insert(BackupType::full);
  }

  JobUnderTest& named(std::string name) { return job_.job.name = std::move(name), *this; }
  JobUnderTest& on_server(std::string id, std::string name) {
    job_.job.server_id = std::move(id);
    job_.job.server_name = std::move(name);
    return *this;
  }
  JobUnderTest& of_type(std::string type) { return job_.job.type = std::move(type), *this; }
  JobUnderTest& switched(bool enabled) { return job_.job.enabled = enabled, *this; }
  JobUnderTest& switched_in_settings(bool enabled) { return settings_.enabled = enabled, *this; }
  JobUnderTest& enables(std::initializer_list<BackupType> types) {
    settings_.enabled_types = BackupTypeSet();
    for (const BackupType type : types) settings_.enabled_types.insert(type);
    return *this;
  }
  JobUnderTest& keeps(std::int64_t full_days, std::int64_t inc_days = 0) {
    settings_.full_retention_days = full_days;
    settings_.inc_retention_days = inc_days;
    return *this;
  }
  JobUnderTest& without_settings() { return has_settings_ = false, *this; }
  JobUnderTest& without_runs() { return has_runs_ = false, *this; }
  // This collection could not read the runs; the last that could was at `last` (nothing: none could).
  JobUnderTest& unread_since(std::optional<SystemTime> last) {
    job_.runs_current = false;
    job_.runs_read_at = last;
    return *this;
  }
  // Its runs were read so far back.
  JobUnderTest& reaching(std::chrono::milliseconds reach) { return job_.runs_reach = reach, *this; }
  JobUnderTest& remembers(const Remembered& remembered) {
    return job_.remembered = std::make_shared<const Remembered>(remembered), *this;
  }

  JobUnderTest& ran(RunTally tally) { return runs_.tallies.push_back(tally), *this; }
  JobUnderTest& ran(const std::vector<RunTally>& tallies) {
    return runs_.tallies.insert(runs_.tallies.end(), tallies.begin(), tallies.end()), *this;
  }
  // A success every `every_hours`, the latest `latest_hours` before T.
  JobUnderTest& succeeded_every(double every_hours, BackupType type, double latest_hours, int times) {
    for (int i = 0; i < times; ++i) ran(succeeded(type, hours_ago(latest_hours + i * every_hours)));
    return *this;
  }
  JobUnderTest& backed_up(std::string database, BackupType type, EpochMs start, EntryStatus status) {
    return runs_.databases.push_back({start, std::move(database), type, status}), *this;
  }
  JobUnderTest& took(BackupType type, EpochMs start, EpochMs finish, double size_bytes) {
    return runs_.extents.push_back({start, finish, size_bytes, type}), *this;
  }

  std::shared_ptr<const JobSnapshot> snapshot() const {
    JobSnapshot job = job_;
    JobRuns runs = runs_;
    const auto sort_key = [](const RunTally& tally) {
      return tally.started_at.has_value() ? tally.started_at.milliseconds()
                                          : std::numeric_limits<double>::infinity();
    };
    std::stable_sort(runs.tallies.begin(), runs.tallies.end(),
                     [&](const RunTally& a, const RunTally& b) { return sort_key(a) < sort_key(b); });
    if (has_settings_) job.settings = std::make_shared<const JobSettings>(settings_);
    if (has_runs_) job.runs = std::make_shared<const JobRuns>(std::move(runs));
    return std::make_shared<const JobSnapshot>(std::move(job));
  }

 private:
  JobSnapshot job_;
  JobSettings settings_;
  JobRuns runs_;
  bool has_settings_ = true;
  bool has_runs_ = true;
};

class AccountUnderTest {
 public:
  explicit AccountUnderTest(SystemTime collected_at = kT) { snapshot_.collected_at = collected_at; }

  AccountUnderTest& with(const JobUnderTest& job) { return snapshot_.jobs.push_back(job.snapshot()), *this; }
  AccountUnderTest& with_server(std::string id, std::string name, std::string status = "online",
                                std::string app_type = "sqlbak_windows") {
    snapshot_.servers.push_back({std::move(id), std::move(name), std::move(app_type), std::move(status)});
    return *this;
  }
  AccountUnderTest& with_pending_jobs(std::uint32_t count) { return snapshot_.jobs_pending = count, *this; }
  AccountUnderTest& with_api_clock_ahead(std::chrono::minutes ahead) {
    return snapshot_.api_clock_ahead = ahead, *this;
  }
  AccountUnderTest& suspended(bool suspended) { return snapshot_.info = {"", suspended, {}}, *this; }

  Snapshot snapshot() const { return snapshot_; }
  std::shared_ptr<const evaluation::PreparedAccount> prepared(
      const evaluation::Policy& policy = {}, const evaluation::PreparedAccount* previous = nullptr) const {
    return std::make_shared<const evaluation::PreparedAccount>(
        evaluation::prepare(std::make_shared<const Snapshot>(snapshot_), policy, previous));
  }

 private:
  Snapshot snapshot_;
};

inline std::shared_ptr<const evaluation::PreparedJob> judged(const JobUnderTest& job,
                                                             SystemTime collected_at = kT,
                                                             const evaluation::Policy& policy = {}) {
  return AccountUnderTest(collected_at).with(job).prepared(policy)->jobs.front();
}

// The row of that type; null when there is none.
inline const evaluation::PreparedRow* row(const evaluation::PreparedJob& job, BackupType type) {
  const auto found =
      std::find_if(job.rows.begin(), job.rows.end(), [&](const auto& row) { return row.type == type; });
  return found == job.rows.end() ? nullptr : &*found;
}

// The same as a value, for tests that know it is there.
inline evaluation::PreparedRow judged_row(const JobUnderTest& job, BackupType type = BackupType::full,
                                          const evaluation::Policy& policy = {}) {
  const auto prepared = judged(job, kT, policy);
  const evaluation::PreparedRow* found = row(*prepared, type);
  return found ? *found : evaluation::PreparedRow{};
}

inline evaluation::Policy allowing(BackupType type, Duration max_age) {
  evaluation::Policy policy;
  policy.max_age.of(type) = max_age;
  return policy;
}

}  // namespace sqlbak_gateway::testing
