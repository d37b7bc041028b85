// docs/configuration.md, etc/gateway.toml and the examples, held to the table of keys that the parser reads
// by.
#include "config/config_directory.h"
#include "config/keys.h"
#include "config/toml_text.h"
#include "sqlbak_gateway/config/check.h"
#include "sqlbak_gateway/config/load.h"

#include <algorithm>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sqlbak_gateway::config::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::string kSource = SQLBAK_GATEWAY_SOURCE_DIR;

Lines lines_of(const std::string& file) {
  Lines lines;
  std::istringstream text(text_of(kSource + '/' + file));
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

// "| `key` | type | default | range |", without the meaning.
std::string row(const DocumentedKey& key) {
  return "| `" + key.name + "` | " + key.type + " | " +
         (key.fallback.empty() ? "" : '`' + key.fallback + '`') + " | " + key.range + " |";
}

// The rows of every table of keys in the documentation, without their meaning, in order.
std::string documented_rows() {
  std::string rows;
  for (const std::string& line : lines_of("docs/configuration.md")) {
    if (line.rfind("| variable |", 0) == 0) break;
    if (line.rfind("| `", 0) != 0) continue;
    std::size_t bar = 0;
    for (int cell = 0; cell < 4; ++cell) bar = line.find(" |", bar + 1);
    rows += line.substr(0, bar + 2) + '\n';
    EXPECT_GT(line.size(), bar + 10) << "no meaning: " << line;
  }
  return rows;
}

TEST(Documentation, HasEveryKeyWithItsTypeDefaultAndRangeAndNoOther) {
  std::string expected;
  for (const DocumentedKey& key : documented_keys()) expected += row(key) + '\n';
  EXPECT_EQ(documented_rows(), expected);
}

TEST(Documentation, NamesEveryReservedLabel) {
  const std::string text = text_of(kSource + "/docs/configuration.md");
  for (const std::string_view label : kReservedLabels) {
    EXPECT_THAT(text, HasSubstr('`' + std::string(label) + '`'));
  }
  EXPECT_TRUE(std::is_sorted(kReservedLabels.begin(), kReservedLabels.end()));
}

// Every default, set explicitly, is the default.
TEST(Documentation, ItsDefaultsAreTheProgramsDefaults) {
  std::map<std::string, std::string> tables;
  for (const DocumentedKey& key : documented_keys()) {
    const bool plain_table = key.table.rfind("accounts", 0) != 0;
    if (plain_table && !key.fallback.empty()) tables[key.table] += key.name + " = " + key.fallback + '\n';
  }
  const std::string account = "[accounts.acme]\ntoken_env = \"T\"\n";
  std::string explicit_defaults;
  for (const auto& [table, keys] : tables)  // the keys of the top level, of table "", come first
    explicit_defaults += (table.empty() ? "" : '[' + table + "]\n") + keys;
  explicit_defaults += account;
  const ConfigDirectory dir;
  dir.write("gateway.toml", account);
  const Config implicit = dir.loaded();
  dir.write("gateway.toml", explicit_defaults);
  EXPECT_EQ(dir.loaded(), implicit);
  EXPECT_EQ(tables.size(), 5u) << "the top level, server, upstream, history, defaults";
}

// etc/gateway.toml as it is when every '#' before a key or a table is taken out. Prose has a blank after its
// '#'.
std::string uncommented() {
  std::string text;
  for (const std::string& line : lines_of("etc/gateway.toml")) {
    const bool setting = line.size() > 1 && line[0] == '#' && line[1] != ' ';
    EXPECT_TRUE(setting || line.empty() || line[0] == '#') << "set as it stands: " << line;
    text += (setting ? line.substr(1) : line) + '\n';
  }
  return text;
}

TEST(ExampleFile, SetsNothingAsItStands) {
  const ConfigDirectory dir;
  dir.write("gateway.toml", text_of(kSource + "/etc/gateway.toml"));
  EXPECT_EQ(dir.loaded(), Config{});
}

TEST(ExampleFile, IsRightWithEverythingTakenIn) {
  const ConfigDirectory dir;
  dir.write("gateway.toml", uncommented());
  dir.write("accounts.d/README", "");
  const LoadOutcome outcome = dir.load();
  EXPECT_THAT(dir.lines(outcome.errors), IsEmpty());
  EXPECT_THAT(dir.lines(outcome.warnings), IsEmpty());
}

// The table of `root` that a key of the documentation stands in; SELECTOR and NAME are whichever come first.
void expect_in_example(const Node& root, const DocumentedKey& key) {
  std::vector<const Node*> tables = {&root};
  std::istringstream path(key.table);
  for (std::string segment; std::getline(path, segment, '.');) {
    std::vector<const Node*> next;
    for (const Node* table : tables) {
      for (const Member& member : table->members) {
        if (segment != "NAME" && segment != "SELECTOR" && member.key != segment) continue;
        if (member.value.kind == Node::Kind::array) {
          for (const Node& item : member.value.items) next.push_back(&item);
        } else {
          next.push_back(&member.value);
        }
      }
    }
    tables = next;
  }
  const auto has_key = [&](const Node* table) { return table->find(key.name) != nullptr; };
  EXPECT_TRUE(std::any_of(tables.begin(), tables.end(), has_key)) << key.table << '.' << key.name;
}

TEST(ExampleFile, HasEveryKey) {
  const ParsedToml parsed = parse_toml(uncommented());
  ASSERT_THAT(parsed.errors, IsEmpty());
  for (const DocumentedKey& key : documented_keys()) expect_in_example(parsed.root, key);
}

TEST(ExampleFile, ShowsTheDefaultsAsTheyAre) {
  const std::string text = text_of(kSource + "/etc/gateway.toml");
  for (const DocumentedKey& key : documented_keys()) {
    if (key.fallback.empty()) continue;
    EXPECT_THAT(text, HasSubstr("\n#" + key.name + " = " + key.fallback + '\n'));
  }
}

LoadOutcome example(const std::string& name) {
  LoadOptions options;
  options.mode = LoadMode::check;
  options.environment = environment_of({});
  LoadOutcome outcome = load(kSource + "/etc/examples/" + name, options);
  for (const Diagnostic& error : outcome.errors) ADD_FAILURE() << to_text(error);
  for (const Diagnostic& warning : outcome.warnings) ADD_FAILURE() << to_text(warning);
  return outcome;
}

TEST(Examples, SingleAccount) {
  EXPECT_EQ(example("single-account.toml").config->accounts.size(), 1u);
}

TEST(Examples, Fleet) {
  const auto config = example("fleet/gateway.toml").config;
  ASSERT_TRUE(config);
  EXPECT_EQ(config->accounts.size(), 3u);
  EXPECT_EQ(config->accounts.at("acme").labels,
            (std::map<std::string, std::string>{
                {"customer", "Acme Corp"}, {"provider", "example-msp"}, {"tier", "gold"}}));
  EXPECT_EQ(config->accounts.at("globex-us").scrape_interval, std::chrono::minutes(2));
}

TEST(Examples, HaPrometheus) {
  const auto config = example("ha-prometheus.toml").config;
  ASSERT_TRUE(config);
  EXPECT_EQ(config->access.size(), 2u);
}

TEST(Examples, TlsAndAccess) {
  const auto config = example("tls-access.toml").config;
  ASSERT_TRUE(config);
  EXPECT_THAT(check_report(*config), HasSubstr("access \"acme-prometheus\" (bearer token):\n"
                                               "  \"acme\": acme\n"
                                               "  \"acme-*\": acme-us\n"));
}

}  // namespace
}  // namespace sqlbak_gateway::config::testing
