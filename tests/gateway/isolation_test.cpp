// One slow, huge, failing or revoked account never delays another.
#include "gateway/gateway_world.h"

#include <algorithm>
#include <cstdio>

namespace sqlbak_gateway::gateway {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

class IsolationTest : public testing::GatewayWorld {
 protected:
  static constexpr int kSick = 400;
  static constexpr int kWell = 25;

  static std::string name(int number) {
    char text[16];
    std::snprintf(text, sizeof text, "account-%04d", number);
    return text;
  }
  static bool well(int number) { return number > kSick; }

  IsolationTest()
      : GatewayWorld(simulator::generated_world(kSick + kWell, {1, 2, 3}, testing::ManualClock::kStart, 3)) {
    for (int i = 1; i <= kSick + kWell; ++i) configured(name(i));
  }
  // Of the sick ones, as many of each kind: hanging, dripping, failing, revoked.
  void make_sick() {
    for (int i = 1; i <= kSick; ++i) {
      constexpr std::array kinds = {"latency=10h", "drip_body=10s", "status=500", "status=401"};
      fail_with("account=" + name(i) + "," + kinds[static_cast<std::size_t>(i) % kinds.size()]);
    }
  }
  void probe_everybody() {
    for (int i = 1; i <= kSick + kWell; ++i) probe(name(i));
  }
  // How long the well ones' collections took, the longest of them; every one has succeeded.
  double longest_of_the_well() {
    double longest = 0;
    for (int i = kSick + 1; i <= kSick + kWell; ++i) {
      const Series answer = probed(name(i));
      EXPECT_EQ(value(answer, "probe_success"), 1) << name(i);
      longest = std::max(longest, value(answer, "sqlbak_collection_duration_seconds").value_or(1e9));
    }
    return longest;
  }
  using Series = simulator::Series;
};

TEST_F(IsolationTest, TwentyFiveWellAccountsDoNotFeelFourHundredSickOnes) {
  make_sick();
  probe_everybody();
  let_pass(minutes(1));
  EXPECT_LE(longest_of_the_well(), 15) << "cold, all at once";

  // Round after round of scrapes, everybody due: warm collections go first.
  for (int round = 0; round < 3; ++round) {
    clock.advance(seconds(271));
    probe_everybody();
    let_pass(seconds(30));
    EXPECT_LE(longest_of_the_well(), 5) << "round " << round;
  }
  EXPECT_EQ(value(probed(name(4)), "probe_success"), 0);
}

TEST_F(IsolationTest, FiveHundredColdAccountsAllComplete) {
  probe_everybody();
  let_collections_end();
  for (int i = 1; i <= kSick + kWell; ++i) EXPECT_EQ(value(probed(name(i)), "probe_success"), 1) << name(i);
}

// The author of a file in accounts_dir may set the rates of its accounts as low as they go.
TEST_F(IsolationTest, LowRatesHoldUpNobodysInitialCollection) {
  for (int i = 1; i <= kSick; ++i) {
    configured(name(i)).requests_per_second = 0.01;
    configured(name(i)).token.name = variable(name(1));  // and so one rate, which a few of them use up
  }
  for (int i = 1; i <= kSick; ++i) probe(name(i));
  let_pass(minutes(1));
  for (int i = kSick + 1; i <= kSick + kWell; ++i) probe(name(i));
  let_pass(minutes(1));
  EXPECT_LE(longest_of_the_well(), 30);
}

}  // namespace
}  // namespace sqlbak_gateway::gateway
