// accounts_dir: files that may be written by less trusted hands, and what a bad one does at the start, at a
// reload and in a check.
#include "config/config_directory.h"
#include "sqlbak_gateway/config/check.h"
#include "sqlbak_gateway/config/load.h"
#include "sqlbak_gateway/config/token.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sqlbak_gateway::config::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string account(const std::string& name) {
  return "[accounts." + name + "]\ntoken_env = \"TOKEN\"\n";
}

Lines names(const std::optional<Config>& config) {
  Lines names;
  if (config) {
    for (const auto& [name, account] : config->accounts) names.push_back(name);
  }
  return names;
}

class AccountsDir : public ::testing::Test {
 protected:
  AccountsDir() { write_main(""); }
  void write_main(const std::string& more) {
    dir.write("gateway.toml", "accounts_dir = \"accounts.d\"\n" + more);
  }
  void write_account_file(const std::string& name, const std::string& text) {
    dir.write("accounts.d/" + name, text);
  }
  // The errors of a check with `text` as the only account file.
  Lines errors_of(const std::string& text) {
    write_account_file("a.toml", text);
    return dir.lines(dir.load().errors);
  }
  const ConfigDirectory dir;
};

TEST_F(AccountsDir, AddsItsAccountsToTheMainFiles) {
  write_main("[defaults]\nlookback = \"30d\"\n" + account("main"));
  write_account_file("b.toml", account("beta") + account("gamma"));
  write_account_file("a.toml", account("alpha"));
  const Config config = dir.loaded();
  EXPECT_THAT(names(config), ElementsAre("alpha", "beta", "gamma", "main"));
  EXPECT_EQ(config.accounts.at("beta").lookback, std::chrono::hours(30 * 24));
  EXPECT_EQ(config.accounts.at("beta").place.file, dir.path("accounts.d/b.toml"));
  EXPECT_EQ(config.accounts_dir, dir.path("accounts.d"));
}

TEST_F(AccountsDir, OtherFilesAndWhatEditorsLeaveBehindAreNotRead) {
  write_account_file("a.toml", account("alpha"));
  for (const char* name : {".a.toml.swp", ".hidden.toml", "a.toml~", "README", "b.toml.bak", "sub/c.toml"}) {
    write_account_file(name, "this is not TOML");
  }
  EXPECT_THAT(names(dir.loaded()), ElementsAre("alpha"));
}

TEST_F(AccountsDir, PathsAreRelativeToTheFileThatNamesThem) {
  write_account_file("a.toml", "[accounts.a]\ntoken_file = \"tokens/a\"\n");
  EXPECT_EQ(dir.loaded().accounts.at("a").token,
            (TokenSource{TokenSource::Kind::file, dir.path("accounts.d/tokens/a"), dir.path("accounts.d")}));
}

TEST_F(AccountsDir, KeysThatSayWhereATokenGoesAreRefused) {
  EXPECT_THAT(
      errors_of(account("a") + "api_url = \"https://collector.example.com\"\nproxy = \"http://u:PLANTED@p\"\n"
                               "ca_file = \"ca.pem\"\n"),
      ElementsAre(
          "$DIR/accounts.d/a.toml:3:1: accounts.a.api_url may not be set in a file of accounts_dir: set it "
          "in the main file",
          "$DIR/accounts.d/a.toml:4:1: accounts.a.proxy may not be set in a file of accounts_dir: set it "
          "in the main file",
          "$DIR/accounts.d/a.toml:5:1: accounts.a.ca_file may not be set in a file of accounts_dir: set it "
          "in the main file"));
}

TEST_F(AccountsDir, OnlyAccountsMayStandInItsFiles) {
  EXPECT_THAT(
      errors_of("acounts = 1\n[defaults]\nlookback = \"1d\"\n[server]\n"),
      ElementsAre(
          "$DIR/accounts.d/a.toml:1:1: unknown key \"acounts\" at the top level: did you mean "
          "\"accounts\"?",
          "$DIR/accounts.d/a.toml:2:2: defaults may not be set in a file of accounts_dir, which holds "
          "[accounts.NAME] tables only: set it in the main file",
          "$DIR/accounts.d/a.toml:4:2: server may not be set in a file of accounts_dir, which holds "
          "[accounts.NAME] tables only: set it in the main file"));
}

