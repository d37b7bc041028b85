// From findings to text, beside prometheus-cpp's serializer over the same samples and the machine's memory.
// Allocations are counted by replacing the global operator new of this program.
#include "counted_allocations.h"
#include "evaluation/naive_evaluation.h"
#include "large_accounts.h"
#include "sqlbak_gateway/exposition/catalogue.h"
#include "sqlbak_gateway/exposition/render.h"

#include <algorithm>
#include <cstring>

#include <benchmark/benchmark.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

namespace sqlbak_gateway::benchmarks {
namespace {

std::shared_ptr<const evaluation::PreparedAccount> prepared() {
  return std::make_shared<const evaluation::PreparedAccount>(evaluation::prepare(large_account(1), {}));
}

double samples_in(const std::string& text) {
  double samples = 0;
  for (std::size_t line = 0; line < text.size(); line = text.find('\n', line) + 1)
    samples += text[line] != '#';
  return samples;
}

void count(benchmark::State& state, double samples, std::uint64_t allocated) {
  const auto rounds = static_cast<double>(state.iterations());
  state.counters["samples"] = samples;
  state.counters["samples/s"] = benchmark::Counter(rounds * samples, benchmark::Counter::kIsRate);
  state.counters["allocations/sample"] = static_cast<double>(allocated) / rounds / samples;
  state.counters["allocations"] = static_cast<double>(allocated) / rounds;
}

void Render(benchmark::State& state) {
  const auto account = prepared();
  const exposition::Layout layout(account, {static_cast<exposition::NameMode>(state.range(0))});
  const evaluation::Findings findings = evaluation::answer(account, kT + std::chrono::milliseconds(12'345));
  std::string text;
  exposition::render(layout, findings, {}, text);
  const std::uint64_t before = counted_allocations();
  for (auto _ : state) {
    std::string body;
    exposition::render(layout, findings, {}, body);
    benchmark::DoNotOptimize(body);
  }
  count(state, samples_in(text), counted_allocations() - before);
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) *
                          static_cast<std::int64_t>(text.size()));
}
BENCHMARK(Render)->Arg(0)->Arg(1)->Arg(2)->ArgName("names")->Unit(benchmark::kMicrosecond);

void LayOut(benchmark::State& state) {
  const auto account = prepared();
  for (auto _ : state) benchmark::DoNotOptimize(exposition::Layout(account, {}).series_dropped());
  state.counters["rows"] = static_cast<double>(account->row_count);
}
BENCHMARK(LayOut)->Unit(benchmark::kMicrosecond);

// The published metrics alone, as prometheus-cpp writes them.
void RenderWithPrometheusCpp(benchmark::State& state) {
  std::vector<prometheus::MetricFamily> families;
  double samples = 0;
  for (const auto& [sample, value] :
       testing::naive_published_metrics(*large_account(1), std::chrono::hours(168), kT)) {
    if (families.empty() || families.back().name != sample.name) {
      families.push_back({sample.name,
                          std::string(exposition::metric(sample.name).help),
                          prometheus::MetricType::Gauge,
                          {}});
    }
    prometheus::ClientMetric metric;
    metric.gauge.value = value;
    for (const auto& [name, label] : sample.labels) metric.label.push_back({name, label});
    families.back().metric.push_back(std::move(metric));
    ++samples;
  }
  const prometheus::TextSerializer serializer;
  const std::uint64_t before = counted_allocations();
  for (auto _ : state) benchmark::DoNotOptimize(serializer.Serialize(families));
  count(state, samples, counted_allocations() - before);
}
BENCHMARK(RenderWithPrometheusCpp)->Unit(benchmark::kMicrosecond);

// The least that any rendering must do: write as many bytes.
void CopyMemory(benchmark::State& state) {
  const auto account = prepared();
  std::string text;
  exposition::render(exposition::Layout(account, {}), evaluation::answer(account, kT), {}, text);
  std::string copy(text.size(), ' ');
  for (auto _ : state) {
    std::memcpy(copy.data(), text.data(), text.size());
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) *
                          static_cast<std::int64_t>(text.size()));
}
BENCHMARK(CopyMemory)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace sqlbak_gateway::benchmarks
