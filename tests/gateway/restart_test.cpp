// What outlives the process, and whom it belongs to: the history seen from a probe.
#include "gateway/gateway_world.h"

#include <new>

namespace sqlbak_gateway::gateway {
namespace {

using simulator::Series;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

// A history without a file.
class KeptHistory final : public history::History {
 public:
  Result<std::shared_ptr<const AccountMemory>> load(const std::string& account, Deadline deadline) override {
    ++loads;
    waits_until = deadline;
    if (out_of_memory) throw std::bad_alloc();
    const auto found = accounts.find(account);
    if (unreadable) return Error{"disk I/O error"};
    return found == accounts.end() ? std::shared_ptr<const AccountMemory>() : found->second;
  }
  void store(const std::string& account, std::shared_ptr<const AccountMemory> memory) override {
    if (!killed) accounts[account] = std::move(memory);
  }
  void configured(std::vector<std::string> names) override { configured_names = std::move(names); }
  bool drain(Deadline) override { return true; }
  history::HistoryStatus status() const override { return {true, 3, 12345}; }

  std::map<std::string, std::shared_ptr<const AccountMemory>> accounts;
  std::vector<std::string> configured_names;
  int loads = 0;
  Deadline waits_until = Deadline::never();  // of the latest load
  bool killed = false;                       // nothing reaches the file any more
  bool unreadable = false;                   // for a while
  bool out_of_memory = false;                // loading takes more than there is
};

class RestartTest : public testing::GatewayWorld {
 protected:
  explicit RestartTest(simulator::World world = simulator::demo_world(testing::ManualClock::kStart))
      : GatewayWorld(std::move(world)) {
    auto kept_history = std::make_unique<KeptHistory>();
    kept = kept_history.get();
    history = std::move(kept_history);
  }
  void kill_and_restart() {
    kept->killed = true;
    restart();
    kept->killed = false;
  }
  static Series jobs(const Series& series) { return simulator::family(series, "sqlbak_job_backups_total"); }
  static Series ages(const Series& series) {
    return simulator::family(series, "sqlbak_job_last_success_age_hours");
  }

