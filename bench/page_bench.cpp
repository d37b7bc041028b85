// The page for people with a thousand accounts of 200 jobs each: what an operator's browser, refreshing,
// costs.
#include "gateway/page/page_html.h"
#include "gateway/page/page_json.h"
#include "gateway/published.h"
#include "large_accounts.h"
#include "sqlbak_gateway/gateway/account_view.h"
#include "sqlbak_gateway/http/encoding.h"

#include <deque>

#include <benchmark/benchmark.h>

namespace sqlbak_gateway::benchmarks {
namespace {

using namespace gateway;

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
  const ListQuery query = list_query({}, account_subsets(), account_orders());
  std::string text;
  for (auto _ : state) text = to_html(overview(fleet.accounts, query, Paging::pages, facts()));
  done(state, text);
}
BENCHMARK(OverviewHtml)->Arg(10)->Arg(1000)->Unit(benchmark::kMillisecond);

void OverviewHtmlFiltered(benchmark::State& state) {
  const Fleet fleet(1000);
  ListQuery query = list_query({}, account_subsets(), account_orders());
  query.words = "customer gold 99";
  std::string text;
  for (auto _ : state) text = to_html(overview(fleet.accounts, query, Paging::pages, facts()));
  done(state, text);
}
BENCHMARK(OverviewHtmlFiltered)->Unit(benchmark::kMillisecond);

void OverviewJson(benchmark::State& state) {
  const Fleet fleet(1000);
  const ListQuery query = list_query({}, account_subsets(), account_orders());
  std::string text;
  for (auto _ : state) text = to_json(overview(fleet.accounts, query, Paging::everything, facts()));
  done(state, text);
}
BENCHMARK(OverviewJson)->Unit(benchmark::kMillisecond);

void OverviewHtmlAndGzip(benchmark::State& state) {
  const Fleet fleet(1000);
  const ListQuery query = list_query({}, account_subsets(), account_orders());
  std::string text;
  for (auto _ : state) text = http::gzip(to_html(overview(fleet.accounts, query, Paging::pages, facts())));
  done(state, text);
}
BENCHMARK(OverviewHtmlAndGzip)->Unit(benchmark::kMillisecond);

void AccountHtml(benchmark::State& state) {
  const Fleet fleet(1);
  const ListQuery query = list_query({}, job_subsets(), job_orders());
  std::string text;
  for (auto _ : state) text = to_html(account_detail(fleet.accounts.front(), query, Paging::pages, facts()));
  done(state, text);
}
BENCHMARK(AccountHtml)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace sqlbak_gateway::benchmarks
