// Runs that the API does not list any more, that it lists without having them, that leave the window, or that
// it dates far ahead.
#include "sqlbak/remembering.h"

namespace sqlbak_gateway::sqlbak {
namespace {

using testing::CollectionRemembering;
using testing::Days;
using ::testing::ElementsAre;
using testing::Hours;
using testing::Id;
using ::testing::IsEmpty;
using testing::minutes;
using ::testing::SizeIs;

TEST_F(CollectionRemembering, ARunThatIsNotListedAnyMoreDoesNotCount) {
  const Id job_id = add_job("job");
  add_run(job_id, Hours(3));
  const Id gone = add_run(job_id, Hours(2));
  collect();
  change([&](simulator::Account& account) { account.run(gone).removed = true; });
  EXPECT_THAT(ages(job(collect(), "job")), ElementsAre(3));
}

TEST_F(CollectionRemembering, WhatAVanishedRunCameToIsRemembered) {
  const Id job_id = add_job("job");
  add_run(job_id, Days(3));
  add_run(job_id, Days(2), {.status = "failed"});
  const Id last = add_run(job_id, Days(1));
  collect();
  change([&](simulator::Account& account) { account.run(last).removed = true; });
  for (int collection = 0; collection < 2; ++collection) {
    const evaluation::PreparedRow row = full_row(collect());
    EXPECT_EQ(row.window->succeeded, 1u);
    EXPECT_EQ(row.last_success_in_window, EpochMs(kNow - Days(3)));
    EXPECT_EQ(row.last_success, EpochMs(kNow - Days(1)));
    EXPECT_EQ(row.last_attempt_succeeded, true);
    EXPECT_EQ(row.consecutive_failures, 0u);
  }
  pass(Days(8));
  EXPECT_EQ(full_row(collect()).last_success, EpochMs(kNow - Days(1)));
  EXPECT_THAT(memory_->jobs[0]->runs->ids, IsEmpty());
}

// A service may forget its runs before they leave the window, or give an empty list once.
TEST_F(CollectionRemembering, AListThatLeavesEverythingOutIsReadTwice) {
  const Id job_id = add_job("job");
  for (int i = 30; i >= 1; --i) add_run(job_id, Hours(i));
  collect();
  const auto leave_out = [&](bool unlisted) {
    change([&](simulator::Account& account) {
      for (simulator::Run& run : account.job(job_id).runs) run.unlisted = unlisted;
    });
  };
  leave_out(true);
  const evaluation::PreparedRow row = full_row(collect());
  EXPECT_EQ(requests("jobruns"), 2u);
  EXPECT_EQ(row.window->succeeded, 0u);
  EXPECT_EQ(row.last_success, EpochMs(kNow - Hours(1)));
  collect();
  EXPECT_EQ(requests("jobruns"), 1u);

  leave_out(false);
  EXPECT_THAT(ages(job(collect(), "job")), SizeIs(30));
  EXPECT_LE(requests("jobrun_details"), kAudit);
}

TEST_F(CollectionRemembering, AnOpenRunThatWasNotListedForAWhileIsReadAgain) {
  const Id job_id = add_job("job");
  add_run(job_id, Hours(30));
  const Id run = add_run(job_id, minutes(10), {.status = "running", .open = true});
  collect();
  const auto leave_out = [&](bool unlisted) {
    change([&](simulator::Account& account) { account.run(run).unlisted = unlisted; });
  };
  leave_out(true);
  const evaluation::PreparedRow without = full_row(collect());
  EXPECT_EQ(without.last_attempt, EpochMs(kNow - minutes(10)));
  EXPECT_EQ(without.last_attempt_succeeded, true);  // of the one before
  finish_run(run);
  leave_out(false);
  EXPECT_EQ(full_row(collect()).last_success, EpochMs(kNow - minutes(10)));
}

TEST_F(CollectionRemembering, AMissingRunIsAskedForThreeTimesAndThenDaily) {
  const Id job_id = add_job("job");
  add_run(job_id, Hours(30));
  const Id run = add_run(job_id, minutes(10));
  change([&](simulator::Account& account) { account.run(run).unreadable = true; });
  int asked = 0;
  const auto collect_every = [&](Duration time, int times) {
    for (int i = 0; i < times; ++i) {
      const CollectionOutcome outcome = collect();
      EXPECT_TRUE(outcome.snapshot->jobruns_available);
      EXPECT_THAT(ages(job(outcome, "job")), SizeIs(1));
      const std::vector<std::string> read = targets("jobrun_details");
      asked += static_cast<int>(std::count(read.begin(), read.end(), details(run)));
      pass(time);
    }
  };
  collect_every(minutes(5), 20);
  EXPECT_EQ(asked, 3);
  collect_every(Hours(1), 48);
  EXPECT_EQ(asked, 5);
  change([&](simulator::Account& account) { account.run(run).unreadable = false; });
  pass(Hours(24));
  EXPECT_THAT(ages(job(collect(), "job")), SizeIs(2));
}

TEST_F(CollectionRemembering, AnOpenRunWhoseDetailsAreGoneDoesNotCount) {
  const Id run = add_run(add_job("job"), minutes(10), {.status = "running", .open = true});
  collect();
  change([&](simulator::Account& account) { account.run(run).unreadable = true; });
  EXPECT_THAT(ages(job(collect(), "job")), IsEmpty());
}

TEST_F(CollectionRemembering, ARunThatSlippedBetweenPagesIsLookedFor) {
  turn("page_size=2");
  const Id job_id = add_job("job");
  for (int i = 1; i <= 5; ++i) add_run(job_id, Hours(i));
  const Id gone = add_run(job_id, minutes(1));
  collect();
  change([&](simulator::Account& account) { account.run(gone).removed = true; });
  // It is asked for, and is not found.
  EXPECT_THAT(ages(job(collect(), "job")), SizeIs(5));
  EXPECT_EQ(requests("jobruns"), 3u);

  const Id hidden = add_run(job_id, minutes(1));
  collect();
  change([&](simulator::Account& account) { account.run(hidden).unlisted = true; });
  // It still exists, so the list is read once more.
  EXPECT_THAT(ages(job(collect(), "job")), SizeIs(5));
  EXPECT_THAT(requests("jobruns"), 6u);
}

TEST_F(CollectionRemembering, AListWhosePagesMovedTakesNothingAway) {
  turn("page_size=2");
  const Id job_id = add_job("job");
  for (int i = 1; i <= 6; ++i) add_run(job_id, Hours(i));
  collect();
  fail_with("endpoint=jobruns,shift=-1");
  EXPECT_THAT(ages(job(collect(), "job")), SizeIs(6));
}

TEST_F(CollectionRemembering, ARunThatIsThereUnderAnotherIdHasNotVanished) {
  const Id job_id = add_job("job");
  for (int collection = 0; collection < 5; ++collection) {
    change([&](simulator::Account& account) {
      for (simulator::Run& run : account.job(job_id).runs) run.removed = true;
    });
    const Duration passed = clock_.system_now() - kNow;
    for (int i = 30; i >= 1; --i) add_run(job_id, Hours(i) + passed);
    add_run(job_id, minutes(20) + passed, {.status = "running", .open = true});
    collect();
    pass(minutes(5));
  }
  EXPECT_THAT(memory_->jobs[0]->runs->ids, SizeIs(31));
  EXPECT_THAT(memory_->jobs[0]->runs->unsettled, SizeIs(1));
}

TEST_F(CollectionRemembering, RunsDatedFarAheadHideNothing) {
  const Id job_id = add_job("job");
  add_run(job_id, Hours(2), {.status = "failed"});
  add_run(job_id, Hours(30));
  for (int i = 1; i <= 5; ++i) {
    const Id run = add_run(job_id, minutes(i));
    const auto start = (kNow + Days(100 + i)).time_since_epoch().count();
    change([&](simulator::Account& account) {
      account.patch(simulator::Account::Row::run, run,
                    {{{"op", "replace"}, {"path", "/started_at"}, {"value", start}}});
    });
  }
  const CollectionOutcome outcome = collect();
  EXPECT_EQ(evaluation::prepare(outcome.snapshot, {}).jobs.at(0)->databases_failing, 1u);
  EXPECT_EQ(full_row(outcome).last_size_bytes, 1 << 20);
  EXPECT_EQ(full_row(outcome).last_success, EpochMs(kNow - Hours(30)));
}

TEST_F(CollectionRemembering, WhatRunsOfOldCameToIsRememberedWhenTheyGo) {
  const Id job_id = add_job("job");
  add_run(job_id, Days(6));
  for (int day = 5; day >= 0; --day) add_run(job_id, Days(day) + Hours(1), {.status = "failed"});
  collect();
  pass(Days(5));
  const CollectionOutcome later = collect();
  EXPECT_THAT(job(later, "job").runs->tallies, SizeIs(2));
  const RememberedType& full = job(later, "job").remembered->of(BackupType::full);
  EXPECT_EQ(full.last_success, EpochMs(kNow - Days(6)));
  EXPECT_EQ(full.last_finished, EpochMs(kNow - Days(2) - Hours(1)));
  EXPECT_FALSE(full.last_finished_succeeded);
  EXPECT_EQ(full.consecutive_failures, 4u);
  EXPECT_EQ(job(later, "job").remembered->first_seen, EpochMs(kNow));
  EXPECT_EQ(job(later, "job").remembered->oldest_run, EpochMs(kNow - Days(6)));
}

TEST_F(CollectionRemembering, ARaisedRetentionReadsRunsThatWereNotKept) {
  const Id job_id = add_job("job", 1);
  add_run(job_id, Hours(8 * 24 + 12));  // listed, because of the day that is asked for beyond the window
  add_run(job_id, Days(20));
  plan_.settings_ttl = Duration::zero();
  EXPECT_THAT(ages(job(collect(), "job")), IsEmpty());
  change([&](simulator::Account& account) { account.job(job_id).destinations[0].full_days = 30; });
  EXPECT_THAT(ages(job(collect(), "job")), ElementsAre(20 * 24, 8 * 24 + 12));
}

TEST_F(CollectionRemembering, RunsFromBeforeTheWindowAreReadOnce) {
  const Id job_id = add_job("job");
  add_run(job_id, Hours(7 * 24 + 12));
  turn("filter_granularity=1d");
  collect();
  EXPECT_EQ(requests("jobrun_details"), 1u);
  for (int i = 0; i < 3; ++i) {
    pass(Hours(1));
    collect();
    EXPECT_EQ(requests("jobrun_details"), 0u);
  }
}

TEST_F(CollectionRemembering, RunsThatWereNeverInTheWindowAreNotRemembered) {
  add_run(add_job("job"), Hours(7 * 24 + 12));
  turn("filter_granularity=1d");
  const CollectionOutcome outcome = collect();
  ASSERT_EQ(requests("jobrun_details"), 1u);
  EXPECT_EQ(job(outcome, "job").remembered->of(BackupType::full), RememberedType{});
}

TEST_F(CollectionRemembering, SuccessesOfTheSameInstantAreRememberedAsOne) {
  const Id job_id = add_job("job");
  for (int i = 0; i < 2; ++i) add_run(job_id, Hours(7 * 24 - 1));
  collect();
  pass(Hours(2));
  EXPECT_THAT(job(collect(), "job").remembered->of(BackupType::full).successes, SizeIs(1));
}

TEST_F(CollectionRemembering, AJobThatTheListMissedKeepsItsMemoryForADay) {
  const Id job_id = add_job("job");
  for (int i = 1; i <= 20; ++i) add_run(job_id, Hours(i));
  collect();
  change([&](simulator::Account& account) { account.job(job_id).type = "maintenance"; });
  turn("maintenance=off");
  EXPECT_THAT(collect().snapshot->jobs, IsEmpty());
  turn("maintenance=on");
  pass(Hours(23));
  EXPECT_THAT(collect().snapshot->jobs, SizeIs(1));
  EXPECT_EQ(requests("jobrun_details"), kAudit);

  turn("maintenance=off");
  collect();
  pass(Hours(25));
  collect();
  EXPECT_THAT(memory_->jobs, IsEmpty());
}

TEST_F(CollectionRemembering, AMissingOpenRunIsReadAgainWhenItIsBack) {
  const Id job_id = add_job("job");
  add_run(job_id, Hours(30));
  const Id run = add_run(job_id, minutes(10), {.status = "running", .open = true});
  collect();
  change([&](simulator::Account& account) { account.run(run).unreadable = true; });
  collect();  // it is listed without being there
  change([&](simulator::Account& account) { account.run(run).unlisted = true; });
  collect();
  finish_run(run);
  change([&](simulator::Account& account) {
    account.run(run).unreadable = false;
    account.run(run).unlisted = false;
  });
  EXPECT_EQ(full_row(collect()).last_success, EpochMs(kNow - minutes(10)));
}

TEST_F(CollectionRemembering, AVanishedRunHasToStandStillForAnHourToo) {
  turn("finished_at=off");
  const Id job_id = add_job("job");
  for (int i = 100; i >= 80; --i) add_run(job_id, Hours(i));
  const Id run = add_run(job_id, minutes(10), {.status = "running", .open = true});
  add_run(job_id, minutes(5));
  collect();
  pass(minutes(61));
  finish_run(run);
  change([&](simulator::Account& account) { account.run(run).unlisted = true; });
  collect();
  pass(minutes(1));
  change([&](simulator::Account& account) { account.run(run).unlisted = false; });
  collect();
  pass(minutes(5));
  change([&](simulator::Account& account) { account.run(run).entries[0].status = account.word("failed"); });
  EXPECT_EQ(job(collect(), "job").runs->tallies.at(21).failed, 1u);
}

TEST_F(CollectionRemembering, AVanishedRunThatIsDoubtedIsReadWhenItIsBack) {
  const Id job_id = add_job("job");
  const Id away = add_run(job_id, Hours(5));
  for (int i = 1; i <= 3; ++i) add_run(job_id, Hours(i));
  collect();
  change([&](simulator::Account& account) { account.run(away).unlisted = true; });
  collect();
  change([&](simulator::Account& account) {
    for (simulator::Run& run : account.job(job_id).runs) run.entries[0].status = account.word("failed");
  });
  EXPECT_EQ(collect().audit_changes, 1u);
  change([&](simulator::Account& account) { account.run(away).unlisted = false; });
  for (const RunTally& tally : job(collect(), "job").runs->tallies) EXPECT_EQ(tally.failed, 1u);
}

TEST_F(CollectionRemembering, AMissingRunThatCannotBeReadIsLeftOut) {
  const Id job_id = add_job("job");
  add_run(job_id, Hours(30));
  const Id run = add_run(job_id, minutes(10));
  change([&](simulator::Account& account) { account.run(run).unreadable = true; });
  collect();
  change([&](simulator::Account& account) { account.run(run).unreadable = false; });
  fail_with("endpoint=jobrun_details,status=500,path=" + details(run));
  int asked = 0;
  CollectionOutcome outcome;
  for (int i = 0; i < 10; ++i) {
    pass(minutes(5));
    outcome = collect();
    const std::vector<std::string> read = targets("jobrun_details");
    asked += static_cast<int>(std::count(read.begin(), read.end(), details(run)));
  }
  EXPECT_LE(asked, 3);
  EXPECT_TRUE(outcome.snapshot->jobruns_available);
}

TEST_F(CollectionRemembering, ARunThatIsNotKeptAnyLongerIsNotReadForEver) {
  const Id job_id = add_job("job");
  add_run(job_id, minutes(10), {.status = "running", .open = true});
  collect();
  pass(Days(10));
  collect();
  pass(Hours(2));
  collect();
  EXPECT_EQ(requests("jobrun_details"), 0u);
}

TEST_F(CollectionRemembering, ARunFarAheadIsReadForThreeDaysAsAnyOther) {
  const Id job_id = add_job("job");
  add_run(job_id, Hours(30));
  const Id run = add_run(job_id, minutes(1), {.status = "cancelled"});
  const auto start = (kNow + Days(1000)).time_since_epoch().count();
  change([&](simulator::Account& account) {
    account.patch(simulator::Account::Row::run, run,
                  {{{"op", "replace"}, {"path", "/started_at"}, {"value", start}}});
  });
  collect();
  pass(Hours(73));
  collect();
  pass(Hours(1));
  collect();
  EXPECT_EQ(requests("jobrun_details"), kAudit);
}

TEST_F(CollectionRemembering, AClockThatWasAheadDelaysNoReading) {
  const Id job_id = add_job("job");
  add_run(job_id, Hours(30));
  const Id run = add_run(job_id, minutes(10));
  change([&](simulator::Account& account) { account.run(run).unreadable = true; });
  for (int i = 0; i < 3; ++i) collect();
  pass(Days(5));
  collect();
  pass(-Days(5));
  change([&](simulator::Account& account) { account.run(run).unreadable = false; });
  pass(Hours(25));
  EXPECT_THAT(ages(job(collect(), "job")), SizeIs(2));
}

TEST_F(CollectionRemembering, OldRunsThatWereDoubtedAreReadAfreshWithinTheHour) {
  const Id job_id = add_job("job");
  for (int i = 5; i >= 3; --i) add_run(job_id, Days(i) + Hours(12));
  add_run(job_id, minutes(1));
  collect();
  change([&](simulator::Account& account) {
    for (simulator::Run& run : account.job(job_id).runs) run.entries[0].status = account.word("failed");
  });
  pass(minutes(5));
  collect(given_up_after(4));
  pass(minutes(5));
  const CollectionOutcome outcome = collect();
  EXPECT_TRUE(outcome.snapshot->jobruns_available);
  for (const RunTally& tally : job(outcome, "job").runs->tallies) EXPECT_EQ(tally.failed, 1u);
}

}  // namespace
}  // namespace sqlbak_gateway::sqlbak
