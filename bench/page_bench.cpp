// The page for people with a thousand accounts of 200 jobs each: what an operator's browser, refreshing,
// costs.
#include "gateway/page/pages.h"
#include "gateway/published.h"
#include "large_accounts.h"
#include "sqlbak_gateway/gateway/account_view.h"
#include "sqlbak_gateway/http/encoding.h"

#include <deque>

#include <benchmark/benchmark.h>

namespace sqlbak_gateway::benchmarks {
namespace {

using namespace gateway;

const http::Request kRequest;

class Fleet {
 public:
  explicit Fleet(int size) {
    const std::shared_ptr<const Published> data = publish(large_account(1), {}, {}, nullptr);
    for (int i = 0; i < size; ++i) {
      config::AccountConfig& config = configs_.emplace_back();
      config.name = "customer-" + std::to_string(i);
      config.labels = {{"customer", "Customer " + std::to_string(i)}, {"tier", "gold"}};
      AccountOnPage& account = accounts.emplace_back();
      account.config = &config;
      account.view.data = data;
      account.view.record.completed_any = true;
    }
  }
  std::vector<AccountOnPage> accounts;

 private:
  std::deque<config::AccountConfig> configs_;
};

GatewayFacts facts() {
  GatewayFacts facts;
  facts.version = "0.1.0";
  facts.now = kT + std::chrono::minutes(3);
  return facts;
}

void done(benchmark::State& state, const std::string& text) {
  state.counters["bytes"] = static_cast<double>(text.size());
}

void OverviewHtml(benchmark::State& state) {
  const Fleet fleet(static_cast<int>(state.range(0)));
  std::string text;
  for (auto _ : state) text = overview_page(fleet.accounts, kRequest, PageFormat::html, facts());
  done(state, text);
}
BENCHMARK(OverviewHtml)->Arg(10)->Arg(1000)->Unit(benchmark::kMillisecond);

void OverviewHtmlFiltered(benchmark::State& state) {
  const Fleet fleet(1000);
  http::Request filtered;
  filtered.query = {{"q", "customer gold 99"}};
  std::string text;
  for (auto _ : state) text = overview_page(fleet.accounts, filtered, PageFormat::html, facts());
  done(state, text);
}
BENCHMARK(OverviewHtmlFiltered)->Unit(benchmark::kMillisecond);

void OverviewJson(benchmark::State& state) {
  const Fleet fleet(1000);
  std::string text;
  for (auto _ : state) text = overview_page(fleet.accounts, kRequest, PageFormat::json, facts());
  done(state, text);
}
BENCHMARK(OverviewJson)->Unit(benchmark::kMillisecond);

void OverviewHtmlAndGzip(benchmark::State& state) {
  const Fleet fleet(1000);
  std::string text;
  for (auto _ : state) text = http::gzip(overview_page(fleet.accounts, kRequest, PageFormat::html, facts()));
  done(state, text);
}
BENCHMARK(OverviewHtmlAndGzip)->Unit(benchmark::kMillisecond);

void AccountHtml(benchmark::State& state) {
  const Fleet fleet(1);
  std::string text;
  for (auto _ : state) text = account_page(fleet.accounts.front(), kRequest, PageFormat::html, facts());
  done(state, text);
}
BENCHMARK(AccountHtml)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace sqlbak_gateway::benchmarks