  KeptHistory* kept;
};

class ARestart : public RestartTest {
 protected:
  ARestart() { configured("acme"); }
};

TEST_F(ARestart, DuringAnOutageAnswersWithWhatIsRememberedAndItsAge) {
  const Series before = collected("acme");
  clock.advance(minutes(30));
  fail_with("account=acme,close=before");
  restart();
  const Series at_once = probed("acme");
  EXPECT_EQ(value(at_once, "probe_success"), 0) << "nothing says that the latest collection succeeded";
  EXPECT_EQ(jobs(at_once), jobs(before));
  EXPECT_EQ(value(at_once, "sqlbak_last_check_timestamp"), value(before, "sqlbak_last_check_timestamp"));
  for (const auto& [name, age] : ages(before)) {
    if (age >= 0) {
      EXPECT_NEAR(ages(at_once).at(name) - age, 0.5, 0.01) << name;
    }
  }
  let_collections_end();
  const Series after = probed("acme");
  EXPECT_EQ(value(after, "probe_success"), 0);
  EXPECT_EQ(value(after, "sqlbak_collection_failure{reason=\"connection\"}"), 1);
  EXPECT_EQ(jobs(after), jobs(before));
}

TEST_F(ARestart, WithDataThatAreStillFreshIsNoFailure) {
  collected("acme");
  clock.advance(minutes(1));
  restart();
  EXPECT_EQ(value(probed("acme"), "probe_success"), 1);
}

TEST_F(ARestart, WithoutMemoryForTheHistoryFailsOneCollection) {
  const Series before = collected("acme");
  clock.advance(minutes(30));
  restart();
  kept->out_of_memory = true;
  const Series failed = probed("acme");
  EXPECT_EQ(value(failed, "probe_success"), 0);
  EXPECT_EQ(value(failed, "sqlbak_collection_failure{reason=\"config\"}"), 1);
  EXPECT_EQ(value(failed, "sqlbak_collection_in_progress"), 0);

  kept->out_of_memory = false;
  clock.advance(minutes(1));
  const Series again = probed("acme");
  EXPECT_EQ(jobs(again), jobs(before)) << "the history is asked again";
  let_collections_end();
  EXPECT_EQ(value(probed("acme"), "probe_success"), 1);
}

TEST_F(ARestart, WhoseHistoryCannotBeReadAtFirstGoesOnFromItLater) {
  collected("acme");
  const auto remembered = kept->accounts.at("acme");
  clock.advance(hours(24));
  restart();
  kept->unreadable = true;
  EXPECT_EQ(value(collected("acme"), "probe_success"), 1) << "it is done without";
  EXPECT_EQ(kept->accounts.at("acme"), remembered) << "and not written over";

  kept->unreadable = false;
  clock.advance(minutes(5));
  EXPECT_EQ(value(collected("acme"), "probe_success"), 1);
  const auto now = kept->accounts.at("acme");
  EXPECT_NE(now, remembered);
  ASSERT_EQ(now->jobs.size(), remembered->jobs.size());
  for (std::size_t i = 0; i < now->jobs.size(); ++i) {
    EXPECT_EQ(now->jobs[i]->remembered->first_seen, remembered->jobs[i]->remembered->first_seen);
  }
  EXPECT_EQ(kept->loads, 3);
}

TEST_F(ARestart, CostsNoMoreRequestsThanAnyOtherCollection) {
  collected("acme");
  clock.advance(minutes(5));
  api.forget_requests();
  collected("acme");
  const std::uint64_t warm = api.request_count("acme");
  restart();
  clock.advance(minutes(5));
  api.forget_requests();
  EXPECT_EQ(value(collected("acme"), "probe_success"), 1);
  EXPECT_LE(api.request_count("acme"), warm + 1);
}

TEST_F(ARestart, AsksTheHistoryOnceAndOnlyForAccountsThatAreProbed) {
  configured("globex");
  for (int i = 0; i < 3; ++i) {
    collected("acme");
    clock.advance(minutes(5));
  }
  EXPECT_EQ(kept->loads, 1);
}

TEST_F(ARestart, WithAnotherCustomersTokenShowsNothingOfTheFormer) {
  const Series before = collected("acme");
  environment[variable("acme")] = "demo-token-globex";
  fail_with("close=before");
  restart();
  EXPECT_TRUE(jobs(probed("acme")).empty());
  let_collections_end();
  EXPECT_TRUE(jobs(probed("acme")).empty());

  api.clear_faults();
  clock.advance(minutes(1));
  const Series globex = collected("acme");
  EXPECT_FALSE(jobs(globex).empty());
  for (const auto& [name, total] : jobs(globex)) EXPECT_FALSE(jobs(before).contains(name)) << name;
}

TEST_F(ARestart, WithARotatedTokenGoesOnFromWhatIsRemembered) {
  collected("acme");
  api.with([](simulator::World& world) {
    world.account("acme").token = "rotated";
    return 0;
  });
  environment[variable("acme")] = "rotated";
  restart();
  clock.advance(minutes(5));
  api.forget_requests();
  EXPECT_EQ(value(collected("acme"), "probe_success"), 1);
  EXPECT_LT(api.request_count("acme", "jobrun_details"), 30u);
}

TEST_F(ARestart, IsToldWhoIsConfigured) {
  configured("globex");
  gateway();
  EXPECT_EQ(kept->configured_names, (std::vector<std::string>{"acme", "globex"}));
  configuration.accounts.erase("acme");
  ASSERT_TRUE(reload_configuration().ok());
  EXPECT_EQ(kept->configured_names, std::vector<std::string>{"globex"});
}

TEST_F(ARestart, IsNeededForAChangeOfTheHistory) {
  gateway();
  configuration.history.path = "/elsewhere/history.db";
  ASSERT_TRUE(reload_configuration().ok());
  EXPECT_NE(lines.text.find("a change of [history] is put in force by a restart"), std::string::npos);
}

TEST_F(ARestart, OwnMetricsSayWhereHistoryIsKept) {
  const Series own = series(get("/metrics"));
  EXPECT_EQ(value(own, "sqlbak_gateway_history_info{kind=\"sqlite\"}"), 1);
  EXPECT_EQ(value(own, "sqlbak_gateway_history_errors_total"), 3);
  EXPECT_EQ(value(own, "sqlbak_gateway_history_size_bytes"), 12345);
}

// --- A larger lookback while the API is away

class ALargerLookback : public ARestart {
 protected:
  ALargerLookback() { configured("acme").lookback = hours(168); }
  static Series windows(const Series& series) {
    Series all = simulator::family(series, "sqlbak_job_window_seconds");
    all.merge(jobs(series));
    return all;
  }
  // Whatever `put_in_force` does: what was not read does not count, until it is.
  template <typename PutInForce>
  void counts_only_what_was_read(PutInForce put_in_force) {
    const Series before = windows(collected("acme"));
    configured("acme").lookback = hours(720);
    fail_with("account=acme,close=before");
    clock.advance(minutes(5));
    put_in_force();
    EXPECT_EQ(windows(probed("acme")), before);
    let_collections_end();
    EXPECT_EQ(windows(probed("acme")), before);
    put_in_force();
    EXPECT_EQ(windows(probed("acme")), before) << "nor the second time";

    api.clear_faults();
    clock.advance(minutes(11));
    const Series after = windows(collected("acme"));
    EXPECT_NE(after, before);
    for (const auto& [name, window] : after) {
      if (name.starts_with("sqlbak_job_window_seconds")) {
        EXPECT_GE(window, 720 * 3600) << name;
      }
    }
  }
};

TEST_F(ALargerLookback, AfterARestart) {
  counts_only_what_was_read([this] { restart(); });
}

TEST_F(ALargerLookback, AfterAReload) {
  counts_only_what_was_read([this] {
    configured("acme").labels["reload"] += "another";
    ASSERT_TRUE(reload_configuration().ok());
  });
}

TEST_F(ALargerLookback, AfterACollectionThatCouldNotListTheRunsOfAJob) {
  const Series before = windows(collected("acme"));
  configured("acme").lookback = hours(720);
  ASSERT_TRUE(reload_configuration().ok());
  fail_with("account=acme,endpoint=jobruns,status=500");
  clock.advance(minutes(5));
  const Series unlisted = collected("acme");
  EXPECT_EQ(value(unlisted, "probe_success"), 1);
  EXPECT_EQ(windows(unlisted), before);

  api.clear_faults();
  clock.advance(minutes(5));
  EXPECT_NE(windows(collected("acme")), before);
}

// --- A token changes hands while the gateway runs

TEST_F(ARestart, IsNotNeededToSeeThatATokenChangedHands) {
  const Series before = collected("acme");
  environment[variable("acme")] = "demo-token-globex";
  clock.advance(minutes(5));
  fail_with("account=globex,endpoint=settings,status=401");
  const Series refused = collected("acme");
  EXPECT_TRUE(jobs(refused).empty());
  EXPECT_EQ(value(refused, "sqlbak_last_check_timestamp"), std::nullopt);

  api.clear_faults();
  clock.advance(minutes(1));
  for (const auto& [name, total] : jobs(collected("acme"))) EXPECT_FALSE(jobs(before).contains(name)) << name;
}

TEST_F(ARestart, IsNotNeededForARefusedTokenAndTheDataStay) {
  const Series before = collected("acme");
  environment[variable("acme")] = "nobodys-token";
  clock.advance(minutes(5));
  const Series refused = collected("acme");
  EXPECT_EQ(value(refused, "probe_success"), 0);
  EXPECT_EQ(jobs(refused), jobs(before));
}

TEST_F(ARestart, IsNotNeededWhenAReloadNamesAnotherToken) {
  const Series before = collected("acme");
  environment["TOKEN_other"] = "demo-token-globex";
  configured("acme").token = {config::TokenSource::Kind::environment, "TOKEN_other", ""};
  fail_with("close=before");
  ASSERT_TRUE(reload_configuration().ok());
  EXPECT_TRUE(jobs(probed("acme")).empty());
  let_collections_end();
  EXPECT_TRUE(jobs(probed("acme")).empty());
}

// Whoever waits for it takes a thread from the other accounts.
TEST_F(ARestart, WaitsForAHistoryNoLongerThanAProbeMayAndNeverLong) {
  kept->out_of_memory = true;  // so that the probe waits for nothing else
  probe("acme");
  EXPECT_EQ(kept->waits_until, Deadline::after(clock.steady_now(), seconds(1)));
  clock.advance(minutes(1));
  get("/probe", {{"account", "acme"}});
  EXPECT_EQ(kept->waits_until, Deadline::after(clock.steady_now(), seconds(5)));
}

// --- A long first reading

class AKilledBackfill : public RestartTest {
 protected:
  AKilledBackfill() : RestartTest(one_large_account()) { configured("large").requests_per_second = kRate; }

  static constexpr std::uint64_t kRate = 10;  // a second
};

TEST_F(AKilledBackfill, LosesAMinuteAtMost) {
  probe("large");
  let_pass(minutes(3));
  const std::uint64_t read = api.request_count("large", "jobrun_details");
  ASSERT_GT(read, 1500u);
  kill_and_restart();
  api.forget_requests();
  for (int i = 0; i < 100 && value(probed("large"), "probe_success") != 1; ++i) let_pass(minutes(1));
  EXPECT_LE(read + api.request_count("large", "jobrun_details"), kRuns + 60 * kRate + kReadAgain);
  EXPECT_EQ(value(probed("large"), "probe_success"), 1);
}

TEST_F(AKilledBackfill, ThatIsStoppedInsteadLosesNothing) {
  probe("large");
  let_pass(seconds(200));
  const std::uint64_t read = api.request_count("large", "jobrun_details");
  restart();
  api.forget_requests();
  for (int i = 0; i < 100 && value(probed("large"), "probe_success") != 1; ++i) let_pass(minutes(1));
  EXPECT_LE(read + api.request_count("large", "jobrun_details"), kRuns + kReadAgain);
}

}  // namespace
}  // namespace sqlbak_gateway::gateway
