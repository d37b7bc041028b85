// A reload while collections run: what was read is not read again, and never twice at once.
#include "gateway/gateway_world.h"
#include "gateway/published.h"

#include <functional>
#include <stdexcept>
#include <string>
#include <utility>

namespace sqlbak_gateway::gateway {
namespace {

using simulator::Series;
using std::chrono::minutes;
using std::chrono::seconds;

// Of one account. Has something happen when the end of a collection is to be written, which is in the midst
// of that end.
class InterruptedHistory final : public history::History {
 public:
  Result<std::shared_ptr<const AccountMemory>> load(const std::string&, Deadline) override {
    if (unreadable) return Error{"disk I/O error"};
    return kept;
  }
  void store(const std::string&, std::shared_ptr<const AccountMemory> memory) override {
    kept = std::move(memory);
    if (kept->complete && interruption) std::exchange(interruption, nullptr)();
  }
  void configured(std::vector<std::string>) override {}
  bool drain(Deadline) override { return true; }
  history::HistoryStatus status() const override { return {}; }

  std::shared_ptr<const AccountMemory> kept;
  std::function<void()> interruption;
  bool unreadable = false;
};

class AReload : public testing::GatewayWorld {
 protected:
  AReload() : GatewayWorld(one_large_account()) {
    configured("large").requests_per_second = 10;
    auto interrupted_history = std::make_unique<InterruptedHistory>();
    interrupted = interrupted_history.get();
    history = std::move(interrupted_history);
  }

  void change() { configured("large").labels["reload"] += "another"; }
  void reload() { ASSERT_TRUE(reload_configuration().ok()); }
  std::uint64_t runs_read() const { return api.request_count("large", "jobrun_details"); }
  void read_about_half() {
    probe("large");
    let_pass(seconds(200));
    ASSERT_GT(runs_read(), kRuns / 4);
    ASSERT_LT(runs_read(), kRuns * 3 / 4);
  }
  void read_the_rest() {
    for (int i = 0; i < 100 && value(probed("large"), "probe_success") != 1; ++i) let_pass(minutes(1));
    EXPECT_EQ(value(probed("large"), "probe_success"), 1);
  }

