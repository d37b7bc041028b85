// What a check or a reload of a large fleet costs, and what a token costs at each collection.
#include "sqlbak_gateway/config/bounded_tokens.h"
#include "sqlbak_gateway/config/check.h"
#include "sqlbak_gateway/config/load.h"
#include "sqlbak_gateway/config/token.h"

#include <filesystem>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <string>
#include <unistd.h>

#include <benchmark/benchmark.h>

namespace sqlbak_gateway::config {
namespace {

std::optional<std::string> no_variables(const std::string&) {
  return std::nullopt;
}

std::string account(int number) {
  const std::string n = std::to_string(number);
  return "[accounts.customer-" + n + "]\ntoken_file = \"tokens/customer-" + n +
         "\"\nlabels = { customer = \"Customer " + n +
         "\", tier = \"gold\" }\nmax_age = { full = \"36h\", log = \"30m\" }\n[accounts.customer-" + n +
         ".jobs.\"Nightly ERP\"]\nmax_age = { full = \"8d\" }\n";
}

// A main file and accounts.d with so many accounts, so many of them in each file, and their tokens.
class Fleet {
 public:
  Fleet(int accounts, int accounts_per_file) {
    std::string name = (std::filesystem::temp_directory_path() / "sqlbak-config-bench-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary directory");
    root_ = name;
    std::filesystem::create_directories(root_ / "accounts.d/tokens");
    std::ofstream(main_file()) << "accounts_dir = \"accounts.d\"\n[defaults]\nscrape_interval = \"1m\"\n";
    for (int first = 0; first < accounts; first += accounts_per_file) {
      std::ofstream file(root_ / "accounts.d" / (std::to_string(first) + ".toml"));
      for (int number = first; number < first + accounts_per_file; ++number) {
        file << account(number);
        std::ofstream(root_ / "accounts.d/tokens" / ("customer-" + std::to_string(number)))
            << "token-" << number << '\n';
      }
    }
  }
  Fleet(const Fleet&) = delete;
  Fleet& operator=(const Fleet&) = delete;
  ~Fleet() { std::filesystem::remove_all(root_); }

  std::string main_file() const { return (root_ / "gateway.toml").string(); }
  Config load() const {
    LoadOptions options;
    options.mode = LoadMode::check;
    options.environment = no_variables;
    LoadOutcome outcome = config::load(main_file(), options);
    if (!outcome.config) throw std::runtime_error(to_text(outcome.errors.front()));
    return std::move(*outcome.config);
  }

 private:
  std::filesystem::path root_;
};

void count_accounts(benchmark::State& state, int accounts) {
  state.counters["accounts/s"] =
      benchmark::Counter(static_cast<double>(state.iterations()) * accounts, benchmark::Counter::kIsRate);
}

// Arguments: accounts, accounts a file.
void Load(benchmark::State& state) {
  const int accounts = static_cast<int>(state.range(0));
  const Fleet fleet(accounts, static_cast<int>(state.range(1)));
  for (auto _ : state) benchmark::DoNotOptimize(fleet.load());
  count_accounts(state, accounts);
}
BENCHMARK(Load)->Args({1'000, 1})->Args({1'000, 1'000})->Args({10'000, 1})->Unit(benchmark::kMillisecond);

// Loading, and finding the accounts that changed: none.
void ReloadUnchanged(benchmark::State& state) {
  const int accounts = static_cast<int>(state.range(0));
  const Fleet fleet(accounts, 1);
  const Config running = fleet.load();
  for (auto _ : state) {
    if (!(fleet.load() == running)) state.SkipWithError("the configuration changed");
  }
  count_accounts(state, accounts);
}
BENCHMARK(ReloadUnchanged)->Arg(1'000)->Unit(benchmark::kMillisecond);

void CheckFiles(benchmark::State& state) {
  const int accounts = static_cast<int>(state.range(0));
  const Fleet fleet(accounts, 1);
  const Config config = fleet.load();
  const TokenReader reader(no_variables);
  const RealClock clock;
  const BoundedTokens tokens(reader, clock);
  for (auto _ : state) {
    if (!check_files(config, tokens).errors.empty()) state.SkipWithError("a token cannot be read");
  }
  count_accounts(state, accounts);
}
BENCHMARK(CheckFiles)->Arg(1'000)->Unit(benchmark::kMillisecond);

void Masked(benchmark::State& state) {
  const int accounts = static_cast<int>(state.range(0));
  const Config config = Fleet(accounts, 1).load();
  for (auto _ : state) benchmark::DoNotOptimize(masked(config));
  count_accounts(state, accounts);
}
BENCHMARK(Masked)->Arg(1'000)->Unit(benchmark::kMillisecond);

void ReadToken(benchmark::State& state) {
  const Fleet fleet(1, 1);
  const TokenSource source = fleet.load().accounts.begin()->second.token;
  const TokenReader tokens(no_variables);
  for (auto _ : state) benchmark::DoNotOptimize(tokens.read(source));
}
BENCHMARK(ReadToken);

}  // namespace
}  // namespace sqlbak_gateway::config
