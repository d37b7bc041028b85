// What the upstream layer costs: a scheduler's turn, and a request through libcurl against an nginx on this
// machine.
#include "sqlbak_gateway/upstream/curl_transport.h"
#include "sqlbak_gateway/upstream/scheduler.h"
#include "upstream/certificates.h"
#include "upstream/nginx.h"

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <sys/resource.h>
#include <vector>

#include <benchmark/benchmark.h>

namespace sqlbak_gateway::upstream {
namespace {

using namespace std::chrono_literals;

constexpr const char* kSystemAuthorities = "/etc/ssl/certs/ca-certificates.crt";

double cpu_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

// An enqueue, a take and a finish, with so many accounts that all have requests waiting.
void SchedulerTurn(benchmark::State& state) {
  const auto accounts = static_cast<std::uint64_t>(state.range(0));
  constexpr int kRequestsWaiting = 100;
  Scheduler scheduler({.max_concurrent_requests = 64, .requests_per_second = 0}, 1);
  SteadyTime now{1h};
  std::map<Ticket, AccountKey> owners;
  for (std::uint64_t i = 0; i < accounts; ++i) {
    scheduler.begin(AccountKey{i}, Share{.group = LimitGroup{i}, .requests_per_second = 0}, now);
    for (int request = 0; request < kRequestsWaiting; ++request) scheduler.enqueue(AccountKey{i}, now);
  }
  std::vector<Ticket> in_flight;
  while (const auto ticket = scheduler.take(now)) in_flight.push_back(*ticket);
  std::size_t oldest = 0;
  std::uint64_t account = 0;
  for (auto _ : state) {
    now += 1us;
    scheduler.finished(in_flight[oldest], Outcome{}, now);
    scheduler.enqueue(AccountKey{account}, now);
    in_flight[oldest] = scheduler.take(now).value();
    oldest = (oldest + 1) % in_flight.size();
    account = (account + 1) % accounts;
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(SchedulerTurn)->Arg(1)->Arg(25)->Arg(500)->Arg(5000);

// One nginx for each way of speaking, with a certificate whose authority stands behind all of the system's in
// one file, as a company's own does.
class Server {
 public:
  Server(const std::string& listen, const std::string& more)
      : ca_file_(certificates_.folder() / "authorities.pem"),
        nginx_(certificates_, listen,
               "root .; default_type application/json; location = /small { return 200 '{\"data\":{}}'; }\n" +
                   more) {
    std::ofstream(ca_file_) << std::ifstream(kSystemAuthorities).rdbuf()
                            << std::ifstream(certificates_.authority_file()).rdbuf();
    std::ofstream(certificates_.folder() / "page.json") << std::string(20'000, 'x');
  }
  std::shared_ptr<const Peer> peer() const {
    Peer peer;
    peer.api_url = nginx_.url();
    peer.ca_file = ca_file_;
    return std::make_shared<const Peer>(peer);
  }

 private:
  testing::Certificates certificates_;
  std::string ca_file_;
  testing::Nginx nginx_;
};

// Keeps `concurrent` calls in flight; an iteration is one of them.
void run_calls(benchmark::State& state, const Server& server, bool http2, int concurrent,
               const std::string& target) {
  const RealClock clock;
  CurlTransport transport(clock, CurlOptions{.http2 = http2});
  const auto peer = server.peer();
  const auto token = std::make_shared<const Secret>("token");
  std::uint64_t id = 0;
  const auto start = [&] {
    Call call;
    call.id = ++id;
    call.peer = peer;
    call.token = token;
    call.target = target;
    call.deadline = Deadline::after(clock.steady_now(), 30s);
    transport.start(std::move(call));
  };
  std::size_t ready = 0;
  const auto wait = [&] {
    for (const Completion& completion : transport.poll(Deadline::never())) {
      if (completion.status != 200)
        throw std::runtime_error(completion.failure ? completion.failure->message : "status");
      ++ready;
    }
  };
  for (int i = 0; i < concurrent; ++i) start();
  while (ready == 0) wait();

  const double before = cpu_seconds();
  for (auto _ : state) {
    while (ready == 0) wait();
    --ready;
    start();
  }
  state.SetItemsProcessed(state.iterations());
  state.counters["cpu_us/request"] =
      benchmark::Counter((cpu_seconds() - before) * 1e6, benchmark::Counter::kAvgIterations);
}

void Http11(benchmark::State& state) {
  static const Server server("ssl", "");
  run_calls(state, server, false, static_cast<int>(state.range(0)),
            state.range(1) == 0 ? "/small" : "/page.json");
}
BENCHMARK(Http11)->ArgNames({"in_flight", "page"})->ArgsProduct({{1, 8, 64}, {0, 1}})->UseRealTime();

void Http2(benchmark::State& state) {
  static const Server server("ssl http2", "");
  run_calls(state, server, true, static_cast<int>(state.range(0)),
            state.range(1) == 0 ? "/small" : "/page.json");
}
BENCHMARK(Http2)->ArgNames({"in_flight", "page"})->ArgsProduct({{1, 8, 64}, {0, 1}})->UseRealTime();

// Each request on a TLS connection of its own, as the server closes it after every answer. The authorities
// were read once.
void ConnectionEach(benchmark::State& state) {
  static const Server server("ssl", "keepalive_timeout 0;");
  run_calls(state, server, false, static_cast<int>(state.range(0)), "/small");
}
BENCHMARK(ConnectionEach)->ArgName("in_flight")->Arg(1)->Arg(8)->UseRealTime();

// A transport's first request: the authorities are read, a connection is made.
void FirstRequest(benchmark::State& state) {
  static const Server server("ssl http2", "");
  const RealClock clock;
  const auto peer = server.peer();
  const auto token = std::make_shared<const Secret>("token");
  const double before = cpu_seconds();
  for (auto _ : state) {
    CurlTransport transport(clock, CurlOptions{});
    Call call;
    call.peer = peer;
    call.token = token;
    call.target = "/small";
    transport.start(std::move(call));
    if (transport.poll(Deadline::never()).at(0).status != 200) throw std::runtime_error("no answer");
  }
  state.counters["cpu_us/request"] =
      benchmark::Counter((cpu_seconds() - before) * 1e6, benchmark::Counter::kAvgIterations);
}
BENCHMARK(FirstRequest)->UseRealTime();

}  // namespace
}  // namespace sqlbak_gateway::upstream
