// Random accounts for comparing one way of judging with another. All draws come from the generator that is
// given.
#pragma once

#include "evaluation/account_under_test.h"

#include <random>
#include <string>
#include <vector>

namespace sqlbak_gateway::testing {

// Small enough to meet every edge often: starts lie on few instants, some on window edges and some missing;
// some jobs lack settings or runs.
class RandomAccount {
 public:
  explicit RandomAccount(std::uint32_t seed) : random_(seed) {}

  Snapshot snapshot(int jobs = 6) {
    Snapshot snapshot;
    snapshot.collected_at = kT;
    for (int i = 0; i < 4; ++i) {
      snapshot.servers.push_back(
          {std::to_string(i), text(), "sqlbak_linux", pick<std::string>({"online", "offline", ""})});
    }
    for (int i = 0; i < jobs; ++i) snapshot.jobs.push_back(job(std::to_string(7 + i)));
    return snapshot;
  }

  std::shared_ptr<const JobSnapshot> job(std::string id) {
    JobUnderTest job(std::move(id));
    job.named(text()).on_server(std::to_string(below(5)), text());
    if (one_in(4)) job.of_type(pick<std::string>({"backup", "maintenance"}));
    if (one_in(6)) job.switched(one_in(2));
    job.enables({pick<BackupType>({BackupType::full, BackupType::diff, BackupType::folder}), any_type()});
    job.keeps(pick<std::int64_t>({0, 2, 10, -1}), pick<std::int64_t>({0, 1, 30}));
    if (one_in(6)) job.without_settings();
    if (one_in(6)) job.without_runs();
    if (one_in(4)) job.reaching(std::chrono::hours(1 + below(24 * 20)));
    if (one_in(3)) job.remembers(since(start()));
    for (int i = below(40); i > 0; --i) job.ran(tally());
    for (int i = one_in(2) ? 5 : 0; i > 0; --i) {
      job.backed_up(pick<std::string>({"erp", "crm"}), any_type(), start(),
                    pick<EntryStatus>({EntryStatus::succeeded, EntryStatus::failed, EntryStatus::other}));
    }
    if (one_in(2)) job.took(any_type(), start(), hours_ago(-20), 1000.0 * below(50));
    return job.snapshot();
  }

  int below(int limit) { return std::uniform_int_distribution<int>(0, limit - 1)(random_); }
  bool one_in(int n) { return below(n) == 0; }
  std::mt19937& generator() { return random_; }

 private:
  template <typename T>
  T pick(std::vector<T> from) {
    return from[static_cast<std::size_t>(below(static_cast<int>(from.size())))];
  }
  BackupType any_type() { return kBackupTypes[static_cast<std::size_t>(below(kBackupTypeCount))]; }
  std::string text() { return pick<std::string>({"a", "b \"quoted\"", "c\\d", "e\nf", "g|h", "ü", ""}); }

  EpochMs start() {
    if (one_in(12)) return kUndated;
    const double jitter = pick<double>({0, 0, 1, -1, 0.5});
    return ms_before_t(6 * kMillisecondsPerHour * (below(160) - 4) + jitter);
  }
  RunTally tally() {
    RunTally tally =
        run(any_type(), start(), static_cast<std::uint32_t>(below(3)), one_in(3) ? 1 : 0, one_in(5) ? 1 : 0);
    if (tally.total() == 0) tally.succeeded = 1;
    tally.undeleted = tally.succeeded > 0 && one_in(2);
    tally.open = one_in(10);
    tally.vanished = tally.started_at.has_value() && one_in(10);
    return tally;
  }

  std::mt19937 random_;
};

}  // namespace sqlbak_gateway::testing
