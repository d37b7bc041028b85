// Late or not: typical intervals, inferred and configured max_age, overdue, and the state of a job.
#include "evaluation/schedules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sqlbak_gateway::testing {
namespace {

using evaluation::JobState;
using evaluation::MaxAge;
using evaluation::PreparedRow;
using std::chrono::hours;
using std::chrono::minutes;
using enum BackupType;

// --- the typical interval ---

TEST(ExpectedInterval, CountsEarlierSuccessesWhereTheKnownOnesTellLittle) {
  const auto interval = [](const JobUnderTest& job) {
    return judged_row(job, full).expected_interval_seconds;
  };
  Remembered before;
  for (int week = 5; week > 0; --week) {
    before.of(full).successes.push_back(hours_ago(24 * 20 + 168.0 * week));
  }
  before.of(full).last_success = before.of(full).last_attempt = hours_ago(24 * 20 + 168);
  EXPECT_EQ(interval(JobUnderTest().remembers(before)), 7 * kDay) << "none is known any more";
  EXPECT_EQ(interval(JobUnderTest().remembers(before).ran(succeeded(full, hours_ago(24 * 20)))), 7 * kDay);
  EXPECT_EQ(interval(JobUnderTest().remembers(before).succeeded_every(168, full, 24 * 13, 2)), 7 * kDay)
      << "two are a week apart, but too few";
  EXPECT_EQ(interval(JobUnderTest().remembers(before).succeeded_every(24, full, 5, 7)), kDay)
      << "the known ones tell enough";
  before.of(full).successes.push_back(hours_ago(24 * 20));
  EXPECT_EQ(interval(JobUnderTest().remembers(before).ran(succeeded(full, hours_ago(24 * 20)))), 7 * kDay)
      << "one is known and remembered";
}

TEST(ExpectedInterval, IsTheMedianGapBetweenAtLeastFiveSuccesses) {
  const auto interval = [](const JobUnderTest& job, BackupType type = full) {
    return judged_row(job, type).expected_interval_seconds;
  };
  EXPECT_EQ(interval(JobUnderTest().succeeded_every(24, full, 5, 4)), std::nullopt);
  EXPECT_EQ(interval(JobUnderTest().succeeded_every(24, full, 5, 5)), kDay);
  EXPECT_EQ(interval(every_weekday_evening(3)), kDay) << "weekends do not make it longer";
  EXPECT_EQ(interval(office_hours_logs(2), log), 900) << "nor do nights";
  EXPECT_EQ(interval(JobUnderTest()
                         .succeeded_every(24, full, 5, 9)
                         .ran({succeeded(full, hours_ago(6.5)), succeeded(full, hours_ago(55))})),
            kDay)
      << "nor do a few runs by hand make it shorter";
  EXPECT_EQ(interval(JobUnderTest().succeeded_every(24, full, 5, 5).ran(failed(full, hours_ago(15)))), kDay)
      << "failures are no successes";
  EXPECT_EQ(interval(JobUnderTest().succeeded_every(24, full, 5, 3).succeeded_every(48, full, 101, 2)), kDay)
      << "of 24, 24, 48 and 48 hours the shorter in the middle";
  const auto changed =
      JobUnderTest().enables({log}).succeeded_every(0.25, log, 1, 51).succeeded_every(24, log, 30, 200);
  EXPECT_EQ(interval(changed, log), 900) << "a schedule that was changed fifty successes ago";
  EXPECT_EQ(interval(JobUnderTest().succeeded_every(24, full, 5, 4).succeeded_every(24, full, 5, 4)),
            std::nullopt)
      << "two at one instant are one";
}

// --- max_age ---

struct MaxAgeCase {
  const char* what;
  JobUnderTest job;
  double hours;
  BackupType type = full;
};

TEST(InferredMaxAge, IsTheLongestGapSeenAndSomeSlack) {
  const std::vector<MaxAgeCase> cases = {
      {"daily: half a day of slack", JobUnderTest().succeeded_every(24, full, 5, 10), 24 + 12},
      {"weekly: slack is a day at most", JobUnderTest().succeeded_every(24 * 7, full, 5, 6), 24 * 7 + 24},
      {"every 15 minutes: an hour and a half at least",
       JobUnderTest().enables({log}).succeeded_every(0.25, log, 0.1, 700), 0.25 + 1.5, log},
      {"weekdays: the weekend was seen", every_weekday_evening(3), 72 + 24},
      {"office hours: from Friday 18:00 to Monday 08:00", office_hours_logs(2), 62 + 24, log},
      {"daily, but no weekend seen yet", JobUnderTest().succeeded_every(24, full, 5, 5), 24 + 12 + 48},
      {"daily through a change of clocks",
       JobUnderTest().succeeded_every(24, full, 5, 5).succeeded_every(24, full, 5 + 4 * 24 + 25, 5),
       25 + 12.5},
      {"a single pause of three weeks is no rhythm",
       JobUnderTest().succeeded_every(24, full, 5, 8).succeeded_every(24, full, 5 + 24 * 28, 8), 24 + 12},
      {"a gap of a week may be one",
       JobUnderTest().succeeded_every(24, full, 5, 8).succeeded_every(24, full, 5 + 24 * 14, 8), 24 * 7 + 24},
      {"so are two pauses of like length",
       JobUnderTest()
           .succeeded_every(24, full, 5, 8)
           .succeeded_every(24, full, 5 + 24 * 28, 8)
           .succeeded_every(24, full, 5 + 24 * 51, 8),
       24 * 21 + 24},
      {"a month and a week of pause: both stand alone",
       JobUnderTest()
           .succeeded_every(24, full, 5, 8)
           .succeeded_every(24, full, 5 + 24 * 16, 8)
           .succeeded_every(24, full, 5 + 24 * 53, 8),
       24 + 12},
      {"twenty days between weekly ones are less than three gaps, and count",
       JobUnderTest().succeeded_every(24 * 7, full, 5, 4).succeeded_every(24 * 7, full, 5 + 24 * 41, 4),
       24 * 20 + 24},
      {"a week missed by a weekly job",
       JobUnderTest().succeeded_every(24 * 7, full, 5, 4).succeeded_every(24 * 7, full, 5 + 24 * 35, 4),
       24 * 14 + 24},
  };
  for (const MaxAgeCase& c : cases) {
    const PreparedRow row = judged_row(c.job, c.type);
    ASSERT_TRUE(row.max_age) << c.what;
    EXPECT_NEAR(row.max_age->seconds / kHour, c.hours, 1e-9) << c.what;
    EXPECT_FALSE(row.max_age->configured) << c.what;
  }
  EXPECT_EQ(judged_row(JobUnderTest().succeeded_every(24, full, 5, 4)).max_age, std::nullopt)
      << "too few to tell";
}

TEST(ConfiguredMaxAge, GoesBeforeWhatThePastShows) {
  const auto daily = JobUnderTest().enables({full, log}).succeeded_every(24, full, 5, 10);
  EXPECT_EQ(judged_row(daily, full, allowing(full, hours(30))).max_age, (MaxAge{30 * kHour, true}));
  EXPECT_EQ(judged_row(daily, full, allowing(log, hours(30))).max_age, (MaxAge{36 * kHour, false}));
  EXPECT_EQ(judged_row(JobUnderTest(), full, allowing(full, hours(30))).max_age, (MaxAge{30 * kHour, true}));
}

// --- overdue ---

std::optional<bool> overdue(const JobUnderTest& job, Duration max_age = hours(30)) {
  return judged_row(job, full, allowing(full, max_age)).overdue;
}

TEST(Overdue, WhenTheLastSuccessIsOlderThanMaxAge) {
  EXPECT_EQ(overdue(JobUnderTest().ran(succeeded(full, hours_ago(30)))), false) << "exactly";
  EXPECT_EQ(overdue(JobUnderTest().ran(succeeded(full, ms_before_t(30 * kMillisecondsPerHour + 1)))), true);
  EXPECT_EQ(overdue(JobUnderTest().ran({succeeded(full, days_ago(3)), failed(full, hours_ago(1))})), true);
  EXPECT_EQ(overdue(JobUnderTest().ran(succeeded(full, days_ago(20))), hours(24 * 21)), false)
      << "the window is no limit";
  Remembered remembered = since(days_ago(100));
  remembered.of(full).last_attempt = remembered.of(full).last_success = hours_ago(20);
  EXPECT_EQ(overdue(JobUnderTest().remembers(remembered)), false) << "nor need its run be known any more";
}

TEST(Overdue, IsCountedFromTheBeginningWhereItNeverSucceeded) {
  EXPECT_EQ(overdue(JobUnderTest()), false) << "seen for the first time";
  EXPECT_EQ(overdue(JobUnderTest().remembers(since(hours_ago(29)))), false);
  EXPECT_EQ(overdue(JobUnderTest().remembers(since(hours_ago(31)))), true);
  EXPECT_EQ(overdue(JobUnderTest().ran(failed(full, hours_ago(31)))), true)
      << "its oldest run was before that";
  EXPECT_EQ(overdue(JobUnderTest().ran(failed(log, hours_ago(31)))), true) << "of whatever type";
}

TEST(Overdue, IsOnlyAskedWhereThereIsAnAnswer) {
  const auto old = succeeded(full, days_ago(6));
  EXPECT_EQ(judged_row(JobUnderTest().ran(old)).overdue, std::nullopt) << "no max_age";
  EXPECT_EQ(overdue(JobUnderTest().enables({log}).ran(old)), std::nullopt) << "not enabled";
  EXPECT_EQ(overdue(JobUnderTest().without_settings().ran(old)), std::nullopt);
  EXPECT_EQ(overdue(JobUnderTest().without_runs()), std::nullopt);
}

TEST(Overdue, NeverWhereNothingIsExpected) {
  const auto old = succeeded(full, days_ago(6));
  EXPECT_EQ(overdue(JobUnderTest().ran(old).switched(false)), false);
  EXPECT_EQ(overdue(JobUnderTest().ran(old).switched_in_settings(false)), false);
  EXPECT_EQ(overdue(JobUnderTest().ran(old).of_type("maintenance")), false);
  EXPECT_EQ(overdue(JobUnderTest().ran(old).switched(true).of_type("backup")), true);
  EXPECT_EQ(overdue(JobUnderTest().ran(old).switched_in_settings(true)), true);
  EXPECT_EQ(overdue(JobUnderTest().ran(old).switched(false).switched_in_settings(true)), false);
}

TEST(Overdue, NoDayOfAPastThatRepeatsItselfIsLate) {
  // Three weeks of each schedule are known. The fourth week goes on the same way: at no hour of it is the job
  // late.
  for (const bool logs : {false, true}) {
    const JobUnderTest job = logs ? office_hours_logs(3) : every_weekday_evening(3);
    const auto all = job.snapshot();
    for (minutes ago = hours(24 * 7); ago >= minutes(0); ago -= minutes(15)) {
      const SystemTime then = kT - ago;
      auto known = std::make_shared<JobRuns>();
      for (const RunTally& tally : all->runs->tallies) {
        if (tally.started_at.milliseconds() < EpochMs(then).milliseconds()) known->tallies.push_back(tally);
      }
      JobSnapshot job_then = *all;
      job_then.runs = known;
      Snapshot snapshot;
      snapshot.collected_at = then;
      snapshot.jobs.push_back(std::make_shared<const JobSnapshot>(job_then));
      const auto account = evaluation::prepare(std::make_shared<const Snapshot>(snapshot), {});
      ASSERT_EQ(account.jobs[0]->state, JobState::protected_) << ago.count() << " minutes before T";
    }
  }
}

TEST(Overdue, NotInTheNightInWhichClocksAreSetBack) {
  // That night is an hour longer by a schedule of local times, and the run takes its time as ever.
  for (const double every_hours : {0.25, 1.0, 2.0, 24.0}) {
    const auto overdue_after = [&](double latest) {
      return judged_row(JobUnderTest().succeeded_every(every_hours, full, latest, 700), full).overdue;
    };
    EXPECT_EQ(overdue_after(every_hours + 1 + 0.4), false) << every_hours;
    EXPECT_EQ(overdue_after(every_hours * 1.5 + 1.6), true) << every_hours;
  }
}

// --- states ---

JobState state(const JobUnderTest& job, const evaluation::Policy& policy = allowing(full, hours(30))) {
  return judged(job, kT, policy)->state;
}

TEST(State, IsTheFirstThatApplies) {
  using enum JobState;
  const auto good = succeeded(full, hours_ago(6));
  const auto bad = failed(full, hours_ago(1));
  const auto old = succeeded(full, days_ago(3));
  EXPECT_EQ(state(JobUnderTest().ran(good)), protected_);
  EXPECT_EQ(state(JobUnderTest().ran({good, running(full, hours_ago(0.1))})), protected_);
  EXPECT_EQ(state(JobUnderTest().ran({good, bad})), failing);
  EXPECT_EQ(state(JobUnderTest().ran(old)), late);
  EXPECT_EQ(state(JobUnderTest().ran({old, bad})), late) << "no recent backup is worse than a failed one";
  EXPECT_EQ(state(JobUnderTest().ran({old, bad}).switched(false)), paused);
  EXPECT_EQ(state(JobUnderTest().ran(old).of_type("maintenance")), paused);
  EXPECT_EQ(state(JobUnderTest().ran(good).backed_up("erp", full, hours_ago(6), EntryStatus::failed)),
            failing);
  EXPECT_EQ(state(JobUnderTest().ran({good, failed(diff, hours_ago(1))})), failing)
      << "seen, though not enabled";
  EXPECT_EQ(state(JobUnderTest().ran({good, failed(diff, days_ago(9))})), protected_) << "no longer seen";
  EXPECT_EQ(state(JobUnderTest().ran({good, failed(folder, hours_ago(1))})), failing) << "folders too";
  EXPECT_EQ(state(JobUnderTest().ran({good, failed(folder, days_ago(9))})), protected_);
}

TEST(State, IsUnknownWhereNothingBadIsKnownAndNotAllIsGood) {
  using enum JobState;
  const auto good = succeeded(full, hours_ago(6));
  EXPECT_EQ(state(JobUnderTest().ran(good), {}), unknown) << "how often it should succeed is not known";
  EXPECT_EQ(state(JobUnderTest().enables({full, log}).ran(good)), unknown) << "for one of two types";
  EXPECT_EQ(state(JobUnderTest().without_runs()), unknown);
  EXPECT_EQ(state(JobUnderTest().ran(good).without_settings()), unknown);
  EXPECT_EQ(state(JobUnderTest().ran(failed(full, hours_ago(1))).without_settings()), failing);
  EXPECT_EQ(state(JobUnderTest().enables({full, log}).ran(succeeded(full, days_ago(3)))), late)
      << "what is known to be bad";
}

TEST(State, EveryJobIsInExactlyOne) {
  const auto account = AccountUnderTest()
                           .with(JobUnderTest("1").ran(succeeded(full, hours_ago(1))))
                           .with(JobUnderTest("2").ran(succeeded(full, days_ago(3))))
                           .with(JobUnderTest("3").ran(failed(full, hours_ago(1))))
                           .with(JobUnderTest("4").without_runs())
                           .with(JobUnderTest("5").switched(false))
                           .with(JobUnderTest("6").switched(false))
                           .with_pending_jobs(7)
                           .prepared(allowing(full, hours(30)));
  EXPECT_THAT(account->jobs_by_state, ::testing::ElementsAre(1, 1, 1, 8, 2))
      << "jobs still to be read are unknown";
}

// --- servers without jobs ---

TEST(ServersWithoutJobs, AreAlsoThoseWithoutAnId) {
  AccountUnderTest account;
  account.with_server("", "without an id");
  account.with(JobUnderTest("1").on_server("", "unknown"));
  EXPECT_EQ(account.prepared()->servers_without_jobs, 1u);
}

TEST(ServersWithoutJobs, HaveNoBackupJob) {
  AccountUnderTest account;
  account.with_server("1", "sql-1").with_server("2", "sql-2").with_server("3", "sql-3");
  account.with(JobUnderTest("10").on_server("1", "sql-1"));
  account.with(JobUnderTest("11").on_server("2", "sql-2").of_type("maintenance"));
  EXPECT_EQ(account.prepared()->servers_without_jobs, 2u);
  evaluation::Policy policy;
  policy.servers = {{"sql-3", true, {}}};
  EXPECT_EQ(account.prepared(policy)->servers_without_jobs, 1u) << "a decommissioned one needs none";
  EXPECT_EQ(account.with_pending_jobs(1).prepared()->servers_without_jobs, std::nullopt)
      << "one may yet turn up";
}

// --- what was not looked at ---

TEST(UnreadRuns, MakeNothingLateAndMoveNoWindow) {
  const auto policy = allowing(full, hours(36));
  const auto job = JobUnderTest().succeeded_every(24, full, 20, 7);
  const auto in_time = judged(job, kT, policy);
  const SystemTime ten_days_later = kT + hours(240);
  EXPECT_EQ(judged(job, ten_days_later, policy)->state, JobState::late);

  const auto unread = judged(JobUnderTest(job).unread_since(kT), ten_days_later, policy);
  EXPECT_EQ(unread->state, JobState::protected_);
  EXPECT_EQ(unread->rows, in_time->rows);
}

TEST(UnreadRuns, ThatNeverCouldBeReadLeaveTheJobUnknown) {
  const auto policy = allowing(full, hours(36));
  const auto job = JobUnderTest().ran(succeeded(full, hours_ago(50))).unread_since(std::nullopt);
  EXPECT_EQ(judged_row(job, full, policy).overdue, std::nullopt)
      << "the run that is missing may be the good one";
  EXPECT_EQ(judged(job, kT, policy)->state, JobState::unknown);
}

TEST(UnreadRuns, AreJudgedTheSameWithAndWithoutTheFormerJudgement) {
  const auto policy = allowing(full, hours(36));
  const auto job = JobUnderTest().succeeded_every(24, full, 20, 7);
  const auto before = AccountUnderTest(kT).with(job).prepared(policy);
  const auto unread = AccountUnderTest(kT + hours(240)).with(JobUnderTest(job).unread_since(kT));
  EXPECT_EQ(unread.prepared(policy, before.get())->jobs[0]->rows, unread.prepared(policy)->jobs[0]->rows);
}

// --- clocks that are off ---

TEST(ApiClock, DecidesWhatIsLate) {
  for (const auto ahead : {hours(0), hours(-3), hours(3)}) {
    // It succeeded an hour ago by the API's clock.
    const EpochMs start = hours_ago(1 - static_cast<double>(ahead.count()));
    AccountUnderTest account;
    account.with(JobUnderTest().ran(succeeded(full, start))).with_api_clock_ahead(ahead);
    const auto prepared = account.prepared(allowing(full, hours(2)));
    const evaluation::PreparedJob& job = *prepared->jobs[0];
    EXPECT_EQ(job.rows[0].overdue, false) << ahead.count();
    EXPECT_EQ(job.state, JobState::protected_) << ahead.count();
    EXPECT_LE(job.unchanged_until, kT + hours(1)) << "then it is late";
  }
}

TEST(ApiClock, ThatChangesIsJudgedAnew) {
  AccountUnderTest account;
  account.with(JobUnderTest().ran(succeeded(full, hours_ago(1))));
  const auto before = account.prepared(allowing(full, hours(2)));
  EXPECT_EQ(before->jobs[0]->rows[0].overdue, false);
  account.with_api_clock_ahead(hours(3));
  EXPECT_EQ(account.prepared(allowing(full, hours(2)), before.get())->jobs[0]->rows[0].overdue, true);
}

TEST(ApiClock, LeavesThePublishedMetricsAlone) {
  AccountUnderTest account;
  account.with(JobUnderTest().keeps(30).ran({kept(full, days_ago(29.9)), succeeded(full, hours_ago(6))}));
  const auto ours = account.prepared();
  const auto theirs = account.with_api_clock_ahead(hours(24)).prepared();
  EXPECT_EQ(ours->jobs[0]->rows[0], theirs->jobs[0]->rows[0]);
  EXPECT_EQ(ours->jobs[0]->rows[0].older_than_policy, false);
}

TEST(AStartInTheFuture, IsBelievedForADayAndNoFurther) {
  const auto policy = allowing(full, hours(36));
  const auto late = JobUnderTest().ran(succeeded(full, hours_ago(50)));
  const auto a_little_ahead = JobUnderTest(late).ran(succeeded(full, hours_ago(-23)));
  EXPECT_EQ(judged_row(a_little_ahead, full, policy).overdue, false);
  const auto years_ahead = JobUnderTest(late).ran(succeeded(full, days_ago(-2000)));
  EXPECT_EQ(judged_row(years_ahead, full, policy).overdue, true);
  EXPECT_EQ(judged_row(years_ahead, full, policy).last_success, hours_ago(50));
}

TEST(AStartInTheFuture, IsBelievedWhenItsTimeHasCome) {
  const auto policy = allowing(full, hours(36));
  const auto job = JobUnderTest().ran(succeeded(full, hours_ago(-100)));
  const auto before = AccountUnderTest(kT).with(job).prepared(policy);
  EXPECT_EQ(before->jobs[0]->rows[0].last_success.has_value(), false);
  const auto later = AccountUnderTest(kT + hours(90)).with(job);
  EXPECT_EQ(later.prepared(policy, before.get())->jobs[0]->rows[0].last_success, hours_ago(-100));
}

TEST(AStartInTheFuture, HidesNoDatabaseThatFailsAndNoSize) {
  const auto job = JobUnderTest()
                       .ran({failed(full, hours_ago(2)), succeeded(full, hours_ago(-100))})
                       .backed_up("erp", full, hours_ago(2), EntryStatus::failed)
                       .backed_up("erp", full, hours_ago(-100), EntryStatus::succeeded)
                       .took(full, hours_ago(2), hours_ago(1), 17)
                       .took(full, hours_ago(-100), hours_ago(-99.5), 34);
  const auto before = AccountUnderTest(kT).with(job).prepared({});
  EXPECT_EQ(before->jobs[0]->databases_failing, 1u);
  EXPECT_EQ(before->jobs[0]->rows[0].last_size_bytes, 17);
  EXPECT_EQ(before->jobs[0]->rows[0].last_duration_seconds, 3600);
  const auto later = AccountUnderTest(kT + hours(90)).with(job).prepared({}, before.get());
  EXPECT_EQ(later->jobs[0]->databases_failing, 0u);
  EXPECT_EQ(later->jobs[0]->rows[0].last_size_bytes, 34);
}

}  // namespace
}  // namespace sqlbak_gateway::testing