TEST_F(AccountsDir, TokenFilesMustLieBelowIt) {
  for (const std::string& path : Lines{"../acme.token", "/etc/shadow", "tokens/../../x", "..", "."}) {
    EXPECT_THAT(
        errors_of("[accounts.a]\ntoken_file = \"" + path + "\"\n"),
        ElementsAre(
            "$DIR/accounts.d/a.toml:2:14: accounts.a.token_file must lie below $DIR/accounts.d, because "
            "it is named by a file of accounts_dir"))
        << path;
  }
  for (const std::string& path :
       Lines{"acme.token", "tokens/../acme.token", "..token", dir.path("accounts.d/x")}) {
    EXPECT_THAT(errors_of("[accounts.a]\ntoken_file = \"" + path + "\"\n"), IsEmpty()) << path;
  }
}

TEST_F(AccountsDir, LinksThatLeadOutOfItAreNotRead) {
  dir.write("accounts.d-private/secret", "PLANTED");
  write_account_file("own", "own-token\n");
  dir.link("accounts.d/inside", "own");
  dir.link("accounts.d/outside", dir.path("accounts.d-private/secret"));
  dir.link("accounts.d/directory", dir.path("accounts.d-private"));
  write_account_file(
      "a.toml",
      "[accounts.inside]\ntoken_file = \"inside\"\n[accounts.outside]\ntoken_file = \"outside\"\n"
      "[accounts.below]\ntoken_file = \"directory/secret\"\n");
  const Config config = dir.loaded();
  const TokenReader tokens(environment_of({}));
  EXPECT_EQ(tokens.read(config.accounts.at("inside").token)->reveal(), "own-token");
  for (const char* name : {"outside", "below"}) {
    const auto token = tokens.read(config.accounts.at(name).token);
    ASSERT_FALSE(token.ok()) << name;
    EXPECT_THAT(token.error().message, HasSubstr("lies outside of " + dir.path("accounts.d")));
  }
}

TEST_F(AccountsDir, TheDirectoryItselfMayBeALink) {
  dir.write("tenants/a.toml", "[accounts.a]\ntoken_file = \"a.token\"\n");
  dir.write("tenants/a.token", "token-a");
  dir.link("accounts.d", "tenants");
  const Config config = dir.loaded();
  EXPECT_EQ(TokenReader(environment_of({})).read(config.accounts.at("a").token)->reveal(), "token-a");
}

TEST_F(AccountsDir, DuplicatesAcrossFilesNameBothPlaces) {
  write_main(account("acme"));
  write_account_file("a.toml", account("beta"));
  write_account_file("b.toml", account("acme") + account("beta"));
  EXPECT_THAT(
      dir.lines(dir.load().errors),
      ElementsAre(
          "$DIR/accounts.d/b.toml:1:11: account \"acme\" is already defined in $DIR/gateway.toml:2:11",
          "$DIR/accounts.d/b.toml:3:11: account \"beta\" is already defined in $DIR/accounts.d/a.toml:1:11: "
          "whose it is cannot be told, so neither is used"));
}

class OwnTokens : public AccountsDir {
 protected:
  OwnTokens() { write_main("accounts_dir_own_tokens = true\n"); }
};

TEST_F(OwnTokens, LieInTheFolderOfTheFilesName) {
  for (const std::string& path : Lines{"b/token", "token", "a.token", "a", "a/../b/token", "ab/token"}) {
    EXPECT_THAT(errors_of("[accounts.a]\ntoken_file = \"" + path + "\"\n"),
                ElementsAre("$DIR/accounts.d/a.toml:2:14: accounts.a.token_file must lie below "
                            "$DIR/accounts.d/a, because it is named by a file of accounts_dir"))
        << path;
  }
  EXPECT_THAT(errors_of("[accounts.a]\ntoken_file = \"a/token\"\n"), IsEmpty());
}

