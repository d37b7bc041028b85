// What a collection remembers, and therefore does not ask for again.
#include "simulator/scenarios.h"
#include "sqlbak/endpoints.h"
#include "sqlbak/remembering.h"

#include <set>

namespace sqlbak_gateway::sqlbak {
namespace {

using ::testing::AllOf;
using testing::CollectionRemembering;
using ::testing::Contains;
using testing::Days;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Ge;
using ::testing::Gt;
using ::testing::HasSubstr;
using testing::Hours;
using testing::Id;
using ::testing::Le;
using testing::minutes;
using ::testing::SizeIs;

// --- Files past their retention ---

TEST_F(CollectionRemembering, ARunIsReadAgainWhenItPassesItsRetention) {
  const Id job_id = add_job("job", 2);
  const Id old = add_run(job_id, Hours(40));
  add_run(job_id, Hours(16));
  collect();
  EXPECT_TRUE(job(collect(), "job").runs->tallies.front().undeleted);
  delete_files(old);
  pass(Hours(9));
  const CollectionOutcome later = collect();
  EXPECT_THAT(targets("jobrun_details"), Contains(details(old)));
  EXPECT_FALSE(job(later, "job").runs->tallies.front().undeleted);
  pass(Hours(1));
  collect();
  EXPECT_EQ(requests("jobrun_details"), kAudit);  // deleted is for ever
}

TEST_F(CollectionRemembering, OneWitnessSpeaksForAllFilesPastTheirRetention) {
  const Id job_id = add_job("job", 1);
  std::vector<Id> runs;
  for (int day = 6; day >= 2; --day) runs.push_back(add_run(job_id, Days(day)));
  collect();
  pass(minutes(5));
  collect();
  EXPECT_THAT(targets("jobrun_details"), Contains(details(runs[0])));
  EXPECT_THAT(requests("jobrun_details"), Le(1 + kAudit));

  // The next oldest becomes the witness.
  delete_files(runs[0]);
  delete_files(runs[1]);
  const CollectionOutcome outcome = collect();
  EXPECT_THAT(targets("jobrun_details"),
              AllOf(Contains(details(runs[0])), Contains(details(runs[1])), Contains(details(runs[2]))));
  EXPECT_FALSE(job(outcome, "job").runs->tallies[0].undeleted);
  EXPECT_FALSE(job(outcome, "job").runs->tallies[1].undeleted);
  EXPECT_TRUE(job(outcome, "job").runs->tallies[2].undeleted);
}

TEST_F(CollectionRemembering, ManyFilesDeletedAtOnceTakeFewRounds) {
  const Id job_id = add_job("job", 1);
  std::vector<Id> runs;
  for (int i = 0; i < 100; ++i) runs.push_back(add_run(job_id, Days(7) - Hours(1) * i));
  collect();
  for (const Id run : runs) delete_files(run);
  int rounds = 0;
  Collection collection(plan_, memory_);
  while (!collection.done()) {
    ++rounds;
    std::vector<Request> round;
    while (auto request = collection.next()) round.push_back(*request);
    for (const Request& request : round) {
      collection.on(request.id, sqlbak_gateway::testing::answer_of(simulator_, token_, request.target),
                    clock_.system_now());
    }
  }
  EXPECT_LE(rounds, 12);  // a hundred, were they asked for one after the other
  for (const RunTally& tally : job(collection.finish(), "job").runs->tallies) EXPECT_FALSE(tally.undeleted);
}

TEST_F(CollectionRemembering, WhatIsNotKeptAnyLongerIsNoWitness) {
  const Id job_id = add_job("job", 30);
  for (int day = 1; day <= 36; ++day) add_run(job_id, Days(day));
  collect();
  pass(Days(20));  // all but the last half are out of the window now
  add_run(job_id, Hours(1));
  collect();
  EXPECT_LE(requests("jobrun_details"), 2 + kAudit);
}

TEST_F(CollectionRemembering, AnotherOrderOfDatabasesIsNoContradiction) {
  const Id job_id = add_job("job");
  add_run(job_id, Days(7) - minutes(30), {.databases = {"a", "b", "c"}});
  add_run(job_id, Days(6), {.databases = {"b", "c"}});
  for (int i = 1; i <= 40; ++i) add_run(job_id, Hours(i), {.databases = {"a", "b", "c"}});
  collect();
  pass(Hours(1));  // the oldest, which gave the databases their order, is not kept any longer
  collect();
  for (int i = 0; i < 60; ++i) {
    collect();
    ASSERT_LE(requests("jobrun_details"), kAudit) << i;
  }
}

TEST_F(CollectionRemembering, WhatIsKeptBeyondTheWindowHasAWitnessOfItsOwn) {
  const Id job_id = add_job("job", 1);
  const Id stuck = add_run(job_id, Days(12));
  const Id young = add_run(job_id, Days(3));
  plan_.first_reach = [](const Job&) { return Duration(Days(14)); };
  collect();
  delete_files(young);
  const CollectionOutcome outcome = collect();
  EXPECT_THAT(targets("jobrun_details"), AllOf(Contains(details(stuck)), Contains(details(young))));
  EXPECT_FALSE(job(outcome, "job").runs->tallies.back().undeleted);
}

// --- Windows of many pages ---

class LargeWindow : public CollectionRemembering {
 protected:
  LargeWindow() {
    job_ = add_job("job");
    for (int i = 1; i <= 450; ++i) add_run(job_, minutes(20 * i));
    collect();
  }
  void remove_younger_than(Hours age) {
    change([&](simulator::Account& account) {
      for (simulator::Run& run : account.job(job_).runs) {
        if (kNow - *run.started_at < age) run.removed = true;
      }
    });
  }
  Id job_ = 0;
};

TEST_F(LargeWindow, IsListedBackToAPageOfKnownRuns) {
  EXPECT_EQ(requests("jobruns"), 5u);
  const Id run = add_run(job_, minutes(1));
  EXPECT_THAT(ages(job(collect(), "job")), SizeIs(451));
  EXPECT_EQ(requests("jobruns"), 2u);
  EXPECT_THAT(targets("jobrun_details"), Contains(details(run)));
}

TEST_F(LargeWindow, IsListedAsAWholeEverySoOften) {
  add_run(job_, minutes(20 * 300) + minutes(1));  // appears late
  std::vector<std::uint64_t> pages;
  std::vector<std::size_t> runs;
  for (int i = 0; i < 6; ++i) {
    runs.push_back(job(collect(), "job").runs->tallies.size());
    pages.push_back(requests("jobruns"));
  }
  EXPECT_THAT(runs, ElementsAre(450, 450, 450, 450, 451, 451));
  EXPECT_THAT(pages, ElementsAre(1, 1, 1, 1, 5, 1));
}

TEST_F(LargeWindow, IsListedAsAWholeWhereTheOverlapIsMissing) {
  remove_younger_than(Hours(2));
  EXPECT_THAT(ages(job(collect(), "job")), SizeIs(445));
  EXPECT_EQ(requests("jobruns"), 1u + 5);
}

TEST_F(LargeWindow, IsListedBackToAPageOfThoseThatAreStillThere) {
  remove_younger_than(Hours(50));
  collect();
  pass(minutes(5));
  EXPECT_THAT(ages(job(collect(), "job")), SizeIs(301));
  EXPECT_EQ(requests("jobruns"), 1u);
}

TEST_F(LargeWindow, IsListedAsAWholeWhereTheFilterIsTooCoarse) {
  turn("filter_granularity=2d");
  turn("filter_rounds_up=on");
  add_run(job_, minutes(1));
  EXPECT_THAT(ages(job(collect(), "job")), SizeIs(451));
}

TEST_F(LargeWindow, IsListedAsAWholeAfterPagesThatMoved) {
  turn("total=off");
  for (int i = 0; i < 4; ++i) {
    collect();
    EXPECT_EQ(requests("jobruns"), 1u);
  }
  fail_with("endpoint=jobruns,shift=1");
  collect();  // the whole, and rows come twice: something may have come in between
  EXPECT_EQ(requests("jobruns"), 5u);
  heal();
  collect();
  EXPECT_EQ(requests("jobruns"), 5u);
  collect();
  EXPECT_EQ(requests("jobruns"), 1u);
}

TEST_F(LargeWindow, IsListedAsAWholeAtOnceAfterPagesThatMoved) {
  turn("total=off");
  remove_younger_than(Hours(2));
  fail_with("endpoint=jobruns,shift=1");
  collect();
  EXPECT_EQ(requests("jobruns"), 1u + 5) << "the overlap was missing";
  heal();
  collect();
  EXPECT_EQ(requests("jobruns"), 5u);
  collect();
  EXPECT_EQ(requests("jobruns"), 1u);
}

TEST_F(LargeWindow, StaysAsItWasLastListedHoweverOftenItIsHalfListed) {
  for (int i = 0; i < 3; ++i) {
    for (int j = 300; j >= 1; --j) add_run(job_, std::chrono::seconds(j));
    fail_with("endpoint=jobruns,status=500,skip=2");
    EXPECT_THAT(job(collect(), "job").runs->tallies, SizeIs(450)) << i;
    EXPECT_THAT(memory_->jobs[0]->runs->ids, SizeIs(Gt(450u)));
    heal();
    pass(minutes(20));
  }
}

TEST_F(LargeWindow, IsListedAsAWholeAfterAHalfReadCollection) {
  // The newer half of three hundred new runs is read, which is more than the overlap of the next list.
  for (int i = 300; i >= 1; --i) add_run(job_, std::chrono::seconds(i));
  collect(given_up_after(160));
  EXPECT_THAT(ages(job(collect(), "job")), SizeIs(750));
}

TEST_F(LargeWindow, IsListedAsAWholeWhileARunWithoutAStartIsKnown) {
  const Id run = change([&](simulator::Account& account) { return account.add_run(job_, std::nullopt); });
  EXPECT_THAT(job(collect(), "job").runs->tallies, SizeIs(451));
  change([&](simulator::Account& account) { account.run(run).removed = true; });
  EXPECT_THAT(job(collect(), "job").runs->tallies, SizeIs(450));
}

// --- Settings, /me and whose account it is ---

TEST_F(CollectionRemembering, SettingsAreReadOncePerTtlEachJobAtItsOwnTime) {
  for (int i = 1; i <= 40; ++i) add_job("job-" + std::to_string(i));
  plan_.settings_ttl = minutes(15);
  collect();
  EXPECT_EQ(requests("settings"), 40u);
  std::vector<std::uint64_t> due;
  for (int i = 0; i < 6; ++i) {
    pass(minutes(5));
    collect();
    due.push_back(requests("settings"));
  }
  EXPECT_EQ(due[0] + due[1] + due[2], 40u);
  EXPECT_EQ(due[3] + due[4] + due[5], 40u);
  EXPECT_THAT(due, Each(AllOf(Ge(5u), Le(25u))));
}

TEST_F(CollectionRemembering, MeIsAskedAtMostHourly) {
  collect();
  EXPECT_EQ(requests("me"), 1u);
  pass(minutes(59));
  EXPECT_EQ(collect().snapshot->info->email, "backup@acme.example");
  EXPECT_EQ(requests("me"), 0u);
  pass(minutes(1));
  collect();
  EXPECT_EQ(requests("me"), 1u);
}

class OtherToken : public CollectionRemembering {
 protected:
  OtherToken() {
    const Id job_id = add_job("job");
    for (int i = 1; i <= 10; ++i) add_run(job_id, Hours(i));
    collect();
    plan_.token_fingerprint = "another";
  }
};

TEST_F(OtherToken, OfTheSameAccountKeepsWhatIsRemembered) {
  EXPECT_THAT(ages(job(collect(), "job")), SizeIs(10));
  EXPECT_EQ(requests("jobrun_details"), kAudit);
  EXPECT_EQ(memory_->token_fingerprint, "another");
}

TEST_F(OtherToken, OfAnotherAccountStartsFromNothing) {
  change([](simulator::Account& account) { account.email = "somebody@else.example"; });
  plan_.started_at = clock_.system_now();
  collect();
  EXPECT_EQ(requests("jobrun_details"), 10u);
}

TEST_F(OtherToken, StartsFromNothingWhereMeDoesNotTell) {
  turn("me=off");
  EXPECT_EQ(collect().snapshot->info, std::nullopt) << "that of the former account";
  EXPECT_EQ(requests("jobrun_details"), 10u);
  // From then on the token's fingerprint is the identity.
  collect();
  EXPECT_EQ(requests("jobrun_details"), kAudit);
}

TEST_F(OtherToken, WaitsWhileMeIsOnlyInTrouble) {
  for (const char* trouble :
       {"endpoint=me,status=500", "endpoint=me,body=malformed", "endpoint=me,body=html"}) {
    fail_with(trouble);
    const CollectionOutcome outcome = collect();
    ASSERT_TRUE(outcome.failure) << trouble;
    EXPECT_THAT(outcome.failure->message, HasSubstr("whose account the new token is"));
    heal();
  }
  EXPECT_THAT(ages(job(collect(), "job")), SizeIs(10));
  EXPECT_EQ(requests("jobrun_details"), kAudit);
}

TEST_F(OtherToken, WaitsForMeNoLongerThanTheOldDataMayBeShown) {
  plan_.max_stale = Hours(24);
  fail_with("endpoint=me,body=malformed");
  pass(Hours(24));
  EXPECT_TRUE(collect().failure);
  pass(minutes(1));
  const CollectionOutcome anew = collect();
  ASSERT_FALSE(anew.failure);
  EXPECT_THAT(ages(job(anew, "job")), SizeIs(10));
  EXPECT_EQ(requests("jobrun_details"), 10u);
}

TEST_F(OtherToken, StartsFromNothingWhereMeIsForbidden) {
  fail_with("endpoint=me,status=403");
  const CollectionOutcome outcome = collect();
  ASSERT_FALSE(outcome.failure);
  EXPECT_EQ(outcome.snapshot->info, std::nullopt) << "that of the former account";
  EXPECT_EQ(requests("jobrun_details"), 10u);
  collect();
  EXPECT_EQ(requests("jobrun_details"), kAudit);
}

TEST_F(OtherToken, ThatIsRefusedCostsNoMemory) {
  token_ = "revoked";
  EXPECT_EQ(collect().failure->reason, FailureReason::auth);
  for (const char* blocked : {"status=403", "status=403,body=html"}) {
    fail_with(blocked);
    EXPECT_TRUE(collect().failure) << blocked;
    heal();
  }
  token_ = "token";
  plan_.token_fingerprint = "fingerprint";
  collect();
  EXPECT_EQ(requests("jobrun_details"), kAudit);
}

// --- Audit ---

TEST_F(CollectionRemembering, EachRememberedRunIsAuditedInTime) {
  const Id job_id = add_job("job");
  for (int i = 1; i <= 5; ++i) add_run(job_id, Hours(i));
  collect();
  std::set<std::string> audited;
  for (int i = 0; i < 40; ++i) {
    pass(minutes(5));
    collect();
    ASSERT_EQ(requests("jobrun_details"), kAudit);
    audited.insert(targets("jobrun_details")[0]);
  }
  EXPECT_THAT(audited, SizeIs(5));
}

TEST_F(CollectionRemembering, ARememberedRunThatChangedMakesItsJobReadAfresh) {
  three_runs_that_changed();
  const CollectionOutcome outcome = collect();
  EXPECT_EQ(outcome.audit_changes, 1u);
  for (const RunTally& tally : job(outcome, "job").runs->tallies) EXPECT_EQ(tally.failed, 1u);
  EXPECT_EQ(requests("jobrun_details"), 3u);
  EXPECT_EQ(collect().audit_changes, 0u);
}

TEST_F(CollectionRemembering, WhatCannotBeReadAfreshStaysAndIsAskedForAgain) {
  three_runs_that_changed();
  fail_with("endpoint=jobrun_details,status=500,skip=1");
  const CollectionOutcome contradicted = collect();
  EXPECT_EQ(contradicted.audit_changes, 1u);
  EXPECT_THAT(ages(job(contradicted, "job")), ElementsAre(3, 2, 1));
  heal();
  pass(minutes(5));
  const CollectionOutcome outcome = collect();
  for (const RunTally& tally : job(outcome, "job").runs->tallies) EXPECT_EQ(tally.failed, 1u);
}

TEST_F(CollectionRemembering, DoubtsOutliveACollectionThatIsGivenUp) {
  three_runs_that_changed();
  pass(Hours(1));
  collect(given_up_after(5));  // /me, the lists, settings and the audit
  EXPECT_THAT(memory_->jobs[0]->runs->unsettled, SizeIs(2));
  const CollectionOutcome outcome = collect();
  for (const RunTally& tally : job(outcome, "job").runs->tallies) EXPECT_EQ(tally.failed, 1u);
}

TEST_F(CollectionRemembering, RunsThatKeepChangingAreReadAfreshOnceADay) {
  const Id job_id = add_job("job");
  for (int i = 1; i <= 5; ++i) add_run(job_id, Hours(i));
  collect();
  auto details_once_all_have_changed = [&, version = 0]() mutable {
    const std::string now = "database " + std::to_string(++version);
    change([&](simulator::Account& account) {
      for (simulator::Run& run : account.job(job_id).runs) run.entries[0].database = account.word(now);
    });
    const CollectionOutcome outcome = collect();
    EXPECT_EQ(outcome.audit_changes, 1u);
    return requests("jobrun_details");
  };
  EXPECT_EQ(details_once_all_have_changed(), 5u);
  pass(Hours(23));
  EXPECT_EQ(details_once_all_have_changed(), kAudit);
  pass(Hours(1));
  EXPECT_EQ(details_once_all_have_changed(), 5u);
  pass(-Hours(48));
  EXPECT_EQ(details_once_all_have_changed(), 5u) << "the clock was ahead";
}

TEST_F(CollectionRemembering, DeletedFilesAreNoContradiction) {
  const Id run = add_run(add_job("job"), Hours(1));
  collect();
  delete_files(run);
  EXPECT_EQ(collect().audit_changes, 0u);
}

// --- All together ---

// A warm collection reads two lists, a list of runs for each job, the settings that are due, and the details
// of runs that are new, open, past their retention or witnesses, and of one that is audited.
class TypicalAccount : public ::testing::Test {
 protected:
  TypicalAccount() { simulator_.set_speed(0); }  // nothing new

