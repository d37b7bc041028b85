// Somebody sets the system clock while the gateway runs: an administrator, NTP, or a machine that slept. Data
// are judged by the system clock, but nothing is scheduled by it.
#include "gateway/gateway_world.h"

namespace sqlbak_gateway::gateway {
namespace {

using simulator::Series;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

class ClockJump : public testing::GatewayWorld, public ::testing::WithParamInterface<int> {
 protected:
  ClockJump() { configured("acme"); }
  void jump() { clock.jump_to(clock.system_now() + hours(GetParam())); }

  static void expect_no_age_below_zero(const Series& answer) {
    for (const auto& [series, value] : answer) {
      if (series.find("age_hours") == std::string::npos || value == -1) continue;
      EXPECT_GE(value, 0) << series;
    }
    EXPECT_GE(value(answer, "probe_duration_seconds"), 0);
    EXPECT_GE(value(answer, "sqlbak_collection_duration_seconds"), 0);
  }
};

TEST_P(ClockJump, BetweenCollectionsKeepsScheduleAndAges) {
  collected("acme");
  const std::uint64_t before = collections("acme");
  jump();
  // Fresh data stay fresh: four minutes of the steady clock have not passed.
  for (int i = 0; i < 12; ++i) {
    expect_no_age_below_zero(probed("acme"));
    let_pass(seconds(15));
  }
  EXPECT_EQ(collections("acme"), before) << "a jump is no reason to collect";
  // They become due by the steady clock.
  let_pass(minutes(3));
  const Series after = collected("acme");
  expect_no_age_below_zero(after);
  EXPECT_EQ(value(after, "probe_success"), 1);
  EXPECT_EQ(collections("acme"), before + 1);
}

TEST_P(ClockJump, DuringACollectionEndsItAsUsual) {
  transport.set_round_trip(seconds(2));
  probe("acme");
  let_pass(seconds(3));
  jump();
  let_collections_end();
  const Series answer = probed("acme");
  expect_no_age_below_zero(answer);
  EXPECT_EQ(value(answer, "probe_success"), 1);
  for (int i = 0; i < 40; ++i) {
    expect_no_age_below_zero(probed("acme"));
    let_pass(seconds(15));
  }
  EXPECT_LE(collections("acme"), 4u) << "ten minutes, one collection in four and a half";
}

TEST_P(ClockJump, DuringABackoffMakesNoStorm) {
  fail_with("account=acme,status=500");
  collected("acme");
  jump();
  for (int i = 0; i < 40; ++i) {
    probe("acme");
    let_pass(seconds(15));
  }
  EXPECT_LE(collections("acme"), 40u) << "ten minutes, a handful of collections with their retries";
  api.clear_faults();
  let_pass(minutes(11));
  EXPECT_EQ(value(collected("acme"), "probe_success"), 1);
}

INSTANTIATE_TEST_SUITE_P(ByHours, ClockJump, ::testing::Values(-24 * 365, -25, -1, 1, 25, 24 * 365),
                         [](const auto& jump) {
                           return (jump.param < 0 ? "Back" : "Forward") +
                                  std::to_string(std::abs(jump.param));
                         });

}  // namespace
}  // namespace sqlbak_gateway::gateway
