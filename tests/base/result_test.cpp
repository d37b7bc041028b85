#include "sqlbak_gateway/base/result.h"

#include <memory>

#include <gtest/gtest.h>

namespace sqlbak_gateway {
namespace {

TEST(ResultOf, HoldsAValueOrAnError) {
  const Result<int> good = 42;
  EXPECT_TRUE(good.ok());
  EXPECT_EQ(*good, 42);
  const Result<int> bad = Error{"no"};
  EXPECT_FALSE(bad.ok());
  EXPECT_EQ(bad.error().message, "no");
}

TEST(ResultOf, CarriesMoveOnlyValues) {
  Result<std::unique_ptr<int>> made = std::make_unique<int>(7);
  const std::unique_ptr<int> taken = std::move(made).value();
  EXPECT_EQ(*taken, 7);
}

TEST(ResultOf, VoidIsSuccessOrAnError) {
  EXPECT_TRUE(Result<void>().ok());
  EXPECT_EQ(Result<void>(Error{"no"}).error().message, "no");
}

}  // namespace
}  // namespace sqlbak_gateway