TEST_F(OwnTokens, AreNoOthersThroughALink) {
  dir.write("accounts.d/b/token", "PLANTED");
  dir.write("accounts.d/a/own", "own-token\n");
  dir.link("accounts.d/a/token", "../b/token");
  write_account_file("a.toml",
                     "[accounts.a]\ntoken_file = \"a/token\"\n[accounts.own]\ntoken_file = \"a/own\"\n");
  const Config config = dir.loaded();
  const TokenReader tokens(environment_of({}));
  EXPECT_FALSE(tokens.read(config.accounts.at("a").token).ok());
  EXPECT_EQ(tokens.read(config.accounts.at("own").token)->reveal(), "own-token");
}

TEST_F(OwnTokens, AreFilesOnly) {
  EXPECT_THAT(errors_of("[accounts.a]\ntoken_env = \"T\"\n[accounts.b]\ntoken_credential = \"acme\"\n"),
              ElementsAre("$DIR/accounts.d/a.toml:2:1: accounts.a.token_env may not be set in a file of "
                          "accounts_dir, as accounts_dir_own_tokens is set: use token_file",
                          "$DIR/accounts.d/a.toml:4:1: accounts.b.token_credential may not be set in a file "
                          "of accounts_dir, as accounts_dir_own_tokens is set: use token_file"));
}

TEST_F(OwnTokens, AreRefusedInOneLineWhateverTheFilesName) {
  write_account_file("a\nerror: \x1b[2J.toml", "[accounts.a]\ntoken_file = \"token\"\n");
  const LoadOutcome outcome = dir.load();
  ASSERT_EQ(outcome.errors.size(), 1u);
  EXPECT_THAT(to_text(outcome.errors[0]), HasSubstr("a\\nerror: \\u001b[2J, because"));
}

TEST_F(OwnTokens, AreNotAskedOfTheMainFile) {
  write_main("accounts_dir_own_tokens = true\n" + account("main") + "[accounts.other]\ntoken_file = \"t\"\n");
  dir.write("accounts.d/README", "");
  EXPECT_THAT(names(dir.loaded()), ElementsAre("main", "other"));
}

TEST_F(AccountsDir, ATokenInTwoFilesIsWarnedOfWithBothPlaces) {
  write_account_file("acme.toml", "[accounts.acme]\ntoken_file = \"tokens/acme\"\n");
  write_account_file("evil.toml", "[accounts.evil]\ntoken_file = \"tokens/acme\"\n");
  write_account_file("tokens/acme", "token\n");
  EXPECT_THAT(dir.lines(checked_files(dir.loaded()).warnings),
              ElementsAre("$DIR/accounts.d/acme.toml:1:11: accounts acme, evil "
                          "($DIR/accounts.d/acme.toml:1:11, $DIR/accounts.d/evil.toml:1:11) have the same "
                          "token: they share one rate limit, and see the same data"));
}

// An account that two files of accounts_dir define. The one whose name is first in the alphabet has no better
// claim to it.
class DisputedAccount : public AccountsDir {
 protected:
  DisputedAccount() {
    write_main("[defaults]\nlookback = \"30d\"\n" + account("main"));
    write_account_file("0evil.toml", account("acme") + "labels = { tier = \"evil\" }\n" + account("evil"));
    write_account_file("acme.toml", account("acme-us") + account("acme"));
  }
  static constexpr const char* kError =
      "$DIR/accounts.d/acme.toml:3:11: account \"acme\" is already defined in "
      "$DIR/accounts.d/0evil.toml:1:11: whose it is cannot be told, so neither is used";
};

