#include "sqlbak_gateway/config/flags.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sqlbak_gateway::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Arguments = std::vector<std::string>;

std::string error_of(const Arguments& arguments) {
  const auto flags = parse_flags(arguments);
  return flags ? "no error" : flags.error().message;
}

TEST(Flags, WithoutArgumentsAreTheDefaults) {
  const auto flags = parse_flags({});
  ASSERT_TRUE(flags.ok());
  EXPECT_EQ(flags->config_file, "/etc/sqlbak-gateway/gateway.toml");
  EXPECT_FALSE(flags->config_check);
  EXPECT_TRUE(flags->listen_addresses.empty());
  EXPECT_FALSE(flags->probe.has_value());
  EXPECT_EQ(flags->log_level, LogLevel::info);
  EXPECT_EQ(flags->log_format, LogFormat::logfmt);
  EXPECT_FALSE(flags->version);
  EXPECT_FALSE(flags->help);
}

TEST(Flags, AllOfThem) {
  const auto flags = parse_flags({"--config.file=g.toml", "--config.check", "--web.listen-address=:9115",
                                  "--web.listen-address=[::1]:9116", "--probe=acme", "--log.level=debug",
                                  "--log.format=json", "--version", "--help"});
  ASSERT_TRUE(flags.ok()) << flags.error().message;
  EXPECT_EQ(flags->config_file, "g.toml");
  EXPECT_TRUE(flags->config_check);
  EXPECT_THAT(flags->listen_addresses,
              ElementsAre(ListenAddress{"0.0.0.0", 9115}, ListenAddress{"::1", 9116}));
  EXPECT_EQ(flags->probe, "acme");
  EXPECT_EQ(flags->log_level, LogLevel::debug);
  EXPECT_EQ(flags->log_format, LogFormat::json);
  EXPECT_TRUE(flags->version);
  EXPECT_TRUE(flags->help);
}

TEST(ListenAddress, IsHostAndPortWrittenInOneWay) {
  const auto parsed = [](std::string_view text) {
    const auto address = parse_listen_address(text);
    return address ? *address : ListenAddress{address.error().message, 1};
  };
  EXPECT_EQ(parsed("0.0.0.0:8000"), (ListenAddress{"0.0.0.0", 8000}));
  EXPECT_EQ(parsed("[::]:8000"), (ListenAddress{"::", 8000}));
  EXPECT_EQ(parsed("[0:0::1]:0"), (ListenAddress{"::1", 0}));
  EXPECT_EQ(parsed(":65535"), (ListenAddress{"0.0.0.0", 65535}));
  EXPECT_EQ(parsed("LocalHost:8000"), (ListenAddress{"localhost", 8000}));
  for (const char* bad :
       {"", "8000", "localhost", "localhost:", "localhost:http", "localhost:65536", "localhost:-1",
        "::1:8000", "[127.0.0.1]:80", "[::1:80", "[::g]:80", "a b:80", "http://x:80", "*:80"}) {
    const auto address = parse_listen_address(bad);
    ASSERT_FALSE(address) << bad;
    EXPECT_THAT(address.error().message, HasSubstr("write HOST:PORT, as in")) << bad;
  }
}

TEST(Flags, ValuesMayFollowAsArgumentsAndOneDashIsEnough) {
  const auto flags = parse_flags({"--config.file", "g.toml", "-log.level", "warn", "-probe=acme", "-h"});
  ASSERT_TRUE(flags.ok()) << flags.error().message;
  EXPECT_EQ(flags->config_file, "g.toml");
  EXPECT_EQ(flags->log_level, LogLevel::warn);
  EXPECT_EQ(flags->probe, "acme");
  EXPECT_TRUE(flags->help);
}

TEST(Flags, AValueMayHoldAnEqualsSign) {
  EXPECT_EQ(parse_flags({"--config.file=a=b.toml"})->config_file, "a=b.toml");
}

TEST(Flags, MistakesAreNamed) {
  EXPECT_EQ(error_of({"--config.fil=x"}), "unknown flag --config.fil: did you mean --config.file?");
  EXPECT_EQ(error_of({"--web.listen-adress", ":1"}),
            "unknown flag --web.listen-adress: did you mean --web.listen-address?");
  EXPECT_EQ(error_of({"--completely-different"}), "unknown flag --completely-different: see --help");
  EXPECT_EQ(error_of({"gateway.toml"}), "unexpected argument \"gateway.toml\": see --help");
  EXPECT_EQ(error_of({"--"}), "unexpected argument \"--\": see --help");
  EXPECT_EQ(error_of({"-"}), "unexpected argument \"-\": see --help");
  EXPECT_EQ(error_of({""}), "unexpected argument \"\": see --help");
  EXPECT_EQ(error_of({"--config.file"}), "--config.file needs a value: PATH");
  EXPECT_EQ(error_of({"--config.file="}), "--config.file needs a value: PATH");
  EXPECT_EQ(error_of({"--config.check=true"}), "--config.check takes no value");
  EXPECT_EQ(error_of({"--probe=a", "--probe=b"}), "--probe is given twice");
  EXPECT_EQ(error_of({"--probe=a b"}),
            "--probe: is not an account's name: 1 to 64 letters, digits, '.', '_' or '-'");
  EXPECT_EQ(error_of({"--web.listen-address=8000"}),
            "--web.listen-address: \"8000\" is not an address to listen on: write HOST:PORT, as in "
            "\"127.0.0.1:8000\" or "
            "\"[::]:8000\"");
  EXPECT_THAT(error_of({"--log.level=verbose"}), HasSubstr("--log.level: "));
  EXPECT_THAT(error_of({"--log.format=xml"}), HasSubstr("--log.format: "));
}

TEST(Flags, HelpNamesEveryFlagAndFitsATerminal) {
  const std::string help = help_text();
  for (const char* flag :
       {"--config.file=PATH", "--config.check", "--web.listen-address=HOST:PORT", "--probe=ACCOUNT",
        "--log.level=LEVEL", "--log.format=FORMAT", "--version", "--help", "SQLBAK_API_TOKEN"}) {
    EXPECT_THAT(help, HasSubstr(flag));
  }
  EXPECT_THAT(help, HasSubstr(std::string("Default: ") + kDefaultConfigFile));
  for (std::size_t begin = 0; begin < help.size();) {
    const std::size_t end = help.find('\n', begin);
    EXPECT_LE(end - begin, 100u) << help.substr(begin, end - begin);
    begin = end + 1;
  }
}

}  // namespace
}  // namespace sqlbak_gateway::config
