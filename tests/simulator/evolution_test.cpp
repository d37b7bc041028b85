// How an account changes as time goes on, and that the ready-made accounts are what they are said to be.
#include "simulator/documents.h"
#include "simulator/scenarios.h"
#include "simulator/truth.h"
#include "simulator/world.h"
#include "support/manual_clock.h"

#include <algorithm>
#include <map>
#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sqlbak_gateway::simulator {
namespace {

using sqlbak_gateway::testing::ManualClock;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using ::testing::ElementsAre;

constexpr SystemTime kNoon = ManualClock::kStart;

// One job with two databases and one destination, that starts at one o'clock each day and takes seven
// minutes: every minute one step.
class AnEvolvingAccount : public ::testing::Test {
 protected:
  Job nightly() {
    Job job;
    job.name = "Nightly";
    job.databases = {"a", "b"};
    job.destinations = {{"Amazon S3", 0, 2, 0, 0}};
    job.cadences = {{std::chrono::floor<Days>(kNoon) + hours(13), hours(24), {"database_full"}}};
    job.duration = minutes(7);
    return job;
  }
  void at(milliseconds after_noon) { account_.advance_to(kNoon + after_noon); }
  Job& job() { return account_.job(101); }
  const auto& last_run() { return job().runs.back(); }
  std::string status(std::size_t entry) { return account_.words().text(last_run().entries.at(entry).status); }
  // Of each run with entries, in order: whether all files of its first entry are deleted.
  std::vector<bool> deleted() {
    std::vector<bool> deleted;
    for (const auto& run : job().runs) {
      if (!run.entries.empty() && run.entries[0].upload_count > 0)
        deleted.push_back(run.entries[0].uploads[0].all_deleted());
    }
    return deleted;
  }

