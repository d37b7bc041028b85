// The fixture of the simulator's HTTP tests: a hand-written account behind a real socket, and a plain client.
// Tests move the world's time by hand; only delays on the wire take real time.
#pragma once

#include "simulator/curl_client.h"
#include "simulator/http_server.h"
#include "simulator/simulator.h"
#include "support/manual_clock.h"

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>

namespace sqlbak_gateway::simulator::testing {

using sqlbak_gateway::testing::ManualClock;

// acme with two servers and one job that made five daily runs, the last an hour ago.
inline World hand_written_world() {
  const SystemTime now = ManualClock::kStart;
  auto acme = std::make_unique<Account>("acme", "acme-token", now, 1);
  const Id server = acme->add_server({.name = "sql-01"});
  acme->add_server({.name = "web-01", .app_type = "sqlbak_linux", .status = "offline"});
  const Id job =
      acme->add_job({.name = "Nightly", .server_id = server, .destinations = {{"Amazon S3", 0, 14, 0, 7}}});
  for (int day = 4; day >= 0; --day) acme->add_run(job, now - Days(day) - Hours(1));
  World world;
  world.add(std::move(acme));
  world.add(std::make_unique<Account>("other", "other-token", now, 2));
  return world;
}

class SimulatedApi : public ::testing::Test {
 protected:
  static constexpr Id kJob = 101;
  static constexpr Id kFirstRun = 10001;
  static constexpr std::int64_t kNowMs = ManualClock::kStart.time_since_epoch().count();

  Seen get(const std::string& path, const std::string& token = "acme-token") {
    return client_.get(server_.api_url() + path, token);
  }
  Seen control(const std::string& method, const std::string& path) {
    return client_.perform(method, server_.url() + "/_simulator" + path, "");
  }
  // Sets the knob for all later requests.
  void turn(std::string_view knob) {
    Knobs knobs = simulator_.knobs();
    const Result<void> set = set_knob(knobs, knob);
    ASSERT_TRUE(set.ok()) << set.error().message;
    simulator_.set_knobs(knobs);
  }
  void fail_with(std::string_view rule) {
    const Result<std::uint64_t> added = simulator_.add_fault(rule);
    ASSERT_TRUE(added.ok()) << added.error().message;
  }
  Account& acme(World& world) { return world.account("acme"); }
  // The ids of a list answer, in its order.
  static std::vector<Id> ids(const Seen& seen) {
    std::vector<Id> ids;
    for (const auto& row : seen.list()) ids.push_back(row["id"].get<Id>());
    return ids;
  }
  static std::unique_ptr<HttpServer> started(Simulator& simulator, const Clock& clock,
                                             const ListenOptions& options = {}) {
    Result<std::unique_ptr<HttpServer>> server = HttpServer::listen(simulator, clock, options);
    if (!server) throw std::runtime_error(server.error().message);
    return std::move(*server);
  }

  ManualClock clock_;
  RealClock real_clock_;
  Simulator simulator_{hand_written_world(), clock_};
  RunningServer server_{started(simulator_, real_clock_)};
  CurlClient client_;
};

}  // namespace sqlbak_gateway::simulator::testing
