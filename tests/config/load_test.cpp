// What a configuration comes to: values and their defaults, [defaults] merged into accounts, paths, files
// that are no TOML.
#include "sqlbak_gateway/config/load.h"

#include "config/config_directory.h"

#include <chrono>
#include <string>
#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sqlbak_gateway::config::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using namespace std::chrono_literals;

constexpr const char* kHash = "$2b$12$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234";

TEST(Load, AnEmptyFileIsAllDefaults) {
  const ConfigDirectory dir;
  dir.write("gateway.toml", "");
  EXPECT_EQ(dir.loaded(), Config{});
}

TEST(Load, ReadsEveryKeyOfTheGateway) {
  const ConfigDirectory dir;
  dir.write("gateway.toml", R"(
[server]
listen = ["0.0.0.0:8000", "[::]:8443", "localhost:80", ":9115"]
timeout_offset = "250ms"
max_requests_in_flight = 64
advertise = "https://Gateway.example.com:8000/"
[server.tls]
cert_file = "tls/cert.pem"
key_file = "/etc/key.pem"
client_ca_file = "../ca.pem"
[[access]]
name = "prometheus"
password_bcrypt = ")" + std::string(kHash) +
                                R"("
accounts = ["*"]
[[access]]
name = "acme@example.com"
bearer_token_file = "tokens/acme"
accounts = ["acme", "acme-*", "b?"]
[[access]]
name = "globex"
bearer_token_env = "GLOBEX_SCRAPE"
accounts = ["globex"]
[upstream]
max_concurrent_requests = 32
requests_per_second = 12.5
max_response_bytes = "1MiB"
[history]
kind = "memory"
path = "state/history.db"
)");
  const Config config = dir.loaded();
  EXPECT_THAT(config.server.listen,
              ElementsAre(ListenAddress{"0.0.0.0", 8000}, ListenAddress{"::", 8443},
                          ListenAddress{"localhost", 80}, ListenAddress{"0.0.0.0", 9115}));
  EXPECT_EQ(config.server.timeout_offset, 250ms);
  EXPECT_EQ(config.server.max_requests_in_flight, 64u);
  EXPECT_EQ(config.server.advertise, "https://Gateway.example.com:8000");
  const auto parent = std::filesystem::path(dir.path()).parent_path();
  EXPECT_EQ(config.server.tls,
            (TlsFiles{dir.path("tls/cert.pem"), "/etc/key.pem", (parent / "ca.pem").string()}));

  ASSERT_EQ(config.access.size(), 3u);
  EXPECT_EQ(config.access[0].name, "prometheus");
  EXPECT_EQ(config.access[0].password_bcrypt.reveal(), kHash);
  EXPECT_FALSE(config.access[0].bearer_token.has_value());
  EXPECT_EQ(config.access[1].bearer_token,
            (TokenSource{TokenSource::Kind::file, dir.path("tokens/acme"), ""}));
  EXPECT_THAT(config.access[1].accounts, ElementsAre("acme", "acme-*", "b?"));
  EXPECT_EQ(config.access[2].bearer_token,
            (TokenSource{TokenSource::Kind::environment, "GLOBEX_SCRAPE", ""}));

  EXPECT_EQ(config.upstream, (UpstreamConfig{32, 12.5, 1u << 20}));
  EXPECT_EQ(config.history, (HistoryConfig{HistoryConfig::Kind::memory, dir.path("state/history.db")}));
}