  InterruptedHistory* interrupted;
};

TEST_F(AReload, ThatChangesAnAccountKeepsWhatItsCollectionRead) {
  read_about_half();
  change();
  reload();
  read_the_rest();
  EXPECT_LE(runs_read(), kRuns + kReadAgain);
}

TEST_F(AReload, RightAfterAnotherLosesNothingEither) {
  read_about_half();
  for (int i = 0; i < 3; ++i) {
    change();
    reload();
  }
  read_the_rest();
  EXPECT_LE(runs_read(), kRuns + kReadAgain);
}

TEST_F(AReload, NeverRunsTwoCollectionsOfAnAccount) {
  read_about_half();
  change();
  resume = [this](const config::ServerConfig&) {
    probe("large");
    let_pass(seconds(1));
    EXPECT_EQ(collections_running(), 1u);
  };
  reload();
  read_the_rest();
  EXPECT_LE(runs_read(), kRuns + kReadAgain);
}

TEST_F(AReload, ShowsWhatACollectionReadWhileItWasBeingMade) {
  probe("large");
  let_collections_end();
  clock.advance(minutes(5));
  change();
  rebind = [this]() -> Result<void> {
    probe("large");
    let_collections_end();
    return {};
  };
  reload();
  const AccountView after = gateway().account("large")->view();
  EXPECT_EQ(collections("large"), 2u);
  ASSERT_NE(after.data, nullptr);
  EXPECT_EQ(after.data->collected_at(), after.record.last_attempt);
  EXPECT_EQ(after.record.last_success, after.record.last_attempt);
}

TEST_F(AReload, InTheMidstOfACollectionsEndLosesNothing) {
  interrupted->interruption = [this] {
    change();
    reload();
  };
  probe("large");
  let_collections_end();
  ASSERT_EQ(runs_read(), kRuns);
  EXPECT_FALSE(simulator::family(probed("large"), "sqlbak_job_backups_total").empty());
  let_collections_end();
  EXPECT_EQ(value(probed("large"), "probe_success"), 1);
  EXPECT_LE(runs_read(), kRuns + kReadAgain);
}

TEST_F(AReload, StartsFromAHistoryThatHasBecomeReadable) {
  probe("large");
  let_collections_end();
  interrupted->unreadable = true;
  restart();
  api.forget_requests();
  read_about_half();
  interrupted->unreadable = false;
  change();
  reload();
  api.forget_requests();
  read_the_rest();
  EXPECT_LE(runs_read(), kReadAgain);
}

TEST_F(AReload, ShowsNothingOfAnAccountThatTheTokenHasLeft) {
  api.with([](simulator::World& world) {
    world.add(
        simulator::generated_account("other", "token-other", {5, 20, 200}, testing::ManualClock::kStart, 8));
    return 0;
  });
  probe("large");
  let_collections_end();
  ASSERT_FALSE(simulator::family(probed("large"), "sqlbak_job_backups_total").empty());
  clock.advance(minutes(5));
  environment[variable("large")] = "token-other";
  probe("large");
  let_pass(std::chrono::milliseconds(60));  // it knows by /me, and has not read the lists
  change();
  reload();
  let_pass(std::chrono::milliseconds(1));
  EXPECT_TRUE(simulator::family(probed("large"), "sqlbak_job_backups_total").empty());
}

TEST_F(AReload, RefusedByTheListenersKeepsTheRunningCollection) {
  read_about_half();
  change();
  rebind = []() -> Result<void> { return Error{"address in use"}; };
  EXPECT_FALSE(reload_configuration().ok());
  EXPECT_EQ(collections_running(), 1u);
  let_collections_end();
  EXPECT_EQ(value(probed("large"), "probe_success"), 1);
  EXPECT_EQ(collections("large"), 1u);
}

TEST_F(AReload, KeepsWhatIsCountedOfAnAccount) {
  probe("large");
  let_collections_end();
  change();
  reload();
  const AccountView after = gateway().account("large")->view();
  EXPECT_EQ(after.counters.collections.at("success"), 1u);
  EXPECT_EQ(after.traces.size(), 1u);
}

TEST_F(AReload, ShowsNothingOfANewTokenToEarlierRequests) {
  probe("large");
  let_collections_end();
  const ConfiguredAccount earlier = *gateway().account("large");
  environment["TOKEN_other"] = environment[variable("large")];
  configured("large").token.name = "TOKEN_other";
  reload();
  probe("large");
  let_collections_end();
  ASSERT_NE(gateway().account("large")->view().data, nullptr);
  const AccountView view = earlier.view();
  EXPECT_EQ(view.data, nullptr);
  EXPECT_TRUE(view.traces.empty());
  EXPECT_EQ(earlier.probe(clock.steady_now(), Deadline::never()).data, nullptr);
}

TEST_F(AReload, ShowsNoTracesOfAnotherToken) {
  probe("large");
  let_collections_end();
  ASSERT_FALSE(gateway().account("large")->view().traces.empty());
  environment["TOKEN_other"] = environment[variable("large")];
  configured("large").token.name = "TOKEN_other";
  reload();
  EXPECT_TRUE(gateway().account("large")->view().traces.empty());
}

TEST_F(AReload, IsRefusedIfReadingTheFilesThrows) {
  const auto load = [](const config::Config&) -> config::LoadOutcome {
    throw std::runtime_error("the working directory is gone");
  };
  const Result<void> reloaded =
      sqlbak_gateway::gateway::reload(gateway(), {.load = load, .rebind = nullptr, .resume = nullptr});
  ASSERT_FALSE(reloaded);
  EXPECT_NE(reloaded.error().message.find("the working directory is gone"), std::string::npos);
  EXPECT_FALSE(gateway().reload_state().succeeded);
}

TEST_F(AReload, LetsEarlierRequestsStartNothing) {
  const ConfiguredAccount earlier = *gateway().account("large");
  change();
  reload();
  earlier.probe(clock.steady_now(), Deadline::never());  // does not wait either
  EXPECT_EQ(value(probed("large"), "sqlbak_collection_in_progress"), 1) << "by this probe";
  EXPECT_EQ(collections_running(), 0u);
  let_pass(seconds(1));
  EXPECT_EQ(collections_running(), 1u);
}

TEST_F(AReload, ThatRemovesAnAccountForgetsItsCounters) {
  probe("large");
  let_collections_end();
  const config::AccountConfig large = configured("large");
  configuration.accounts.clear();
  reload();
  configuration.accounts["large"] = large;
  reload();
  EXPECT_TRUE(gateway().account("large")->view().counters.collections.empty());
}

TEST_F(AReload, OfTheAnswerLimitHoldsForTheNextCollection) {
  read_about_half();
  configuration.upstream.max_response_bytes = 100;
  reload();
  let_collections_end();
  EXPECT_EQ(value(probed("large"), "probe_success"), 1);
  EXPECT_EQ(collections("large"), 1u);

  clock.advance(minutes(5));
  probe("large");
  let_collections_end();
  EXPECT_EQ(value(probed("large"), "sqlbak_collection_failure{reason=\"bad_response\"}"), 1);
}

TEST_F(AReload, ThatCoincidesWithAStopLeavesNobodyWaiting) {
  gateway();
  configured("large").requests_per_second = 20;
  rebind = [this]() -> Result<void> {
    gateway().shut_down();
    return {};
  };
  reload();
  EXPECT_EQ(value(probed("large"), "sqlbak_collection_in_progress"), 0);
}

}  // namespace
}  // namespace sqlbak_gateway::gateway
