// Tokens: what is one, what is said of what is none (never showing it), and what a changed file looks like.
#include "sqlbak_gateway/config/token.h"

#include "config/config_directory.h"
#include "config/file.h"

#include <chrono>
#include <filesystem>
#include <string>
#include <sys/stat.h>

#include <gtest/gtest.h>

namespace sqlbak_gateway::config::testing {
namespace {

TokenSource file_source(const std::string& path) {
  return {TokenSource::Kind::file, path, {}};
}
TokenSource variable(const std::string& name) {
  return {TokenSource::Kind::environment, name, {}};
}
TokenSource credential(const std::string& name) {
  return {TokenSource::Kind::credential, name, {}};
}

// The token, or "error: …" with the directory as $DIR.
std::string answer(const ConfigDirectory& dir, const Result<Secret>& token) {
  return token ? std::string(token->reveal())
               : "error: " + with_replaced(token.error().message, dir.path(), "$DIR");
}

struct Case {
  const char* what;
  std::string content;
  std::string answer;
};

TEST(TokenFile, HoldsOneTokenAndNothingElse) {
  using namespace std::string_literals;
  const std::string many_lines =
      "error: token file $DIR/t holds more than one line: it must hold nothing but the token";
  const std::string blank = "error: token file $DIR/t holds a blank: it must hold nothing but the token";
  const std::string empty = "error: token file $DIR/t is empty: it must hold the token";
  const std::string strange =
      "error: token file $DIR/t holds a character that is not printable ASCII: it must hold nothing but the "
      "token";
  const Case cases[] = {
      {"plain", "PLANTED", "PLANTED"},
      {"a line break at the end", "PLANTED\n", "PLANTED"},
      {"a Windows line break at the end", "PLANTED\r\n", "PLANTED"},
      {"every printable character", "!~{}\"'\\=/+", "!~{}\"'\\=/+"},
      {"as long as may be", std::string(4096, 'x') + "\r\n", std::string(4096, 'x')},
      {"one character longer", std::string(4097, 'x'),
       "error: token file $DIR/t is longer than 4096 bytes: that is no token"},
      {"huge", std::string(100'000, 'x'), "error: token file $DIR/t is larger than 4098 bytes"},
      {"empty", "", empty},
      {"a line break alone", "\n", empty},
      {"two line breaks at the end", "PLANTED\n\n", many_lines},
      {"two lines", "PLANTED\nother\n", many_lines},
      {"an old Macintosh's lines", "PLANTED\rother", many_lines},
      {"a blank inside", "PLAN TED\n", blank},
      {"a blank at the end", "PLANTED \n", blank},
      {"a blank before it", " PLANTED", blank},
      {"a tab", "PLANTED\t", blank},
      {"NUL", "PLAN\0TED"s, "error: token file $DIR/t holds a NUL byte: it must be plain text"},
      {"a byte order mark", "\xEF\xBB\xBFPLANTED",
       "error: token file $DIR/t begins with a byte order mark: save it as plain text without one"},
      {"not ASCII", "PLANT\xC3\x84", strange},
      {"an escape sequence", "PLANTED\x1B[1m", strange},
      {"DEL", "PLANTED\x7F", strange},
  };
  const ConfigDirectory dir;
  const TokenReader tokens(environment_of({}));
  for (const Case& c : cases) {
    dir.write("t", c.content);
    EXPECT_EQ(answer(dir, tokens.read(file_source(dir.path("t")))), c.answer) << c.what;
  }
}

TEST(TokenFile, ThatIsNoFileIsSaidToBeNone) {
  const ConfigDirectory dir;
  const TokenReader tokens(environment_of({}));
  const auto reading = [&](const std::string& name) {
    return answer(dir, tokens.read(file_source(dir.path(name))));
  };
  EXPECT_EQ(reading("absent"), "error: token file $DIR/absent cannot be read: No such file or directory");
  std::filesystem::create_directory(dir.path("directory"));
  EXPECT_EQ(reading("directory"), "error: token file $DIR/directory is a directory, not a file");
  ASSERT_EQ(::mkfifo(dir.path("pipe").c_str(), 0600), 0);
  EXPECT_EQ(reading("pipe"), "error: token file $DIR/pipe is not a regular file");
  EXPECT_EQ(answer(dir, tokens.read(file_source("/dev/null"))),
            "error: token file /dev/null is not a regular file");
}

TEST(TokenFile, IsReadAgainEachTime) {
  const ConfigDirectory dir;
  const TokenReader tokens(environment_of({}));
  const TokenSource source = file_source(dir.write("t", "first\n"));
  EXPECT_EQ(answer(dir, tokens.read(source)), "first");
  dir.write("t", "second\n");
  EXPECT_EQ(answer(dir, tokens.read(source)), "second");
}

TEST(TokenFile, BelowADirectoryIsCheckedOnTheFileThatWasOpened) {
  const ConfigDirectory dir;
  const TokenReader tokens(environment_of({}));
  dir.write("outside", "PLANTED");
  dir.write("tenants/sub/own", "own");
  dir.link("tenants/link", dir.path("outside"));
  dir.link("tenants/up", "..");
  dir.link("tenants/good", "sub/own");
  const auto below = [&](const std::string& path) {
    return answer(dir, tokens.read({TokenSource::Kind::file, dir.path(path), dir.path("tenants")}));
  };
  EXPECT_EQ(below("tenants/sub/own"), "own");
  EXPECT_EQ(below("tenants/good"), "own");
  const std::string refused =
      " lies outside of $DIR/tenants (links are followed), and may not be used from there";
  EXPECT_EQ(below("tenants/link"), "error: token file $DIR/tenants/link" + refused);
  EXPECT_EQ(below("tenants/up/outside"), "error: token file $DIR/tenants/up/outside" + refused);
  EXPECT_EQ(below("tenants/sub/../../outside"), "error: token file $DIR/tenants/sub/../../outside" + refused);
}

TEST(TokenVariable, IsCheckedLikeAFile) {
  const ConfigDirectory dir;
  const TokenReader tokens(environment_of({{"GOOD", "token"}, {"EMPTY", ""}, {"LINES", "PLANTED\nmore"}}));
  EXPECT_EQ(answer(dir, tokens.read(variable("GOOD"))), "token");
  EXPECT_EQ(answer(dir, tokens.read(variable("ABSENT"))),
            "error: environment variable ABSENT is not set: it must hold the token");
  EXPECT_EQ(answer(dir, tokens.read(variable("EMPTY"))),
            "error: environment variable EMPTY is empty: it must hold the token");
  EXPECT_EQ(answer(dir, tokens.read(variable("LINES"))),
            "error: environment variable LINES holds more than one line: it must hold nothing but the token");
}

TEST(TokenCredential, IsReadOnceAtTheStart) {
  const ConfigDirectory dir;
  dir.write("credentials/acme", "first\n");
  dir.write("credentials/broken", "PLAN TED");
  const TokenReader tokens(environment_of({{"CREDENTIALS_DIRECTORY", dir.path("credentials")}}));
  dir.write("credentials/acme", "second\n");
  dir.write("credentials/late", "third\n");
  EXPECT_EQ(answer(dir, tokens.read(credential("acme"))), "first");
  EXPECT_EQ(answer(dir, tokens.read(credential("broken"))),
            "error: credential broken holds a blank: it must hold nothing but the token");
  EXPECT_EQ(answer(dir, tokens.read(credential("late"))),
            "error: credential late was not there when the service started: add LoadCredential=late:PATH to "
            "the unit and "
            "restart it");
}

TEST(TokenCredential, OutsideOfSystemdIsSaidToNeedIt) {
  const ConfigDirectory dir;
  EXPECT_EQ(answer(dir, TokenReader(environment_of({})).read(credential("acme"))),
            "error: credential acme cannot be read: $CREDENTIALS_DIRECTORY is not set; systemd sets it for a "
            "unit with "
            "LoadCredential=");
}

TokenStamp stamp_of(const TokenSource& file) {
  return look_at_token_file(file).stamp.value_or(TokenStamp{});
}

TEST(TokenStamp, ChangesWithTheFile) {
  const ConfigDirectory dir;
  const TokenSource source = file_source(dir.path("t"));
  const TokenStamp absent = stamp_of(source);
  EXPECT_EQ(absent, TokenStamp{});

  dir.write("t", "first");
  const TokenStamp first = stamp_of(source);
  EXPECT_NE(first, absent);
  EXPECT_EQ(stamp_of(source), first) << "looking at it changes nothing";

  dir.write("new", "other");
  std::filesystem::last_write_time(dir.path("new"), std::filesystem::last_write_time(dir.path("t")));
  std::filesystem::rename(dir.path("new"), dir.path("t"));
  const TokenStamp replaced = stamp_of(source);
  EXPECT_NE(replaced, first) << "same size and time, another file: what rename() leaves";

  std::filesystem::last_write_time(dir.path("t"),
                                   std::filesystem::file_time_type::clock::now() - std::chrono::hours(1));
  EXPECT_NE(stamp_of(source), replaced);

  dir.remove("t");
  EXPECT_EQ(stamp_of(source), absent);
}

TEST(TokenStamp, FollowsLinksAsMountedSecretsNeedIt) {
  const ConfigDirectory dir;
  dir.write("v1/token", "first");
  dir.write("v2/token", "other");
  dir.link("current", "v1");
  const TokenSource source = file_source(dir.path("current/token"));
  const TokenStamp before = stamp_of(source);
  dir.link("next", "v2");
  std::filesystem::rename(dir.path("next"), dir.path("current"));
  EXPECT_NE(stamp_of(source), before);
  EXPECT_EQ(answer(dir, look_at_token_file(source).token), "other");
}

TEST(ReadFile, TakesFilesOfEverySizeUpToItsLimit) {
  const ConfigDirectory dir;
  for (const std::size_t size : {0u, 1u, 99u, 100u}) {
    const std::string content(size, 'x');
    const auto read = read_file(dir.write("f", content), 100);
    ASSERT_TRUE(read.ok()) << size;
    EXPECT_EQ(*read, content);
  }
  EXPECT_EQ(read_file(dir.write("f", std::string(101, 'x')), 100).error().message,
            "is larger than 100 bytes");
}

// The kernel announces no size for these.
TEST(ReadFile, TakesFilesWhoseSizeIsNotAnnounced) {
  const auto whole = read_file("/proc/self/stat", 100'000);
  ASSERT_TRUE(whole.ok()) << whole.error().message;
  EXPECT_GT(whole->size(), 50u);
  EXPECT_EQ(read_file("/proc/self/stat", 10).error().message, "is larger than 10 bytes");
}

}  // namespace
}  // namespace sqlbak_gateway::config::testing
