// What the scheduler is for: accounts that collect at the same time do not feel one another.
#include "upstream/collecting_world.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sqlbak_gateway::upstream::testing {
namespace {

constexpr Duration kRoundTrip = 50ms;

// With no one else about, a 3-job account needs: its first request, the two others of the lists, 6 for its
// jobs.
constexpr Duration kThreeJobsAlone = 3 * kRoundTrip;

GlobalLimits few_slots() {
  return {.max_concurrent_requests = 8, .requests_per_second = 0};
}

class SmallBesideLarge : public ::testing::TestWithParam<Share::Kind> {};

TEST_P(SmallBesideLarge, TakesAFewRoundTripsLongerAtMost) {
  CollectingWorld alone(few_slots());
  const AccountKey undisturbed = alone.collects(3, GetParam());
  alone.run(1min);
  ASSERT_EQ(alone.took(undisturbed), kThreeJobsAlone);

  CollectingWorld world(few_slots());
  const AccountKey large = world.collects(200, Share::Kind::backfill, healthy(), 60);
  world.run(500ms);
  const AccountKey small = world.collects(3, GetParam());
  world.run(10min);

  ASSERT_TRUE(world.took(small).has_value());
  EXPECT_LE(*world.took(small), kThreeJobsAlone + 3 * kRoundTrip);
  EXPECT_TRUE(world.took(large).has_value());
  EXPECT_EQ(world.most_in_flight(), 8u) << "the large account was to fill all slots";
}

INSTANTIATE_TEST_SUITE_P(Kinds, SmallBesideLarge,
                         ::testing::Values(Share::Kind::warm, Share::Kind::backfill));

TEST(Fairness, FiveHundredBackfillsAllComplete) {
  CollectingWorld world(GlobalLimits{});
  std::vector<AccountKey> accounts;
  for (int i = 0; i < 500; ++i) accounts.push_back(world.collects(3, Share::Kind::backfill));
  world.run(10min);
  for (const AccountKey account : accounts) EXPECT_TRUE(world.took(account).has_value());
  EXPECT_EQ(world.started(), 500u * 9u);
}

TEST(Fairness, BackfillsCompleteInOrderOfArrival) {
  CollectingWorld world({.max_concurrent_requests = 64, .requests_per_second = 0, .backfills_at_a_time = 1});
  std::vector<Duration> times;
  std::vector<AccountKey> accounts;
  for (int i = 0; i < 20; ++i) accounts.push_back(world.collects(30, Share::Kind::backfill));
  world.run(10min);
  for (const AccountKey account : accounts) times.push_back(world.took(account).value());
  EXPECT_TRUE(std::is_sorted(times.begin(), times.end()));
  EXPECT_GE(times.back(), 10 * times.front()) << "they were to go one after the other";
}

struct Trouble {
  const char* name;
  Api api;
};
void PrintTo(const Trouble& trouble, std::ostream* out) {
  *out << trouble.name;
}

class BesideFourHundredDegraded : public ::testing::TestWithParam<Trouble> {
 protected:
  // The time the slowest of 25 healthy accounts needs that start together.
  static Duration slowest_of_25_healthy(CollectingWorld& world, Share::Kind kind) {
    std::vector<AccountKey> accounts;
    for (int i = 0; i < 25; ++i) accounts.push_back(world.collects(10, kind));
    world.run(10min);
    Duration slowest{};
    for (const AccountKey account : accounts) {
      EXPECT_TRUE(world.took(account).has_value());
      slowest = std::max(slowest, world.took(account).value_or(Duration::max()));
    }
    return slowest;
  }
};

TEST_P(BesideFourHundredDegraded, WarmCollectionsRunAsIfAlone) {
  CollectingWorld alone(GlobalLimits{});
  const Duration undisturbed = slowest_of_25_healthy(alone, Share::Kind::warm);

  CollectingWorld world(GlobalLimits{});
  for (int i = 0; i < 400; ++i) world.collects(10, Share::Kind::warm, GetParam().api);
  world.run(20s);
  EXPECT_LE(slowest_of_25_healthy(world, Share::Kind::warm), undisturbed + 2s);
  EXPECT_LE(world.most_in_flight(), 64u);
}

TEST_P(BesideFourHundredDegraded, BackfillsThatStartTogetherTakeTenSeconds) {
  CollectingWorld world(GlobalLimits{});
  for (int i = 0; i < 400; ++i) world.collects(10, Share::Kind::backfill, GetParam().api);
  EXPECT_LE(slowest_of_25_healthy(world, Share::Kind::backfill), 10s);
}

TEST_P(BesideFourHundredDegraded, DegradedAccountsEndAsWell) {
  CollectingWorld world(GlobalLimits{});
  std::vector<AccountKey> degraded;
  for (int i = 0; i < 400; ++i) degraded.push_back(world.collects(1, Share::Kind::warm, GetParam().api));
  world.run(1h);
  for (const AccountKey account : degraded)
    EXPECT_TRUE(world.failed(account) || world.took(account).has_value());
}

INSTANTIATE_TEST_SUITE_P(Trouble, BesideFourHundredDegraded,
                         ::testing::Values(Trouble{"hanging", hanging()}, Trouble{"dripping", dripping()},
                                           Trouble{"answering_500", answering_500()},
                                           Trouble{"answering_401", answering_401()}),
                         [](const auto& tested) { return std::string(tested.param.name); });

}  // namespace
}  // namespace sqlbak_gateway::upstream::testing
