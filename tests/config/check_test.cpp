// What /config shows and what --config.check says; and that no secret is ever in either, or in any message.
#include "sqlbak_gateway/config/check.h"

#include "config/config_directory.h"

#include <latch>
#include <map>
#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sqlbak_gateway::config::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr const char* kHash = "$2b$12$PLANTEDefghijklmnopqrsABCDEFGHIJKLMNOPQRSTUVWXYZ01234";

std::string everything() {
  return R"(
[server]
listen = ["127.0.0.1:8000", "[::1]:8443"]
advertise = "https://gateway.example.com:8000"
[server.tls]
cert_file = "cert.pem"
key_file = "key.pem"
client_ca_file = "clients.pem"
[[access]]
name = "prometheus"
password_bcrypt = ")" +
         std::string(kHash) + R"("
accounts = ["*"]
[[access]]
name = "acme"
bearer_token_file = "tokens/scrape"
accounts = ["acme", "acme-*", "nobody"]
[[access]]
name = "env"
bearer_token_env = "SCRAPE"
accounts = ["*-de"]
[upstream]
requests_per_second = 12.5
max_response_bytes = "1000000B"
[history]
kind = "memory"
[defaults]
max_age = { full = "36h" }
scrape_interval = "1m"
proxy = "http://user:PLANTED@proxy:3128"
[accounts.acme]
token_file = "tokens/acme"
labels = { customer = "\"Acme\" \\ Söhne" }
[accounts.acme.jobs."Nightly \"ERP\""]
max_age = { log = "90m", folder = "7d" }
[accounts.acme.jobs."Weekly"]
ignore = false
[accounts.acme.servers."old.sql"]
ignore = true
[accounts."acme-de"]
token_env = "ACME_DE"
proxy = ""
names = "clean"
summary = false
requests_per_second = 0
ca_file = "ca.pem"
[accounts.other]
token_credential = "other"
max_stale = "25h"
)";
}

TEST(Masked, ReadsBackAsTheSameConfigurationButForItsSecrets) {
  const ConfigDirectory dir;
  dir.write("gateway.toml", everything());
  const Config original = dir.loaded();
  const std::string shown = masked(original);
  EXPECT_THAT(shown, Not(HasSubstr("PLANTED")));

  std::string with_secrets = with_replaced(shown, "<masked>@proxy", "user:PLANTED@proxy");
  with_secrets = with_replaced(with_secrets, "<masked>", kHash);
  dir.write("gateway.toml", with_secrets);
  EXPECT_EQ(dir.loaded(), original);
}

TEST(Masked, ShowsWhatIsInForceAndWhereItCameFrom) {
  const ConfigDirectory dir;
  dir.write("gateway.toml", everything());
  const std::string shown = masked(dir.loaded());
  EXPECT_THAT(shown, HasSubstr("password_bcrypt = \"<masked>\"\n"));
  EXPECT_THAT(shown, HasSubstr("proxy = \"http://<masked>@proxy:3128\"\n"));
  EXPECT_THAT(shown, HasSubstr("[accounts.acme]  # " + dir.path("gateway.toml") + ":30:11\n"));
  EXPECT_THAT(shown, HasSubstr("cache_ttl = \"4m30s\"\n")) << "defaults are shown too";
  EXPECT_THAT(shown, HasSubstr("max_age = { full = \"1d12h\" }\n"));
}

TEST(Masked, OfNothingIsTheDefaults) {
  EXPECT_EQ(
      masked(Config{}),
      "accounts_dir_own_tokens = false\n"
      "\n[server]\nlisten = [\"127.0.0.1:8000\"]\ntimeout_offset = \"500ms\"\nmax_requests_in_flight = 256\n"
      "\n[upstream]\nmax_concurrent_requests = 64\nrequests_per_second = 200\nmax_response_bytes = "
      "\"16MiB\"\n"
      "\n[history]\nkind = \"sqlite\"\npath = \"/var/lib/sqlbak-gateway/history.db\"\n");
}

TEST(CheckReport, SaysWhatEachEntryMatches) {
  const ConfigDirectory dir;
  dir.write("gateway.toml", everything());
  EXPECT_EQ(check_report(dir.loaded()),
            "3 accounts; listening on 127.0.0.1:8000, [::1]:8443 with TLS\n"
            "access \"prometheus\" (password):\n"
            "  \"*\": everything: 3 accounts, /metrics, /config and /-/reload\n"
            "access \"acme\" (bearer token):\n"
            "  \"acme\": acme\n"
            "  \"acme-*\": acme-de\n"
            "  \"nobody\": matches no account\n"
            "access \"env\" (bearer token):\n"
            "  \"*-de\": acme-de\n");
}

TEST(CheckReport, SaysThatThereIsNoAccessControl) {
  const ConfigDirectory dir;
  dir.write("gateway.toml", "");
  EXPECT_EQ(check_report(dir.loaded({{"SQLBAK_API_TOKEN", "t"}})),
            "1 account (single-account mode); listening on 0.0.0.0:8000 without TLS\n"
            "no access control: whoever can connect sees every account\n");
}

