#include "sqlbak_gateway/base/text.h"

#include <gtest/gtest.h>

namespace sqlbak_gateway {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

TEST(Utf8, ReplacesEachMaximalSubpartOfWhatIsInvalid) {
  struct Case {
    std::string_view text;
    std::string_view valid;
  };
  for (const Case& c : {
           Case{"", ""},
           {"plain", "plain"},
           {"Zürich – 東京 🦆", "Zürich – 東京 🦆"},
           {"a\x80z", "a\xEF\xBF\xBDz"},                              // a continuation byte alone
           {"a\xC3", "a\xEF\xBF\xBD"},                                // cut off
           {"\xE2\x82z", "\xEF\xBF\xBDz"},                            // two of three bytes: one mark
           {"\xC0\xAF", "\xEF\xBF\xBD\xEF\xBF\xBD"},                  // overlong '/'
           {"\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},  // a surrogate
           {"\xF4\x90\x80\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},  // above U+10FFFF
           {"\xFF", "\xEF\xBF\xBD"},
       }) {
    EXPECT_EQ(valid_utf8(c.text), c.valid);
    EXPECT_EQ(is_valid_utf8(c.text), c.text == c.valid) << c.text;
  }
}

TEST(Utf8, LooksAtEveryByteOfALongText) {
  std::string text(64, 'a');
  EXPECT_TRUE(is_valid_utf8(text));
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string broken = text;
    broken[i] = '\x80';
    EXPECT_FALSE(is_valid_utf8(broken)) << i;
  }
}

TEST(Text, TrimsAsciiBlanksAndLowersAsciiLetters) {
  EXPECT_EQ(trimmed(" \t\r\n Succeeded \v\f"), "Succeeded");
  EXPECT_EQ(trimmed("  "), "");
  EXPECT_EQ(lower_case("SUCCEEDED Ü"), "succeeded Ü");
  EXPECT_TRUE(equal_ignoring_case("X-SqlBak-Token", "x-sqlbak-token"));
  EXPECT_FALSE(equal_ignoring_case("abc", "abcd"));
}

TEST(PercentEncoding, MakesAnyIdOneSafeSegment) {
  EXPECT_EQ(percent_encoded("job-1_2.3~"), "job-1_2.3~");
  EXPECT_EQ(percent_encoded("../me?x=1&y#z %"), "..%2Fme%3Fx%3D1%26y%23z%20%25");
  EXPECT_EQ(percent_encoded("ü"), "%C3%BC");
  EXPECT_EQ(percent_encoded(std::string_view("\0", 1)), "%00");
}

TEST(PercentEncoding, IsReadBack) {
  EXPECT_EQ(*percent_decoded("a%20b+c%2Fd"), "a b c/d");
  for (const std::string_view bad : {"%", "%2", "%zz", "a%2", "%-1"})
    EXPECT_FALSE(percent_decoded(bad).ok()) << bad;
}

TEST(Durations, AreReadAndWritten) {
  struct Case {
    std::string_view text;
    Duration duration;
    std::string_view shortest;
  };
  for (const Case& c :
       {Case{"0s", Duration::zero(), "0s"},
        {"500ms", milliseconds(500), "500ms"},
        {"90s", seconds(90), "1m30s"},
        {"15m", minutes(15), "15m"},
        {"168h", hours(168), "7d"},
        {"7d", hours(168), "7d"},
        {"1d2h3m4s5ms", hours(26) + minutes(3) + seconds(4) + milliseconds(5), "1d2h3m4s5ms"}}) {
    const Result<Duration> read = parse_duration(c.text);
    ASSERT_TRUE(read.ok()) << c.text;
    EXPECT_EQ(*read, c.duration) << c.text;
    EXPECT_EQ(format_duration(*read), c.shortest);
  }
}

TEST(Durations, RefuseWhatIsNotOne) {
  for (const std::string_view bad : {"", "5", "s", "1.5h", "-1s", "+1s", "1 s", "1s1s", "1s1m", "1y", "1S",
                                     "4000d", "99999999999999999999s", "1h "}) {
    const Result<Duration> read = parse_duration(bad);
    ASSERT_FALSE(read.ok()) << bad;
    EXPECT_NE(read.error().message.find(bad.substr(0, 8)), std::string::npos) << read.error().message;
  }
}

TEST(Sizes, AreReadInBinaryUnits) {
  EXPECT_EQ(*parse_size("16MiB"), 16u << 20);
  EXPECT_EQ(*parse_size("512KiB"), 512u << 10);
  EXPECT_EQ(*parse_size("1GiB"), 1u << 30);
  EXPECT_EQ(*parse_size("4096B"), 4096u);
  for (const std::string_view bad : {"", "16", "16MB", "-1B", "1.5MiB", "99999999999999999GiB"}) {
    EXPECT_FALSE(parse_size(bad).ok()) << bad;
  }
}

TEST(Times, AreWrittenInUtcWithMilliseconds) {
  EXPECT_EQ(format_time(SystemTime{milliseconds{0}}), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(format_time(SystemTime{milliseconds{1'769'903'999'123}}), "2026-01-31T23:59:59.123Z");
  EXPECT_EQ(format_time(SystemTime{milliseconds{-1}}), "1969-12-31T23:59:59.999Z");
}

TEST(Globs, MatchWholeNames) {
  struct Case {
    std::string_view pattern;
    std::string_view name;
    bool matches;
  };
  for (const Case& c : {Case{"*", "acme", true},
                        {"*", "", true},
                        {"acme", "acme", true},
                        {"acme", "acme-eu", false},
                        {"acme-*", "acme-eu", true},
                        {"acme-*", "acme", false},
                        {"*-eu", "acme-eu-eu", true},
                        {"a*b*c", "aXXbYYc", true},
                        {"a*b*c", "aXXcYYb", false},
                        {"a?c", "abc", true},
                        {"a?c", "ac", false},
                        {"[ab]", "a", false},
                        {"", "", true},
                        {"", "a", false}}) {
    EXPECT_EQ(glob_matches(c.pattern, c.name), c.matches) << c.pattern << " ~ " << c.name;
  }
}

TEST(CuttingText, LeavesCharactersWhole) {
  EXPECT_EQ(cut_to("abc", 3), "abc");
  EXPECT_EQ(cut_to("abc", 2), "ab");
  EXPECT_EQ(cut_to("aé", 2), "a");
  EXPECT_EQ(cut_to("aé", 3), "aé");
  EXPECT_EQ(cut_to("€", 2), "");
  EXPECT_EQ(cut_to("", 0), "");
}

TEST(ShortenedText, LeavesWhatFitsAsItIs) {
  EXPECT_EQ(shortened_to("abc", 32), "abc");
  EXPECT_EQ(shortened_to(std::string(32, 'x'), 32), std::string(32, 'x'));
}

TEST(ShortenedText, KeepsLongTextsDifferentAndTheSame) {
  const std::string name(5000, 'x');
  const std::string shortened = shortened_to(name + "1", 100);
  EXPECT_EQ(shortened, std::string(81, 'x') + "…1fc11627ee68c20a") << "the hash is the same in every version";
  EXPECT_EQ(shortened.size(), 100u);
  EXPECT_NE(shortened_to(name + "2", 100), shortened);
}

TEST(ShortenedText, LeavesCharactersWhole) {
  std::string name;
  while (name.size() < 5000) name += "€";
  for (std::size_t bytes = 90; bytes < 100; ++bytes) {
    const std::string shortened = shortened_to(name, bytes);
    EXPECT_TRUE(is_valid_utf8(shortened)) << bytes;
    EXPECT_LE(shortened.size(), bytes);
    EXPECT_GT(shortened.size() + 3, bytes) << "no more is cut than must be";
  }
}

TEST(Nearest, FindsALikelySlipAndNothingFarFetched) {
  const std::vector<std::string_view> keys = {"cache_ttl", "max_stale", "lookback"};
  EXPECT_EQ(nearest("cahce_ttl", keys), "cache_ttl");
  EXPECT_EQ(nearest("max_stales", keys), "max_stale");
  EXPECT_EQ(nearest("colour", keys), std::nullopt);
}

TEST(JsonEscaping, KeepsALineALine) {
  EXPECT_EQ(json_escaped("a\"b\\c\nd\re\tf\x01g\x7f"), "a\\\"b\\\\c\\nd\\re\\tf\\u0001g\\u007f");
  EXPECT_EQ(json_escaped("ü\xFF"), "ü\xEF\xBF\xBD");
}

}  // namespace
}  // namespace sqlbak_gateway
