#include "sqlbak/endpoints.h"

#include <gtest/gtest.h>

namespace sqlbak_gateway::sqlbak {
namespace {

SystemTime at(std::int64_t epoch_ms) {
  return SystemTime(std::chrono::milliseconds(epoch_ms));
}

TEST(Endpoints, AskForPagesOfAHundred) {
  EXPECT_EQ(me_target(), "/me");
  EXPECT_EQ(servers_target(1), "/servers?page=1&page_size=100");
  EXPECT_EQ(jobs_target(12), "/jobs?page=12&page_size=100");
  EXPECT_EQ(settings_target("42"), "/jobs/42/settings");
  EXPECT_EQ(runs_target("42", at(1768392000123), 3),
            "/jobruns?job_id=42&started_after=1768392000123&page=3&page_size=100");
  EXPECT_EQ(run_target("9482211"), "/jobruns/9482211");
}

TEST(Endpoints, AskForRunsSince1970AtTheEarliest) {
  EXPECT_EQ(runs_target("1", at(-5), 1), "/jobruns?job_id=1&started_after=0&page=1&page_size=100");
}

TEST(Endpoints, KeepAnIdInsideItsSegmentWhateverItHolds) {
  struct Case {
    std::string_view id;
    std::string_view target;
  };
  const Case cases[] = {
      {"../x", "/jobruns/..%2Fx"},
      {"a b", "/jobruns/a%20b"},
      {".", "/jobruns/%2E"},
      {"..", "/jobruns/%2E%2E"},
      {"...", "/jobruns/..."},
      {"1?page=2&x#y", "/jobruns/1%3Fpage%3D2%26x%23y"},
      {"1\r\nHost: x", "/jobruns/1%0D%0AHost%3A%20x"},
      {"%2e%2e", "/jobruns/%252e%252e"},
      {"\xC3\xA9", "/jobruns/%C3%A9"},
      {std::string_view("\0", 1), "/jobruns/%00"},
  };
  for (const Case& c : cases) EXPECT_EQ(run_target(c.id), c.target);
  EXPECT_EQ(settings_target(".."), "/jobs/%2E%2E/settings");
  EXPECT_EQ(runs_target("1&job_id=2", at(0), 1),
            "/jobruns?job_id=1%26job_id%3D2&started_after=0&page=1&page_size=100");
}

}  // namespace
}  // namespace sqlbak_gateway::sqlbak