TEST(CheckFiles, NamesEveryTokenAndCertificateThatCannotBeUsed) {
  const ConfigDirectory dir;
  dir.write("gateway.toml", everything());
  dir.write("cert.pem", "");
  dir.write("key.pem", "");
  dir.write("tokens/acme", "PLANTED with blanks");
  EXPECT_THAT(
      dir.lines(checked_files(dir.loaded(), {{"SCRAPE", "PLANTED"}, {"ACME_DE", "PLANTED"}}).errors),
      ElementsAre(
          "$DIR/gateway.toml:8:18: server.tls.client_ca_file $DIR/clients.pem cannot be read: No such file "
          "or directory",
          "$DIR/gateway.toml:15:21: access \"acme\": token file $DIR/tokens/scrape cannot be read: No "
          "such file or "
          "directory",
          "$DIR/gateway.toml:31:14: account \"acme\": token file $DIR/tokens/acme holds a blank: it "
          "must hold nothing "
          "but the token",
          "$DIR/gateway.toml:45:11: ca_file $DIR/ca.pem cannot be read: No such file or directory"));
}

TEST(CheckFiles, AnAuthorityIsACertificate) {
  const ConfigDirectory dir;
  dir.write("gateway.toml", "[accounts.a]\ntoken_file = \"token\"\nca_file = \"ca.pem\"\n");
  dir.write("token", "token");
  dir.write("ca.pem", "hello");
  EXPECT_THAT(dir.lines(checked_files(dir.loaded()).errors),
              ElementsAre("$DIR/gateway.toml:3:11: ca_file $DIR/ca.pem holds no certificate in PEM, which "
                          "begins with -----BEGIN CERTIFICATE-----"));
}

TEST(CheckFiles, SaysOnceWhatIsWrongWithTheAuthorityOfEveryAccount) {
  const ConfigDirectory dir;
  dir.write(
      "gateway.toml",
      "[defaults]\nca_file = \"ca.pem\"\n[accounts.a]\ntoken_file = \"token\"\n"
      "[accounts.b]\ntoken_file = \"token\"\n[accounts.c]\ntoken_file = \"token\"\nca_file = \"c.pem\"\n");
  dir.write("token", "token");
  EXPECT_THAT(
      dir.lines(checked_files(dir.loaded()).errors),
      ElementsAre("$DIR/gateway.toml:2:11: ca_file $DIR/ca.pem cannot be read: No such file or directory",
                  "$DIR/gateway.toml:9:11: ca_file $DIR/c.pem cannot be read: No such file or directory"));
}

TEST(CheckFiles, GivesUpATokenFileWhoseFileSystemHangs) {
  const ConfigDirectory dir;
  dir.write("gateway.toml", "[accounts.a]\ntoken_file = \"token\"\n");
  const TokenReader reader(environment_of({}));
  const sqlbak_gateway::testing::ManualClock clock;
  const auto is_back = std::make_shared<std::latch>(1);
  const BoundedTokens tokens(
      reader, clock,
      [is_back](const TokenSource& source) {
        is_back->wait();
        return look_at_token_file(source);
      },
      Duration::zero());
  EXPECT_THAT(dir.lines(check_files(dir.loaded(), tokens).errors),
              ElementsAre("$DIR/gateway.toml:2:14: account \"a\": token file $DIR/token could not be read in "
                          "time: its file system does not answer"));
  is_back->count_down();
}

// What a service has may be missing where somebody checks its configuration.
TEST(CheckFiles, OnlyWarnsOfCredentialsAndVariables) {
  const ConfigDirectory dir;
  dir.write("gateway.toml", "[accounts.a]\ntoken_credential = \"a\"\n[accounts.b]\ntoken_env = \"B\"\n");
  const CheckedFiles files = checked_files(dir.loaded());
  EXPECT_THAT(dir.lines(files.errors), IsEmpty());
  EXPECT_THAT(
      dir.lines(files.warnings),
      ElementsAre(
          "$DIR/gateway.toml:2:20: account \"a\": credential a cannot be read: $CREDENTIALS_DIRECTORY "
          "is not set; systemd sets it for a unit with LoadCredential=",
          HasSubstr("account \"b\"")));
}

TEST(CheckFiles, NamesAccountsThatShareAToken) {
  const ConfigDirectory dir;
  dir.write(
      "gateway.toml",
      "[accounts.a]\ntoken_env = \"X\"\n[accounts.b]\ntoken_env = \"Y\"\n[accounts.c]\ntoken_file = \"t\"\n");
  dir.write("t", "one\n");
  EXPECT_THAT(
      dir.lines(checked_files(dir.loaded(), {{"X", "one"}, {"Y", "two"}}).warnings),
      ElementsAre(
          "$DIR/gateway.toml:1:11: accounts a, c have the same token: they share one rate limit, and see the "
          "same data"));
}

