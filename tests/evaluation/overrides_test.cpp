// Overrides of jobs and servers: what they name, and which goes first.
#include "evaluation/account_under_test.h"

#include <ctime>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sqlbak_gateway::testing {
namespace {

using evaluation::AmbiguousOverride;
using evaluation::JobState;
using evaluation::MaxAges;
using evaluation::Override;
using evaluation::Policy;
using std::chrono::hours;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using enum BackupType;

MaxAges full_within(Duration age) {
  MaxAges ages;
  ages.of(full) = age;
  return ages;
}

// Two servers with a job "Nightly" each, and one "Weekly" on the first.
AccountUnderTest account() {
  AccountUnderTest account;
  account.with_server("1", "sql-1").with_server("2", "sql-2");
  account.with(JobUnderTest("10").named("Nightly").on_server("1", "sql-1"));
  account.with(JobUnderTest("11").named("Weekly").on_server("1", "sql-1"));
  account.with(JobUnderTest("12").named("Nightly").on_server("2", "sql-2"));
  return account;
}

// Of this thread: what else the machine does takes none of it.
Duration cpu_time() {
  timespec used{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}

// The ids of jobs that are ignored.
std::vector<std::string> ignored(const Policy& policy, const AccountUnderTest& of = account()) {
  std::vector<std::string> ids;
  const auto prepared = of.prepared(policy);
  for (const auto& job : prepared->jobs) {
    EXPECT_EQ(job->policy.ignored, job->state == JobState::paused);
    if (job->policy.ignored) ids.push_back(job->source->job.id);
  }
  return ids;
}

std::vector<AmbiguousOverride> ambiguous(const Policy& policy, const AccountUnderTest& of = account()) {
  return of.prepared(policy)->ambiguous_overrides;
}

Policy ignoring_job(std::string target) {
  Policy policy;
  policy.jobs = {Override{std::move(target), true, {}}};
  return policy;
}

Policy ignoring_server(std::string target) {
  Policy policy;
  policy.servers = {Override{std::move(target), true, {}}};
  return policy;
}

TEST(Overrides, NameAJobByIdNameOrServerAndName) {
  EXPECT_THAT(ignored(ignoring_job("11")), ElementsAre("11"));
  EXPECT_THAT(ignored(ignoring_job("Weekly")), ElementsAre("11"));
  EXPECT_THAT(ignored(ignoring_job("sql-2/Nightly")), ElementsAre("12"));
  EXPECT_THAT(ignored(ignoring_job("weekly")), IsEmpty()) << "names are told apart by case";
  EXPECT_THAT(ignored(ignoring_job("sql-2/")), IsEmpty());
  EXPECT_THAT(ignored(ignoring_job("sql-2/Weekly")), IsEmpty());
}

TEST(Overrides, NameAServerByIdOrName) {
  EXPECT_THAT(ignored(ignoring_server("1")), ElementsAre("10", "11"));
  EXPECT_THAT(ignored(ignoring_server("sql-2")), ElementsAre("12"));
}

TEST(Overrides, OfAServerByIdHoldForItsJobsWhenItIsListedNoMore) {
  AccountUnderTest decommissioned;
  decommissioned.with_server("1", "sql-1");
  decommissioned.with(JobUnderTest("12").named("Nightly").on_server("2", "unknown"));
  EXPECT_THAT(ignored(ignoring_server("2"), decommissioned), ElementsAre("12"));
}

TEST(Overrides, OfAServerLeaveJobsWithoutAServerAlone) {
  AccountUnderTest account;
  account.with_server("1", "unknown");
  account.with(JobUnderTest("1").on_server("1", "unknown"));
  account.with(JobUnderTest("2").on_server("", "unknown"));
  evaluation::Policy policy;
  policy.servers = {{"unknown", true, {}}};
  const auto prepared = account.prepared(policy);
  EXPECT_TRUE(prepared->jobs[0]->policy.ignored);
  EXPECT_FALSE(prepared->jobs[1]->policy.ignored);
}

TEST(Overrides, MeanTheClosestNameThatMatches) {
  AccountUnderTest twisted = account();
  twisted.with(JobUnderTest("20").named("10"));
  twisted.with(JobUnderTest("21").named("sql-2/Nightly"));
  EXPECT_THAT(ignored(ignoring_job("10"), twisted), ElementsAre("10")) << "an id, not the job of that name";
  EXPECT_THAT(ignored(ignoring_job("sql-2/Nightly"), twisted), ElementsAre("12"));
}

TEST(Overrides, ThatMatchNothingOrSeveralAreReported) {
  EXPECT_THAT(ambiguous(ignoring_job("Weekly")), IsEmpty());
  EXPECT_THAT(ambiguous(ignoring_job("Nightly")), ElementsAre(AmbiguousOverride{false, "Nightly", 2}));
  EXPECT_THAT(ignored(ignoring_job("Nightly")), ElementsAre("10", "12")) << "and hold for all of them";
  EXPECT_THAT(ambiguous(ignoring_job("gone")), ElementsAre(AmbiguousOverride{false, "gone", 0}));
  EXPECT_THAT(ambiguous(ignoring_server("gone")), ElementsAre(AmbiguousOverride{true, "gone", 0}));
  EXPECT_THAT(ambiguous(ignoring_job("gone"), account().with_pending_jobs(1)), IsEmpty())
      << "it may be among the pending";
}

TEST(Overrides, OfTheCloserTargetGoFirstKeyByKey) {
  Policy policy = allowing(full, hours(1));
  policy.max_age.of(log) = hours(2);
  policy.servers = {Override{"sql-1", true, full_within(hours(3))}};
  policy.jobs = {Override{"10", std::nullopt, full_within(hours(4))},
                 Override{"Nightly", std::nullopt, full_within(hours(5))},
                 Override{"sql-2/Nightly", std::nullopt, full_within(hours(6))}, Override{"11", false, {}}};
  const auto prepared = account().prepared(policy);
  const auto max_age = [&](std::size_t job, BackupType type) {
    return prepared->jobs[job]->policy.max_age.of(type);
  };
  EXPECT_EQ(max_age(0, full), hours(4)) << "by id, before by name";
  EXPECT_EQ(max_age(1, full), hours(3)) << "its server's";
  EXPECT_EQ(max_age(2, full), hours(6)) << "by server and name, before by name";
  EXPECT_EQ(max_age(2, log), hours(2)) << "the account's, where no override says more";
  EXPECT_TRUE(prepared->jobs[0]->policy.ignored);
  EXPECT_FALSE(prepared->jobs[1]->policy.ignored) << "taken back for one job of an ignored server";
}

TEST(Overrides, AnIgnoredJobIsNeverLateNorFailing) {
  AccountUnderTest late;
  late.with(JobUnderTest("10")
                .keeps(3)
                .ran({kept(full, days_ago(9)), succeeded(full, days_ago(5)), failed(full, hours_ago(1))})
                .backed_up("erp", full, hours_ago(1), EntryStatus::failed));
  Policy policy = ignoring_job("10");
  policy.max_age = full_within(hours(30));
  const auto prepared = late.prepared(policy);
  EXPECT_EQ(prepared->jobs[0]->state, JobState::paused);
  const evaluation::PreparedRow& row = prepared->jobs[0]->rows[0];
  EXPECT_EQ(row.overdue, false);
  EXPECT_EQ(row.consecutive_failures, std::nullopt) << "nothing that an alert would look at";
  EXPECT_EQ(row.retention_violation, std::nullopt);
  EXPECT_EQ(prepared->jobs[0]->databases_failing, std::nullopt);
  EXPECT_EQ(row.last_attempt_succeeded, false) << "but what happened is told";
}

// A file of accounts_dir, which less trusted hands write, has room for as many; accounts are prepared one
// after another, so that the time would be everybody's.
TEST(Overrides, MayBeMoreThanAnyJobHasToBeComparedWith) {
  Policy policy;
  for (int i = 0; i < 60'000; ++i) {
    policy.jobs.push_back({"gone-" + std::to_string(i), true, {}});
    policy.servers.push_back({"gone-" + std::to_string(i), true, {}});
  }
  policy.jobs.push_back({"7", true, {}});
  AccountUnderTest large;
  for (int i = 0; i < 3'000; ++i) {
    const std::string id = std::to_string(i);
    large.with_server(id, "sql-" + id).with(JobUnderTest(id).named("Job " + id).on_server(id, "sql-" + id));
  }
  const Duration before = cpu_time();
  EXPECT_THAT(ignored(policy, large), ElementsAre("7"));
  EXPECT_LT(cpu_time() - before, seconds(5));
}

}  // namespace
}  // namespace sqlbak_gateway::testing
