// The demo's customers are looked at by people and by tests of the real program, at whatever hour: each must
// show what it is there to show.
#include "gateway/gateway_world.h"
#include "sqlbak_gateway/base/text.h"

#include <string>

#include <nlohmann/json.hpp>

namespace sqlbak_gateway::gateway {
namespace {

class DemoAt : public testing::GatewayWorld {
 public:
  explicit DemoAt(SystemTime now) : GatewayWorld(now) {
    for (const char* name : {"acme", "globex", "initech"}) configured(name);
  }
  // A line for each customer: how it stands, and how many jobs are in which state.
  std::string shown() {
    for (const auto& [name, config] : configuration.accounts) collected(name);
    const auto overview = nlohmann::json::parse(*get("/accounts.json").body);
    std::string text;
    for (const auto& account : overview.at("accounts")) {
      text += account.at("account").get<std::string>() + " " + account.at("state").get<std::string>();
      for (const auto& [state, jobs] : account.at("jobs").items()) {
        if (jobs > 0) text += ", " + jobs.dump() + " " + state;
      }
      text += "\n";
    }
    return text;
  }

 private:
  void TestBody() override {}
};

TEST(Demo, ShowsTheSameAtEveryHour) {
  const SystemTime start = testing::ManualClock::kStart;
  for (auto at = start; at < start + std::chrono::days(14); at += std::chrono::minutes(433)) {
    EXPECT_EQ(DemoAt(at).shown(),
              "globex at-risk, 1 failing, 1 late, 1 protected\n"
              "initech at-risk, 1 late, 1 protected, 1 unknown\n"
              "acme attention, 1 paused, 3 protected\n")
        << format_time(at);
  }
}

}  // namespace
}  // namespace sqlbak_gateway::gateway
