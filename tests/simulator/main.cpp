// sqlbak-simulator: the simulated SqlBak API as a program.
#include "simulator/control.h"
#include "simulator/http_server.h"
#include "simulator/scenarios.h"
#include "sqlbak_gateway/base/text.h"

#include <charconv>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <string>
#include <string_view>
#include <sys/resource.h>
#include <vector>

namespace sqlbak_gateway::simulator {
namespace {

struct Options {
  ListenOptions listen;
  bool help = false;
  std::optional<Size> size;  // nothing: the demo
  std::size_t accounts = 1;
  std::uint64_t seed = 1;
  double speed = 1;
  bool evolve = true;
  std::optional<Duration> lifetime;
  Knobs knobs;
  std::vector<std::string> faults;
};

template <typename Number>
Result<void> read_number(std::string_view flag, std::string_view text, Number& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size()) return {};
  return Error{std::string(flag) + " takes a number, not \"" + std::string(text) + "\""};
}

Result<void> read_listen(std::string_view text, ListenOptions& listen) {
  const std::size_t colon = text.rfind(':');
  if (colon == text.npos)
    return Error{"--listen takes ADDRESS:PORT, like 127.0.0.1:8080; port 0 is any free one"};
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  listen.host = host;
  return read_number("--listen's port", text.substr(colon + 1), listen.port);
}

Result<void> read_flag(std::string_view flag, std::string_view value, Options& options) {
  if (flag == "--listen") return read_listen(value, options.listen);
  if (flag == "--tls-cert") return options.listen.cert_file = value, Result<void>();
  if (flag == "--tls-key") return options.listen.key_file = value, Result<void>();
  if (flag == "--accounts") return read_number(flag, value, options.accounts);
  if (flag == "--seed") return read_number(flag, value, options.seed);
  if (flag == "--speed") return read_number(flag, value, options.speed);
  if (flag == "--fault") return options.faults.emplace_back(value), Result<void>();
  if (flag == "--knob") return set_knob(options.knobs, value);
  if (flag == "--evolve" && (value == "on" || value == "off"))
    return options.evolve = value == "on", Result<void>();
  if (flag == "--scenario" && value == "demo") return options.size.reset(), Result<void>();
  if (flag == "--size" && size_named(value)) return options.size = size_named(value), Result<void>();
  if (flag == "--for") {
    const Result<Duration> lifetime = parse_duration(value);
    if (!lifetime) return lifetime.error();
    options.lifetime = *lifetime;
    return {};
  }
  return Error{std::string(flag) + "=" + std::string(value) + " is none of the flags; --help lists them"};
}

// --flag=value and --flag value.
Result<Options> read_options(const std::vector<std::string_view>& arguments) {
  Options options;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view argument = arguments[i];
    if (argument == "--help" || argument == "-h") {
      options.help = true;
      return options;
    }
    const std::size_t equals = argument.find('=');
    const std::string_view flag = argument.substr(0, equals);
    if (equals == argument.npos && i + 1 == arguments.size()) {
      return Error{std::string(flag) + " takes a value, or is none of the flags; --help lists them"};
    }
    const std::string_view value = equals == argument.npos ? arguments[++i] : argument.substr(equals + 1);
    if (const Result<void> read = read_flag(flag, value, options); !read) return read.error();
  }
  if (options.listen.cert_file.empty() != options.listen.key_file.empty()) {
    return Error{"--tls-cert and --tls-key go together"};
  }
  return options;
}

void print_help() {
  std::puts(
      R"(sqlbak-simulator: a simulated SqlBak API, for trying sqlbak-gateway without an account, and for testing it.

It prints its API URL on standard output, serves until SIGTERM or Ctrl-C, and keeps nothing. Its customers' backups go on
while it runs. Try it:

  sqlbak-simulator --listen 127.0.0.1:8080 &
  curl -H 'X-SqlBak-Token: demo-token-acme' http://127.0.0.1:8080/public-api/v1/jobs

Where it listens
  --listen ADDRESS:PORT     127.0.0.1:0 (any free port) unless given
  --tls-cert, --tls-key     PEM files: HTTPS instead of HTTP

What it shows
  --scenario demo           three customers with the tokens demo-token-acme, demo-token-globex, demo-token-initech (default)
  --size small|typical|large  generated customers instead, of 10, 40 or 200 jobs with 30, 60 or 700 runs each
  --accounts N              how many of these: account-0001 with token-account-0001, and so on
  --seed N                  other numbers for the same sizes
  --speed N                 simulated seconds a second; 0: time stands still
  --evolve on|off           whether servers of generated customers fail and jobs come and go (on)
  --for DURATION            ends by itself after this long, like 10m

How it differs from what is known of the API: --knob NAME=VALUE, repeated)");
  for (const std::string& line : knob_help()) std::printf("  %s\n", line.c_str());
  std::puts(R"(
What goes wrong: --fault KEY=VALUE,KEY=VALUE…, repeated. PATTERNs know * and ?. Examples:
  --fault latency=50ms,jitter=20ms
  --fault endpoint=jobruns,account=acme,status=503,retry_after=30s,first=3)");
  for (const std::string& line : fault_help()) std::printf("  %s\n", line.c_str());
  std::printf("\nWhile it runs\n%s", std::string(control_help()).c_str());
}

int serve(const Options& options) {
  rlimit descriptors{};
  if (getrlimit(RLIMIT_NOFILE, &descriptors) == 0) {
    descriptors.rlim_cur = descriptors.rlim_max;
    setrlimit(RLIMIT_NOFILE, &descriptors);
  }
  // Blocked before any thread starts, so that only the wait below receives them.
  sigset_t endings;
  sigemptyset(&endings);
  sigaddset(&endings, SIGTERM);
  sigaddset(&endings, SIGINT);
  pthread_sigmask(SIG_BLOCK, &endings, nullptr);

  const RealClock clock;
  const SystemTime now = clock.system_now();
  const Evolution evolution{options.evolve, options.evolve};
  Simulator simulator(options.size
                          ? generated_world(options.accounts, *options.size, now, options.seed, evolution)
                          : demo_world(now, options.seed),
                      clock, options.knobs);
  simulator.set_speed(options.speed);
  for (const std::string& rule : options.faults) {
    if (const auto added = simulator.add_fault(rule); !added) {
      std::fprintf(stderr, "sqlbak-simulator: --fault: %s\n", added.error().message.c_str());
      return 1;
    }
  }
  Result<std::unique_ptr<HttpServer>> listening = HttpServer::listen(simulator, clock, options.listen);
  if (!listening) {
    std::fprintf(stderr, "sqlbak-simulator: %s\n", listening.error().message.c_str());
    return 1;
  }
  const RunningServer server(std::move(*listening));
  std::printf("%s\n", server.api_url().c_str());
  std::fflush(stdout);
  int received = 0;
  if (options.lifetime) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(*options.lifetime);
    const timespec patience{seconds.count(), 0};
    sigtimedwait(&endings, nullptr, &patience);
  } else {
    sigwait(&endings, &received);
  }
  return 0;
}

}  // namespace
}  // namespace sqlbak_gateway::simulator

int main(int argc, char** argv) {
  using namespace sqlbak_gateway::simulator;
  const auto options = read_options({argv + 1, argv + argc});
  if (!options) {
    std::fprintf(stderr, "sqlbak-simulator: %s\n", options.error().message.c_str());
    return 2;
  }
  if (options->help) {
    print_help();
    return 0;
  }
  return serve(*options);
}
