// From prepared rows to findings at an instant: what every answer computes before it writes text.
#include "large_accounts.h"
#include "sqlbak_gateway/evaluation/findings.h"

#include <benchmark/benchmark.h>

namespace sqlbak_gateway::benchmarks {
namespace {

void Answer(benchmark::State& state) {
  const auto account =
      std::make_shared<const evaluation::PreparedAccount>(evaluation::prepare(large_account(1), {}));
  SystemTime at = kT;
  for (auto _ : state) {
    at += std::chrono::milliseconds(1);
    benchmark::DoNotOptimize(evaluation::answer(account, at));
  }
  state.counters["rows"] = static_cast<double>(account->row_count);
  state.counters["s/row"] = benchmark::Counter(
      static_cast<double>(state.iterations() * static_cast<std::int64_t>(account->row_count)),
      benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK(Answer);

}  // namespace
}  // namespace sqlbak_gateway::benchmarks
