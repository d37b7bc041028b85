#include "program/commands.h"
#include "program/configuration.h"
#include "program/upstream_thread.h"
#include "sqlbak_gateway/base/text.h"
#include "sqlbak_gateway/gateway/debug_page.h"
#include "sqlbak_gateway/gateway/gateway.h"
#include "sqlbak_gateway/gateway/probe_progress.h"
#include "sqlbak_gateway/history/history.h"
#include "sqlbak_gateway/upstream/curl_transport.h"

#include <chrono>
#include <cstdlib>
#include <future>
#include <memory>
#include <optional>
#include <unistd.h>
#include <utility>

namespace sqlbak_gateway {

int probe_command(config::LoadOutcome loaded, const Begun& begun) {
  const Clock& clock = begun.clock;
  // The history file belongs to the gateway that runs as a service.
  const std::unique_ptr<history::History> history = history::make_memory_history();
  upstream::CurlTransport transport(clock, {.user_agent = user_agent()});
  gateway::Collector collector(clock, transport, limits_of(loaded.config->upstream), begun.seed);
  gateway::Gateway gateway(std::move(loaded), {.clock = clock,
                                               .log = begun.log,
                                               .collector = collector,
                                               .history = *history,
                                               .tokens = begun.tokens,
                                               .seed = begun.seed});
  const UpstreamThread upstream(collector, clock, [] {});

  const std::string& name = *begun.flags.probe;
  const std::optional<gateway::ConfiguredAccount> account = gateway.account(name);
  if (!account) {
    print(stderr, "sqlbak-gateway: no account \"" + json_escaped(name) + "\" is configured\n");
    return kFailed;
  }
  gateway::ProbeProgress progress(account->config(), ::isatty(STDERR_FILENO) == 1);
  print(stderr, progress.begun());
  const SteadyTime began = clock.steady_now();
  std::future<gateway::ProbeAnswer> probing =
      std::async(std::launch::async, [&] { return account->probe(began, Deadline::never()); });
  while (probing.wait_for(std::chrono::seconds(1)) != std::future_status::ready) {
    print(stderr, progress.going_on(clock.steady_now() - began, account->view()));
  }
  print(stderr, progress.ended());
  const gateway::ProbeAnswer answer = probing.get();
  print(stdout, gateway::exposition_text(answer, account->config()));
  std::fflush(stdout);  // what happened comes after the metrics wherever both go to the same place
  const auto detail = begun.flags.log_level == LogLevel::debug ? gateway::TraceDetail::every_step
                                                               : gateway::TraceDetail::overview;
  print(stderr, gateway::debug_page(account->on_page(), clock.system_now(), detail, ""));
  return answer.status.succeeded ? EXIT_SUCCESS : kFailed;
}

}  // namespace sqlbak_gateway
