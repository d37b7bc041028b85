// The promises of a probe, one by one, on a manual clock against the simulated API. The numbers are those of
// "The life of a probe" in docs/architecture.md.
#include "config/config_directory.h"
#include "gateway/basic_authorization.h"
#include "gateway/gateway_world.h"
#include "gateway/trace.h"

#include <algorithm>
#include <map>
#include <sstream>
#include <string>

namespace sqlbak_gateway::gateway {
namespace {

using simulator::Series;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

class ProbeTest : public testing::GatewayWorld {
 protected:
  ProbeTest() {
    configured("acme");
    configured("globex");
    configured("initech");
  }
  static std::optional<double> failure(const Series& series, std::string_view reason) {
    return value(series, "sqlbak_collection_failure{reason=\"" + std::string(reason) + "\"}");
  }
  // Some job's age, by the job's name.
  static Series ages(const Series& series) {
    return simulator::family(series, "sqlbak_job_last_success_age_hours");
  }
};

TEST_F(ProbeTest, FreshDataAreAnsweredFromMemory) {
  collected("acme");
  const std::uint64_t asked = api.request_count("acme");
  clock.advance(seconds(200));
  const Series again = probed("acme");
  EXPECT_EQ(api.request_count("acme"), asked);
  EXPECT_EQ(value(again, "probe_success"), 1);
  EXPECT_EQ(value(again, "sqlbak_collection_in_progress"), 0);
}

TEST_F(ProbeTest, TheLogTellsOnceThatAnAccountHasBeenRead) {
  collected("acme");
  clock.advance(minutes(10));
  collected("acme");
  std::istringstream all(lines.text);
  int told = 0;
  for (std::string line; std::getline(all, line);) {
    if (line.find("level=info") != std::string::npos && line.find("account=acme") != std::string::npos)
      ++told;
  }
  EXPECT_EQ(told, 1) << lines.text;
}

TEST_F(ProbeTest, TwoHundredSimultaneousProbesMakeOneCollection) {
  for (int i = 0; i < 200; ++i) EXPECT_EQ(probe("acme").status, 200);
  let_collections_end();
  for (int i = 0; i < 200; ++i) EXPECT_EQ(value(probed("acme"), "probe_success"), 1);
  EXPECT_EQ(collections("acme"), 1u);
}

TEST_F(ProbeTest, OnlyAccountsThatAreProbedAreCollected) {
  collected("acme");
  EXPECT_EQ(collections("globex"), 0u);
}

TEST_F(ProbeTest, AProbeThatCannotWaitLeavesTheCollectionRunning) {
  collected("acme");
  clock.advance(seconds(300));
  const Series while_running = probed("acme");
  EXPECT_EQ(value(while_running, "sqlbak_collection_in_progress"), 1);
  EXPECT_EQ(value(while_running, "probe_success"), 1);
  EXPECT_FALSE(ages(while_running).empty());
  let_collections_end();
  const Series after = probed("acme");
  EXPECT_GT(*value(after, "sqlbak_last_check_timestamp"),
            *value(while_running, "sqlbak_last_check_timestamp"));
  EXPECT_EQ(collections("acme"), 2u);
}

TEST_F(ProbeTest, AgesGrowBetweenCollections) {
  const Series first = ages(collected("acme"));
  clock.advance(seconds(180));
  const Series later = ages(probed("acme"));
  ASSERT_FALSE(first.empty());
  for (const auto& [name, age] : first) {
    if (age >= 0) {
      EXPECT_NEAR(later.at(name) - age, 180.0 / 3600, 1e-9) << name;
    }
  }
}

TEST_F(ProbeTest, AFailureAfterASuccessKeepsTheDataAndSaysWhy) {
  const Series good = collected("acme");
  fail_with("account=acme,status=500");
  clock.advance(seconds(300));
  const Series bad = collected("acme");
  EXPECT_EQ(value(bad, "probe_success"), 0);
  EXPECT_EQ(failure(bad, "upstream_error"), 1);
  EXPECT_EQ(failure(bad, "timeout"), 0);
  EXPECT_EQ(value(bad, "sqlbak_last_check_timestamp"), value(good, "sqlbak_last_check_timestamp"));
  EXPECT_LT(*value(bad, "sqlbak_collection_last_success_timestamp_seconds"),
            *value(bad, "sqlbak_collection_last_attempt_timestamp_seconds"));
  EXPECT_EQ(simulator::family(bad, "sqlbak_job_backups_total"),
            simulator::family(good, "sqlbak_job_backups_total"));
}

TEST_F(ProbeTest, WhatNobodyLookedAtIsNotLate) {
  configured("acme").max_age[index(BackupType::full)] = hours(36);
  configured("acme").max_age[index(BackupType::log)] = hours(2);
  const Series good = collected("acme");
  fail_with("account=acme,status=500");
  for (int hour = 0; hour < 12; ++hour) {
    clock.advance(hours(1));
    probe("acme");
    let_collections_end();
  }
  const Series half_a_day_later = probed("acme");
  EXPECT_EQ(simulator::family(half_a_day_later, "sqlbak_job_overdue"),
            simulator::family(good, "sqlbak_job_overdue"));
  EXPECT_EQ(simulator::family(half_a_day_later, "sqlbak_jobs"), simulator::family(good, "sqlbak_jobs"));
}

TEST_F(ProbeTest, AFailedCollectionIsNotRepeatedOnEveryScrape) {
  fail_with("account=acme,status=401");
  probe("acme");
  let_collections_end();
  const std::uint64_t asked = api.request_count("acme");
  for (int i = 0; i < 20; ++i) EXPECT_EQ(value(probed("acme"), "probe_success"), 0);
  EXPECT_EQ(api.request_count("acme"), asked);
  clock.advance(seconds(30));
  probe("acme");
  let_collections_end();
  EXPECT_GT(api.request_count("acme"), asked);
}

TEST_F(ProbeTest, ARefusedTokenStopsTheAccountAtOnce) {
  fail_with("account=acme,status=401");
  const Series refused = collected("acme");
  EXPECT_EQ(failure(refused, "auth"), 1);
  EXPECT_LE(api.request_count("acme"), 3u);  // what was in flight, and no retry
}

TEST_F(ProbeTest, AnAccountWhoseOwnerIsDisputedAsksNobodyAndSaysWhy) {
  configured("globex").token = {config::TokenSource::Kind::none, "defined in a.toml and in b.toml", ""};
  const Series broken = collected("globex");
  EXPECT_EQ(value(broken, "probe_success"), 0);
  EXPECT_EQ(failure(broken, "config"), 1);
  EXPECT_EQ(api.request_count("globex"), 0u);
  const http::Response debug = get("/probe", {{"account", "globex"}, {"debug", "true"}});
  EXPECT_NE(debug.body->find("defined in a.toml and in b.toml"), std::string::npos);
}

TEST_F(ProbeTest, AnAccountWithoutATokenIsTheOnlyOneToSuffer) {
  environment.erase(variable("globex"));
  const Series broken = collected("globex");
  EXPECT_EQ(value(broken, "probe_success"), 0);
  EXPECT_EQ(failure(broken, "config"), 1);
  EXPECT_EQ(api.request_count("globex"), 0u);
  EXPECT_EQ(value(collected("acme"), "probe_success"), 1);
}

TEST_F(ProbeTest, ATokenThatComesBackHealsTheAccountAfterTheBackoff) {
  environment.erase(variable("globex"));
  probe("globex");
  environment[variable("globex")] = "demo-token-globex";
  EXPECT_EQ(value(probed("globex"), "probe_success"), 0);
  clock.advance(seconds(30));
  EXPECT_EQ(value(collected("globex"), "probe_success"), 1);
}

TEST_F(ProbeTest, ABackfillLongerThanMaxStaleIsShownWhenItEnds) {
  configured("acme").max_stale = minutes(30);
  fail_with("account=acme,endpoint=jobrun_details,latency=29s,until=3h");
  probe("acme");
  let_pass(minutes(25));
  EXPECT_FALSE(ages(probed("acme")).empty()) << "while it is read";
  let_collections_end(hours(3));
  const Series now = probed("acme");
  EXPECT_EQ(value(now, "probe_success"), 1);
  EXPECT_FALSE(ages(now).empty()) << "the moment it is complete";
}

TEST_F(ProbeTest, ATokenFileThatIsReplacedIsTriedAtOnce) {
  const config::testing::ConfigDirectory files;
  configured("acme").token = {config::TokenSource::Kind::file, files.write("acme", "nobodys-token"), ""};
  EXPECT_EQ(failure(collected("acme"), "auth"), 1);
  clock.advance(seconds(5));
  collected("acme");
  EXPECT_EQ(collections("acme"), 0u) << "it backs off";
  files.write("acme", environment[variable("acme")]);
  EXPECT_EQ(value(collected("acme"), "probe_success"), 1);
}

TEST_F(ProbeTest, AReloadEndsTheBackoff) {
  environment.erase(variable("globex"));
  probe("globex");
  environment[variable("globex")] = "demo-token-globex";
  ASSERT_TRUE(reload_configuration().ok());
  EXPECT_EQ(value(collected("globex"), "probe_success"), 1);
}

TEST_F(ProbeTest, AReloadDoesNotTurnAFailingAccountGreen) {
  collected("acme");
  fail_with("account=acme,status=500");
  clock.advance(seconds(300));
  const Series failing = collected("acme");
  configured("acme").max_age[index(BackupType::full)] = hours(36);
  ASSERT_TRUE(reload_configuration().ok());
  const Series after = probed("acme");
  EXPECT_EQ(value(after, "probe_success"), 0);
  EXPECT_EQ(failure(after, "upstream_error"), 1);
  EXPECT_EQ(value(after, "sqlbak_collection_duration_seconds"),
            value(failing, "sqlbak_collection_duration_seconds"));
}

TEST_F(ProbeTest, RunsThatCannotBeReadMakeNoJobLate) {
  configured("globex").max_age[index(BackupType::full)] = hours(36);
  const Series good = collected("globex");
  fail_with("account=globex,endpoint=jobruns,status=500");
  for (int day = 0; day < 10; ++day) {
    clock.advance(hours(24));
    const Series partial = collected("globex");
    EXPECT_EQ(value(partial, "probe_success"), 1);
    EXPECT_EQ(value(partial, "sqlbak_jobruns_available"), 0);
    for (const char* name : {"sqlbak_job_overdue", "sqlbak_jobs", "sqlbak_job_backups_total"}) {
      EXPECT_EQ(simulator::family(partial, name), simulator::family(good, name)) << "day " << day;
    }
  }
}

TEST_F(ProbeTest, EveryEndpointKeepsItsLastWord) {
  const Series first = simulator::family(collected("acme"), "sqlbak_endpoint_up");
  EXPECT_EQ(first.size(), 6u);
  for (int i = 0; i < 3; ++i) {
    clock.advance(seconds(300));
    EXPECT_EQ(simulator::family(collected("acme"), "sqlbak_endpoint_up"), first);
  }
}

TEST_F(ProbeTest, ATokenRotatedDuringAnOutageLosesNothing) {
  const Series good = collected("acme");
  api.with([](simulator::World& world) { world.account("acme").token = "rotated"; });
  environment[variable("acme")] = "rotated";
  fail_with("account=acme,close=before");
  fail_with("account=acme,endpoint=jobs,latency=5s");  // so that /me is given up first
  fail_with("account=acme,endpoint=servers,latency=5s");
  clock.advance(seconds(300));
  const Series bad = collected("acme");
  EXPECT_EQ(value(bad, "probe_success"), 0);
  EXPECT_EQ(value(bad, "sqlbak_last_check_timestamp"), value(good, "sqlbak_last_check_timestamp"));
  EXPECT_EQ(simulator::family(bad, "sqlbak_job_backups_total"),
            simulator::family(good, "sqlbak_job_backups_total"));

  api.clear_faults();
  api.forget_requests();
  clock.advance(minutes(1));
  EXPECT_EQ(value(collected("acme"), "probe_success"), 1);
  EXPECT_LT(api.request_count("acme"), 30u);  // not everything anew
}

TEST_F(ProbeTest, DataOlderThanMaxStaleAreDroppedFromTheAnswer) {
  configured("acme").max_stale = hours(24);
  collected("acme");
  fail_with("account=acme,status=500");
  clock.advance(hours(23));
  EXPECT_FALSE(ages(collected("acme")).empty());
  clock.advance(hours(2));
  const Series old = collected("acme");
  EXPECT_TRUE(ages(old).empty());
  EXPECT_TRUE(simulator::family(old, "sqlbak_server_online").empty());
  EXPECT_EQ(value(old, "probe_success"), 0);
  EXPECT_EQ(value(old, "sqlbak_jobruns_available"), 0);
  EXPECT_EQ(value(old, "sqlbak_jobsettings_available"), 0);
  EXPECT_GT(*value(old, "sqlbak_last_check_timestamp"), 0);
  EXPECT_EQ(failure(old, "upstream_error"), 1);
}

TEST_F(ProbeTest, WhatTheCollectionCameToOutlivesItsData) {
  configured("globex").max_stale = hours(24);
  configured("globex").max_series = 60;
  fail_with("account=globex,endpoint=jobruns,status=500,path=*job_id=101*");
  const Series partial = collected("globex");
  ASSERT_GT(*value(partial, "sqlbak_collection_jobs_unreadable"), 0);
  ASSERT_GT(*value(partial, "sqlbak_collection_series_dropped"), 0);
  fail_with("account=globex,status=500");
  clock.advance(hours(25));
  const Series old = collected("globex");
  ASSERT_TRUE(ages(old).empty());
  for (const char* name : {"sqlbak_collection_jobs_unreadable", "sqlbak_collection_series_dropped"}) {
    EXPECT_EQ(value(old, name), value(partial, name)) << name;
  }
}

TEST_F(ProbeTest, OneUnreadableJobMakesAPartialSuccess) {
  collected("globex");
  fail_with("account=globex,endpoint=jobruns,status=500,path=*job_id=101*");
  clock.advance(seconds(300));
  const Series partial = collected("globex");
  EXPECT_EQ(value(partial, "probe_success"), 1);
  EXPECT_EQ(value(partial, "sqlbak_jobruns_available"), 0);
  EXPECT_GT(*value(partial, "sqlbak_collection_jobs_unreadable"), 0);
  EXPECT_GT(
      series(get("/metrics")).at("sqlbak_gateway_collections_total{account=\"globex\",result=\"partial\"}"),
      0);
}

TEST_F(ProbeTest, AnswersOfTheSameSecondShareOneBody) {
  collected("acme");
  const http::Response one = probe("acme");
  const http::Response two = probe("acme");
  EXPECT_EQ(one.body, two.body);
  clock.advance(seconds(1));
  EXPECT_NE(probe("acme").body, one.body);
}

TEST_F(ProbeTest, TheSecondsBodiesAreDropped) {
  collected("acme");
  const std::weak_ptr<const std::string> body = probe("acme").body;
  EXPECT_FALSE(body.expired());
  clock.advance(seconds(1));
  routes().tick();
  EXPECT_TRUE(body.expired());
}

TEST_F(ProbeTest, DebugShowsTheCollectionStepByStepAndNoToken) {
  collected("acme");
  const http::Response page = get("/probe", {{"account", "acme"}, {"debug", "true"}},
                                  {{"X-Prometheus-Scrape-Timeout-Seconds", "0.001"}});
  ASSERT_EQ(page.status, 200);
  for (const char* part :
       {"Account acme", "success after", "jobs: 1 requests", "GET /jobruns/", "sqlbak_server_online",
        "note: read from fields that SqlBak does not document: jobs: job_type; jobs: is_enabled; ",
        "; jobrun_details: finished_at; "}) {
    EXPECT_NE(page.body->find(part), std::string::npos) << part;
  }
  EXPECT_EQ(page.body->find("demo-token-acme"), std::string::npos);
  EXPECT_EQ(lines.text.find("demo-token-acme"), std::string::npos);
}

TEST_F(ProbeTest, OwnMetricsSayHowManyRequestsAreAllowed) {
  const auto limit = [this] {
    return value(series(get("/metrics")), "sqlbak_gateway_api_requests_limit_per_second");
  };
  EXPECT_EQ(limit(), 200);
  configuration.upstream.requests_per_second = 0;
  ASSERT_TRUE(reload_configuration().ok());
  EXPECT_EQ(limit(), std::nullopt) << "there is no limit";
}

TEST_F(ProbeTest, StatusesThatNobodyKnowsAreOneLabelValue) {
  for (const char* status : {"299", "418", "460", "598"}) {
    fail_with("account=acme,endpoint=servers,status=" + std::string(status));
    probe("acme");
    let_collections_end();
    api.clear_faults();
    clock.advance(hours(1));
  }
  fail_with("account=acme,endpoint=servers,status=404");
  probe("acme");
  let_collections_end();
  std::vector<std::string> codes;
  for (const auto& [name, count] :
       simulator::family(series(get("/metrics")), "sqlbak_gateway_api_requests_total")) {
    if (name.find("endpoint=\"servers\"") == std::string::npos) continue;
    const std::size_t code = name.find("code=\"") + 6;
    codes.push_back(name.substr(code, name.find('"', code) - code));
  }
  EXPECT_EQ(codes, (std::vector<std::string>{"404", "other"}));
}

TEST_F(ProbeTest, NamesAreWhatTheAccountAsksFor) {
  using config::MetricNames;
  const std::map<std::string, MetricNames> wanted = {
      {"acme", MetricNames::seed}, {"globex", MetricNames::clean}, {"initech", MetricNames::both}};
  for (const auto& [account, names] : wanted) configured(account).names = names;
  for (const auto& [account, names] : wanted) {
    const Series shown = collected(account);
    EXPECT_EQ(shown.contains("sqlbak_offline_servers_total"), names != MetricNames::clean) << account;
    EXPECT_EQ(shown.contains("sqlbak_servers_offline"), names != MetricNames::seed) << account;
  }
}

TEST_F(ProbeTest, NoAnswerHasAnAccountLabelOrATimestamp) {
  const Series all = collected("acme");
  for (const auto& [name, value] : all) EXPECT_EQ(name.find("account="), std::string::npos) << name;
  std::istringstream lines_of_answer(*probe("acme").body);
  for (std::string line; std::getline(lines_of_answer, line);) {
    if (line.starts_with('#')) continue;
    const std::size_t labels_end = line.rfind('}');
    const std::string after_name = line.substr(labels_end == std::string::npos ? 0 : labels_end);
    EXPECT_EQ(std::count(after_name.begin(), after_name.end(), ' '), 1) << line;
  }
}

// The published metrics, and ours, are what the simulator's state says they must be.
TEST_F(ProbeTest, EveryDemoAccountTellsTheTruth) {
  for (const std::string account : {"acme", "globex", "initech"}) {
    const SystemTime began = clock.system_now();
    const Series seen = collected(account);
    const simulator::Question question{.collected_at = began, .answered_at = clock.system_now()};
    const Series expected = api.with([&](simulator::World& world) {
      Series all = simulator::published_truth(world.account(account), api_knobs, question);
      all.merge(simulator::own_truth(world.account(account), api_knobs, question));
      return all;
    });
    Series told;
    for (const auto& [name, value] : expected) {
      const auto found = seen.find(name);
      if (found != seen.end()) told.insert(*found);
    }
    EXPECT_EQ(simulator::difference(expected, told), "") << account;
  }
}

TEST_F(ProbeTest, AnApiClockThatDiffersIsToldOfOnce) {
  constexpr std::string_view kDiffers = "the API's clock differs from this machine's";
  const auto offset = [this] {
    return series(get("/metrics")).at("sqlbak_gateway_api_clock_offset_seconds{account=\"acme\"}");
  };
  collected("acme");
  EXPECT_NEAR(offset(), 0, 2);
  EXPECT_EQ(lines.text.find(kDiffers), std::string::npos);

  simulator::Knobs knobs = api.knobs();
  knobs.clock_skew = -hours(3);
  api.set_knobs(knobs);
  for (int i = 0; i < 2; ++i) {
    clock.advance(seconds(300));
    collected("acme");
  }
  EXPECT_NEAR(offset(), -3 * 3600, 2);
  const std::size_t warning = lines.text.find(kDiffers);
  ASSERT_NE(warning, std::string::npos);
  EXPECT_EQ(lines.text.find(kDiffers, warning + 1), std::string::npos);
  const http::Response page = get("/probe", {{"account", "acme"}, {"debug", "true"}},
                                  {{"X-Prometheus-Scrape-Timeout-Seconds", "0.001"}});
  EXPECT_NE(page.body->find("the API's clock is 3h behind this machine's"), std::string::npos) << *page.body;

  api.set_knobs(simulator::Knobs());
  clock.advance(seconds(300));
  collected("acme");
  EXPECT_NE(lines.text.find("the API's clock agrees with this machine's again"), std::string::npos);
}

TEST_F(ProbeTest, AnUnmatchedOverrideIsWarnedOfOnceAndCounted) {
  configured("acme").jobs.push_back({.selector = "Nightly ERB", .ignore = true, .max_age = {}, .place = {}});
  collected("acme");
  clock.advance(seconds(300));
  collected("acme");
  const std::size_t warning = lines.text.find("jobs.Nightly ERB");
  EXPECT_NE(warning, std::string::npos);
  EXPECT_EQ(lines.text.find("jobs.Nightly ERB", warning + 1), std::string::npos);
  EXPECT_EQ(series(get("/metrics")).at("sqlbak_gateway_config_overrides_unmatched{account=\"acme\"}"), 1);
  const http::Response page = get("/probe", {{"account", "acme"}, {"debug", "true"}},
                                  {{"X-Prometheus-Scrape-Timeout-Seconds", "0.001"}});
  EXPECT_NE(page.body->find("job \"Nightly ERB\" matches nothing"), std::string::npos);
}

// Whoever writes a file of accounts_dir writes no more than so much of the log that is everybody's.
TEST_F(ProbeTest, ManyUnmatchedOverridesAreAFewShortLinesOfTheLog) {
  const std::string selector(10'000, 'x');
  for (int i = 0; i < 1'000; ++i) {
    configured("acme").jobs.push_back(
        {.selector = "gone-" + std::to_string(i) + selector, .ignore = true, .max_age = {}, .place = {}});
  }
  collected("acme");
  EXPECT_NE(lines.text.find("jobs.gone-0x"), std::string::npos);
  EXPECT_NE(lines.text.find("overrides=990"), std::string::npos) << "how many are left out";
  EXPECT_LT(lines.text.size(), 20'000u);
  EXPECT_EQ(series(get("/metrics")).at("sqlbak_gateway_config_overrides_unmatched{account=\"acme\"}"), 1'000);
}

TEST_F(ProbeTest, APasswordCheckCountsAgainstTheScrapeTimeout) {
  configuration.access = {{.name = "prometheus",
                           .password_bcrypt = Secret("$2b$10$" + std::string(53, '.')),
                           .bearer_token = {},
                           .accounts = {"*"},
                           .place = {}}};
  try_password = [this](const Secret&, const Secret&) {
    clock.advance(seconds(2));
    return true;
  };
  const Series answered = series(
      get("/probe", {{"account", "acme"}},
          {{"Authorization", testing::basic_authorization("prometheus", "swordfish")},
           {"X-Prometheus-Scrape-Timeout-Seconds", "2.5"}}));  // nothing is left of it, less the offset
  EXPECT_EQ(value(answered, "probe_duration_seconds"), 2);
  EXPECT_EQ(value(answered, "sqlbak_collection_in_progress"), 1) << "and goes on without the probe";
  let_collections_end();
  const AccountView acme = gateway().account("acme")->view();
  EXPECT_EQ(acme.record.last_duration, acme.traces.front()->duration) << "a collection's time is its own";
}

TEST_F(ProbeTest, AJobsOverrideTakesPrecedenceOverItsServers) {
  configured("globex").servers.push_back({.selector = "globex-db-2", .ignore = true, .place = {}});
  configured("globex").jobs.push_back({.selector = "Billing", .ignore = false, .max_age = {}, .place = {}});
  EXPECT_EQ(value(collected("globex"), "sqlbak_jobs{state=\"paused\"}"), 1) << "Warehouse, and not Billing";
}

class BackfillTest : public testing::GatewayWorld {
 protected:
  static simulator::World a_large_and_a_small_account() {
    simulator::World world;
    world.add(
        simulator::generated_account("large", "token-large", {5, 20, 150}, testing::ManualClock::kStart, 7));
    world.add(
        simulator::generated_account("small", "token-small", {2, 3, 5}, testing::ManualClock::kStart, 8));
    return world;
  }
  BackfillTest() : GatewayWorld(a_large_and_a_small_account()) {
    configured("large");
    configured("small");
  }
};

TEST_F(BackfillTest, ShowsItsFirstJobsWithinSecondsAndCountsTheOthers) {
  probe("large");
  let_pass(seconds(1));
  const Series at_first = probed("large");
  EXPECT_EQ(value(at_first, "sqlbak_collection_jobs_pending"), 20) << "as soon as the lists are read";
  EXPECT_FALSE(simulator::family(at_first, "sqlbak_server_online").empty());
  let_pass(seconds(10));
  const Series early = probed("large");
  EXPECT_GT(*value(early, "sqlbak_collection_jobs_pending"), 0);
  EXPECT_LT(*value(early, "sqlbak_collection_jobs_pending"), 20);
  EXPECT_FALSE(simulator::family(early, "sqlbak_job_backups_total").empty());
  EXPECT_EQ(value(early, "sqlbak_jobruns_available"), 0);
  EXPECT_EQ(value(early, "probe_success"), 0);
  EXPECT_EQ(value(early, "sqlbak_collection_in_progress"), 1);
}

TEST_F(BackfillTest, LongerThanMaxStaleShowsWhatItHasRead) {
  configured("large").max_stale = minutes(1);
  configured("large").requests_per_second = 10;
  probe("large");
  let_pass(minutes(3));
  const Series late = probed("large");
  EXPECT_GT(*value(late, "sqlbak_collection_jobs_pending"), 0);
  EXPECT_FALSE(simulator::family(late, "sqlbak_job_backups_total").empty());

  // Given up, it is as old as its start.
  fail_with("account=large,status=401");
  let_pass(minutes(1));
  const Series given_up = probed("large");
  ASSERT_EQ(value(given_up, "sqlbak_collection_failure{reason=\"auth\"}"), 1);
  EXPECT_GT(*value(given_up, "sqlbak_collection_jobs_pending"), 0);
  EXPECT_TRUE(simulator::family(given_up, "sqlbak_job_backups_total").empty());
}

TEST_F(BackfillTest, NeverBacksOffHoweverOftenItIsProbed) {
  for (int i = 0; i < 600 && value(probed("large"), "probe_success") != 1; ++i) let_pass(seconds(15));
  const Series whole = probed("large");
  EXPECT_EQ(value(whole, "probe_success"), 1);
  EXPECT_EQ(value(whole, "sqlbak_collection_jobs_pending"), 0);
  EXPECT_EQ(value(whole, "sqlbak_jobruns_available"), 1);
  EXPECT_EQ(collections("large"), 1u);
}

TEST_F(BackfillTest, ASmallAccountDoesNotWaitForALargeOne) {
  probe("large");
  let_pass(seconds(5));
  probe("small");
  let_pass(seconds(5));
  EXPECT_EQ(value(probed("small"), "probe_success"), 1);
  EXPECT_EQ(value(probed("large"), "probe_success"), 0);
}

TEST_F(BackfillTest, OneThatStallsIsGivenUpAndWhatItReadIsKept) {
  configured("large").collection_timeout = minutes(2);
  probe("large");
  let_pass(seconds(10));
  const std::uint64_t read_before = api.request_count("large", "jobrun_details");
  fail_with("account=large,latency=1h");
  let_pass(minutes(5));
  const Series given_up = probed("large");
  EXPECT_EQ(value(given_up, "sqlbak_collection_failure{reason=\"timeout\"}"), 1);
  EXPECT_FALSE(simulator::family(given_up, "sqlbak_job_backups_total").empty());

  api.clear_faults();
  api.forget_requests();
  clock.advance(minutes(1));
  probe("large");
  let_collections_end();
  EXPECT_EQ(value(probed("large"), "probe_success"), 1);
  EXPECT_LT(api.request_count("large", "jobrun_details") + read_before, 20u * 150u + 50u);
}

TEST_F(BackfillTest, GivenUpAfterManyPausesKeepsWhatItRead) {
  probe("large");
  let_pass(seconds(10));
  fail_with("account=large,status=429,retry_after=900s");
  let_pass(minutes(14));
  EXPECT_EQ(value(probed("large"), "sqlbak_collection_failure{reason=\"rate_limited\"}"), 0) << "it waits";
  let_pass(minutes(20));
  const Series given_up = probed("large");
  EXPECT_EQ(value(given_up, "sqlbak_collection_failure{reason=\"rate_limited\"}"), 1);
  EXPECT_FALSE(simulator::family(given_up, "sqlbak_job_backups_total").empty());

  api.clear_faults();
  probe("large");
  let_pass(minutes(30));
  probe("large");
  let_collections_end();
  EXPECT_EQ(value(probed("large"), "probe_success"), 1);
}

}  // namespace
}  // namespace sqlbak_gateway::gateway