TEST(Load, ReadsEveryKeyOfAnAccount) {
  const ConfigDirectory dir;
  dir.write("gateway.toml", R"(
[accounts.acme]
token_file = "tokens/acme"
labels = { customer = "Acme Corp" }
api_url = "https://api.example.com:8443/v1//"
lookback = "14d"
cache_ttl = "1m30s"
max_stale = "2h"
request_timeout = "5s"
collection_timeout = "1m"
max_concurrent_requests = 4
requests_per_second = 0
settings_ttl = "0s"
names = "both"
summary = false
max_series = 1000
max_label_bytes = 500
max_age = { full = "36h", diff = "30h", inc = "12h", log = "2h", folder = "8d" }
scrape_interval = "1m"
scrape_timeout = "30s"
proxy = "http://us%20er:p%40ss+word@proxy.example.com:3128/"
ca_file = "ca.pem"
[accounts.acme.jobs."sql-01/Nightly ERP"]
max_age = { full = "9d" }
[accounts.acme.jobs.42]
ignore = true
[accounts.acme.jobs.43]
ignore = false
[accounts.acme.servers."old-sql"]
ignore = true
)");
  AccountConfig expected;
  expected.name = "acme";
  expected.token = {TokenSource::Kind::file, dir.path("tokens/acme"), ""};
  expected.labels = {{"customer", "Acme Corp"}};
  expected.api_url = "https://api.example.com:8443/v1";
  expected.lookback = 14 * 24h;
  expected.cache_ttl = 90s;
  expected.max_stale = 2h;
  expected.request_timeout = 5s;
  expected.collection_timeout = 1min;
  expected.max_concurrent_requests = 4;
  expected.requests_per_second = 0;
  expected.settings_ttl = 0s;
  expected.names = MetricNames::both;
  expected.summary = false;
  expected.max_series = 1000;
  expected.max_label_bytes = 500;
  expected.max_age[index(BackupType::full)] = 36h;
  expected.max_age[index(BackupType::diff)] = 30h;
  expected.max_age[index(BackupType::inc)] = 12h;
  expected.max_age[index(BackupType::log)] = 2h;
  expected.max_age[index(BackupType::folder)] = 8 * 24h;
  expected.scrape_interval = 1min;
  expected.scrape_timeout = 30s;
  expected.proxy = Proxy{"http://proxy.example.com:3128", Secret("us er:p@ss+word")};
  expected.ca_file = dir.path("ca.pem");
  JobOverride ignored_job{"42", true, {}, {}};
  JobOverride looked_after_job{"43", false, {}, {}};
  JobOverride weekly_job{"sql-01/Nightly ERP", std::nullopt, {}, {}};
  weekly_job.max_age[index(BackupType::full)] = 9 * 24h;
  expected.jobs = {ignored_job, looked_after_job, weekly_job};
  expected.servers = {{"old-sql", true, {}}};

  const Config config = dir.loaded();
  ASSERT_EQ(config.accounts.count("acme"), 1u);
  EXPECT_EQ(config.accounts.at("acme"), expected);
  EXPECT_EQ(config.accounts.at("acme").proxy->credentials.reveal(), "us er:p@ss+word");
  EXPECT_EQ(config.accounts.at("acme").place.line, 2);
}

TEST(Load, MergesDefaultsIntoAccountsKeyByKeyTablesToo) {
  const ConfigDirectory dir;
  dir.write("gateway.toml", R"(
[defaults]
lookback = "14d"
cache_ttl = "2m"
labels = { region = "eu", tier = "silver" }
max_age = { full = "36h", log = "2h" }
proxy = "http://proxy:3128"

[accounts.plain]
token_env = "PLAIN"

[accounts.special]
token_env = "SPECIAL"
cache_ttl = "5m"
labels = { tier = "gold", customer = "Special" }
max_age = { log = "30m" }
proxy = ""
)");
  const Config config = dir.loaded();
  const AccountConfig& plain = config.accounts.at("plain");
  EXPECT_EQ(plain.lookback, 14 * 24h);
  EXPECT_EQ(plain.cache_ttl, 2min);
  EXPECT_THAT(plain.labels, ElementsAre(Pair("region", "eu"), Pair("tier", "silver")));
  EXPECT_EQ(plain.max_age[index(BackupType::log)], 2h);
  EXPECT_EQ(plain.proxy->url, "http://proxy:3128");

  const AccountConfig& special = config.accounts.at("special");
  EXPECT_EQ(special.lookback, 14 * 24h);
  EXPECT_EQ(special.cache_ttl, 5min);
  EXPECT_THAT(special.labels,
              ElementsAre(Pair("customer", "Special"), Pair("region", "eu"), Pair("tier", "gold")));
  EXPECT_EQ(special.max_age[index(BackupType::full)], 36h);
  EXPECT_EQ(special.max_age[index(BackupType::log)], 30min);
  EXPECT_EQ(special.max_age[index(BackupType::diff)], std::nullopt);
  EXPECT_EQ(special.proxy->url, "") << "an empty proxy is a direct connection, not the environment's";
}

