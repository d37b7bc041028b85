// What is told of a job and type beyond the window: attempts, failures in a row, databases, retention that is
// not enforced, durations and sizes, and what is remembered.
#include "evaluation/account_under_test.h"
#include "evaluation/run_facts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sqlbak_gateway::testing {
namespace {

using evaluation::PreparedRow;
using std::chrono::hours;
using enum BackupType;

// --- the last attempt ---

struct AttemptCase {
  const char* what;
  std::vector<RunTally> runs;
  double last_attempt_hours_ago;
  std::optional<bool> succeeded;
  std::uint64_t failures;
};

TEST(LastAttempt, IsJudgedWhenItHasFinishedAndHeldWhileOneRuns) {
  RunTally half_done = succeeded(full, hours_ago(1));
  half_done.open = true;
  const std::vector<AttemptCase> cases = {
      {"a success", {succeeded(full, hours_ago(2))}, 2, true, 0},
      {"a failure after it", {succeeded(full, hours_ago(3)), failed(full, hours_ago(2))}, 2, false, 1},
      {"and another",
       {succeeded(full, hours_ago(4)), failed(full, hours_ago(3)), failed(full, hours_ago(2))},
       2,
       false,
       2},
      {"mended", {failed(full, hours_ago(3)), succeeded(full, hours_ago(2))}, 2, true, 0},
      {"one bad entry among good ones", {run(full, hours_ago(2), 9, 1, 0)}, 2, false, 1},
      {"an entry that ended otherwise", {run(full, hours_ago(2), 9, 0, 1)}, 2, false, 1},
      {"running: the one before counts",
       {failed(full, hours_ago(3)), running(full, hours_ago(1))},
       1,
       false,
       1},
      {"running, its first entry done", {failed(full, hours_ago(3)), half_done}, 1, false, 1},
      {"nothing has finished yet", {running(full, hours_ago(1))}, 1, std::nullopt, 0},
      {"two at one instant, the bad one first",
       {failed(full, hours_ago(2)), succeeded(full, hours_ago(2))},
       2,
       false,
       1},
      {"two at one instant, the good one first",
       {succeeded(full, hours_ago(2)), failed(full, hours_ago(2))},
       2,
       false,
       1},
      {"two bad ones at one instant are one",
       {failed(full, hours_ago(2)), failed(full, hours_ago(2))},
       2,
       false,
       1},
      {"after a failure, two at one instant",
       {failed(full, hours_ago(3)), succeeded(full, hours_ago(2)), failed(full, hours_ago(2))},
       2,
       false,
       2},
      {"another type's attempts are not its own",
       {succeeded(full, hours_ago(3)), failed(log, hours_ago(2))},
       3,
       true,
       0},
      {"a run without a start cannot be placed",
       {succeeded(full, hours_ago(3)), failed(full, kUndated)},
       3,
       true,
       0},
      {"older than the window", {failed(full, days_ago(20))}, 480, false, 1},
  };
  for (const AttemptCase& c : cases) {
    const PreparedRow row = judged_row(JobUnderTest().ran(c.runs));
    EXPECT_EQ(row.last_attempt, hours_ago(c.last_attempt_hours_ago)) << c.what;
    EXPECT_EQ(row.last_attempt_succeeded, c.succeeded) << c.what;
    EXPECT_EQ(row.consecutive_failures, c.failures) << c.what;
  }
}

TEST(LastAttempt, OfFoldersCountsHereAndASuccessIsOneGoodEntry) {
  const auto job = JobUnderTest().ran(run(folder, hours_ago(2), 1, 1, 0));
  const PreparedRow row = judged_row(job, folder);
  EXPECT_EQ(row.last_success, hours_ago(2));
  EXPECT_EQ(row.last_attempt_succeeded, false);
  EXPECT_EQ(row.window, std::nullopt) << "no row among the published ones";
}

TEST(LastAttempt, WithoutAnyIsUnknownAndNothingFailed) {
  const PreparedRow row = judged_row(JobUnderTest());
  EXPECT_FALSE(row.last_success.has_value());
  EXPECT_FALSE(row.last_attempt.has_value());
  EXPECT_EQ(row.last_attempt_succeeded, std::nullopt);
  EXPECT_EQ(row.consecutive_failures, 0u);
}

// --- what is remembered ---

// What becomes of a job's memory when all its runs of a collection at `collected_at` are forgotten.
Remembered remember(const JobSnapshot& job, SystemTime collected_at) {
  evaluation::FactsByType facts;
  evaluation::collect_facts(*job.runs, job.remembered.get(),
                            {EpochMs(collected_at).milliseconds(), evaluation::kNever}, facts);
  return evaluation::merge(job.remembered.get(), job.runs.get(), facts, collected_at);
}

TEST(Remembering, KeepsTheLastSuccessThatNoRunShowsAnyMore) {
  const auto in_december = JobUnderTest().ran({succeeded(full, days_ago(40)), failed(full, days_ago(39))});
  const Remembered remembered = remember(*in_december.snapshot(), kT - hours(24 * 39));
  const PreparedRow row = judged_row(JobUnderTest().remembers(remembered));
  EXPECT_EQ(row.last_success, days_ago(40));
  EXPECT_EQ(row.last_attempt, days_ago(39));
  EXPECT_EQ(row.last_attempt_succeeded, false);
  EXPECT_EQ(row.consecutive_failures, 1u);
  EXPECT_EQ(evaluation::last_success_age_hours(row, kT), -1) << "the published age is the window's";
}

TEST(Remembering, IsOutdoneByNewerRuns) {
  const Remembered remembered = remember(*JobUnderTest().ran(failed(full, days_ago(40))).snapshot(), kT);
  const PreparedRow row = judged_row(JobUnderTest().remembers(remembered).ran(succeeded(full, hours_ago(3))));
  EXPECT_EQ(row.last_success, hours_ago(3));
  EXPECT_EQ(row.last_attempt_succeeded, true);
  EXPECT_EQ(row.consecutive_failures, 0u);
}

TEST(Remembering, FailuresInARowGoOnWhenTheOldestAreForgotten) {
  JobUnderTest yesterday;
  for (int day = 1; day <= 10; ++day) yesterday.ran(failed(full, days_ago(day)));
  JobUnderTest today;  // the oldest three are gone, one is new
  today.remembers(remember(*yesterday.snapshot(), kT));
  for (int day = 0; day <= 7; ++day) today.ran(failed(full, days_ago(day)));
  EXPECT_EQ(judged_row(today).consecutive_failures, 11u);
}

TEST(Remembering, FirstSeenAndTheOldestRunOnlyMoveBack) {
  const Remembered first = remember(*JobUnderTest().ran(succeeded(full, days_ago(3))).snapshot(), kT);
  EXPECT_EQ(first.first_seen, EpochMs(kT));
  EXPECT_EQ(first.oldest_run, days_ago(3));
  const auto later_runs =
      JobUnderTest().remembers(first).ran({succeeded(full, days_ago(2)), failed(log, days_ago(5))});
  const Remembered second = remember(*later_runs.snapshot(), kT + hours(1));
  EXPECT_EQ(second.first_seen, EpochMs(kT));
  EXPECT_EQ(second.oldest_run, days_ago(5));
}

TEST(Remembering, TwiceIsTheSameAsOnce) {
  JobUnderTest job;
  job.ran({succeeded(full, days_ago(3)), failed(full, days_ago(2)), failed(full, days_ago(1)),
           running(log, hours_ago(1))});
  const Remembered once = remember(*job.snapshot(), kT);
  EXPECT_EQ(remember(*job.remembers(once).snapshot(), kT), once);
}

TEST(Remembering, IsNoSubstituteForRunsThatWereNeverRead) {
  const Remembered remembered = remember(*JobUnderTest().ran(succeeded(full, days_ago(3))).snapshot(), kT);
  EXPECT_FALSE(judged_row(JobUnderTest().remembers(remembered).without_runs()).last_success.has_value());
}

// --- databases ---

TEST(Databases, FailWhenTheirLatestEntryFailed) {
  using enum EntryStatus;
  const auto failing = [](const JobUnderTest& job) { return judged(job)->databases_failing; };
  EXPECT_EQ(failing(JobUnderTest()), std::nullopt) << "no entry names one";
  EXPECT_EQ(failing(JobUnderTest().backed_up("erp", full, hours_ago(1), succeeded)), 0u);
  EXPECT_EQ(failing(JobUnderTest()
                        .backed_up("erp", full, hours_ago(30), succeeded)
                        .backed_up("erp", full, hours_ago(6), failed)
                        .backed_up("crm", full, hours_ago(6), succeeded)),
            1u)
      << "a good one does not hide a bad one";
  EXPECT_EQ(failing(JobUnderTest()
                        .backed_up("erp", full, hours_ago(6), failed)
                        .backed_up("erp", log, hours_ago(1), succeeded)),
            0u)
      << "mended";
  EXPECT_EQ(failing(JobUnderTest()
                        .backed_up("erp", full, hours_ago(6), succeeded)
                        .backed_up("erp", log, hours_ago(6), failed)),
            1u)
      << "one run: what failed in it counts, in either order";
  EXPECT_EQ(failing(JobUnderTest()
                        .ran(running(full, hours_ago(1)))
                        .backed_up("erp", full, hours_ago(6), failed)
                        .backed_up("erp", full, hours_ago(1), other)),
            1u)
      << "held while one runs";
  EXPECT_EQ(failing(JobUnderTest()
                        .ran(run(full, hours_ago(1), 0, 0, 1))
                        .backed_up("erp", full, hours_ago(6), failed)
                        .backed_up("erp", full, hours_ago(1), other)),
            0u)
      << "it ended, and not by failing";
}

// --- retention that is not enforced ---

TEST(RetentionViolation, NeedsALaterSuccessThatShouldHaveDeletedTheFiles) {
  struct Case {
    const char* what;
    std::vector<RunTally> runs;
    bool violation;
  };
  const std::vector<Case> cases = {
      {"expired, but nothing ran since", {kept(full, days_ago(31))}, false},
      {"expired before a later success", {kept(full, days_ago(31)), succeeded(full, hours_ago(2))}, true},
      {"deleted by the later success", {succeeded(full, days_ago(31)), succeeded(full, hours_ago(2))}, false},
      {"that was half an hour ago: deletion may be under way",
       {kept(full, days_ago(31)), succeeded(full, hours_ago(0.5))},
       false},
      {"a millisecond less than an hour ago",
       {kept(full, days_ago(31)), succeeded(full, ms_before_t(kMillisecondsPerHour - 1))},
       false},
      {"exactly an hour ago", {kept(full, days_ago(31)), succeeded(full, hours_ago(1))}, true},
      {"another an hour before",
       {kept(full, days_ago(31)), succeeded(full, hours_ago(9)), succeeded(full, hours_ago(0.5))},
       true},
      {"the later one failed", {kept(full, days_ago(31)), failed(full, hours_ago(2))}, false},
      {"the later one is of another type", {kept(full, days_ago(31)), succeeded(log, hours_ago(2))}, false},
      {"it expired after the later success began",
       {kept(full, days_ago(30.5)), succeeded(full, days_ago(1))},
       false},
      {"it expired as the later success began",
       {kept(full, days_ago(31)), succeeded(full, days_ago(1))},
       false},
      {"far outside the window", {kept(full, days_ago(300)), succeeded(full, days_ago(200))}, true},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(judged_row(JobUnderTest().keeps(30, 400).ran(c.runs)).retention_violation, c.violation)
        << c.what;
  }
  EXPECT_EQ(judged_row(JobUnderTest().keeps(0).ran({kept(full, days_ago(31)), succeeded(full, hours_ago(2))}))
                .retention_violation,
            false)
      << "kept for ever";
}

// --- durations and sizes ---

TEST(Extent, IsOfTheLatestRunThatHasOne) {
  const double none = std::numeric_limits<double>::quiet_NaN();
  const auto job = JobUnderTest()
                       .ran(succeeded(full, hours_ago(3)))
                       .took(full, hours_ago(30), hours_ago(28), 5000)
                       .took(full, hours_ago(6), hours_ago(5.5), none)
                       .took(full, hours_ago(3), EpochMs(), none)
                       .took(log, hours_ago(1), hours_ago(0.5), 7);
  EXPECT_EQ(judged_row(job).last_duration_seconds, 1800);
  EXPECT_EQ(judged_row(job).last_size_bytes, 5000);
  EXPECT_EQ(judged_row(JobUnderTest()).last_duration_seconds, std::nullopt);
  EXPECT_EQ(judged_row(JobUnderTest().took(full, hours_ago(1), hours_ago(2), none)).last_duration_seconds,
            std::nullopt)
      << "an end before the start says nothing";
}

TEST(Extent, IsTheLargestOfRunsThatStartedTogether) {
  const auto earlier = [] { return JobUnderTest().took(full, hours_ago(9), hours_ago(4), 9000); };
  const auto now = hours_ago(3);
  for (const auto& job : {earlier().took(full, now, hours_ago(2), 10).took(full, now, hours_ago(1), 20),
                          earlier().took(full, now, hours_ago(1), 20).took(full, now, hours_ago(2), 10)}) {
    EXPECT_EQ(judged_row(job).last_duration_seconds, 7200);
    EXPECT_EQ(judged_row(job).last_size_bytes, 20);
  }
}

}  // namespace
}  // namespace sqlbak_gateway::testing
