// `promtool check metrics` reads every golden file: seven names of the published exporter break the
// conventions, and nothing else does.
#include "exposition/accounts.h"
#include "sqlbak_gateway/exposition/catalogue.h"

#include <array>
#include <filesystem>
#include <fstream>
#include <set>
#include <stdio.h>
#include <sys/wait.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sqlbak_gateway::testing {
namespace {

using exposition::MetricType;
using exposition::NameMode;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

const auto kTheSeven = UnorderedElementsAre(
    "sqlbak_offline_servers_total", "sqlbak_job_backups_succeeded_total", "sqlbak_job_backups_failed_total",
    "sqlbak_job_backups_total", "sqlbak_job_last_success_age_hours", "sqlbak_job_retention_days",
    "sqlbak_job_summary");

// The names that promtool complains about.
std::set<std::string> findings(const std::string& exposition) {
  const auto file =
      std::filesystem::temp_directory_path() / ("promtool_test." + std::to_string(getpid()) + ".prom");
  std::ofstream(file, std::ios::binary) << exposition;
  FILE* promtool = popen(("promtool check metrics < " + file.string() + " 2>&1").c_str(), "r");
  std::string said;
  std::array<char, 4096> buffer;
  while (fgets(buffer.data(), static_cast<int>(buffer.size()), promtool)) said += buffer.data();
  const int status = pclose(promtool);
  std::filesystem::remove(file);
  // 0: nothing to say, 3: the style is not as recommended; anything else: it could not be read.
  EXPECT_TRUE(WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 3)) << said;
  std::set<std::string> names;
  for (std::size_t line = 0; line < said.size(); line = said.find('\n', line) + 1) {
    names.insert(said.substr(line, said.find(' ', line) - line));
  }
  return names;
}

TEST(Promtool, FindsTheSevenPublishedNamesAndNothingElse) {
  std::set<std::string> seed;
  std::set<std::string> both;
  for (const NamedAccount& account : hand_written_accounts()) {
    seed.merge(findings(exposition_of(account, NameMode::seed)));
    both.merge(findings(exposition_of(account, NameMode::both)));
    EXPECT_THAT(findings(exposition_of(account, NameMode::clean)), IsEmpty()) << account.name;
  }
  EXPECT_THAT(seed, kTheSeven);
  EXPECT_THAT(both, kTheSeven);
}

TEST(Promtool, FindsNoOtherFaultInTheWholeCatalogue) {
  std::string text;
  for (const exposition::Metric& metric : exposition::kCatalogue) {
    const std::string name(metric.name);
    text.append("# HELP ").append(name).append(" ").append(metric.help).append("\n");
    text.append("# TYPE ").append(name).append(" ").append(exposition::name(metric.type)).append("\n");
    std::string labels;
    for (const std::string_view label : metric.labels) {
      labels.append(labels.empty() ? "" : ",").append(label).append("=\"x\"");
    }
    if (metric.type == MetricType::histogram) {
      text.append(name)
          .append("_bucket{")
          .append(labels)
          .append(labels.empty() ? "" : ",")
          .append("le=\"+Inf\"} 1\n");
      text.append(name).append("_sum{").append(labels).append("} 1\n");
      text.append(name).append("_count{").append(labels).append("} 1\n");
    } else {
      text.append(name).append("{").append(labels).append("} 1\n");
    }
  }
  EXPECT_THAT(findings(text), kTheSeven);
}

}  // namespace
}  // namespace sqlbak_gateway::testing