  Account account_{"acme", "token", kNoon, 1};
};

TEST_F(AnEvolvingAccount, StartsARunWithNothingInIt) {
  account_.add_job(nightly());
  at(minutes(59));
  EXPECT_TRUE(job().runs.empty());
  at(minutes(60));
  ASSERT_EQ(job().runs.size(), 1u);
  EXPECT_EQ(last_run().started_at, kNoon + hours(1));
  EXPECT_TRUE(last_run().entries.empty());
  EXPECT_FALSE(last_run().finished_at);
}

TEST_F(AnEvolvingAccount, GainsEntriesAndUploadsOneByOne) {
  account_.add_job(nightly());
  at(minutes(61));
  EXPECT_EQ(last_run().entries.size(), 1u);
  EXPECT_EQ(status(0), "running");
  EXPECT_EQ(last_run().entries[0].upload_count, 0);
  at(minutes(62));
  EXPECT_EQ(last_run().entries[0].upload_count, 1);
  EXPECT_EQ(status(0), "running");
  at(minutes(63));
  EXPECT_EQ(status(0), "succeeded");
  EXPECT_EQ(last_run().entries.size(), 1u);
  at(minutes(64));
  EXPECT_EQ(last_run().entries.size(), 2u);
  EXPECT_EQ(status(1), "running");
  at(minutes(66));
  EXPECT_EQ(status(1), "succeeded");
  EXPECT_FALSE(last_run().finished_at) << "all its entries are final, and it has not ended";
  at(minutes(67));
  EXPECT_EQ(last_run().finished_at, kNoon + minutes(67));
}

TEST_F(AnEvolvingAccount, FailsWhereItIsBroken) {
  Job broken = nightly();
  broken.broken_since = kNoon;
  broken.broken_database = "b";
  account_.add_job(broken);
  at(hours(2));
  EXPECT_EQ(status(0), "succeeded");
  EXPECT_EQ(status(1), "failed");
  EXPECT_EQ(last_run().entries[1].upload_count, 0);
  job().broken_since.reset();
  at(hours(26));
  EXPECT_EQ(status(1), "succeeded");
}

TEST_F(AnEvolvingAccount, DeletesExpiredFilesOnlyAfterTheNextSuccess) {
  account_.add_job(nightly());
  at(hours(1 + 2 * 24));  // the first is two days old, and the third is only starting
  EXPECT_THAT(deleted(), ElementsAre(false, false));
  at(hours(2 + 2 * 24));
  EXPECT_THAT(deleted(), ElementsAre(true, false, false));
}

TEST_F(AnEvolvingAccount, DeletesNothingWhileNothingSucceeds) {
  account_.add_job(nightly());
  at(hours(2));
  job().broken_since = kNoon + hours(3);
  at(hours(10 * 24));
  EXPECT_EQ(job().runs.size(), 10u);
  EXPECT_THAT(deleted(), ElementsAre(false));
}

TEST_F(AnEvolvingAccount, DeletesNothingWhereRetentionIsNotEnforced) {
  account_.add_job(nightly());
  job().enforces_retention = false;
  at(hours(4 * 24));
  EXPECT_THAT(deleted(), ElementsAre(false, false, false, false));
}

TEST_F(AnEvolvingAccount, StartsNothingWhenStoppedOrDisabled) {
  account_.add_job(nightly());
  job().stopped_since = kNoon + hours(24);
  at(hours(5 * 24));
  EXPECT_EQ(job().runs.size(), 1u);
  job().stopped_since.reset();
  job().enabled = false;
  at(hours(7 * 24));
  EXPECT_EQ(job().runs.size(), 1u);
  job().enabled = true;
  at(hours(8 * 24));
  EXPECT_EQ(job().runs.size(), 2u);
}

// From Wednesday noon for a week: two runs a day from Monday to Friday, at nine and at fifteen o'clock.
TEST_F(AnEvolvingAccount, KeepsOfficeHours) {
  Job job_in_hours = nightly();
  job_in_hours.cadences = {
      {std::chrono::floor<Days>(kNoon) + hours(3), hours(6), {"database_full"}, 0b0111110, 8, 18}};
  account_.add_job(job_in_hours);
  at(hours(7 * 24));
  EXPECT_EQ(job().runs.size(), 10u);
}

TEST_F(AnEvolvingAccount, TakesTurnsBetweenTypes) {
  Job turns = nightly();
  turns.cadences[0].types = {"database_full", "database_differential"};
  account_.add_job(turns);
  at(hours(3 * 24));
  std::vector<std::string> types;
  for (const auto& run : job().runs) types.push_back(account_.words().text(run.entries[0].type));
  EXPECT_THAT(types, ElementsAre("database_full", "database_differential", "database_full"));
}

TEST_F(AnEvolvingAccount, LosesServersAndGetsThemBack) {
  account_.add_server({.name = "sql-01"});
  at(hours(30 * 24));
  EXPECT_EQ(account_.server(1).status, "online") << "outages are off";
  account_.evolve({.outages = true, .churn = false});
  bool went = false;
  bool came_back = false;
  for (int hour = 30 * 24; hour < 60 * 24; ++hour) {
    at(hours(hour));
    went = went || account_.server(1).status != "online";
    came_back = came_back || (went && account_.server(1).status == "online");
  }
  EXPECT_TRUE(went);
  EXPECT_TRUE(came_back);
}

TEST_F(AnEvolvingAccount, RunsOfAJobThatGoesEndWithIt) {
  account_.add_job(nightly());
  at(minutes(62));
  const Id run = last_run().id;
  account_.remove_job(101);
  at(hours(48));
  EXPECT_EQ(account_.find_run(run).second, nullptr);
  EXPECT_EQ(account_.run_count(), 0u);
}

TEST_F(AnEvolvingAccount, NeverGoesBackInTime) {
  account_.add_job(nightly());
  at(hours(26));
  at(hours(1));
  EXPECT_EQ(account_.now(), kNoon + hours(26));
  EXPECT_EQ(job().runs.size(), 2u);
}

// All that the API shows of an account, as one text.
std::string everything(const Account& account) {
  std::string text;
  for (const auto& [id, server] : account.servers())
    text += documents::server(account, server, {}).dump() + "\n";
  for (const auto& [id, job] : account.jobs()) {
    text += documents::job(account, job, {}).dump() + documents::settings(account, job, {}).dump() + "\n";
    for (const Run& run : job.runs) text += documents::run(account, job, run, {}).dump() + "\n";
  }
  return text;
}

TEST(AGeneratedAccount, FollowsFromItsSeedWhateverTheSteps) {
  const auto in_steps = generated_account("a", "t", kSmall, kNoon, 7);
  const auto at_once = generated_account("a", "t", kSmall, kNoon, 7);
  for (int minute = 0; minute <= 10 * 24 * 60; minute += 7) in_steps->advance_to(kNoon + minutes(minute));
  in_steps->advance_to(kNoon + Days(10));
  at_once->advance_to(kNoon + Days(10));
  EXPECT_EQ(everything(*in_steps), everything(*at_once));
  EXPECT_NE(everything(*at_once), everything(*generated_account("a", "t", kSmall, kNoon + Days(10), 8)));
}

TEST(AGeneratedAccount, HasTheRunsOfItsSizeInTheirWindowsAndFinished) {
  constexpr Size kFewButLong{5, 20, kLarge.runs};
  for (const Size size : {kSmall, kTypical, kFewButLong}) {
    const auto account = generated_account("a", "t", size, kNoon, 3);
    EXPECT_EQ(account->servers().size(), size.servers);
    EXPECT_EQ(account->jobs().size(), size.jobs);
    for (const auto& [id, job] : account->jobs()) {
      EXPECT_EQ(job.runs.size(), size.runs);
      const int retention =
          std::max(job.retention_days("database_full"), job.retention_days("database_differential"));
      for (const auto& run : job.runs) {
        EXPECT_TRUE(run.finished_at);
        EXPECT_GT(*run.started_at, kNoon - Days(std::max(7, retention + 7)));
      }
    }
  }
}

TEST(AGeneratedAccount, ChangesInEveryWayAsTimeGoesOn) {
  auto account = generated_account("a", "t", kSmall, kNoon, 5);
  const std::string before = everything(*account);
  const std::size_t runs_before = account->run_count();
  account->advance_to(kNoon + Days(30));
  const std::string after = everything(*account);
  EXPECT_GT(account->run_count(), runs_before);
  for (const char* change : {"job-renamed-", "job-new-", "server-renamed-", "server-new-"}) {
    EXPECT_EQ(before.find(change), before.npos) << change;
    EXPECT_NE(after.find(change), after.npos) << change;
  }
}

TEST(Mutations, AreSaidInWordsAndKeepTheAccountReadable) {
  auto account = generated_account("a", "t", kSmall, kNoon, 9, {});
  Random random(1);
  std::string said;
  for (int i = 0; i < 300; ++i) said += account->mutate(random, true) + "\n";
  for (const char* kind :
       {"added", "renamed", "removed", "retention", "switched", "disabled", "moved", "left out of lists",
        "unreadable", "changed after it was final", "files deleted", "appears late"}) {
    EXPECT_NE(said.find(kind), said.npos) << kind;
  }
  EXPECT_FALSE(everything(*account).empty());
}

class TheDemo : public ::testing::Test {
 protected:
  // What its accounts must show when it is started at that instant.
  std::map<std::string, Series> truths(SystemTime now) {
    World world = demo_world(now);
    std::map<std::string, Series> truths;
    for (const auto& [name, account] : world.accounts()) {
      Question question;
      question.collected_at = question.answered_at = now;
      truths[name] = published_truth(*account, {}, question);
      truths[name].merge(own_truth(*account, {}, question));
    }
    return truths;
  }
  template <typename Passes>
  static std::ptrdiff_t count(const Series& series, std::string_view name, Passes passes) {
    return std::ranges::count_if(family(series, name),
                                 [&](const auto& sample) { return passes(sample.second); });
  }
};

bool is_positive(double value) {
  return value > 0;
}

TEST_F(TheDemo, ShowsSomethingInEveryQuery) {
  Series all;
  for (auto& [name, series] : truths(kNoon)) {
    for (const auto& [key, value] : series) all[name + "_" + key] = value;
  }
  EXPECT_GT(count(all, "*_sqlbak_server_online", [](double value) { return value == 0; }), 0);
  EXPECT_GT(count(all, "*_sqlbak_job_last_success_age_hours", [](double value) { return value == -1; }), 0);
  for (const char* name :
       {"sqlbak_offline_servers_total", "sqlbak_job_last_success_age_hours",
        "sqlbak_job_backups_failed_total", "sqlbak_job_has_backups_older_than_policy",
        "sqlbak_job_retention_days", "sqlbak_job_summary", "sqlbak_job_retention_violation",
        "sqlbak_job_databases_failing", "sqlbak_job_consecutive_failures", "sqlbak_servers_without_jobs"}) {
    EXPECT_GT(count(all, std::string("*_") + name, is_positive), 0) << name;
  }
}

TEST_F(TheDemo, ReachesItsStateAtAnyHour) {
  for (int hour = 0; hour < 7 * 24; hour += 41) {
    auto by_account = truths(kNoon + hours(hour));
    EXPECT_GT(count(by_account["globex"], "sqlbak_job_backups_failed_total", is_positive), 0) << hour;
    EXPECT_GT(count(by_account["initech"], "sqlbak_job_has_backups_older_than_policy", is_positive), 0)
        << hour;
    EXPECT_GT(count(by_account["acme"], "sqlbak_offline_servers_total", is_positive), 0) << hour;
  }
}

}  // namespace
}  // namespace sqlbak_gateway::simulator
