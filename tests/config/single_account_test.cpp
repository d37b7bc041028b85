// Single-account mode: the published exporter's environment, with and without a configuration file.
#include "config/config_directory.h"
#include "sqlbak_gateway/config/load.h"

#include <chrono>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sqlbak_gateway::config::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using namespace std::chrono_literals;

class SingleAccount : public ::testing::Test {
 protected:
  Config with(Variables variables) const {
    variables.emplace("SQLBAK_API_TOKEN", "PLANTED");
    return dir.loaded(variables);
  }
  Lines errors_with(Variables variables) const {
    variables.emplace("SQLBAK_API_TOKEN", "PLANTED");
    return dir.lines(dir.load(LoadMode::start, variables).errors);
  }
  const ConfigDirectory dir;
};

TEST_F(SingleAccount, NeedsNoFileAndHasThePublishedExportersDefaults) {
  const Config config = with({});
  EXPECT_TRUE(config.single_account);
  ASSERT_EQ(config.accounts.size(), 1u);
  const AccountConfig& account = config.accounts.at("default");
  EXPECT_EQ(account.name, "default");
  EXPECT_EQ(account.token, (TokenSource{TokenSource::Kind::environment, "SQLBAK_API_TOKEN", ""}));
  EXPECT_EQ(account.cache_ttl, 60s);
  EXPECT_EQ(account.lookback, 168h);
  EXPECT_EQ(account.api_url, "https://sqlbak.com/public-api/v1");
  EXPECT_EQ(account.names, MetricNames::seed);
  EXPECT_THAT(config.server.listen, ElementsAre(ListenAddress{"0.0.0.0", 8000}));
}

TEST_F(SingleAccount, TakesItsVariables) {
  const Config config = with({{"CHECK_INTERVAL", "300"},
                              {"EXPORTER_PORT", " 9000\n"},
                              {"JOBRUNS_LOOKBACK_HOURS", "24"},
                              {"SQLBAK_API_URL", "http://127.0.0.1:8080/v1/"}});
  const AccountConfig& account = config.accounts.at("default");
  EXPECT_EQ(account.cache_ttl, 300s);
  EXPECT_EQ(account.lookback, 24h);
  EXPECT_EQ(account.api_url, "http://127.0.0.1:8080/v1");
  EXPECT_THAT(config.server.listen, ElementsAre(ListenAddress{"0.0.0.0", 9000}));
}

TEST_F(SingleAccount, StandsOnTheFilesDefaultsAndServer) {
  dir.write("gateway.toml",
            "[server]\nlisten = [\"127.0.0.1:8001\"]\n[defaults]\ncache_ttl = \"2m\"\nlookback = \"14d\"\n"
            "names = \"clean\"\nscrape_interval = \"1m\"\n");
  const Config config = with({});
  const AccountConfig& account = config.accounts.at("default");
  EXPECT_EQ(account.cache_ttl, 2min);
  EXPECT_EQ(account.lookback, 14 * 24h);
  EXPECT_EQ(account.names, MetricNames::clean);
  EXPECT_EQ(account.scrape_timeout, 10s);
  EXPECT_THAT(config.server.listen, ElementsAre(ListenAddress{"127.0.0.1", 8001}));
  EXPECT_THAT(with({{"EXPORTER_PORT", "9000"}}).server.listen, ElementsAre(ListenAddress{"0.0.0.0", 9000}))
      << "a variable that is set goes before the file";
}

TEST_F(SingleAccount, MalformedVariablesAreNamedAllAtOnce) {
  EXPECT_THAT(
      errors_with({{"CHECK_INTERVAL", "1m"},
                   {"EXPORTER_PORT", "65536"},
                   {"JOBRUNS_LOOKBACK_HOURS", ""},
                   {"SQLBAK_API_URL", "http://api.example.com"}}),
      ElementsAre(
          "environment variable CHECK_INTERVAL must be a whole number from 1 to 86400, and is \"1m\"",
          "environment variable JOBRUNS_LOOKBACK_HOURS must be a whole number from 1 to 87600, and is \"\"",
          "environment variable EXPORTER_PORT must be a whole number from 1 to 65535, and is \"65536\"",
          "environment variable SQLBAK_API_URL must begin with https://: the token would cross the "
          "network in the clear (http is for loopback addresses)"));
  EXPECT_THAT(
      errors_with({{"SQLBAK_API_TOKEN", "PLAN TED"}}),
      ElementsAre("environment variable SQLBAK_API_TOKEN holds a blank: it must hold nothing but the token"));
  EXPECT_THAT(errors_with({{"SQLBAK_API_TOKEN", ""}}),
              ElementsAre("environment variable SQLBAK_API_TOKEN is empty: it must hold the token"));
}

