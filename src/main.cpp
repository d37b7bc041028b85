// Flags, signals, wiring: the only place that knows concrete classes.
#include "service_manager.h"
#include "sqlbak_gateway/base/clock.h"
#include "sqlbak_gateway/base/log.h"
#include "sqlbak_gateway/base/mutex.h"
#include "sqlbak_gateway/base/text.h"
#include "sqlbak_gateway/config/bounded_tokens.h"
#include "sqlbak_gateway/config/check.h"
#include "sqlbak_gateway/config/flags.h"
#include "sqlbak_gateway/config/load.h"
#include "sqlbak_gateway/config/token.h"
#include "sqlbak_gateway/gateway/collector.h"
#include "sqlbak_gateway/gateway/debug_page.h"
#include "sqlbak_gateway/gateway/gateway.h"
#include "sqlbak_gateway/gateway/probe_progress.h"
#include "sqlbak_gateway/gateway/routes.h"
#include "sqlbak_gateway/history/history.h"
#include "sqlbak_gateway/http/server.h"
#include "sqlbak_gateway/upstream/curl_transport.h"

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <latch>
#include <malloc.h>
#include <memory>
#include <optional>
#include <poll.h>
#include <pthread.h>
#include <random>
#include <string>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/time.h>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

namespace sqlbak_gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kFailed = 1;
constexpr int kWrongUsage = 2;
constexpr Duration kRenewBefore = std::chrono::hours(24 * 14);
constexpr Duration kStopWithin = milliseconds(4500);  // whatever hangs
constexpr Duration kAnswersWithin = seconds(2);       // of it, for requests that are being answered
constexpr Duration kHistoryWithin = seconds(2);       // and for what is still to be written

void print(std::FILE* out, std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), out);
}

std::optional<std::string> environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value ? std::optional<std::string>(value) : std::nullopt;
}

std::uint64_t random_seed() {
  std::random_device device;
  return (std::uint64_t{device()} << 32) | device();
}

upstream::GlobalLimits limits_of(const config::UpstreamConfig& config) {
  return {.max_concurrent_requests = config.max_concurrent_requests,
          .requests_per_second = config.requests_per_second};
}

std::optional<http::TlsFiles> tls_files_of(const config::ServerConfig& server) {
  if (!server.tls) return std::nullopt;
  return http::TlsFiles{server.tls->cert_file, server.tls->key_file, server.tls->client_ca_file};
}

std::vector<http::Listener> listeners_of(const config::ServerConfig& server) {
  std::vector<http::Listener> listeners;
  for (const ListenAddress& address : server.listen) {
    listeners.push_back({address, tls_files_of(server)});
  }
  return listeners;
}

// A single probe remembers nothing: the file belongs to the gateway that runs as a service.
std::unique_ptr<history::History> history_of(const config::Flags& flags, const config::HistoryConfig& config,
                                             const Clock& clock, const Logger& log) {
  if (flags.probe || config.kind == config::HistoryConfig::Kind::memory)
    return history::make_memory_history();
  return history::open_history(config.path, clock, log);
}

// The thread that collects. It ends when told to, without waiting for answers.
class UpstreamThread {
 public:
  UpstreamThread(gateway::Collector& collector, const Clock& clock, std::function<void()> every_second)
      : collector_(collector), thread_([this, &clock, every_second = std::move(every_second)] {
          while (!stopping_) {
            collector_.turn(Deadline::after(clock.steady_now(), seconds(1)));
            every_second();
            turned_ = true;
          }
          collector_.abandon_all();
        }) {}
  UpstreamThread(const UpstreamThread&) = delete;
  UpstreamThread& operator=(const UpstreamThread&) = delete;
  ~UpstreamThread() {
    stopping_ = true;
    collector_.wake();
    thread_.join();
  }
  // Whether it has gone round since the call before.
  bool turned_since_last_asked() { return turned_.exchange(false); }

 private:
  gateway::Collector& collector_;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> turned_{true};
  std::thread thread_;
};