TEST(Load, AScrapeIntervalAloneGetsPrometheussTimeoutOrItself) {
  const ConfigDirectory dir;
  dir.write("gateway.toml", R"(
[defaults]
scrape_interval = "1m"
[accounts.slow]
token_env = "T"
[accounts.quick]
token_env = "T"
scrape_interval = "5s"
[accounts.both]
token_env = "T"
scrape_timeout = "45s"
)");
  const Config config = dir.loaded();
  EXPECT_EQ(config.accounts.at("slow").scrape_timeout, 10s);
  EXPECT_EQ(config.accounts.at("quick").scrape_timeout, 5s);
  EXPECT_EQ(config.accounts.at("both").scrape_timeout, 45s);
}

TEST(Load, HistoryGoesIntoTheStateDirectoryByDefault) {
  const ConfigDirectory dir;
  dir.write("gateway.toml", "");
  EXPECT_EQ(dir.loaded().history.path, "/var/lib/sqlbak-gateway/history.db");
  EXPECT_EQ(dir.loaded({{"STATE_DIRECTORY", "/run/state"}}).history.path, "/run/state/history.db");
  EXPECT_EQ(dir.loaded({{"STATE_DIRECTORY", "/run/a:/run/b"}}).history.path, "/run/a/history.db");
  dir.write("gateway.toml", "[history]\npath = \"/srv/h.db\"");
  EXPECT_EQ(dir.loaded({{"STATE_DIRECTORY", "/run/state"}}).history.path, "/srv/h.db");
}

TEST(Load, ListenFlagsGoBeforeTheFileAndAreWarnedOf) {
  const ConfigDirectory dir;
  dir.write("gateway.toml", "[accounts.a]\ntoken_env = \"T\"\n[server]\nlisten = [\"127.0.0.1:8000\"]");
  LoadOptions options;
  options.environment = environment_of({});
  options.listen_override = {{"192.0.2.1", 9000}};
  const LoadOutcome outcome = load(dir.path("gateway.toml"), options);
  ASSERT_TRUE(outcome.config);
  EXPECT_THAT(outcome.config->server.listen, ElementsAre(ListenAddress{"192.0.2.1", 9000}));
  EXPECT_THAT(
      dir.lines(outcome.warnings),
      ElementsAre("listening on 192.0.2.1:9000, which is not loopback, without [[access]] and [server.tls]: "
                  "whoever can connect sees every account"));
}

TEST(Load, AComparisonSeesWhatChangedAndNotWhereItStands) {
  const ConfigDirectory dir;
  dir.write("gateway.toml", "[accounts.a]\ntoken_env = \"A\"\n[accounts.b]\ntoken_env = \"B\"\n");
  const Config before = dir.loaded();
  dir.write("gateway.toml",
            "# moved\n\n[accounts.b]\ntoken_env = \"B\"\nmax_age = { log = \"1h\" }\n[accounts.a]\ntoken_env "
            "= \"A\"\n");
  const Config after = dir.loaded();
  EXPECT_EQ(before.accounts.at("a"), after.accounts.at("a"));
  EXPECT_NE(before.accounts.at("b"), after.accounts.at("b"));
}

TEST(Load, AComparisonSeesAChangedSecret) {
  const ConfigDirectory dir;
  const auto with_password = [&](const std::string& password) {
    dir.write("gateway.toml", "[accounts.a]\ntoken_env = \"A\"\nproxy = \"http://u:" + password + "@p:1\"\n");
    return dir.loaded();
  };
  EXPECT_EQ(with_password("one"), with_password("one"));
  EXPECT_NE(with_password("one"), with_password("two"));
}

TEST(Load, ByteOrderMarkAndWindowsLineEndsAreNoTrouble) {
  const ConfigDirectory dir;
  dir.write("gateway.toml", "\xEF\xBB\xBF[accounts.acme]\r\ntoken_file = \"acme.token\"\r\n");
  EXPECT_EQ(dir.loaded().accounts.at("acme").token.name, dir.path("acme.token"));
}

// What is wrong with a file as a whole, in one message.
class UnreadableFile : public ::testing::Test {
 protected:
  Lines errors() const { return dir.lines(dir.load().errors); }
  const ConfigDirectory dir;
};

TEST_F(UnreadableFile, Absent) {
  EXPECT_THAT(
      errors(),
      ElementsAre("$DIR/gateway.toml: cannot be read: No such file or directory",
                  "$DIR/gateway.toml: write one (gateway.toml in the documentation's examples has every "
                  "key), name another with --config.file, or set SQLBAK_API_TOKEN (or SQLBAK_API_TOKEN_FILE) "
                  "to run for a single "
                  "account without a file"));
}

