// One file a mistake: tests/config/bad holds each with the exact messages it must give, as comments at its
// head:
//
//   # error: LINE:COLUMN: MESSAGE      (with $DIR for the directory of the file)
//   # warning: MESSAGE                 (about the file as a whole)
//
// tests/config/good holds files that look odd and are right, with the warnings they give.
#include "config/config_directory.h"
#include "sqlbak_gateway/config/load.h"

#include <algorithm>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sqlbak_gateway::config::testing {
namespace {

std::vector<std::string> files_of(const std::string& kind) {
  std::vector<std::string> files;
  for (const auto& entry :
       std::filesystem::directory_iterator(SQLBAK_GATEWAY_SOURCE_DIR "/tests/config/" + kind)) {
    files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string test_name(const ::testing::TestParamInfo<std::string>& info) {
  return std::filesystem::path(info.param).stem().string();
}

Lines expected_of(const std::string& file, const std::string& kind) {
  const std::string prefix = "# " + kind + ": ";
  Lines expected;
  std::istringstream text(text_of(file));
  for (std::string line; std::getline(text, line);) {
    if (line.rfind(prefix, 0) == 0) expected.push_back(line.substr(prefix.size()));
  }
  return expected;
}

// "LINE:COLUMN: MESSAGE" of diagnostics that all are about `file`.
Lines said_of(const std::string& file, const std::vector<Diagnostic>& diagnostics) {
  Lines said;
  for (const Diagnostic& diagnostic : diagnostics) {
    EXPECT_EQ(diagnostic.place.file, file);
    const std::string whole = to_text(diagnostic);
    std::string text = whole.substr(std::min(whole.size(), file.size() + 1));
    if (!text.empty() && text.front() == ' ') text.erase(0, 1);
    said.push_back(with_replaced(text, std::filesystem::path(file).parent_path().string(), "$DIR"));
  }
  return said;
}

LoadOutcome check(const std::string& file) {
  LoadOptions options;
  options.mode = LoadMode::check;
  options.environment = environment_of({});
  return load(file, options);
}

class BadFile : public ::testing::TestWithParam<std::string> {};

TEST_P(BadFile, GivesExactlyItsMessages) {
  const LoadOutcome outcome = check(GetParam());
  const Lines expected = expected_of(GetParam(), "error");
  ASSERT_FALSE(expected.empty()) << "the file says no '# error: …'";
  EXPECT_EQ(said_of(GetParam(), outcome.errors), expected);
  EXPECT_FALSE(outcome.config.has_value());
  for (const std::string& line : said_of(GetParam(), outcome.errors)) {
    EXPECT_THAT(line, ::testing::Not(::testing::HasSubstr("PLANTED")));
  }
}

INSTANTIATE_TEST_SUITE_P(Directory, BadFile, ::testing::ValuesIn(files_of("bad")), test_name);

class GoodFile : public ::testing::TestWithParam<std::string> {};

TEST_P(GoodFile, LoadsWithExactlyItsWarnings) {
  const LoadOutcome outcome = check(GetParam());
  EXPECT_EQ(said_of(GetParam(), outcome.errors), Lines{});
  EXPECT_EQ(said_of(GetParam(), outcome.warnings), expected_of(GetParam(), "warning"));
  EXPECT_TRUE(outcome.config.has_value());
}

INSTANTIATE_TEST_SUITE_P(Directory, GoodFile, ::testing::ValuesIn(files_of("good")), test_name);

}  // namespace
}  // namespace sqlbak_gateway::config::testing