  struct Asked {
    std::uint64_t all = 0;
    std::uint64_t settings = 0;
    std::uint64_t open = 0;       // runs that were open before
    std::uint64_t witnesses = 0;  // jobs and types with files past their retention
  };
  Asked collect() {
    Asked asked;
    if (memory_) {
      for (const auto& job : memory_->jobs) asked.open += job->runs->unsettled.size();
    }
    simulator_.forget_requests();
    CollectionPlan plan;
    plan.started_at = clock_.system_now();
    Collection collection(plan, memory_);
    asked.all = sqlbak_gateway::testing::drive(collection, simulator_, "token", clock_);
    asked.settings = simulator_.request_count("*", "settings");
    CollectionOutcome outcome = collection.finish();
    memory_ = outcome.memory;
    for (const auto& job : outcome.snapshot->jobs)
      asked.witnesses += types_past_retention(*job, plan.started_at);
    return asked;
  }

 private:
  static std::uint64_t types_past_retention(const JobSnapshot& job, SystemTime now) {
    std::set<BackupType> types;
    for (const RunTally& tally : job.runs->tallies) {
      const double days =
          (EpochMs(now).milliseconds() - tally.started_at.milliseconds()) / kMillisecondsPerDay;
      const auto retention = static_cast<double>(job.settings->retention_days(tally.type));
      if (retention > 0 && days > retention && tally.succeeded > 0 && tally.undeleted)
        types.insert(tally.type);
    }
    return types.size();
  }
  static simulator::World world(SystemTime now) {
    simulator::World world;
    world.add(simulator::generated_account("typical", "token", simulator::kTypical, now, 7, {false, false}));
    return world;
  }

  sqlbak_gateway::testing::ManualClock clock_;
  simulator::Simulator simulator_{world(clock_.system_now()), clock_};
  std::shared_ptr<const AccountMemory> memory_;
};

TEST_F(TypicalAccount, IsAskedForWhatIsNotKnown) {
  const Asked cold = collect();
  EXPECT_EQ(cold.all, 1u + 2 + 2 * 40 + 2400);
  const Asked warm = collect();
  EXPECT_EQ(warm.settings, 0u);
  EXPECT_EQ(warm.all, 2u + 40 + warm.open + warm.witnesses + 1);
}

}  // namespace
}  // namespace sqlbak_gateway::sqlbak
