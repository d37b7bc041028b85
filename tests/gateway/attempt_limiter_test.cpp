// Who has to wait before the next password is tried, on a manual clock.
#include "gateway/attempt_limiter.h"

#include "support/manual_clock.h"

#include <gtest/gtest.h>

namespace sqlbak_gateway::gateway {
namespace {

using std::chrono::seconds;

class AttemptLimiterTest : public ::testing::Test {
 protected:
  static std::string numbered(const std::string& what, int number) { return what + std::to_string(number); }
  bool held_up(const std::string& address, const std::string& name) const {
    return limiter.wait(address, name) > Duration::zero();
  }
  void fail(const std::string& address, const std::string& name, int times) {
    for (int i = 0; i < times; ++i) limiter.failed(address, name);
  }
  // As often as an address may, each time for another name.
  void use_up(const std::string& address) {
    for (int i = 0; i < AttemptLimiter::kPerAddress.at_once; ++i) limiter.failed(address, numbered("n", i));
  }

  // 192.0.2.1 has used up what it may for `name`: one more after each `time`, given here to `next`.
  void expect_one_forgiven_every(seconds time, const std::string& name, const std::string& next) {
    EXPECT_EQ(limiter.wait("192.0.2.1", name), time);
    EXPECT_FALSE(held_up("192.0.2.2", name));
    clock.advance(time);
    EXPECT_FALSE(held_up("192.0.2.1", name));
    fail("192.0.2.1", next, 1);
    EXPECT_TRUE(held_up("192.0.2.1", name));
  }

  testing::ManualClock clock;
  AttemptLimiter limiter{clock};
};

TEST_F(AttemptLimiterTest, HoldsUpANameAfterTenAndForgivesOneEveryTenSeconds) {
  fail("192.0.2.1", "acme", 9);
  EXPECT_FALSE(held_up("192.0.2.1", "acme"));
  fail("192.0.2.1", "acme", 1);
  EXPECT_FALSE(held_up("192.0.2.1", "globex"));
  expect_one_forgiven_every(seconds(10), "acme", "acme");
}

TEST_F(AttemptLimiterTest, HoldsUpAnAddressAfterTwentyWhateverTheNames) {
  use_up("192.0.2.1");
  expect_one_forgiven_every(seconds(5), "never heard of", "another");
}

TEST_F(AttemptLimiterTest, TakesAnIPv6NetworkForOneAddress) {
  for (int i = 0; i < AttemptLimiter::kPerAddress.at_once; ++i) {
    limiter.failed(numbered("2001:db8:0:1::", i), numbered("n", i));
  }
  EXPECT_TRUE(held_up("2001:db8:0:1:ffff:ffff:ffff:ffff", "acme"));
  EXPECT_TRUE(limiter.failed_lately("2001:db8:0:1::abcd"));
  EXPECT_FALSE(held_up("2001:db8:0:2::1", "acme"));
  EXPECT_FALSE(limiter.failed_lately("2001:db8:0:2::1"));
}

TEST_F(AttemptLimiterTest, TakesALinkLocalAddressWithoutItsScope) {
  use_up("fe80::1%eth0");
  EXPECT_TRUE(held_up("fe80::2%eth0", "acme"));
}

TEST_F(AttemptLimiterTest, KnowsWhoFailedLately) {
  EXPECT_FALSE(limiter.failed_lately("192.0.2.1"));
  limiter.failed("192.0.2.1", "acme");
  EXPECT_TRUE(limiter.failed_lately("192.0.2.1"));
  EXPECT_FALSE(limiter.failed_lately("192.0.2.2"));
  clock.advance(seconds(5));
  EXPECT_FALSE(limiter.failed_lately("192.0.2.1"));
}

TEST_F(AttemptLimiterTest, ForgetsTheLeastGuiltyWhereThereAreTooMany) {
  use_up("192.0.2.1");
  fail("192.0.2.2", "acme", 10);
  for (int i = 0; i < static_cast<int>(AttemptLimiter::kRemembered) + 100; ++i) {
    limiter.failed(numbered("somewhere-", i), "somebody");
  }
  EXPECT_TRUE(held_up("192.0.2.1", "acme"));
  EXPECT_TRUE(held_up("192.0.2.2", "acme"));
}

TEST_F(AttemptLimiterTest, CutsLongNamesSoThatTheyAreOne) {
  const std::string name(64, 'x');
  for (int i = 0; i < 10; ++i) limiter.failed("192.0.2.1", name + std::to_string(i));
  EXPECT_TRUE(held_up("192.0.2.1", name));
}

}  // namespace
}  // namespace sqlbak_gateway::gateway