TEST_F(SingleAccount, TheTokenMayBeInAFile) {
  const Variables file = {{"SQLBAK_API_TOKEN_FILE", "/run/secrets/sqlbak"}};
  const Config config = dir.loaded(file);
  EXPECT_TRUE(config.single_account);
  EXPECT_EQ(config.accounts.at("default").token,
            (TokenSource{TokenSource::Kind::file, "/run/secrets/sqlbak", ""}));
  EXPECT_THAT(errors_with(file), ElementsAre("environment variable SQLBAK_API_TOKEN_FILE is set, and so is "
                                             "SQLBAK_API_TOKEN: set one of them"));
  EXPECT_THAT(dir.lines(dir.load(LoadMode::start, {{"SQLBAK_API_TOKEN_FILE", ""}}).errors),
              ElementsAre("environment variable SQLBAK_API_TOKEN_FILE is empty: it must name the file that "
                          "holds the token"));
}

TEST_F(SingleAccount, ATokenFileYieldsToAccounts) {
  dir.write("gateway.toml", "[accounts.acme]\ntoken_env = \"ACME\"\n");
  const LoadOutcome outcome = dir.load(LoadMode::start, {{"SQLBAK_API_TOKEN_FILE", "/run/secrets/sqlbak"}});
  ASSERT_TRUE(outcome.config);
  EXPECT_FALSE(outcome.config->single_account);
  EXPECT_THAT(dir.lines(outcome.warnings),
              ElementsAre("SQLBAK_API_TOKEN_FILE is set, but accounts are configured: the accounts win, and "
                          "the variable is ignored"));
}

TEST_F(SingleAccount, APortOfKubernetesIsIgnoredWithAWarning) {
  const LoadOutcome outcome = dir.load(
      LoadMode::start, {{"SQLBAK_API_TOKEN", "PLANTED"}, {"EXPORTER_PORT", "tcp://10.96.0.12:8000"}});
  ASSERT_TRUE(outcome.config);
  EXPECT_THAT(outcome.config->server.listen, ElementsAre(ListenAddress{"0.0.0.0", 8000}));
  EXPECT_THAT(dir.lines(outcome.warnings),
              ::testing::Contains("environment variable EXPORTER_PORT is \"tcp://10.96.0.12:8000\", which "
                                  "Kubernetes sets for a service named \"exporter\": it is ignored; "
                                  "enableServiceLinks: false keeps it away"));
}

TEST_F(SingleAccount, AnIntervalBeyondMaxStaleIsRefused) {
  dir.write("gateway.toml", "[defaults]\nmax_stale = \"5m\"\n");
  EXPECT_THAT(
      errors_with({{"CHECK_INTERVAL", "600"}}),
      ElementsAre(
          "environment variable CHECK_INTERVAL is longer than max_stale (5m): data would be dropped while "
          "still fresh"));
}

TEST_F(SingleAccount, ConfiguredAccountsWinWithAWarning) {
  dir.write("gateway.toml", "[accounts.acme]\ntoken_env = \"ACME\"\n");
  const LoadOutcome outcome =
      dir.load(LoadMode::start, {{"SQLBAK_API_TOKEN", "PLANTED"}, {"CHECK_INTERVAL", "nonsense"}});
  ASSERT_TRUE(outcome.config);
  EXPECT_FALSE(outcome.config->single_account);
  EXPECT_EQ(outcome.config->accounts.count("default"), 0u);
  EXPECT_THAT(dir.lines(outcome.warnings),
              ElementsAre("SQLBAK_API_TOKEN is set, but accounts are configured: the accounts "
                          "win, and the variable is ignored"));
}

TEST_F(SingleAccount, AnAccountThatUsesTheVariableItselfIsNotWarnedOf) {
  dir.write("gateway.toml", "[accounts.acme]\ntoken_env = \"SQLBAK_API_TOKEN\"\n");
  EXPECT_THAT(dir.load(LoadMode::start, {{"SQLBAK_API_TOKEN", "PLANTED"}}).warnings, IsEmpty());
}

// A typing error in the only customer's file must not turn the gateway into another program.
TEST_F(SingleAccount, IsNoRefugeFromRejectedFiles) {
  dir.write("gateway.toml", "accounts_dir = \"accounts.d\"\n");
  dir.write("accounts.d/a.toml", "[accounts.a\n");
  const LoadOutcome outcome = dir.load(LoadMode::start, {{"SQLBAK_API_TOKEN", "PLANTED"}});
  ASSERT_TRUE(outcome.config);
  EXPECT_FALSE(outcome.config->single_account);
  EXPECT_THAT(outcome.config->accounts, IsEmpty());
}

TEST_F(SingleAccount, AReloadMayAddRealAccounts) {
  const Config running = with({});
  dir.write("gateway.toml", "[accounts.acme]\ntoken_env = \"ACME\"\n");
  const LoadOutcome outcome = dir.reload(running, {{"SQLBAK_API_TOKEN", "PLANTED"}});
  ASSERT_TRUE(outcome.config);
  EXPECT_FALSE(outcome.config->single_account);
}

}  // namespace
}  // namespace sqlbak_gateway::config::testing
