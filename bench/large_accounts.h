// Accounts of the large kind (200 jobs with 700 runs each) for measuring: nightly full and frequent log
// backups, with jitter, failures and files that retention has deleted.
#pragma once

#include "sqlbak_gateway/account/snapshot.h"

#include <memory>
#include <random>
#include <string>

namespace sqlbak_gateway::benchmarks {

inline constexpr SystemTime kT{std::chrono::milliseconds{1'768'392'000'000}};
inline constexpr int kJobs = 200;
inline constexpr int kRunsOfAJob = 700;

inline std::shared_ptr<const JobRuns> random_runs(std::mt19937& random) {
  auto runs = std::make_shared<JobRuns>();
  const double step = 36 * kMillisecondsPerHour / 24;  // of 700 runs: 44 days
  for (int i = kRunsOfAJob; i > 0; --i) {
    RunTally tally;
    tally.started_at =
        EpochMs(EpochMs(kT).milliseconds() - i * step + static_cast<double>(random() % 600'000));
    tally.type = random() % 16 == 0 ? BackupType::full : BackupType::log;
    (random() % 50 == 0 ? tally.failed : tally.succeeded) = 1;
    tally.undeleted = i < 500;
    runs->tallies.push_back(tally);
  }
  return runs;
}

inline std::shared_ptr<const Snapshot> large_account(unsigned seed) {
  std::mt19937 random(seed);
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->collected_at = kT;
  JobSettings settings;
  settings.enabled_types.insert(BackupType::full);
  settings.enabled_types.insert(BackupType::log);
  settings.full_retention_days = settings.inc_retention_days = 30;
  for (int i = 0; i < kJobs; ++i) {
    const std::string number = std::to_string(i);
    const std::string server = "sql-server-" + std::to_string(i / 2) + ".customer.example.com";
    snapshot->servers.push_back({number, server, "sqlbak_windows", "online"});
    JobSnapshot job;
    job.job = {
        std::to_string(10'000 + i), "Nightly backup of the ERP databases " + number, number, server, {}, {}};
    job.settings = std::make_shared<const JobSettings>(settings);
    job.runs = random_runs(random);
    snapshot->jobs.push_back(std::make_shared<const JobSnapshot>(std::move(job)));
  }
  return snapshot;
}

}  // namespace sqlbak_gateway::benchmarks