// The thread that reloads when a signal says so: the files may be on a file system that hangs, and a stop and
// a watchdog must not wait for that. Signals that come while it reloads are one.
class ReloadThread {
 public:
  explicit ReloadThread(std::function<void()> reload)
      : thread_([this, reload = std::move(reload)] {
          while (wanted()) reload();
        }) {}
  ReloadThread(const ReloadThread&) = delete;
  ReloadThread& operator=(const ReloadThread&) = delete;
  // Waits for a reload that goes on.
  ~ReloadThread() {
    {
      MutexLock lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_one();
    thread_.join();
  }
  void reload() {
    {
      MutexLock lock(mutex_);
      wanted_ = true;
    }
    changed_.notify_one();
  }

 private:
  // Waits until a reload is; false: none will be.
  bool wanted() {
    MutexLock lock(mutex_);
    while (!wanted_ && !stopping_) changed_.wait(mutex_);
    wanted_ = false;
    return !stopping_;
  }

  Mutex mutex_;
  Condition changed_;
  bool wanted_ GUARDED_BY(mutex_) = false;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

// Ends the process, whatever hangs: the history file is as some collection left it then. By a signal, which
// needs no thread where there may be none to have.
void end_at_the_latest_after(Duration time) {
  std::signal(SIGALRM, [](int) { std::_Exit(EXIT_SUCCESS); });
  const auto microseconds = std::chrono::duration_cast<std::chrono::microseconds>(time).count();
  const itimerval timer{{0, 0}, {microseconds / 1'000'000, microseconds % 1'000'000}};
  ::setitimer(ITIMER_REAL, &timer, nullptr);
}

config::LoadOutcome load_files(const config::Flags& flags, config::LoadMode mode,
                               const config::Config* running) {
  config::LoadOptions options;
  options.mode = mode;
  options.environment = environment;
  options.listen_override = flags.listen_addresses;
  options.running = running;
  return config::load(flags.config_file, options);
}

void append(std::vector<config::Diagnostic>& to, std::vector<config::Diagnostic> more) {
  for (config::Diagnostic& diagnostic : more) to.push_back(std::move(diagnostic));
}

// What the files and flags say, and as warnings what is wrong with the tokens and certificates that they
// name: one customer's trouble with a token does not keep the others waiting.
config::LoadOutcome load(const config::Flags& flags, config::LoadMode mode,
                         const config::BoundedTokens& tokens, const config::Config* running = nullptr) {
  config::LoadOutcome loaded = load_files(flags, mode, running);
  if (loaded.config) {
    config::CheckedFiles files = check_files(*loaded.config, tokens);
    append(loaded.warnings, std::move(files.errors));
    append(loaded.warnings, std::move(files.warnings));
  }
  return loaded;
}

// --config.check
int check(const config::Flags& flags) {
  config::LoadOutcome loaded = load_files(flags, config::LoadMode::check, nullptr);
  if (loaded.config) {
    const RealClock clock;
    const config::TokenReader reader(environment);
    config::CheckedFiles files = check_files(*loaded.config, config::BoundedTokens(reader, clock));
    append(loaded.errors, std::move(files.errors));
    append(loaded.warnings, std::move(files.warnings));
    if (const auto tls = tls_files_of(loaded.config->server); tls && loaded.errors.empty()) {
      if (const auto checked = http::check_tls_files(*tls); !checked) {
        loaded.errors.push_back({loaded.config->server.tls->place, "server.tls: " + checked.error().message});
      } else if (const SystemTime end = checked->not_after; end < clock.system_now() + kRenewBefore) {
        loaded.warnings.push_back({loaded.config->server.tls->cert_file_place,
                                   "server.tls: the certificate expires, or has expired, on " +
                                       format_time(end) + ": renew it, then reload"});
      }
    }
  }
  for (const config::Diagnostic& warning : loaded.warnings)
    print(stderr, "warning: " + to_text(warning) + "\n");
  for (const config::Diagnostic& error : loaded.errors) print(stderr, "error: " + to_text(error) + "\n");
  if (!loaded.config || !loaded.errors.empty()) return kFailed;
  print(stdout, check_report(*loaded.config));
  return EXIT_SUCCESS;
}

// --probe=ACCOUNT
int probe_once(const std::string& name, gateway::TraceDetail detail, gateway::Gateway& gateway,
               const Clock& clock) {
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
  while (probing.wait_for(seconds(1)) != std::future_status::ready) {
    print(stderr, progress.going_on(clock.steady_now() - began, account->view()));
  }
  print(stderr, progress.ended());
  const gateway::ProbeAnswer answer = probing.get();
  print(stdout, gateway::exposition_text(answer, account->config()));
  std::fflush(stdout);  // what happened comes after the metrics wherever both go to the same place
  print(stderr, gateway::debug_page(account->on_page(), clock.system_now(), detail, ""));
  return answer.status.succeeded ? EXIT_SUCCESS : kFailed;
}

sigset_t stop_and_reload_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  return signals;
}

// Until somebody takes signals, one that says stop ends the process: what is started may hang with a file
// system, and nothing is there yet that a stop would have to save.
class StopWhileStarting {
 public:
  StopWhileStarting() : started_(::eventfd(0, EFD_CLOEXEC)) {
    sigset_t stops = stop_and_reload_signals();
    sigdelset(&stops, SIGHUP);
    signals_ = ::signalfd(-1, &stops, SFD_CLOEXEC);
    if (started_ < 0 || signals_ < 0) throw std::system_error(errno, std::generic_category(), "signalfd");
    thread_ = std::thread([this] {
      std::array<pollfd, 2> either{{{started_, POLLIN, 0}, {signals_, POLLIN, 0}}};
      while (::poll(either.data(), either.size(), -1) < 0) {
      }
      if (either[0].revents == 0) std::_Exit(EXIT_SUCCESS);
    });
  }
  StopWhileStarting(const StopWhileStarting&) = delete;
  StopWhileStarting& operator=(const StopWhileStarting&) = delete;
  ~StopWhileStarting() {
    ::eventfd_write(started_, 1);
    thread_.join();
    ::close(signals_);
    ::close(started_);
  }

