// The gateway with its real threads, over real sockets: run under ThreadSanitizer too.
#include "simulator/http_server.h"
#include "simulator/scenarios.h"
#include "sqlbak_gateway/gateway/gateway.h"
#include "sqlbak_gateway/gateway/reload.h"
#include "sqlbak_gateway/gateway/routes.h"
#include "sqlbak_gateway/upstream/curl_transport.h"

#include <atomic>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace sqlbak_gateway::gateway {
namespace {

using std::chrono::seconds;

class NoLog final : public LogSink {
 public:
  void write(std::string_view) override {}
};

class ThreadsTest : public ::testing::Test {
 protected:
  ThreadsTest() {
    for (const char* name : {"account-0001", "account-0002", "account-0003"}) {
      config::AccountConfig& account = configuration.accounts[name];
      account.name = name;
      account.api_url = server.api_url();
      account.token = {config::TokenSource::Kind::environment, "token-" + std::string(name), ""};
    }
    start_gateway();
  }
  ~ThreadsTest() override {
    gateway->shut_down();
    stopping = true;
    transport.wake();
    upstream.join();
  }

  void start_gateway() {
    config::LoadOutcome first;
    first.config = configuration;
    gateway = std::make_unique<Gateway>(std::move(first), Gateway::Dependencies{.clock = clock,
                                                                                .log = log,
                                                                                .collector = collector,
                                                                                .history = *history,
                                                                                .tokens = bounded_tokens,
                                                                                .seed = 1});
    routes = std::make_unique<Routes>(*gateway, clock, [this] { return reload(); });
    upstream = std::thread([this] {
      while (!stopping) collector.turn(Deadline::after(clock.steady_now(), seconds(1)));
      collector.abandon_all();
    });
  }
  Result<void> reload() {
    const auto load = [this](const config::Config&) {
      config::LoadOutcome next;
      MutexLock lock(configuration_mutex);
      next.config = configuration;
      return next;
    };
    return sqlbak_gateway::gateway::reload(*gateway, {.load = load, .rebind = nullptr, .resume = nullptr});
  }
  static std::unique_ptr<simulator::HttpServer> listening(simulator::Simulator& api, const Clock& clock) {
    return std::move(simulator::HttpServer::listen(api, clock, {})).value();
  }
  http::Response get(std::string path, std::vector<http::NamedValue> query = {}) {
    http::Request request;
    request.method = "GET";
    request.path = std::move(path);
    request.query = std::move(query);
    request.peer_address = "127.0.0.1";
    request.peer_is_loopback = true;
    return routes->answer(request);
  }
  void reload_with_requests_in_flight(std::uint32_t most) {
    {
      MutexLock lock(configuration_mutex);
      configuration.server.max_requests_in_flight = most;
    }
    ASSERT_TRUE(reload().ok());
  }
  // Of these accounts in turn, each on a thread of its own.
  void start_twenty_probes(const std::vector<std::string>& accounts) {
    for (std::size_t i = 0; i < 20; ++i) {
      probes.emplace_back([this, account = accounts[i % accounts.size()]] {
        EXPECT_EQ(get("/probe", {{"account", account}}).status, 200);
        ++answered;
      });
    }
  }
  void wait_until_answered(int wanted) {
    const Deadline patience = Deadline::after(clock.steady_now(), seconds(60));
    while (answered < wanted && !patience.passed(clock.steady_now())) std::this_thread::yield();
    EXPECT_EQ(answered, wanted);
  }
  void release_probes() {
    gateway->shut_down();
    for (std::thread& probe : probes) probe.join();
    EXPECT_EQ(answered, 20);
  }
  bool succeeded(const http::Response& response) {
    return response.status == 200 && response.body->find("\nprobe_success 1\n") != std::string::npos;
  }
  template <typename Work>
  static void in_threads(int count, Work work) {
    std::vector<std::thread> threads;
    for (int i = 0; i < count; ++i) threads.emplace_back([i, &work] { work(i); });
    for (std::thread& thread : threads) thread.join();
  }

  RealClock clock;
  NoLog sink;
  Logger log{sink, clock, LogLevel::debug, LogFormat::logfmt};
  simulator::Simulator api{simulator::generated_world(3, {1, 3, 5}, clock.system_now(), 1), clock};
  simulator::RunningServer server{listening(api, clock)};
  upstream::CurlTransport transport{clock, {}};
  Collector collector{clock, transport, {}, 1};
  // Every variable is its own token.
  config::TokenReader tokens{[](const std::string& name) -> std::optional<std::string> { return name; }};
  config::BoundedTokens bounded_tokens{tokens, clock};
  Mutex configuration_mutex;
  config::Config configuration;
  std::unique_ptr<history::History> history = history::make_memory_history();
  std::unique_ptr<Gateway> gateway;
  std::unique_ptr<Routes> routes;
  std::atomic<bool> stopping{false};
  std::thread upstream;
  std::atomic<int> answered{0};
  std::vector<std::thread> probes;
};

TEST_F(ThreadsTest, ThirtyWaitingProbesShareOneCollection) {
  std::atomic<int> good{0};
  in_threads(30, [&](int) {
    if (succeeded(get("/probe", {{"account", "account-0001"}}))) ++good;
  });
  EXPECT_EQ(good, 30);
  EXPECT_EQ(api.request_count("account-0001", "servers"), 1u);
}

TEST_F(ThreadsTest, WaitingIsShedAnsweringIsNot) {
  ASSERT_TRUE(api.add_fault("hang=before").ok());
  reload_with_requests_in_flight(6);  // three may wait, and two of them for the same account
  start_twenty_probes({"account-0001", "account-0002"});
  wait_until_answered(17);
  EXPECT_EQ(get("/-/healthy").status, 200);
  EXPECT_EQ(get("/metrics").status, 200);
  EXPECT_EQ(answered, 17);
  release_probes();
}

TEST_F(ThreadsTest, OneAccountsProbesDoNotTakeEveryWaitingPlace) {
  ASSERT_TRUE(api.add_fault("account=account-0001,hang=before").ok());
  reload_with_requests_in_flight(8);  // four may wait, and two of them for the same account
  start_twenty_probes({"account-0001"});
  wait_until_answered(18);
  EXPECT_TRUE(succeeded(get("/probe", {{"account", "account-0002"}}))) << "it could wait for its collection";
  release_probes();
}

TEST_F(ThreadsTest, ReloadsLoseNoProbe) {
  std::atomic<int> good{0};
  std::atomic<int> asked{0};
  in_threads(8, [&](int thread) {
    if (thread == 0) {
      for (int i = 0; i < 100; ++i) {
        {
          MutexLock lock(configuration_mutex);
          configuration.accounts["account-0002"].lookback =
              std::chrono::hours(168 + i);  // a changed account each time
        }
        EXPECT_TRUE(reload().ok());
      }
    } else {
      for (int i = 0; i < 50; ++i) {
        const std::string account = "account-000" + std::to_string(1 + (thread + i) % 3);
        ++asked;
        if (get("/probe", {{"account", account}}).status == 200) ++good;
        get("/metrics");
        get("/");
      }
    }
  });
  EXPECT_EQ(good, asked);
  EXPECT_TRUE(succeeded(get("/probe", {{"account", "account-0002"}})));
}

}  // namespace
}  // namespace sqlbak_gateway::gateway
