// Judging snapshots at T: from nothing, with everything shared, and beside a naive evaluation and the
// machine's memory.
#include "evaluation/naive_evaluation.h"
#include "large_accounts.h"
#include "sqlbak_gateway/evaluation/prepared.h"

#include <vector>

#include <benchmark/benchmark.h>

namespace sqlbak_gateway::benchmarks {
namespace {

constexpr unsigned kAccounts = 10;  // 1.4 million runs

const std::vector<std::shared_ptr<const Snapshot>>& accounts() {
  static const auto accounts = [] {
    std::vector<std::shared_ptr<const Snapshot>> made;
    for (unsigned seed = 0; seed < kAccounts; ++seed) made.push_back(large_account(seed));
    return made;
  }();
  return accounts;
}

void count_runs(benchmark::State& state, double accounts_each) {
  state.counters["runs/s"] =
      benchmark::Counter(static_cast<double>(state.iterations()) * accounts_each * kJobs * kRunsOfAJob,
                         benchmark::Counter::kIsRate);
}

void Prepare(benchmark::State& state) {
  for (auto _ : state) {
    for (const auto& snapshot : accounts()) benchmark::DoNotOptimize(evaluation::prepare(snapshot, {}));
  }
  count_runs(state, kAccounts);
}
BENCHMARK(Prepare)->Unit(benchmark::kMillisecond);

void PrepareUnchanged(benchmark::State& state) {
  std::vector<evaluation::PreparedAccount> before;
  std::vector<std::shared_ptr<const Snapshot>> later;
  for (const auto& snapshot : accounts()) {
    before.push_back(evaluation::prepare(snapshot, {}));
    auto next = std::make_shared<Snapshot>(*snapshot);
    next->collected_at += std::chrono::milliseconds(1);
    later.push_back(std::move(next));
  }
  for (auto _ : state) {
    for (unsigned i = 0; i < kAccounts; ++i)
      benchmark::DoNotOptimize(evaluation::prepare(later[i], {}, &before[i]));
  }
  count_runs(state, kAccounts);
}
BENCHMARK(PrepareUnchanged)->Unit(benchmark::kMillisecond);

void PrepareNaively(benchmark::State& state) {
  const auto snapshot = accounts().front();
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        testing::naive_published_metrics(*snapshot, std::chrono::hours(168), snapshot->collected_at));
  }
  count_runs(state, 1);
}
BENCHMARK(PrepareNaively)->Unit(benchmark::kMillisecond);

// The least that any evaluation must do: look at every run once.
void ReadMemory(benchmark::State& state) {
  for (auto _ : state) {
    std::uint64_t sum = 0;
    for (const auto& snapshot : accounts()) {
      for (const auto& job : snapshot->jobs) {
        for (const RunTally& tally : job->runs->tallies) sum += tally.succeeded;
      }
    }
    benchmark::DoNotOptimize(sum);
  }
  count_runs(state, kAccounts);
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * kAccounts * kJobs * kRunsOfAJob *
                          static_cast<std::int64_t>(sizeof(RunTally)));
}
BENCHMARK(ReadMemory)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace sqlbak_gateway::benchmarks
