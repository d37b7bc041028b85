#include "sqlbak_gateway/base/log.h"

#include "sqlbak_gateway/base/secret.h"
#include "support/manual_clock.h"

#include <gtest/gtest.h>

namespace sqlbak_gateway {
namespace {

class Lines final : public LogSink {
 public:
  void write(std::string_view line) override { text += line; }
  std::string text;
};

class LogTest : public ::testing::Test {
 protected:
  Logger logger(LogFormat format, LogLevel level = LogLevel::debug) { return {lines, clock, level, format}; }
  Lines lines;
  testing::ManualClock clock;
};

TEST_F(LogTest, LogfmtQuotesOnlyWhatNeedsIt) {
  logger(LogFormat::logfmt)
      .info("listening", {{"address", "127.0.0.1:8000"},
                          {"tls", false},
                          {"accounts", 3},
                          {"note", ""},
                          {"path", "a b=\"c\"\n"}});
  EXPECT_EQ(lines.text,
            "ts=2026-01-14T12:00:00.000Z level=info msg=listening address=127.0.0.1:8000 tls=false "
            "accounts=3 note=\"\" "
            "path=\"a b=\\\"c\\\"\\n\"\n");
}

TEST_F(LogTest, JsonIsOneObjectALine) {
  logger(LogFormat::json).error("it \"broke\"", {{"account", "acme\xFF"}});
  EXPECT_EQ(lines.text,
            "{\"ts\":\"2026-01-14T12:00:00.000Z\",\"level\":\"error\",\"msg\":\"it "
            "\\\"broke\\\"\",\"account\":\"acme"
            "\xEF\xBF\xBD\"}\n");
}

TEST_F(LogTest, DropsWhatIsBelowTheLevel) {
  const Logger log(lines, clock, LogLevel::warn, LogFormat::logfmt);
  log.debug("a");
  log.info("b");
  EXPECT_EQ(lines.text, "");
  log.warn("c");
  EXPECT_NE(lines.text.find("msg=c"), std::string::npos);
}

TEST_F(LogTest, NamesOfLevelsAndFormatsAreExact) {
  EXPECT_EQ(*parse_log_level("warn"), LogLevel::warn);
  EXPECT_EQ(parse_log_level("WARN").error().message,
            "log level \"WARN\" is not one of debug, info, warn, error");
  EXPECT_EQ(*parse_log_format("json"), LogFormat::json);
  EXPECT_EQ(parse_log_format("xml").error().message, "log format \"xml\" is not one of logfmt, json");
}

// A secret cannot become a log field.
static_assert(!std::is_constructible_v<LogField, std::string_view, Secret>);

}  // namespace
}  // namespace sqlbak_gateway