TEST(AccountsSharingAToken, AreSetsInOrder) {
  std::map<std::string, Secret> tokens;
  for (const auto& [name, token] : std::map<std::string, std::string>{
           {"a", "2"}, {"b", "1"}, {"c", "2"}, {"d", "3"}, {"e", "1"}, {"f", "2"}}) {
    tokens.emplace(name, Secret(token));
  }
  EXPECT_THAT(accounts_sharing_a_token(tokens),
              ElementsAre(ElementsAre("a", "c", "f"), ElementsAre("b", "e")));
}

// A marked secret in every place where somebody may put one, by habit or by mistake: nothing that is said
// repeats it.
TEST(Secrets, AreInNoMessageWhereverTheyArePlanted) {
  const std::string account = "[accounts.acme]\ntoken_env = \"T\"\n";
  const std::string entry = "[[access]]\nname = \"p\"\naccounts = [\"*\"]\n";
  const Lines texts = {
      "[accounts.acme]\ntoken = \"PLANTED\"",
      "[accounts.acme]\ntoken = PLANTED",
      "[accounts.acme]\ntoken = \"PLANTED",
      "[accounts.acme]\ntoken = 'PLANTED\n'",
      "[accounts.acme]\ntoken = \"\"\"PLANTED",
      "[accounts.acme]\ntoken = [\"PLANTED\"",
      "[accounts.acme]\ntoken = { PLANTED",
      "[accounts.acme]\ntoken = 0xPLANTED",
      "[accounts.acme]\ntoken = \"\\PLANTED\"",
      "[accounts.acme]\ntoken = \"PLANTED\" PLANTED",
      "[accounts.acme]\ntoken_env = \"PLANTED-TOKEN\"",
      "[accounts.acme]\ntoken_credential = \"PLANTED/TOKEN\"",
      "[accounts.acme]\ntoken_file = [\"PLANTED\"]",
      "[defaults]\ntoken = \"PLANTED\"",
      account + "password = \"PLANTED\"",
      account + "api_tokn = \"PLANTED\"",
      account + "api_url = \"https://PLANTED@api.example.com\"",
      account + "api_url = \"https://u:PLANTED@api.example.com:x\"",
      account + "api_url = \"https://api.example.com/?token=PLANTED\"",
      account + "api_url = \"PLANTED\"",
      account + "proxy = \"http://u:PLANTED@proxy:3128\"",
      account + "proxy = \"http://u:PLANTED@proxy:99999\"",
      account + "proxy = \"u:PLANTED@proxy:3128\"",
      account + "proxy = \"gopher://u:PLANTED@proxy\"",
      account + "proxy = \"http://u:PLANTED#@proxy\"",
      account + "proxy = [\"http://u:PLANTED@proxy\"]",
      entry + "password = \"PLANTED\"",
      entry + "password_bcrypt = \"PLANTED\"",
      entry + "password_bcrypt = \"" + std::string(kHash) + "\"",
      entry + "password_bcrypt = \"" + with_replaced(kHash, "$12$", "$31$") + "\"",
      entry + "bearer_token = \"PLANTED\"",
      entry + "bearer_token_env = \"PLANTED TOKEN\"",
      "[server]\nadvertise = \"https://u:PLANTED@gateway.example.com\"",
      "[server]\nadvertise = \"PLANTED\"",
      "[accounts.acme]\ntoken_env = \"SECRET_VARIABLE\"\n" + entry + "bearer_token_env = \"SECRET_VARIABLE\"",
      "[accounts.acme]\ntoken_env = \"BAD_VARIABLE\"\n" + entry + "bearer_token_env = \"BAD_VARIABLE\"",
      "[accounts.acme]\ntoken_file = \"good.token\"\n[accounts.b]\ntoken_file = \"good.token\"",
      "[accounts.acme]\ntoken_file = \"bad.token\"\n[accounts.b]\ntoken_file = \"good.token\"",
      "",
  };
  const ConfigDirectory dir;
  dir.write("good.token", "PLANTED\n");
  dir.write("bad.token", "PLANTED PLANTED\n");
  const Variables variables = {{"SECRET_VARIABLE", "PLANTED"},
                               {"BAD_VARIABLE", "PLANTED\n\n"},
                               {"SQLBAK_API_TOKEN", "PLANTED TOKEN"},
                               {"SQLBAK_API_URL", "https://u:PLANTED@api.example.com"}};
  for (const std::string& text : texts) {
    dir.write("gateway.toml", text);
    const LoadOutcome outcome = dir.load(LoadMode::start, variables);
    std::string said;
    for (const Lines& lines : {dir.lines(outcome.errors), dir.lines(outcome.warnings)}) {
      for (const std::string& line : lines) said += line + '\n';
    }
    if (outcome.config) {
      said += masked(*outcome.config) + check_report(*outcome.config);
      const CheckedFiles files = checked_files(*outcome.config, variables);
      for (const Lines& lines : {dir.lines(files.errors), dir.lines(files.warnings)}) {
        for (const std::string& line : lines) said += line + '\n';
      }
    }
    EXPECT_FALSE(said.empty()) << text;
    EXPECT_THAT(said, Not(HasSubstr("PLANTED"))) << text;
  }
}

}  // namespace
}  // namespace sqlbak_gateway::config::testing
