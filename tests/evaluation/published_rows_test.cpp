// The published exporter's metrics: windows, counts, last success, retention.
#include "evaluation/account_under_test.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sqlbak_gateway::testing {
namespace {

using evaluation::PreparedRow;
using evaluation::WindowCounts;
using std::chrono::hours;
using enum BackupType;

std::vector<BackupType> published_types(const JobUnderTest& job) {
  std::vector<BackupType> types;
  const auto prepared = judged(job);
  for (const PreparedRow& row : prepared->rows) {
    if (row.window || row.retention_days) types.push_back(row.type);
  }
  return types;
}

double age_hours_at(const PreparedRow& row, SystemTime at) {
  return evaluation::last_success_age_hours(row, at);
}

// --- the window ---

struct WindowCase {
  const char* what;
  hours lookback;
  std::vector<BackupType> enabled;
  std::int64_t full_days;
  std::int64_t inc_days;
  double days;  // expected
};

TEST(Window, IsTheLookbackOrTheLargestRetentionAndAWeek) {
  const std::vector<WindowCase> cases = {
      {"no retention: the lookback", hours(168), {full}, 0, 0, 7},
      {"a short lookback: never below a week with settings", hours(24), {full}, 0, 0, 7},
      {"30 days and a week", hours(168), {full}, 30, 0, 37},
      {"the retention of a type that is not enabled does not count", hours(168), {full}, 30, 365, 37},
      {"the largest of several", hours(168), {full, log}, 30, 365, 372},
      {"diff and inc have the incremental retention", hours(168), {diff}, 30, 60, 67},
      {"folders have none", hours(168), {folder}, 30, 60, 7},
      {"a long lookback wins", hours(24 * 90), {full}, 30, 0, 90},
      {"a negative retention shortens it", hours(24), {full}, -3, 0, 4},
  };
  for (const WindowCase& c : cases) {
    JobUnderTest job;
    job.enables({}).keeps(c.full_days, c.inc_days);
    if (c.enabled.size() == 1) job.enables({c.enabled[0]});
    if (c.enabled.size() == 2) job.enables({c.enabled[0], c.enabled[1]});
    evaluation::Policy policy;
    policy.lookback = c.lookback;
    EXPECT_EQ(judged(job, kT, policy)->window_seconds, c.days * kDay) << c.what;
  }
}

TEST(Window, WithoutSettingsIsTheLookback) {
  evaluation::Policy policy;
  policy.lookback = hours(24);
  EXPECT_EQ(judged(JobUnderTest().without_settings(), kT, policy)->window_seconds, kDay);
}

TEST(Window, ReachesNoFurtherThanTheRunsWereRead) {
  JobUnderTest job;
  job.keeps(60).succeeded_every(24, full, 1, 30).reaching(hours(24 * 21));
  evaluation::Policy policy;
  policy.lookback = hours(168);
  const auto bounded = judged(job, kT, policy);
  EXPECT_EQ(bounded->window_seconds, 21 * kDay);
  EXPECT_EQ(bounded->rows[0].window->succeeded, 21u);
  policy.lookback = hours(24);
  EXPECT_EQ(judged(job.keeps(3), kT, policy)->window_seconds, 10 * kDay) << "a shorter one is as it was";
}

TEST(Window, HoldsWhatStartedAtItsStartOrLater) {
  const double week = 7 * kMillisecondsPerDay;
  const std::vector<std::pair<EpochMs, std::uint64_t>> cases = {
      {ms_before_t(week), 1},         // at its very start
      {ms_before_t(week + 1), 0},     // a millisecond before
      {ms_before_t(week + 0.25), 0},  // starts may be fractional
      {ms_before_t(week - 0.25), 1},
      {hours_ago(-5), 1},  // in the future, by a clock that is ahead
      {kUndated, 1},       // without a start: while it is listed
  };
  for (const auto& [start, expected] : cases) {
    EXPECT_EQ(judged_row(JobUnderTest().ran(succeeded(full, start))).window->succeeded, expected)
        << start.milliseconds();
  }
}

// --- counting ---

TEST(Counting, EveryEntryCountsOnceByItsStatus) {
  const auto job = JobUnderTest()
                       .enables({full, log})
                       .ran({run(full, hours_ago(1), 2, 1, 4), run(full, hours_ago(2), 0, 3, 0),
                             run(full, kUndated, 1, 0, 1), run(log, hours_ago(1), 5, 0, 0)});
  EXPECT_EQ(judged_row(job, full).window, (WindowCounts{3, 4, 5}));
  EXPECT_EQ(judged_row(job, full).window->total(), 12u);
  EXPECT_EQ(judged_row(job, log).window, (WindowCounts{5, 0, 0}));
}

TEST(Counting, FolderEntriesDoNotCount) {
  const auto job = JobUnderTest().enables({folder}).ran(succeeded(folder, hours_ago(1)));
  EXPECT_EQ(judged_row(job, folder).window, (WindowCounts{0, 0, 0}));
  EXPECT_EQ(age_hours_at(judged_row(job, folder), kT), -1);
}

// --- rows ---

TEST(Rows, AreTheTypesEnabledOrSeenInTheWindow) {
  using ::testing::ElementsAre;
  using ::testing::IsEmpty;
  EXPECT_THAT(published_types(JobUnderTest().enables({full, log})), ElementsAre(full, log));
  EXPECT_THAT(published_types(JobUnderTest().ran(failed(diff, hours_ago(1)))), ElementsAre(full, diff));
  EXPECT_THAT(published_types(JobUnderTest().ran(failed(unknown, kUndated))), ElementsAre(full, unknown));
  EXPECT_THAT(published_types(JobUnderTest().ran(failed(diff, days_ago(8)))), ElementsAre(full))
      << "before the window";
  EXPECT_THAT(published_types(JobUnderTest().ran(failed(folder, hours_ago(1)))), ElementsAre(full))
      << "folders are not seen";
  EXPECT_THAT(published_types(JobUnderTest().enables({folder})), ElementsAre(folder))
      << "but they may be enabled";
  EXPECT_THAT(published_types(JobUnderTest().without_settings()), IsEmpty());
  EXPECT_THAT(published_types(JobUnderTest().without_settings().ran(succeeded(inc, hours_ago(1)))),
              ElementsAre(inc));
}

// --- never lie ---

TEST(Unknown, SettingsMakeNoRetention) {
  const PreparedRow row = judged_row(JobUnderTest().without_settings().ran(kept(full, hours_ago(5))));
  EXPECT_EQ(row.retention_days, std::nullopt);
  EXPECT_EQ(row.older_than_policy, std::nullopt);
  EXPECT_EQ(row.retention_violation, std::nullopt);
  EXPECT_EQ(row.window, (WindowCounts{1, 0, 0}));
  EXPECT_EQ(age_hours_at(row, kT), 5);
}

TEST(Unknown, RunsMakeNoCountsAndNoAges) {
  const PreparedRow row = judged_row(JobUnderTest().keeps(30).without_runs());
  EXPECT_EQ(row.retention_days, 30);
  EXPECT_EQ(row.older_than_policy, std::nullopt);
  EXPECT_EQ(row.window, std::nullopt);
  EXPECT_FALSE(row.last_success.has_value());
  EXPECT_EQ(row.consecutive_failures, std::nullopt);
  EXPECT_TRUE(std::isnan(age_hours_at(row, kT)));
}

TEST(Unknown, IsNotTheSameAsNone) {
  const PreparedRow row = judged_row(JobUnderTest().keeps(30));
  EXPECT_EQ(row.window, (WindowCounts{0, 0, 0}));
  EXPECT_EQ(row.older_than_policy, false);
  EXPECT_EQ(age_hours_at(row, kT), -1);
}

// --- last success ---

TEST(LastSuccess, IsTheLatestStartOfARunWithASucceededEntry) {
  const std::vector<std::pair<std::vector<RunTally>, double>> cases = {
      {{succeeded(full, hours_ago(30)), succeeded(full, hours_ago(6))}, 6},
      {{succeeded(full, hours_ago(6)), failed(full, hours_ago(1))}, 6},
      {{run(full, hours_ago(6), 1, 3, 0)}, 6},                             // one good entry is enough
      {{succeeded(full, hours_ago(6)), succeeded(log, hours_ago(1))}, 6},  // of the type
      {{succeeded(full, hours_ago(6)), succeeded(full, kUndated)}, 6},     // a run without a start has no age
      {{succeeded(full, kUndated)}, -1},
      {{failed(full, hours_ago(6))}, -1},
      {{succeeded(full, days_ago(8))}, -1},   // not in the window
      {{succeeded(full, hours_ago(-3))}, 0},  // in the future: never below zero
  };
  for (const auto& [runs, expected] : cases) {
    EXPECT_EQ(age_hours_at(judged_row(JobUnderTest().ran(runs)), kT), expected)
        << ::testing::PrintToString(runs.size());
  }
}

TEST(LastSuccess, AgesWithTheAnswerAndNotWithTheCollection) {
  const PreparedRow row = judged_row(JobUnderTest().ran(succeeded(full, hours_ago(6))));
  EXPECT_EQ(age_hours_at(row, kT + std::chrono::minutes(90)), 7.5);
  EXPECT_EQ(age_hours_at(row, kT + hours(24 * 30)), 6 + 24 * 30) << "the window was judged at T";
  EXPECT_EQ(age_hours_at(row, kT - hours(24)), 0) << "a clock that was set back";
}

TEST(LastSuccess, IsAnsweredForEveryRowInOrder) {
  const auto account = AccountUnderTest()
                           .with(JobUnderTest("2").ran(succeeded(full, hours_ago(2))))
                           .with(JobUnderTest("1").enables({full, log}).ran(succeeded(log, hours_ago(1))))
                           .prepared();
  const evaluation::Findings findings = evaluation::answer(account, kT);
  EXPECT_EQ(account->row_count, 3u);
  EXPECT_THAT(findings.last_success_age_hours, ::testing::ElementsAre(-1, 1, 2));
}

// --- older than policy ---

TEST(OlderThanPolicy, NeedsASuccessPastItsRetentionThatStillHasFiles) {
  struct Case {
    const char* what;
    std::int64_t retention;
    RunTally run;
    bool older;
  };
  RunTally partly = run(full, days_ago(31), 1, 1, 0);
  partly.undeleted = true;
  const std::vector<Case> cases = {
      {"past its retention, with files", 30, kept(full, days_ago(31)), true},
      {"past its retention, files deleted", 30, succeeded(full, days_ago(31)), false},
      {"exactly at its retention", 30, kept(full, days_ago(30)), false},
      {"a millisecond past it", 30, kept(full, ms_before_t(30 * kMillisecondsPerDay + 1)), true},
      {"no retention", 0, kept(full, days_ago(6)), false},
      {"a negative retention", -1, kept(full, days_ago(6)), false},
      {"failed", 30, failed(full, days_ago(31)), false},
      {"one of two entries succeeded", 30, partly, true},
      {"without a start", 30, kept(full, kUndated), false},
      {"before the window", 30, kept(full, days_ago(38)), false},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(judged_row(JobUnderTest().keeps(c.retention).ran(c.run)).older_than_policy, c.older) << c.what;
  }
}

TEST(OlderThanPolicy, EachTypeHasItsOwnRetention) {
  const auto job = JobUnderTest()
                       .enables({full, log, folder})
                       .keeps(30, 2)
                       .ran({kept(full, days_ago(3)), kept(log, days_ago(3)), kept(folder, days_ago(3)),
                             kept(unknown, days_ago(3))});
  EXPECT_EQ(judged_row(job, full).older_than_policy, false);
  EXPECT_EQ(judged_row(job, log).older_than_policy, true);
  EXPECT_EQ(judged_row(job, folder).older_than_policy, false);
  EXPECT_EQ(judged_row(job, unknown).older_than_policy, false);
  EXPECT_EQ(judged_row(job, full).retention_days, 30);
  EXPECT_EQ(judged_row(job, log).retention_days, 2);
  EXPECT_EQ(judged_row(job, unknown).retention_days, 0);
}

// --- servers and jobs of the account ---

TEST(Servers, AreOfflineUnlessOnline) {
  const auto account = AccountUnderTest()
                           .with_server("1", "a", "online")
                           .with_server("2", "b", "offline")
                           .with_server("3", "c", "disconnected")
                           .with_server("4", "d", "")
                           .prepared();
  EXPECT_EQ(account->servers_offline, 3u);
  EXPECT_THAT(
      account->servers_by_status,
      ::testing::ElementsAre(evaluation::StatusCount{"", 1}, evaluation::StatusCount{"disconnected", 1},
                             evaluation::StatusCount{"offline", 1}, evaluation::StatusCount{"online", 1}));
}

TEST(Servers, WithTheSameLabelsAreOneSeriesAndTheLastWins) {
  const auto account =
      AccountUnderTest().with_server("", "a", "offline").with_server("", "a", "online").prepared();
  ASSERT_EQ(account->servers.size(), 1u);
  EXPECT_TRUE(account->servers[0]->online());
}

TEST(Jobs, StandByTheirIdsWhateverTheOrderOfTheApi) {
  const auto account = AccountUnderTest()
                           .with(JobUnderTest("10"))
                           .with(JobUnderTest("9"))
                           .with(JobUnderTest("b"))
                           .with(JobUnderTest("9").named("the last of two with one id"))
                           .prepared();
  std::vector<std::string> names;
  for (const auto& job : account->jobs) names.push_back(job->source->job.id + ' ' + job->source->job.name);
  EXPECT_THAT(names, ::testing::ElementsAre("9 the last of two with one id", "b Nightly", "10 Nightly"));
}

}  // namespace
}  // namespace sqlbak_gateway::testing
