// What a collection costs: requests, wall time and CPU, against the simulated API over real sockets.
// Simulator and nginx have threads and processes of their own, so the CPU column (this thread's) is the
// gateway's alone.
#include "simulator/http_server.h"
#include "simulator/scenarios.h"
#include "sqlbak_gateway/gateway/collector.h"
#include "sqlbak_gateway/upstream/curl_transport.h"
#include "upstream/certificates.h"
#include "upstream/nginx.h"

#include <memory>
#include <string>

#include <benchmark/benchmark.h>

namespace sqlbak_gateway {
namespace {

class Sink final : public gateway::CollectionSink {
 public:
  std::shared_ptr<const AccountMemory> memory() override { return known; }
  void attempted(sqlbak::Endpoint, int, Duration) override { ++requests; }
  void progressed(std::shared_ptr<const Snapshot>) override {}
  void write_down(std::shared_ptr<const AccountMemory>) override {}
  void ended(sqlbak::CollectionOutcome outcome, std::shared_ptr<const gateway::Trace>) override {
    succeeded = !outcome.failure;
    known = std::move(outcome.memory);
    done = true;
  }
  std::shared_ptr<const AccountMemory> known;
  std::uint64_t requests = 0;
  bool succeeded = false;
  bool done = false;
};

std::unique_ptr<simulator::HttpServer> listening(simulator::Simulator& api, const Clock& clock) {
  return std::move(simulator::HttpServer::listen(api, clock, {})).value();
}

// nginx with TLS and HTTP/2 before the simulator, since that speaks HTTP/1.1 only.
struct Http2Front {
  explicit Http2Front(const simulator::RunningServer& server)
      : nginx(certificates, "ssl http2",
              "location / { proxy_pass " + server.url() +
                  "; proxy_http_version 1.1; proxy_set_header Connection \"\"; }") {}
  upstream::testing::Certificates certificates;
  upstream::testing::Nginx nginx;
};

enum class Over { http1_with_8_connections, http2 };

struct Setting {
  simulator::Size size;
  int latency_ms;
  bool warm;
  Over over = Over::http1_with_8_connections;
  bool limited = false;  // the default limits: 50 requests a second after a burst of 200
};

void collect(benchmark::State& state, const Setting& setting) {
  const RealClock clock;
  simulator::Simulator api(simulator::generated_world(1, setting.size, clock.system_now(), 1, {}), clock);
  if (setting.latency_ms > 0) {
    (void)api.add_fault("latency=" + std::to_string(setting.latency_ms) + "ms");
  }
  const simulator::RunningServer server(listening(api, clock));
  std::unique_ptr<Http2Front> front;
  if (setting.over == Over::http2) front = std::make_unique<Http2Front>(server);

  upstream::CurlTransport transport(clock, {});
  upstream::GlobalLimits limits;
  if (!setting.limited) limits.requests_per_second = 0;
  gateway::Collector collector(clock, transport, limits, 1);
  auto peer = std::make_shared<upstream::Peer>();
  peer->api_url = front ? front->nginx.url() + std::string(simulator::kApiPrefix) : server.api_url();
  if (front) peer->ca_file = front->certificates.authority_file();
  const auto token = std::make_shared<const Secret>("token-account-0001");
  const auto sink = std::make_shared<Sink>();

  const auto collect_once = [&] {
    gateway::CollectionOrder order;
    order.account = upstream::AccountKey{1};
    order.share.max_concurrent_requests = front ? 100 : 8;
    order.share.requests_per_second = setting.limited ? 50 : 0;
    order.peer = peer;
    order.token = token;
    order.plan.started_at = clock.system_now();
    order.plan.token_fingerprint = "fingerprint";
    order.sink = sink;
    sink->done = false;
    collector.submit(std::move(order));
    while (!sink->done) collector.turn(Deadline::after(clock.steady_now(), std::chrono::seconds(1)));
  };
  if (setting.warm) collect_once();
  for (auto _ : state) {
    if (!setting.warm) {
      state.PauseTiming();
      sink->known.reset();
      state.ResumeTiming();
    }
    collect_once();
    if (!sink->succeeded) state.SkipWithError("the collection failed");
  }
  state.counters["requests"] = static_cast<double>(sink->requests);
}

#define RUN(name, iterations, ...)              \
  BENCHMARK_CAPTURE(collect, name, __VA_ARGS__) \
      ->UseRealTime()                           \
      ->Unit(benchmark::kMillisecond)           \
      ->Iterations(iterations)

RUN(small_cold_0ms_http1, 5, Setting{simulator::kSmall, 0, false, Over::http1_with_8_connections});
RUN(small_cold_0ms_http2, 5, Setting{simulator::kSmall, 0, false, Over::http2});
RUN(small_warm_0ms_http1, 5, Setting{simulator::kSmall, 0, true, Over::http1_with_8_connections});
RUN(small_warm_0ms_http2, 5, Setting{simulator::kSmall, 0, true, Over::http2});
RUN(small_cold_50ms_http1, 1, Setting{simulator::kSmall, 50, false, Over::http1_with_8_connections});
RUN(small_cold_50ms_http2, 1, Setting{simulator::kSmall, 50, false, Over::http2});
RUN(small_warm_50ms_http1, 5, Setting{simulator::kSmall, 50, true, Over::http1_with_8_connections});
RUN(small_warm_50ms_http2, 5, Setting{simulator::kSmall, 50, true, Over::http2});
RUN(typical_cold_0ms_http1, 5, Setting{simulator::kTypical, 0, false, Over::http1_with_8_connections});
RUN(typical_cold_0ms_http2, 5, Setting{simulator::kTypical, 0, false, Over::http2});
RUN(typical_warm_0ms_http1, 5, Setting{simulator::kTypical, 0, true, Over::http1_with_8_connections});
RUN(typical_warm_0ms_http2, 5, Setting{simulator::kTypical, 0, true, Over::http2});
RUN(typical_cold_50ms_http1, 1, Setting{simulator::kTypical, 50, false, Over::http1_with_8_connections});
RUN(typical_cold_50ms_http2, 1, Setting{simulator::kTypical, 50, false, Over::http2});
RUN(typical_warm_50ms_http1, 5, Setting{simulator::kTypical, 50, true, Over::http1_with_8_connections});
RUN(typical_warm_50ms_http2, 5, Setting{simulator::kTypical, 50, true, Over::http2});
RUN(large_cold_0ms_http1, 1, Setting{simulator::kLarge, 0, false, Over::http1_with_8_connections});
RUN(large_cold_0ms_http2, 1, Setting{simulator::kLarge, 0, false, Over::http2});
RUN(large_warm_0ms_http1, 1, Setting{simulator::kLarge, 0, true, Over::http1_with_8_connections});
RUN(large_warm_0ms_http2, 1, Setting{simulator::kLarge, 0, true, Over::http2});
RUN(large_cold_50ms_http2, 1, Setting{simulator::kLarge, 50, false, Over::http2});
RUN(large_warm_50ms_http1, 1, Setting{simulator::kLarge, 50, true, Over::http1_with_8_connections});
RUN(large_warm_50ms_http2, 1, Setting{simulator::kLarge, 50, true, Over::http2});
RUN(typical_cold_50ms_http1_limited, 1,
    Setting{simulator::kTypical, 50, false, Over::http1_with_8_connections, true});

}  // namespace
}  // namespace sqlbak_gateway