TEST_F(UnreadableFile, ADirectory) {
  std::filesystem::create_directory(dir.path("gateway.toml"));
  EXPECT_THAT(errors(), ElementsAre("$DIR/gateway.toml: is a directory, not a file"));
}

TEST_F(UnreadableFile, APipeDoesNotHangTheGateway) {
  ASSERT_EQ(::mkfifo(dir.path("gateway.toml").c_str(), 0600), 0);
  EXPECT_THAT(errors(), ElementsAre("$DIR/gateway.toml: is not a regular file"));
}

TEST_F(UnreadableFile, ALoopOfLinks) {
  dir.link("gateway.toml", "gateway.toml");
  EXPECT_THAT(errors(), ElementsAre("$DIR/gateway.toml: cannot be read: Too many levels of symbolic links"));
}

TEST_F(UnreadableFile, WithoutPermission) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may read everything";
  std::filesystem::permissions(dir.write("gateway.toml", ""), std::filesystem::perms::none);
  EXPECT_THAT(errors(),
              ElementsAre("$DIR/gateway.toml: cannot be read: Permission denied (it must be readable by the "
                          "user the gateway runs as)"));
}

TEST_F(UnreadableFile, Huge) {
  dir.write("gateway.toml", "# " + std::string(8u << 20, 'x'));
  EXPECT_THAT(errors(), ElementsAre("$DIR/gateway.toml: is larger than 8388608 bytes"));
}

TEST_F(UnreadableFile, WithNul) {
  dir.write("gateway.toml", std::string("[server]\nlisten\0 = 1\n", 21));
  EXPECT_THAT(errors(),
              ElementsAre("$DIR/gateway.toml:2:7: holds a NUL byte: this is not a TOML text (UTF-8)"));
}

TEST_F(UnreadableFile, SavedAsUtf16) {
  dir.write("gateway.toml", std::string("\xFF\xFE[\0s\0]\0\n\0", 10));
  EXPECT_THAT(errors(),
              ElementsAre("$DIR/gateway.toml:1:4: holds a NUL byte: this is not a TOML text (UTF-8)"));
}

TEST_F(UnreadableFile, NotUtf8) {
  dir.write("gateway.toml", "[accounts.acme]\ntoken_file = \"m\xFCller\"\n");
  EXPECT_THAT(errors(), ElementsAre(HasSubstr("$DIR/gateway.toml:2:")));
  EXPECT_THAT(errors(), ElementsAre(HasSubstr("invalid utf-8")));
}

