// Two independent ways to an exposition must agree sample by sample over random accounts: ours, and a naive
// evaluation written out by prometheus-cpp's registry types and serializer.
#include "evaluation/naive_evaluation.h"
#include "evaluation/random_account.h"
#include "exposition/parsed_exposition.h"
#include "sqlbak_gateway/exposition/catalogue.h"
#include "sqlbak_gateway/exposition/render.h"

#include <cmath>

#include <gtest/gtest.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

namespace sqlbak_gateway::testing {
namespace {

std::string serialized(const std::map<NaiveSample, double>& samples) {
  std::vector<prometheus::MetricFamily> families;
  for (const auto& [sample, value] : samples) {
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
  }
  return prometheus::TextSerializer().Serialize(families);
}

TEST(Oracle, PrometheusCppAndANaiveEvaluationSayTheSame) {
  std::size_t compared = 0;
  for (std::uint32_t seed = 0; seed < 100; ++seed) {
    const auto snapshot = std::make_shared<const Snapshot>(RandomAccount(seed).snapshot());
    const SystemTime at = kT + std::chrono::milliseconds(seed * 12'345);
    const auto account =
        std::make_shared<const evaluation::PreparedAccount>(evaluation::prepare(snapshot, {}));
    std::string text;
    exposition::render(exposition::Layout(account, {}), evaluation::answer(account, at), {}, text);

    const auto ours = parse_exposition(text);
    const auto theirs =
        parse_exposition(serialized(naive_published_metrics(*snapshot, std::chrono::hours(168), at)));
    ASSERT_EQ(ours.fault, "");
    ASSERT_EQ(theirs.fault, "");
    for (const auto& [series, value] : theirs.samples) {
      const auto found = ours.samples.find(series);
      ASSERT_NE(found, ours.samples.end())
          << "seed " << seed << ": only theirs: " << series.name << ::testing::PrintToString(series.labels);
      // prometheus-cpp writes one digit less than a double has.
      ASSERT_NEAR(found->second, value, std::abs(value) * 1e-14) << "seed " << seed << ": " << series.name;
      ++compared;
    }
    for (const auto& [series, value] : ours.samples) {
      if (exposition::metric(series.name).offered != exposition::Offered::seed &&
          series.name != "sqlbak_server_online")
        continue;
      if (exposition::metric(series.name).scope == exposition::Scope::collection) continue;
      ASSERT_TRUE(theirs.samples.contains(series))
          << "seed " << seed << ": only ours: " << series.name << ::testing::PrintToString(series.labels);
    }
  }
  EXPECT_GT(compared, 10'000u);
}

}  // namespace
}  // namespace sqlbak_gateway::testing
