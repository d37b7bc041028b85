// Flags, and what the program does because of them. The commands in src/program do the work.
#include "program/commands.h"
#include "program/configuration.h"
#include "sqlbak_gateway/config/token.h"
#include "sqlbak_gateway/gateway/own_metrics.h"

#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <malloc.h>
#include <optional>
#include <pthread.h>
#include <random>
#include <utility>

namespace sqlbak_gateway {
namespace {

int print_version() {
  const gateway::BuildInfo build = gateway::build_info();
  print(stdout,
        "sqlbak-gateway " + build.version + " (" + build.revision + ", g++ " + build.compiler + ")\n");
  return EXIT_SUCCESS;
}

// Loads the configuration, then collects one account or serves.
int load_and_work(const config::Flags& flags) {
  std::optional<StopWhileStarting> stop_while_starting;
  if (!flags.probe) {  // --probe ends by a signal as any command does
    // A reload right after the start waits until somebody takes it, and must not end the process. Every
    // thread inherits the mask.
    const sigset_t signals = stop_and_reload_signals();
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    stop_while_starting.emplace();
  }
  std::signal(SIGPIPE, SIG_IGN);  // a peer that hangs up is an error of a call, not the end of the process
  std::signal(SIGXFSZ, SIG_IGN);  // and so is a limit on the size of files, as a full disk is
  // What is freed in one arena of the allocator is of no use to the threads of another, and by default there
  // are eight of them for each core. One would do, but threads that write pages then wait for each other
  // (docs/reliability.md).
  ::mallopt(M_ARENA_MAX, 4);
  const RealClock clock;
  StderrSink sink;
  const Logger log(sink, clock, flags.log_level, flags.log_format);
  const config::TokenReader reader(environment);
  const config::BoundedTokens tokens(reader, clock);
  config::LoadOutcome loaded = load(flags, config::LoadMode::start, tokens);
  log_outcome(loaded, log);
  if (!loaded.config) return kFailed;
  std::random_device device;
  const Begun begun{flags, tokens, log, clock, (std::uint64_t{device()} << 32) | device()};
  return flags.probe ? probe_command(std::move(loaded), begun)
                     : serve_command(std::move(loaded), begun, stop_while_starting);
}

int run(int argc, char** argv) {
  const Result<config::Flags> flags = config::parse_flags({argv + 1, argv + argc});
  if (!flags) {
    print(stderr, "sqlbak-gateway: " + flags.error().message + "\n");
    return kWrongUsage;
  }
  if (flags->help) return print(stdout, config::help_text()), EXIT_SUCCESS;
  if (flags->version) return print_version();
  if (flags->config_check) return check_command(*flags);
  return load_and_work(*flags);
}

}  // namespace
}  // namespace sqlbak_gateway

int main(int argc, char** argv) {
  try {
    return sqlbak_gateway::run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "sqlbak-gateway: unexpected: %s\n", error.what());
    return sqlbak_gateway::kFailed;
  }
}