// The library would recurse once a dot, and a file of accounts_dir may be written by anybody.
TEST_F(UnreadableFile, NestedBeyondReason) {
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += "a.";
  dir.write("gateway.toml", text + "a = 1");
  EXPECT_THAT(errors(), ElementsAre("$DIR/gateway.toml:1:66: the key is nested too deeply"));
  std::string lists = "x = ";
  for (int i = 0; i < 100'000; ++i) lists += "[{a.a.a=";
  dir.write("gateway.toml", lists);
  EXPECT_THAT(errors(), ElementsAre(HasSubstr("nested too deeply")));
  std::string lines = "x = ";
  for (int i = 0; i < 100'000; ++i) lines += "[\n";
  dir.write("gateway.toml", lines);
  EXPECT_THAT(errors(), ElementsAre(HasSubstr("lists and tables are nested too deeply")));
}

// Strings whose end is easily mistaken. What stands in them is text, and what follows is not.
const Lines kTrickyStrings = {
    R"("a ' b")",           R"("a \" ' b")", R"("\\")",          R"("")",
    R"('a " b')",           R"('\')",        "\"\"\"\n' \"\"\"", "'''\n\" '''",
    R"("""a"" ' b""")",     R"("""\"""")",   R"("""\""" ' """)", R"("""ends with"""")",
    R"("""ends with""""")", R"("""""")",     R"('''a'' " b''')", R"('''ends with'''')",
    R"('''ends with''''')", R"('''\''')",
};

TEST_F(UnreadableFile, NestedBeyondReasonBehindAString) {
  std::string deep;
  for (int i = 0; i < 150'000; ++i) deep += "a.";
  for (const std::string& text : kTrickyStrings) {
    dir.write("gateway.toml", "x = [ " + text + " , { " + deep + "a = 1 } ]");
    EXPECT_THAT(errors(), ElementsAre(HasSubstr("the key is nested too deeply"))) << text;
    dir.write("gateway.toml", "x = " + text + "\n# ' \"\n" + deep + "a = 1");
    EXPECT_THAT(errors(), ElementsAre(HasSubstr("the key is nested too deeply"))) << text;
  }
}

TEST_F(UnreadableFile, NothingInAStringIsNesting) {
  const std::string dots(200, '.');
  const std::string open(200, '[');
  for (const std::string& text : kTrickyStrings) {
    std::string filled = text;
    const std::size_t backslash = text.find('\\');
    filled.insert(std::min(backslash, text.size() / 2),
                  text.size() > 2 && text != R"("""""")" ? dots + open : "");
    dir.write("gateway.toml", "x = [ " + filled + ", \"" + dots + open + "\", '" + dots + open + "' ]");
    EXPECT_THAT(errors(), ElementsAre(HasSubstr("unknown key \"x\" at the top level"))) << filled;
  }
}

TEST_F(UnreadableFile, OfNothingButQuotes) {
  for (const char quote : {'"', '\''}) {
    dir.write("gateway.toml", "x = " + std::string((8u << 20) - 4, quote));
    EXPECT_EQ(errors().size(), 1u);
  }
}

TEST_F(UnreadableFile, OfMoreValuesThanMemoryAndTimeAreWorth) {
  std::string list = "x = [";
  std::string lines;
  std::string headers;
  for (int i = 0; i < 310'000; ++i) {
    list += "1,";
    lines += std::to_string(i) + "=1\n";
    headers += "[a" + std::to_string(i) + "]\n";
  }
  for (const std::string& text : {list + "]", lines, headers}) {
    dir.write("gateway.toml", text);
    EXPECT_THAT(errors(), ElementsAre(HasSubstr("holds more than 300000 keys and values")));
  }
}

TEST_F(UnreadableFile, WithAPathLongerThanAny) {
  dir.write("gateway.toml", "[accounts.a]\ntoken_file = \"" + std::string(4096, 'x') + "\"\n");
  EXPECT_THAT(errors(),
              ElementsAre("$DIR/gateway.toml:2:14: accounts.a.token_file is too long for a path: it must "
                          "have fewer than 4096 bytes"));
}

TEST_F(UnreadableFile, WithKeysLongerThanAnyMessage) {
  std::string text = "[accounts.\"" + std::string(1'000'000, 'x') + "\"]\ntoken_env = \"T\"\n";
  for (int i = 0; i < 1500; ++i) text += "unknown_" + std::to_string(i) + " = 1\n";
  text += "[accounts.a]\ntoken_env = \"T\"\n" + std::string(1'000'000, 'y') + " = 1\n";
  dir.write("gateway.toml", text);
  const Lines all = errors();
  EXPECT_EQ(all.size(), 1001u);
  for (const std::string& line : all) ASSERT_LT(line.size(), 1000u) << line.substr(0, 1000);
}

TEST_F(UnreadableFile, DotsInTextAndCommentsAreNotNesting) {
  const std::string dots(200, '.');
  dir.write("gateway.toml", "# " + dots + "\n[accounts.a]\ntoken_env = \"T\"\nlabels = { note = \"" + dots +
                                "\\\"\", other = '" + dots + "' } # " + dots + "\n");
  EXPECT_EQ(errors(), Lines{});
}

TEST_F(UnreadableFile, DotsOfManyKeysInALineAreNotOneKey) {
  std::string numbers = "0.5";
  for (int i = 0; i < 100; ++i) numbers += ", 0.5";
  dir.write("gateway.toml", "x = [ " + numbers + " ]");
  EXPECT_THAT(errors(), ElementsAre(HasSubstr("unknown key \"x\" at the top level")));
}

TEST_F(UnreadableFile, VeryManyMistakesAreCounted) {
  std::string text = "[server]\n";
  for (int i = 0; i < 1500; ++i) text += "unknown_" + std::to_string(i) + " = 1\n";
  dir.write("gateway.toml", text);
  const Lines all = errors();
  ASSERT_EQ(all.size(), 1001u);
  EXPECT_THAT(all.front(), HasSubstr("$DIR/gateway.toml:2:1: unknown key \"unknown_0\" in [server]"));
  EXPECT_EQ(all.back(), "$DIR/gateway.toml: and 500 more errors");
}

}  // namespace
}  // namespace sqlbak_gateway::config::testing
