#include "program/commands.h"
#include "program/configuration.h"
#include "program/reload_thread.h"
#include "program/service_manager.h"
#include "program/upstream_thread.h"
#include "sqlbak_gateway/gateway/reload.h"
#include "sqlbak_gateway/gateway/routes.h"
#include "sqlbak_gateway/history/history.h"
#include "sqlbak_gateway/http/server.h"
#include "sqlbak_gateway/upstream/curl_transport.h"

#include <chrono>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace sqlbak_gateway {
namespace {

// A stop takes this long at most, whatever hangs; of it, requests that are being answered get two seconds,
// and what is still to be written to the history two more.
constexpr Duration kStopWithin = std::chrono::milliseconds(4500);
constexpr Duration kAnswersWithin = std::chrono::seconds(2);
constexpr Duration kHistoryWithin = std::chrono::seconds(2);

std::unique_ptr<history::History> history_of(const config::HistoryConfig& config, const Begun& begun) {
  if (config.kind == config::HistoryConfig::Kind::memory) return history::make_memory_history();
  return history::open_history(config.path, begun.clock, begun.log);
}

// What somebody who reads the log wants to know first.
void log_what_starts(const config::Flags& flags, const config::Config& config,
                     const history::History& history, const Logger& log) {
  const bool durable = history.status().durable;
  log.info("starting", {{"version", gateway::build_info().version},
                        {"configuration", flags.config_file},
                        {"accounts", config.accounts.size()},
                        {"single_account", config.single_account},
                        {"history", durable ? "sqlite" : "memory"},
                        {"history_path", durable ? config.history.path : std::string()}});
}

gateway::ReloadSteps reload_steps(const Begun& begun, http::Server& server) {
  return {.load =
              [&begun](const config::Config& running) {
                return load(begun.flags, config::LoadMode::reload, begun.tokens, &running);
              },
          .rebind = [&server](const config::ServerConfig& next) { return server.rebind(listeners_of(next)); },
          .resume =
              [&server](const config::ServerConfig& now) {
                server.set_max_requests_in_flight(now.max_requests_in_flight);
                server.resume();
              }};
}

http::Service service_of(gateway::Routes& routes, gateway::OwnMetrics& metrics) {
  http::Service service;
  service.handler = [&routes](const http::Request& request) { return routes.answer(request); };
  service.triage = [&routes](std::string_view path) { return routes.urgency(path); };
  service.observer.answered = [&metrics](std::string_view path, int status) {
    metrics.http_answered(gateway::path_label(path), status);
  };
  service.observer.rejected = [&metrics](http::Rejection reason) { metrics.http_rejected(name(reason)); };
  return service;
}

void log_listening(const config::ServerConfig& config, const std::vector<std::uint16_t>& ports,
                   std::size_t descriptors, const Logger& log) {
  for (std::size_t i = 0; i < ports.size(); ++i) {
    ListenAddress bound = config.listen[i];
    bound.port = ports[i];
    log.info("listening",
             {{"address", to_text(bound)}, {"tls", config.tls.has_value()}, {"descriptors", descriptors}});
  }
}

// Takes signals until one says stop, and returns that. Under a watchdog it also says that the threads make
// progress.
int run_until_stopped(ReloadThread& reloads, const ServiceManager& service_manager, http::Server& server,
                      UpstreamThread& upstream) {
  const sigset_t signals = stop_and_reload_signals();
  for (;;) {
    const std::optional<int> signal = next_signal(signals, service_manager.alive_every());
    const bool answering = server.turned_since_last_asked();
    const bool collecting = upstream.turned_since_last_asked();
    if (answering && collecting) service_manager.alive();
    if (!signal) continue;
    if (*signal != SIGHUP) return *signal;
    reloads.request();
  }
}

}  // namespace

int serve_command(config::LoadOutcome loaded, const Begun& begun,
                  std::optional<StopWhileStarting>& stop_while_starting) {
  const Logger& log = begun.log;
  const Clock& clock = begun.clock;
  const std::size_t descriptors = http::raise_descriptor_limit();
  const config::ServerConfig server_config = loaded.config->server;
  const std::unique_ptr<history::History> history = history_of(loaded.config->history, begun);
  log_what_starts(begun.flags, *loaded.config, *history, log);
  upstream::CurlTransport transport(clock, {.user_agent = user_agent()});
  gateway::Collector collector(clock, transport, limits_of(loaded.config->upstream), begun.seed);

  http::Limits limits;
  limits.max_requests_in_flight = server_config.max_requests_in_flight;
  const auto bound = http::Server::bind(listeners_of(server_config), limits, clock);
  if (!bound) {
    log.error("cannot listen", {{"error", bound.error().message}});
    return kFailed;
  }
  http::Server& server = **bound;

  gateway::Gateway gateway(std::move(loaded),
                           {.clock = clock,
                            .log = log,
                            .collector = collector,
                            .history = *history,
                            .tokens = begun.tokens,
                            .seed = begun.seed,
                            .certificate_expiry = [&server] { return server.certificate_expiry(); }});
  const ServiceManager service_manager;
  const gateway::ReloadSteps steps = reload_steps(begun, server);
  ReloadThread reloads([&] {
    service_manager.reloading(clock.steady_now());
    Result<void> reloaded = reload(gateway, steps);
    service_manager.ready(reloaded ? "Serving" : "Serving; the last reload was refused, the log says why");
    return reloaded;
  });
  gateway::Routes routes(gateway, clock, [&] { return reloads.reload(); });
  auto upstream = std::make_unique<UpstreamThread>(collector, clock, [&] { routes.tick(); });
  if (const Result<void> serving = server.serve(service_of(routes, gateway.metrics())); !serving) {
    log.error("cannot serve", {{"error", serving.error().message}});
    return kFailed;
  }
  log_listening(server_config, server.ports(), descriptors, log);
  service_manager.ready("Serving");
  stop_while_starting.reset();

  const int signal = run_until_stopped(reloads, service_manager, server, *upstream);
  end_at_the_latest_after(kStopWithin);
  log.info("stopping", {{"signal", signal == SIGINT ? "SIGINT" : "SIGTERM"}});
  service_manager.stopping();
  gateway.shut_down();
  const http::Server::Stopped stopped = server.stop(Deadline::after(clock.steady_now(), kAnswersWithin));
  upstream.reset();
  if (!history->drain(Deadline::after(clock.steady_now(), kHistoryWithin))) {
    log.warn("not everything that was read could be written to the history in time; it will be read again");
  }
  if (stopped.handlers_running > 0) std::_Exit(EXIT_SUCCESS);
  log.info("stopped");
  return EXIT_SUCCESS;
}

}  // namespace sqlbak_gateway
