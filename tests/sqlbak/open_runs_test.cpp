// A run is read until it has ended, and not any more afterwards.
#include "sqlbak/remembering.h"

namespace sqlbak_gateway::sqlbak {
namespace {

using ::testing::AllOf;
using testing::CollectionRemembering;
using ::testing::Contains;
using testing::Days;
using testing::Hours;
using testing::Id;
using testing::minutes;
using ::testing::SizeIs;

TEST_F(CollectionRemembering, AFinishedRunIsReadOnce) {
  const Id job_id = add_job("job");
  for (int i = 1; i <= 30; ++i) add_run(job_id, Hours(i));
  collect();
  pass(minutes(5));
  EXPECT_THAT(job(collect(), "job").runs->tallies, SizeIs(30));
  EXPECT_EQ(requests("jobrun_details"), kAudit);
}

TEST_F(CollectionRemembering, ANewRunIsRead) {
  const Id job_id = add_job("job");
  add_run(job_id, Hours(1));
  collect();
  const Id run = add_run(job_id, minutes(10));
  collect();
  EXPECT_THAT(targets("jobrun_details"), Contains(details(run)));
  EXPECT_EQ(requests("jobrun_details"), 1 + kAudit);
}

TEST_F(CollectionRemembering, AnOpenRunIsReadUntilItEnds) {
  const Id job_id = add_job("job");
  add_run(job_id, Hours(30));
  const Id run = add_run(job_id, minutes(10), {.status = "running", .open = true});
  EXPECT_TRUE(job(collect(), "job").runs->tallies.back().open);
  pass(minutes(5));
  EXPECT_TRUE(job(collect(), "job").runs->tallies.back().open);
  EXPECT_THAT(targets("jobrun_details"), Contains(details(run)));

  finish_run(run);
  pass(minutes(5));
  const CollectionOutcome ended = collect();
  EXPECT_FALSE(job(ended, "job").runs->tallies.back().open);
  EXPECT_EQ(job(ended, "job").runs->tallies.back().succeeded, 1u);
  pass(minutes(5));
  collect();
  EXPECT_EQ(requests("jobrun_details"), kAudit);
}

TEST_F(CollectionRemembering, AFailedReadMakesAnUndatedRunNoOlder) {
  const Id job_id = add_job("job");
  add_run(job_id, Hours(30));
  const Id run = add_run(job_id, minutes(10), {.status = "running", .open = true});
  change([&](simulator::Account& account) { account.run(run).started_at.reset(); });
  fail_with("status=500,path=" + details(run));
  collect();
  heal();
  pass(minutes(5));
  EXPECT_TRUE(job(collect(), "job").runs->tallies.back().open);
}

TEST_F(CollectionRemembering, WithoutEndsARunIsFinishedWhenItStoodStillForAnHour) {
  turn("finished_at=off");
  const Id job_id = add_job("job");
  const Id run = add_run(job_id, minutes(10));
  add_run(job_id, minutes(5));
  collect();
  for (int i = 0; i < 5; ++i) {
    pass(minutes(13));
    collect();
    EXPECT_THAT(targets("jobrun_details"), Contains(details(run)));
  }
  pass(minutes(13));
  collect();
  pass(minutes(1));
  collect();
  EXPECT_EQ(requests("jobrun_details"), kAudit);
}

TEST_F(CollectionRemembering, WithoutEndsTheNewestRunIsReadEveryHour) {
  turn("finished_at=off");
  const Id job_id = add_job("job");
  const Id run = add_run(job_id, minutes(10));
  collect();
  pass(minutes(70));
  EXPECT_FALSE(job(collect(), "job").runs->tallies[0].open);
  std::size_t times = 0;
  for (int i = 0; i < 24; ++i) {
    pass(minutes(10));
    collect();
    if (!targets("jobrun_details").empty()) ++times;
  }
  EXPECT_EQ(times, 4u);

  // The run was not at its end: another database took that long, and failed.
  change([&](simulator::Account& account) { account.run(run).entries[0].status = account.word("failed"); });
  pass(minutes(60));
  EXPECT_EQ(job(collect(), "job").runs->tallies[0].failed, 1u);
}

// The case that only successful runs show when they ended.
TEST_F(CollectionRemembering, AFailedRunWithoutAnEndIsFinishedAfterAnHour) {
  const Id job_id = add_job("job");
  add_run(job_id, Hours(30));
  const Id run = add_run(job_id, minutes(10), {.status = "failed", .open = true});
  change([&](simulator::Account& account) {
    for (simulator::Entry& entry : account.run(run).entries) entry.status = account.word("failed");
  });
  EXPECT_TRUE(job(collect(), "job").runs->tallies.back().open);
  pass(minutes(61));
  EXPECT_FALSE(job(collect(), "job").runs->tallies.back().open);
  add_run(job_id, minutes(1));
  pass(Hours(1));
  collect();
  pass(minutes(5));
  collect();
  EXPECT_EQ(requests("jobrun_details"), kAudit);  // a newer one has begun
}

TEST_F(CollectionRemembering, ARunOfMoreThanThreeDaysIsReadUntilItEnds) {
  const Id job_id = add_job("job");
  const Id run = add_run(job_id, minutes(10), {.status = "running", .open = true});
  collect();
  pass(Days(5));
  EXPECT_FALSE(job(collect(), "job").runs->tallies[0].open);  // it hangs
  pass(minutes(10));
  collect();
  EXPECT_EQ(requests("jobrun_details"), 0u);
  finish_run(run);
  pass(minutes(60));
  EXPECT_EQ(job(collect(), "job").runs->tallies[0].succeeded, 1u);
}

TEST_F(CollectionRemembering, AnEmptyRunOrAnUnknownStatusStaysOpenForThreeDays) {
  const Id job_id = add_job("job");
  add_run(job_id, minutes(5));
  const Id empty = add_run(job_id, minutes(10), {.databases = {}});
  const Id odd = add_run(job_id, minutes(20), {.status = "cancelled"});
  collect();
  pass(Hours(71));
  collect();
  EXPECT_THAT(targets("jobrun_details"), AllOf(Contains(details(empty)), Contains(details(odd))));
  pass(Hours(2));
  collect();
  pass(Hours(1));
  collect();
  EXPECT_EQ(requests("jobrun_details"), kAudit);
}

TEST_F(CollectionRemembering, ARunWithoutAnEndStillRunsWhereOthersShowTheirs) {
  const Id job_id = add_job("job");
  add_run(job_id, Hours(30));
  add_run(job_id, minutes(10), {.open = true});  // its first database succeeded
  EXPECT_TRUE(job(collect(), "job").runs->tallies.back().open);
  pass(Hours(20));
  EXPECT_TRUE(job(collect(), "job").runs->tallies.back().open);
  add_run(job_id, minutes(10));  // by another schedule of the job
  EXPECT_TRUE(job(collect(), "job").runs->tallies.at(1).open);
}

// Failed runs show an end, but no size.
TEST_F(CollectionRemembering, ASizeIsStillKnownAfterManyRunsThatShowNone) {
  const Id job_id = add_job("job");
  add_run(job_id, Hours(50));
  for (int i = 1; i <= 10; ++i) add_run(job_id, Hours(i), {.status = "failed"});
  for (int collection = 0; collection < 2; ++collection) {
    const CollectionOutcome outcome = collect();
    const std::vector<RunExtent>& extents = job(outcome, "job").runs->extents;
    EXPECT_TRUE(std::any_of(extents.begin(), extents.end(),
                            [](const RunExtent& extent) { return std::isfinite(extent.size_bytes); }));
    pass(minutes(5));
  }
}

TEST_F(CollectionRemembering, UnchangedJobsAreShared) {
  const Id job_id = add_job("job");
  add_run(job_id, Hours(5));
  const CollectionOutcome first = collect();
  pass(minutes(5));
  const CollectionOutcome second = collect();
  EXPECT_EQ(first.snapshot->jobs[0], second.snapshot->jobs[0]);
  add_run(job_id, minutes(10));
  const CollectionOutcome third = collect();
  EXPECT_NE(second.snapshot->jobs[0]->runs, third.snapshot->jobs[0]->runs);
  EXPECT_EQ(second.snapshot->jobs[0]->settings, third.snapshot->jobs[0]->settings);
}

}  // namespace
}  // namespace sqlbak_gateway::sqlbak
