#include "sqlbak_gateway/base/deadline.h"

#include <gtest/gtest.h>

namespace sqlbak_gateway {
namespace {

constexpr SteadyTime kNow{std::chrono::hours(1)};

TEST(DeadlineAfter, PassesExactlyAtItsInstant) {
  const Deadline deadline = Deadline::after(kNow, std::chrono::seconds(10));
  EXPECT_FALSE(deadline.passed(kNow));
  EXPECT_FALSE(deadline.passed(kNow + std::chrono::milliseconds(9999)));
  EXPECT_TRUE(deadline.passed(kNow + std::chrono::seconds(10)));
}

TEST(DeadlineAfter, HasNothingLeftOncePassed) {
  const Deadline deadline = Deadline::after(kNow, std::chrono::seconds(10));
  EXPECT_EQ(deadline.remaining(kNow + std::chrono::seconds(4)), std::chrono::seconds(6));
  EXPECT_EQ(deadline.remaining(kNow + std::chrono::seconds(40)), Duration::zero());
}

TEST(DeadlineAfter, DoesNotOverflow) {
  EXPECT_EQ(Deadline::after(kNow, Duration::max()), Deadline::never());
  EXPECT_FALSE(Deadline::never().passed(kNow));
}

}  // namespace
}  // namespace sqlbak_gateway
