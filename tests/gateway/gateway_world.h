// A whole gateway on a manual clock: the simulated API in process, no socket, no thread. Probes do not wait
// here: a probe starts or joins a collection, let_collections_end() lets it happen, and the next probe sees
// the result.
#pragma once

#include "simulator/in_process_transport.h"
#include "simulator/scenarios.h"
#include "simulator/simulator.h"
#include "simulator/truth.h"
#include "sqlbak_gateway/gateway/gateway.h"
#include "sqlbak_gateway/gateway/reload.h"
#include "sqlbak_gateway/gateway/routes.h"
#include "support/manual_clock.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace sqlbak_gateway::gateway::testing {

using simulator::Series;
using sqlbak_gateway::testing::ManualClock;

class LogLines final : public LogSink {
 public:
  void write(std::string_view line) override { text += line; }
  std::string text;
};

class GatewayWorld : public ::testing::Test {
 protected:
  // The demo's customers: acme, globex and initech.
  explicit GatewayWorld(SystemTime start = ManualClock::kStart)
      : GatewayWorld(simulator::demo_world(start), start) {}
  explicit GatewayWorld(simulator::World world, SystemTime start = ManualClock::kStart)
      : clock(start), api(std::move(world), clock), transport(api, clock, std::chrono::milliseconds(50)) {
    api.with([this](simulator::World& all) {
      for (const auto& [name, account] : all.accounts()) environment[variable(name)] = account->token;
      return 0;
    });
  }

  // The customer "large", whose first reading takes a while.
  static simulator::World one_large_account() {
    simulator::World world;
    world.add(simulator::generated_account("large", "token-large", {5, 20, 200}, ManualClock::kStart, 7));
    return world;
  }
  static constexpr std::uint64_t kRuns = std::uint64_t{20} * 200;
  static constexpr std::uint64_t kReadAgain = 100;  // audits, and runs that are open

  static std::string variable(std::string_view account) { return "TOKEN_" + std::string(account); }

  // An account as a configuration file would have it, its token in the environment.
  config::AccountConfig& configured(const std::string& name) {
    config::AccountConfig& account = configuration.accounts[name];
    account.name = name;
    account.api_url = "http://127.0.0.1:1/public-api/v1";
    account.token = {config::TokenSource::Kind::environment, variable(name), ""};
    return account;
  }

  Gateway& gateway() {
    if (!gateway_) {
      config::LoadOutcome first;
      first.config = configuration;
      first.rejected = rejected;
      collector_ = std::make_unique<Collector>(
          clock, transport,
          upstream::GlobalLimits{.max_concurrent_requests = configuration.upstream.max_concurrent_requests,
                                 .requests_per_second = configuration.upstream.requests_per_second},
          /*seed=*/1);
      bounded_tokens_ =
          std::make_unique<config::BoundedTokens>(tokens, clock, look_at_token_file, token_patience);
      gateway_ =
          std::make_unique<Gateway>(std::move(first), Gateway::Dependencies{.clock = clock,
                                                                            .log = log,
                                                                            .collector = *collector_,
                                                                            .history = *history,
                                                                            .tokens = *bounded_tokens_,
                                                                            .seed = 1,
                                                                            .try_password = try_password});
      routes_ = std::make_unique<Routes>(*gateway_, clock, [this] { return reload_configuration(); });
    }
    return *gateway_;
  }
  Result<void> reload_configuration() {
    const auto load = [this](const config::Config&) {
      config::LoadOutcome next;
      if (!next_load_fails) next.config = configuration;
      return next;
    };
    return sqlbak_gateway::gateway::reload(
        gateway(), {.load = load,
                    .rebind = [this](const auto&) { return rebind ? rebind() : Result<void>(); },
                    .resume = resume});
  }
  Routes& routes() {
    gateway();
    return *routes_;
  }