TEST_F(DisputedAccount, IsThatOfNeitherAtTheStartAndTheOthersStay) {
  const LoadOutcome outcome = dir.load(LoadMode::start);
  EXPECT_THAT(names(outcome.config), ElementsAre("acme", "acme-us", "evil", "main"));
  ASSERT_EQ(outcome.rejected.size(), 1u);
  EXPECT_EQ(outcome.rejected[0].file, dir.path("accounts.d/acme.toml"));
  EXPECT_TRUE(outcome.rejected[0].in_part);
  EXPECT_THAT(dir.lines(outcome.rejected[0].errors), ElementsAre(kError));

  AccountConfig expected;
  expected.name = "acme";
  expected.lookback = std::chrono::hours(30 * 24);
  expected.token = {TokenSource::Kind::none,
                    "account \"acme\" is defined in more than one file of accounts_dir: none of them is used",
                    ""};
  EXPECT_EQ(outcome.config->accounts.at("acme"), expected);
  EXPECT_EQ(TokenReader(environment_of({})).read(expected.token).error().message, expected.token.name);
  // What is wrong was said already; this is about the variables of the other three.
  EXPECT_EQ(checked_files(*outcome.config).warnings.size(), 3u);
}

TEST_F(DisputedAccount, OfThreeFilesIsThatOfNone) {
  write_account_file("z.toml", account("acme"));
  const LoadOutcome outcome = dir.load(LoadMode::start);
  EXPECT_EQ(outcome.config->accounts.at("acme").token.kind, TokenSource::Kind::none);
  EXPECT_EQ(outcome.rejected.size(), 2u);
}

TEST_F(DisputedAccount, IsNotThatOfTheOtherFileWhereOneIsSkipped) {
  for (const std::string& mistaken : Lines{"0evil.toml", "acme.toml"}) {
    const std::string right = text_of(dir.path("accounts.d/" + mistaken));
    write_account_file(mistaken, right + "lookbak = \"1d\"\n");
    const LoadOutcome outcome = dir.load(LoadMode::start);
    EXPECT_EQ(outcome.config->accounts.at("acme").token.kind, TokenSource::Kind::none) << mistaken;
    write_account_file(mistaken, right);
  }
}

TEST_F(DisputedAccount, RefusesAReload) {
  const Config running = *dir.load(LoadMode::start).config;
  EXPECT_THAT(dir.lines(dir.reload(running).errors), ElementsAre(kError));
}

TEST_F(DisputedAccount, IsTheMainFilesWhereThatDefinesItToo) {
  write_main(account("acme"));
  const LoadOutcome outcome = dir.load(LoadMode::start);
  EXPECT_THAT(names(outcome.config), ElementsAre("acme", "acme-us", "evil"));
  EXPECT_EQ(outcome.config->accounts.at("acme").token.kind, TokenSource::Kind::environment);
  EXPECT_EQ(outcome.config->accounts.at("acme").place.file, dir.path("gateway.toml"));
  EXPECT_THAT(outcome.config->accounts.at("acme").labels, IsEmpty());
  EXPECT_EQ(outcome.rejected.size(), 2u);
}

class BadAccountFile : public AccountsDir {
 protected:
  BadAccountFile() {
    write_main(account("main"));
    write_account_file("a.toml", account("alpha"));
    write_account_file("b.toml", account("beta") + "lookbak = \"1d\"\n" + account("bystander"));
    write_account_file("c.toml", account("gamma"));
  }
  static constexpr const char* kError =
      "$DIR/accounts.d/b.toml:3:1: unknown key \"lookbak\" in [accounts.beta]: did you mean \"lookback\"?";
};

TEST_F(BadAccountFile, IsSkippedLoudlyAtTheStart) {
  const LoadOutcome outcome = dir.load(LoadMode::start);
  EXPECT_THAT(names(outcome.config), ElementsAre("alpha", "gamma", "main"));
  EXPECT_THAT(outcome.errors, IsEmpty());
  ASSERT_EQ(outcome.rejected.size(), 1u);
  EXPECT_EQ(outcome.rejected[0].file, dir.path("accounts.d/b.toml"));
  EXPECT_THAT(dir.lines(outcome.rejected[0].errors), ElementsAre(kError));
}

