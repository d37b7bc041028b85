// The catalogue itself, and docs/metrics.md, whose tables are made from it. After a change of the catalogue,
// UPDATE_GOLDEN=1 writes them anew.
#include "sqlbak_gateway/exposition/catalogue.h"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include <gtest/gtest.h>

namespace sqlbak_gateway::testing {
namespace {

using exposition::kCatalogue;
using exposition::LabelNames;
using exposition::Metric;
using exposition::Offered;
using exposition::Scope;

bool is_identifier(std::string_view text) {
  return !text.empty() &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string_view::npos &&
         std::string_view("0123456789").find(text.front()) == std::string_view::npos;
}

TEST(Catalogue, HoldsEveryNameOnceInValidForm) {
  std::set<std::string_view> names;
  for (const Metric& metric : kCatalogue) {
    EXPECT_TRUE(names.insert(metric.name).second) << metric.name;
    EXPECT_TRUE(is_identifier(metric.name)) << metric.name;
    EXPECT_EQ(metric.help.find_first_of("\\\n"), std::string_view::npos) << metric.name;
    EXPECT_TRUE(metric.help.ends_with('.')) << metric.name;
    std::set<std::string_view> labels;
    for (const std::string_view label : metric.labels) {
      EXPECT_TRUE(is_identifier(label)) << metric.name;
      EXPECT_TRUE(labels.insert(label).second) << metric.name;
    }
  }
}

TEST(Catalogue, HasNoLabelThatTheScrapeConfigurationOwns) {
  for (const Metric& metric : kCatalogue) {
    for (const std::string_view label : metric.labels) {
      EXPECT_TRUE(label != "job" && label != "instance") << metric.name;
      EXPECT_TRUE(label != "account" || metric.scope == Scope::gateway) << metric.name;
    }
  }
}

// --- docs/metrics.md ---

const std::string kPage = std::string(SQLBAK_GATEWAY_SOURCE_DIR) + "/docs/metrics.md";

std::string labels_cell(const LabelNames& labels) {
  const LabelNames row_labels = exposition::metric("sqlbak_job_overdue").labels;
  std::string cell;
  auto label = labels.begin();
  if (labels.count >= row_labels.count && std::equal(row_labels.begin(), row_labels.end(), label)) {
    cell = "*J*";
    label += row_labels.count;
  }
  for (; label != labels.end(); ++label) cell.append(cell.empty() ? "`" : ", `").append(*label).append("`");
  return cell;
}

std::string_view names_cell(Offered offered) {
  switch (offered) {
    case Offered::always:
      return "always";
    case Offered::seed:
      return "`seed`, `both`";
    case Offered::clean:
      return "`clean`, `both`";
  }
  return "";
}

std::string table(Scope scope) {
  const bool own = scope == Scope::gateway;
  std::string text = own ? "| metric | type | labels | meaning | since |\n|---|---|---|---|---|\n"
                         : "| metric | labels | `names` | meaning | since |\n|---|---|---|---|---|\n";
  for (const Metric& metric : kCatalogue) {
    if (metric.scope != scope) continue;
    text.append("| `").append(metric.name).append("` | ");
    if (own) text.append(name(metric.type)).append(" | ");
    text.append(labels_cell(metric.labels)).append(" | ");
    if (!own) text.append(names_cell(metric.offered)).append(" | ");
    text.append(metric.help).append(" | ").append(metric.since).append(" |\n");
  }
  return text;
}

// The page with the text between the marks of each table made anew.
std::string with_tables(std::string page) {
  const std::vector<std::pair<std::string, Scope>> tables = {
      {"collection", Scope::collection}, {"server", Scope::server},
      {"account", Scope::account},       {"job", Scope::job},
      {"job_type", Scope::job_type},     {"gateway", Scope::gateway}};
  for (const auto& [mark, scope] : tables) {
    const std::string begin = "<!-- catalogue: " + mark + " -->\n";
    const std::size_t from = page.find(begin);
    const std::size_t to = page.find("<!-- end -->", from);
    EXPECT_TRUE(from != page.npos && to != page.npos) << "the page has no place for the table " << mark;
    if (from == page.npos || to == page.npos) continue;
    page.replace(from + begin.size(), to - from - begin.size(), table(scope));
  }
  return page;
}

TEST(Catalogue, IsWhatTheDocumentationSays) {
  std::ifstream file(kPage, std::ios::binary);
  const std::string page{std::istreambuf_iterator<char>(file), {}};
  const std::string expected = with_tables(page);
  if (std::getenv("UPDATE_GOLDEN")) std::ofstream(kPage, std::ios::binary) << expected;
  EXPECT_TRUE(page == expected || std::getenv("UPDATE_GOLDEN"))
      << "docs/metrics.md is not what the catalogue makes";
}

}  // namespace
}  // namespace sqlbak_gateway::testing
