// What remembering costs: memory an account, the file, what a collection writes, and what a restart reads.
#include "simulator/scenarios.h"
#include "simulator/simulator.h"
#include "sqlbak_gateway/history/history.h"
#include "sqlbak_gateway/sqlbak/collection.h"
#include "support/collecting.h"
#include "support/manual_clock.h"

#include <filesystem>
#include <fstream>
#include <malloc.h>
#include <memory>
#include <stdlib.h>
#include <string>

#include <benchmark/benchmark.h>

namespace sqlbak_gateway {
namespace {

class NoLog final : public LogSink {
 public:
  void write(std::string_view) override {}
};

std::size_t heap_in_use() {
  return ::mallinfo2().uordblks;
}

// Bytes this process has handed to write().
std::uint64_t bytes_written() {
  std::ifstream io("/proc/self/io");
  std::string name;
  std::uint64_t value = 0;
  while (io >> name >> value) {
    if (name == "wchar:") return value;
  }
  return 0;
}

// A simulated account and its collections.
class Collected {
 public:
  explicit Collected(simulator::Size size) : simulator_(world(size), clock_) { collect(); }

  std::uint64_t collect() {
    sqlbak::CollectionPlan plan;
    plan.started_at = clock_.system_now();
    sqlbak::Collection collection(plan, memory_);
    const std::uint64_t requests = testing::drive(collection, simulator_, "token", clock_);
    memory_ = collection.finish().memory;
    return requests;
  }
  void pass(Duration time) { clock_.advance(time); }
  const std::shared_ptr<const AccountMemory>& memory() const { return memory_; }

 private:
  static simulator::World world(simulator::Size size) {
    simulator::World world;
    world.add(simulator::generated_account("account", "token", size, testing::ManualClock::kStart, 1));
    return world;
  }
  testing::ManualClock clock_;
  simulator::Simulator simulator_;
  std::shared_ptr<const AccountMemory> memory_;
};

Collected& collected(const simulator::Size& size) {
  static Collected typical(simulator::kTypical);
  static Collected large(simulator::kLarge);
  return size.jobs == simulator::kTypical.jobs ? typical : large;
}

simulator::Size size_of(const benchmark::State& state) {
  return state.range(0) == 0 ? simulator::kTypical : simulator::kLarge;
}

class TemporaryHistory {
 public:
  TemporaryHistory() {
    std::string name = std::filesystem::temp_directory_path() / "sqlbak-bench-XXXXXX";
    folder_ = ::mkdtemp(name.data());
  }
  ~TemporaryHistory() { std::filesystem::remove_all(folder_); }
  std::unique_ptr<history::History> open() {
    return history::open_history(folder_ / "history.db", clock_, log_);
  }

 private:
  std::filesystem::path folder_;
  RealClock clock_;
  NoLog sink_;
  Logger log_{sink_, clock_, LogLevel::error, LogFormat::logfmt};
};

// The file's whole content of one account, read after a restart; the heap it takes.
void Load(benchmark::State& state) {
  TemporaryHistory file;
  const auto& memory = collected(size_of(state)).memory();
  {
    const auto history = file.open();
    history->store("account", memory);
    history->drain(Deadline::never());
    state.counters["file_bytes"] = static_cast<double>(history->status().size_bytes.value_or(0));
  }
  std::size_t heap = 0;
  for (auto _ : state) {
    state.PauseTiming();
    const auto history = file.open();
    const std::size_t before = heap_in_use();
    state.ResumeTiming();
    const auto loaded = history->load("account", Deadline::never());
    benchmark::DoNotOptimize(loaded.value().get());
    state.PauseTiming();
    heap = heap_in_use() - before;
    state.ResumeTiming();
  }
  std::size_t runs = 0;
  for (const auto& job : memory->jobs) runs += job->runs->ids.size();
  state.counters["runs"] = static_cast<double>(runs);
  state.counters["heap_bytes"] = static_cast<double>(heap);
}

// What is written after a collection five minutes later.
void Store(benchmark::State& state) {
  TemporaryHistory file;
  Collected account(size_of(state));
  const auto history = file.open();
  history->store("account", account.memory());
  history->drain(Deadline::never());
  std::uint64_t written = 0;
  for (auto _ : state) {
    state.PauseTiming();
    account.pass(std::chrono::minutes(5));
    account.collect();
    const std::uint64_t before = bytes_written();
    state.ResumeTiming();
    history->store("account", account.memory());
    history->drain(Deadline::never());
    state.PauseTiming();
    written += bytes_written() - before;
    state.ResumeTiming();
  }
  state.counters["bytes_written"] =
      benchmark::Counter(static_cast<double>(written), benchmark::Counter::kAvgIterations);
}

// The collection's own work and the simulator's, for a collection five minutes later.
void WarmCollection(benchmark::State& state) {
  Collected account(size_of(state));
  std::uint64_t requests = 0;
  for (auto _ : state) {
    account.pass(std::chrono::minutes(5));
    requests += account.collect();
  }
  state.counters["requests"] =
      benchmark::Counter(static_cast<double>(requests), benchmark::Counter::kAvgIterations);
}

BENCHMARK(Load)->ArgName("large")->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);
BENCHMARK(Store)->ArgName("large")->Arg(0)->Arg(1)->Iterations(24)->Unit(benchmark::kMillisecond);
BENCHMARK(WarmCollection)->ArgName("large")->Arg(0)->Arg(1)->Iterations(24)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace sqlbak_gateway