TEST_F(BadAccountFile, RefusesAReloadAsAWhole) {
  const Config running = *dir.load(LoadMode::start).config;
  const LoadOutcome outcome = dir.reload(running);
  EXPECT_FALSE(outcome.config.has_value());
  EXPECT_THAT(dir.lines(outcome.errors), ElementsAre(kError));
  EXPECT_THAT(outcome.rejected, IsEmpty());
}

TEST_F(BadAccountFile, IsAnErrorOfACheck) {
  EXPECT_THAT(dir.lines(dir.load(LoadMode::check).errors), ElementsAre(kError));
}

TEST_F(BadAccountFile, DoesNotHideMistakesInOthers) {
  write_account_file("c.toml", "[accounts.gamma\n");
  write_main("[server]\nlisten = 1\n" + account("main"));
  EXPECT_THAT(
      dir.lines(dir.load(LoadMode::check).errors),
      ElementsAre("$DIR/gateway.toml:3:10: server.listen must be a list of strings, not an integer", kError,
                  "$DIR/accounts.d/c.toml:1:16: not valid TOML: in a table header: expected ']', saw '\\n'"));
}

TEST_F(BadAccountFile, AnErrorInTheMainFileRefusesTheStart) {
  write_main("[server]\nlisten = 1\n");
  const LoadOutcome outcome = dir.load(LoadMode::start);
  EXPECT_FALSE(outcome.config.has_value());
  EXPECT_EQ(outcome.errors.size(), 1u);
}

TEST_F(BadAccountFile, ADirectoryOrAPipeIsRejectedLikeAFile) {
  dir.remove("accounts.d/b.toml");
  std::filesystem::create_directory(dir.path("accounts.d/b.toml"));
  const LoadOutcome outcome = dir.load(LoadMode::start);
  ASSERT_EQ(outcome.rejected.size(), 1u);
  EXPECT_THAT(dir.lines(outcome.rejected[0].errors),
              ElementsAre("$DIR/accounts.d/b.toml: is a directory, not a file"));
}

class Reload : public AccountsDir {
 protected:
  Reload() {
    write_account_file("a.toml", account("alpha"));
    running = dir.loaded();
  }
  Lines errors(const Variables& variables = {}) const {
    return dir.lines(dir.reload(running, variables).errors);
  }
  Config running;
};

TEST_F(Reload, RefusesAnAccountsDirThatHasVanished) {
  dir.remove("accounts.d");
  write_main(account("main"));
  EXPECT_THAT(
      errors(),
      ElementsAre("$DIR/gateway.toml:1:16: accounts_dir $DIR/accounts.d cannot be read: No such file or "
                  "directory"));
}

TEST_F(Reload, RefusesToGoFromSomeAccountsToNone) {
  dir.remove("accounts.d/a.toml");
  EXPECT_THAT(errors(), ElementsAre("$DIR/gateway.toml: configures no account, and a reload would drop all "
                                    "that are running: if that is "
                                    "meant, restart the gateway"));
}

TEST_F(Reload, DoesNotFallBackToSingleAccountMode) {
  dir.remove("accounts.d/a.toml");
  EXPECT_EQ(errors({{"SQLBAK_API_TOKEN", "token"}}).size(), 1u);
}

TEST_F(Reload, TakesOtherAccounts) {
  dir.remove("accounts.d/a.toml");
  write_account_file("b.toml", account("beta"));
  EXPECT_THAT(names(dir.reload(running).config), ElementsAre("beta"));
}

TEST_F(Reload, MayStayWithoutAccounts) {
  running.accounts.clear();
  dir.remove("accounts.d/a.toml");
  EXPECT_THAT(errors(), IsEmpty());
}

}  // namespace
}  // namespace sqlbak_gateway::config::testing