  http::Response get(std::string path, std::vector<http::NamedValue> query = {},
                     std::vector<http::NamedValue> headers = {}) {
    http::Request request;
    request.method = "GET";
    request.path = std::move(path);
    request.query = std::move(query);
    request.headers = std::move(headers);
    request.peer_address = "127.0.0.1";
    request.peer_is_loopback = true;
    request.authority = "gateway.example.com:8000";
    return routes().answer(request);
  }
  // A probe that may hardly wait.
  http::Response probe(const std::string& account) {
    return get("/probe", {{"account", account}}, {{"X-Prometheus-Scrape-Timeout-Seconds", "0.000001"}});
  }
  static Series series(const http::Response& response) {
    EXPECT_EQ(response.status, 200);
    Result<Series> parsed = simulator::parse_exposition(response.body ? *response.body : std::string());
    EXPECT_TRUE(parsed.ok()) << (parsed.ok() ? "" : parsed.error().message);
    return parsed.ok() ? *parsed : Series();
  }
  Series probed(const std::string& account) { return series(probe(account)); }
  // The value of a series without labels; nothing when it is not there.
  static std::optional<double> value(const Series& series, const std::string& name) {
    const auto found = series.find(name);
    return found == series.end() ? std::nullopt : std::optional<double>(found->second);
  }

  // The program ends, and begins anew with the same configuration and what the history holds.
  void restart() {
    collector_->abandon_all();
    routes_.reset();
    gateway_.reset();
    collector_.reset();
    gateway();
  }

  // Until no collection runs, or `most` time has gone by.
  void let_collections_end(Duration most = std::chrono::hours(2)) {
    const Deadline limit = Deadline::after(clock.steady_now(), most);
    do {
      collector_->turn(std::min(limit, Deadline::after(clock.steady_now(), std::chrono::seconds(1))));
    } while (collector_->running() > 0 && !limit.passed(clock.steady_now()));
  }
  void let_pass(Duration time) {
    const Deadline until = Deadline::after(clock.steady_now(), time);
    while (!until.passed(clock.steady_now())) collector_->turn(until);
  }
  // A probe, its collection to the end, and the answer of the probe after it.
  Series collected(const std::string& account) {
    probe(account);
    let_collections_end();
    return probed(account);
  }
  void fail_with(std::string_view rule) {
    const Result<std::uint64_t> added = api.add_fault(rule);
    ASSERT_TRUE(added.ok()) << added.error().message;
  }
  std::uint64_t collections(const std::string& account) const {
    return api.request_count(account, "servers");
  }
  std::size_t collections_running() const { return collector_->running(); }

  ManualClock clock;
  LogLines lines;
  Logger log{lines, clock, LogLevel::debug, LogFormat::logfmt};
  simulator::Simulator api;
  simulator::InProcessTransport transport;
  std::map<std::string, std::string> environment;
  config::TokenReader tokens{[this](const std::string& name) -> std::optional<std::string> {
    const auto found = environment.find(name);
    return found == environment.end() ? std::nullopt : std::optional<std::string>(found->second);
  }};
  config::Config configuration;
  std::vector<config::RejectedFile> rejected;  // files of accounts_dir, at the start
  std::unique_ptr<history::History> history = history::make_memory_history();
  // What the listeners do when a reload asks them to change, and to accept again. Empty: nothing.
  std::function<Result<void>()> rebind;
  std::function<void(const config::ServerConfig&)> resume;
  bool next_load_fails = false;  // a reload finds errors
  TryPassword try_password = bcrypt_matches;
  config::BoundedTokens::LookAtFile look_at_token_file = config::look_at_token_file;
  Duration token_patience = config::BoundedTokens::kPatience;
  simulator::Knobs api_knobs;

 private:
  std::unique_ptr<Collector> collector_;
  std::unique_ptr<config::BoundedTokens> bounded_tokens_;
  std::unique_ptr<Gateway> gateway_;
  std::unique_ptr<Routes> routes_;
};

}  // namespace sqlbak_gateway::gateway::testing
