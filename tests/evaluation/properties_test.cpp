// What must hold for every account: order does not matter, nothing counts twice, sharing between snapshots
// never shows, and as an answer's instant moves on no age falls and nothing becomes late.
#include "evaluation/random_account.h"

#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sqlbak_gateway::testing {
namespace {

using evaluation::Policy;
using evaluation::prepare;
using evaluation::PreparedAccount;
using std::chrono::hours;

constexpr std::uint32_t kAccounts = 120;

Policy policy() {
  Policy policy = allowing(BackupType::full, hours(40));
  policy.max_age.of(BackupType::log) = hours(3);
  return policy;
}

PreparedAccount judged(const Snapshot& snapshot, const PreparedAccount* previous = nullptr) {
  return prepare(std::make_shared<const Snapshot>(snapshot), policy(), previous);
}

void expect_same(const PreparedAccount& a, const PreparedAccount& b, const std::string& what) {
  ASSERT_EQ(a.jobs.size(), b.jobs.size()) << what;
  for (std::size_t i = 0; i < a.jobs.size(); ++i) {
    EXPECT_EQ(a.jobs[i]->source->job, b.jobs[i]->source->job) << what;
    EXPECT_EQ(a.jobs[i]->rows, b.jobs[i]->rows) << what;
    EXPECT_EQ(a.jobs[i]->state, b.jobs[i]->state) << what;
    EXPECT_EQ(a.jobs[i]->window_seconds, b.jobs[i]->window_seconds) << what;
    EXPECT_EQ(a.jobs[i]->databases_failing, b.jobs[i]->databases_failing) << what;
  }
  EXPECT_EQ(a.row_count, b.row_count) << what;
  EXPECT_EQ(a.jobs_by_state, b.jobs_by_state) << what;
  EXPECT_EQ(a.servers_offline, b.servers_offline) << what;
  EXPECT_EQ(a.servers_by_status, b.servers_by_status) << what;
  EXPECT_EQ(a.servers_without_jobs, b.servers_without_jobs) << what;
}

// The same job with what started together in another order.
std::shared_ptr<const JobSnapshot> shuffled(const JobSnapshot& job, std::mt19937& generator) {
  JobSnapshot other = job;
  if (!job.runs) return std::make_shared<const JobSnapshot>(other);
  JobRuns runs = *job.runs;
  std::shuffle(runs.tallies.begin(), runs.tallies.end(), generator);
  std::shuffle(runs.databases.begin(), runs.databases.end(), generator);
  std::shuffle(runs.extents.begin(), runs.extents.end(), generator);
  std::stable_sort(runs.tallies.begin(), runs.tallies.end(), [](const RunTally& a, const RunTally& b) {
    if (!a.started_at.has_value() || !b.started_at.has_value())
      return a.started_at.has_value() && !b.started_at.has_value();
    return a.started_at.milliseconds() < b.started_at.milliseconds();
  });
  other.runs = std::make_shared<const JobRuns>(std::move(runs));
  return std::make_shared<const JobSnapshot>(other);
}

TEST(Properties, TheOrderOfJobsServersAndRunsDoesNotMatter) {
  for (std::uint32_t seed = 0; seed < kAccounts; ++seed) {
    RandomAccount random(seed);
    const Snapshot one = random.snapshot();
    Snapshot other = one;
    for (auto& job : other.jobs) job = shuffled(*job, random.generator());
    std::shuffle(other.jobs.begin(), other.jobs.end(), random.generator());
    std::shuffle(other.servers.begin(), other.servers.end(), random.generator());
    expect_same(judged(one), judged(other), "seed " + std::to_string(seed));
  }
}

TEST(Properties, JobsThatAreThereTwiceCountOnce) {
  for (std::uint32_t seed = 0; seed < kAccounts; ++seed) {
    RandomAccount random(seed);
    const Snapshot one = random.snapshot();
    Snapshot twice = one;
    twice.jobs.insert(twice.jobs.end(), one.jobs.begin(), one.jobs.end());
    expect_same(judged(one), judged(twice), "seed " + std::to_string(seed));
  }
}

TEST(Properties, StatesSumUpToTheJobs) {
  for (std::uint32_t seed = 0; seed < kAccounts; ++seed) {
    const PreparedAccount account = judged(RandomAccount(seed).snapshot(20));
    EXPECT_EQ(std::accumulate(account.jobs_by_state.begin(), account.jobs_by_state.end(), std::uint64_t{0}),
              20u);
  }
}

TEST(Properties, AsAnswersMoveOnNoAgeFallsAndNothingElseChanges) {
  for (std::uint32_t seed = 0; seed < kAccounts; ++seed) {
    const auto account = std::make_shared<const PreparedAccount>(judged(RandomAccount(seed).snapshot()));
    std::vector<double> ages = evaluation::answer(account, kT - hours(50)).last_success_age_hours;
    for (SystemTime t = kT - hours(50); t < kT + hours(50); t += hours(3)) {
      const evaluation::Findings now = evaluation::answer(account, t);
      for (std::size_t i = 0; i < ages.size(); ++i) {
        const double age = now.last_success_age_hours[i];
        ASSERT_EQ(std::isnan(age), std::isnan(ages[i]));
        ASSERT_FALSE(age < ages[i]);
        ASSERT_TRUE(std::isnan(age) || age >= 0 || age == -1);
      }
      ages = now.last_success_age_hours;
      ASSERT_EQ(now.account, account) << "every verdict is T's";
    }
  }
}

// Collections one after the other; between them jobs change, come and go, or stay as they are.
TEST(Properties, SharedJobsEqualThoseJudgedAgain) {
  std::size_t shared = 0;
  for (std::uint32_t seed = 0; seed < kAccounts; ++seed) {
    RandomAccount random(seed);
    Snapshot snapshot = random.snapshot();
    PreparedAccount previous = judged(snapshot);
    for (int collection = 0; collection < 20; ++collection) {
      snapshot.collected_at +=
          std::chrono::milliseconds(random.one_in(4) ? 6 * 3600 * 1000 : random.below(7'200'000));
      if (random.one_in(8)) snapshot.collected_at -= hours(5);  // a clock that was set back
      if (random.one_in(3)) snapshot.jobs[0] = random.job("7");
      if (random.one_in(6)) std::swap(snapshot.jobs[1], snapshot.jobs[2]);
      if (random.one_in(6) && snapshot.jobs.size() > 3) snapshot.jobs.pop_back();
      const PreparedAccount now = judged(snapshot, &previous);
      expect_same(now, judged(snapshot),
                  "seed " + std::to_string(seed) + " collection " + std::to_string(collection));
      for (const auto& job : now.jobs) {
        shared += static_cast<std::size_t>(std::count(previous.jobs.begin(), previous.jobs.end(), job));
      }
      previous = now;
    }
  }
  EXPECT_GT(shared, kAccounts * 20) << "some were shared at all";
}

TEST(Sharing, EndsAtTheInstantAtWhichAVerdictChanges) {
  using enum BackupType;
  const auto shared_at = [](const JobUnderTest& job, Duration later, const Policy& policy = {}) {
    AccountUnderTest account;
    account.with(job);
    const auto before = account.prepared(policy);
    Snapshot next = account.snapshot();
    next.collected_at += std::chrono::duration_cast<std::chrono::milliseconds>(later);
    return prepare(std::make_shared<const Snapshot>(next), policy, before.get()).jobs[0] == before->jobs[0];
  };
  EXPECT_TRUE(shared_at(JobUnderTest(), hours(24 * 365)));
  const auto week_old = JobUnderTest().ran(succeeded(full, hours_ago(7 * 24 - 2)));
  EXPECT_TRUE(shared_at(week_old, hours(1)));
  EXPECT_FALSE(shared_at(week_old, hours(3))) << "it has left the window";
  const auto expiring = JobUnderTest().keeps(30).ran(kept(full, hours_ago(30 * 24 - 2)));
  EXPECT_TRUE(shared_at(expiring, hours(1)));
  EXPECT_FALSE(shared_at(expiring, hours(3))) << "it is older than policy";
  const auto nearly_late = JobUnderTest().ran(succeeded(full, hours_ago(28)));
  EXPECT_TRUE(shared_at(nearly_late, hours(1), allowing(full, hours(30))));
  EXPECT_FALSE(shared_at(nearly_late, hours(3), allowing(full, hours(30)))) << "it is late";
  const auto settling =
      JobUnderTest().keeps(30).ran({kept(full, days_ago(31)), succeeded(full, hours_ago(0.5))});
  EXPECT_TRUE(shared_at(settling, std::chrono::minutes(20)));
  EXPECT_FALSE(shared_at(settling, hours(1))) << "the files should be gone by now";
}

TEST(Sharing, EndsWhenThePolicyOrTheJobChanges) {
  AccountUnderTest account;
  account.with(JobUnderTest());
  const auto before = account.prepared();
  EXPECT_EQ(account.prepared({}, before.get())->jobs[0], before->jobs[0]);
  EXPECT_NE(account.prepared(allowing(BackupType::full, hours(1)), before.get())->jobs[0], before->jobs[0]);
  EXPECT_NE(AccountUnderTest().with(JobUnderTest().named("other")).prepared({}, before.get())->jobs[0],
            before->jobs[0]);
  EXPECT_NE(AccountUnderTest().with(JobUnderTest().keeps(3)).prepared({}, before.get())->jobs[0],
            before->jobs[0]);
}

}  // namespace
}  // namespace sqlbak_gateway::testing