 private:
  int started_;
  int signals_ = -1;
  std::thread thread_;
};

// The next of `signals`; nothing when `patience` has passed without one.
std::optional<int> next_signal(const sigset_t& signals, std::optional<Duration> patience) {
  int signal = 0;
  if (!patience) {
    sigwait(&signals, &signal);
    return signal;
  }
  const auto whole = std::chrono::duration_cast<seconds>(*patience);
  const timespec time{whole.count(), (*patience - whole).count()};
  signal = sigtimedwait(&signals, nullptr, &time);
  return signal > 0 ? std::optional(signal) : std::nullopt;
}

// What somebody who reads the log wants to know first.
void log_what_starts(const config::Flags& flags, const config::Config& config, const history::History& history,
                     const Logger& log) {
  const bool durable = history.status().durable;
  log.info("starting", {{"version", gateway::build_info().version},
                        {"configuration", flags.config_file},
                        {"accounts", config.accounts.size()},
                        {"single_account", config.single_account},
                        {"history", durable ? "sqlite" : "memory"},
                        {"history_path", durable ? config.history.path : std::string()}});
}

int serve(const config::Flags& flags, config::LoadOutcome loaded, const config::BoundedTokens& tokens,
          const Logger& log, const Clock& clock, std::optional<StopWhileStarting>& stop_while_starting) {
  const sigset_t signals = stop_and_reload_signals();
  const std::size_t descriptors = http::raise_descriptor_limit();

  const std::unique_ptr<history::History> history = history_of(flags, loaded.config->history, clock, log);
  if (!flags.probe) log_what_starts(flags, *loaded.config, *history, log);
  const config::ServerConfig server_config = loaded.config->server;
  upstream::CurlTransport transport(clock, {.user_agent = "sqlbak-gateway/" + gateway::build_info().version});
  gateway::Collector collector(clock, transport, limits_of(loaded.config->upstream), random_seed());

  std::unique_ptr<http::Server> server;
  std::latch wired(1);  // requests are answered before start() has returned what the gateway asks: `server`
  gateway::Gateway gateway(std::move(loaded),
                           {.clock = clock,
                            .log = log,
                            .collector = collector,
                            .history = *history,
                            .tokens = tokens,
                            .seed = random_seed(),
                            .load =
                                [&](const config::Config& running) {
                                  return load(flags, config::LoadMode::reload, tokens, &running);
                                },
                            .listen =
                                [&](const config::ServerConfig& wanted, const std::function<void()>& ready) {
                                  Result<void> listening = server->set_listeners(listeners_of(wanted), ready);
                                  if (listening) {
                                    server->set_max_requests_in_flight(wanted.max_requests_in_flight);
                                  }
                                  return listening;
                                },
                            .certificate_expiry = [&] { return server->certificate_expiry(); }});

  if (flags.probe) {
    const UpstreamThread upstream(collector, clock, [] {});
    const bool every_step = flags.log_level == LogLevel::debug;
    return probe_once(*flags.probe,
                      every_step ? gateway::TraceDetail::every_step : gateway::TraceDetail::overview, gateway,
                      clock);
  }

  gateway::Routes routes(gateway, clock, [&] { return gateway.reload(); });
  auto upstream = std::make_unique<UpstreamThread>(collector, clock, [&] { routes.tick(); });
  http::Server::Options options;
  options.listeners = listeners_of(server_config);
  options.limits.max_requests_in_flight = server_config.max_requests_in_flight;
  options.handler = [&](const http::Request& request) {
    wired.wait();
    return routes.answer(request);
  };
  options.triage = [&](std::string_view path) { return routes.urgency(path); };
  options.observer.answered = [&](std::string_view path, int status) {
    gateway.metrics().http_answered(gateway::path_label(path), status);
  };
  options.observer.rejected = [&](http::Rejection reason) { gateway.metrics().http_rejected(name(reason)); };
  Result<std::unique_ptr<http::Server>> started = http::Server::start(std::move(options), clock);
  if (!started) {
    log.error("cannot listen", {{"error", started.error().message}});
    return kFailed;
  }
  server = std::move(started).value();
  wired.count_down();
  const std::vector<std::uint16_t> ports = server->ports();
  for (std::size_t i = 0; i < ports.size(); ++i) {
    ListenAddress bound = server_config.listen[i];
    bound.port = ports[i];
    log.info(
        "listening",
        {{"address", to_text(bound)}, {"tls", server_config.tls.has_value()}, {"descriptors", descriptors}});
  }

  const ServiceManager service_manager;
  service_manager.ready("Serving");
  // Ends before everything that a reload needs; should it hang, the end of the process does not wait for it.
  ReloadThread reloads([&] {
    service_manager.reloading(clock.steady_now());
    const bool reloaded = gateway.reload().ok();  // it has logged what happened
    service_manager.ready(reloaded ? "Serving" : "Serving; the last reload was refused, the log says why");
  });
  stop_while_starting.reset();
  for (;;) {
    const std::optional<int> signal = next_signal(signals, service_manager.alive_every());
    const bool answering = server->turned_since_last_asked();
    const bool collecting = upstream->turned_since_last_asked();
    if (answering && collecting) service_manager.alive();
    if (!signal) continue;
    if (*signal == SIGHUP) {
      reloads.reload();
    } else {
      log.info("stopping", {{"signal", *signal == SIGINT ? "SIGINT" : "SIGTERM"}});
      break;
    }
  }

  end_at_the_latest_after(kStopWithin);
  service_manager.stopping();
  gateway.shut_down();
  const http::Server::Stopped stopped = server->stop(Deadline::after(clock.steady_now(), kAnswersWithin));
  upstream.reset();
  if (!history->drain(Deadline::after(clock.steady_now(), kHistoryWithin))) {
    log.warn("not everything that was read could be written to the history in time; it will be read again");
  }
  if (stopped.handlers_running > 0) std::_Exit(EXIT_SUCCESS);
  log.info("stopped");
  return EXIT_SUCCESS;
}

int run(int argc, char** argv) {
  const Result<config::Flags> parsed = config::parse_flags({argv + 1, argv + argc});
  if (!parsed) {
    print(stderr, "sqlbak-gateway: " + parsed.error().message + "\n");
    return kWrongUsage;
  }
  const config::Flags& flags = *parsed;
  if (flags.help) {
    print(stdout, config::help_text());
    return EXIT_SUCCESS;
  }
  if (flags.version) {
    const gateway::BuildInfo build = gateway::build_info();
    print(stdout,
          "sqlbak-gateway " + build.version + " (" + build.revision + ", g++ " + build.compiler + ")\n");
    return EXIT_SUCCESS;
  }
  if (flags.config_check) return check(flags);

  std::optional<StopWhileStarting> stop_while_starting;
  if (!flags.probe) {  // which ends by a signal as any command does
    // A reload right after the start waits until there is somebody to take it, and must not end the process.
    // Every thread inherits the mask.
    const sigset_t signals = stop_and_reload_signals();
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    stop_while_starting.emplace();
  }
  std::signal(SIGPIPE, SIG_IGN);  // a peer that hangs up is an error of a call, not the end of the process
  std::signal(SIGXFSZ, SIG_IGN);  // and so is a limit on the size of files, as a full disk is
  // What is freed in one arena of the allocator is of no use to the threads of another, and by default there
  // are eight of them for each core. One would do, but threads that write pages then wait for each other
  // (docs/reliability.md, "Soak and load").
  ::mallopt(M_ARENA_MAX, 4);
  const RealClock clock;
  StderrSink sink;
  const Logger log(sink, clock, flags.log_level, flags.log_format);
  const config::TokenReader reader(environment);
  const config::BoundedTokens tokens(reader, clock);
  config::LoadOutcome loaded = load(flags, config::LoadMode::start, tokens);
  for (const config::Diagnostic& warning : loaded.warnings) {
    log.warn("configuration", {{"warning", to_text(warning)}});
  }
  for (const config::RejectedFile& rejected : loaded.rejected) {
    for (const config::Diagnostic& error : rejected.errors) {
      log.error(rejected.in_part ? "account left out of a configuration file"
                                 : "configuration file skipped, with all its accounts",
                {{"error", to_text(error)}});
    }
  }
  for (const config::Diagnostic& error : loaded.errors)
    log.error("configuration", {{"error", to_text(error)}});
  if (!loaded.config) return kFailed;
  return serve(flags, std::move(loaded), tokens, log, clock, stop_while_starting);
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
