#include "sqlbak_gateway/base/secret.h"

#include <utility>

#include <gtest/gtest.h>

namespace sqlbak_gateway {
namespace {

TEST(SecretText, IsKeptAndGivenOnlyOnRequest) {
  const Secret token("s3cret-token");
  EXPECT_EQ(token.reveal(), "s3cret-token");
  EXPECT_FALSE(token.empty());
  EXPECT_TRUE(Secret().empty());
}

TEST(SecretText, LeavesNothingBehindWhenMoved) {
  for (const char* text : {"short", "long enough that it does not fit into the string object itself"}) {
    Secret from{std::string(text)};
    const Secret to = std::move(from);
    EXPECT_EQ(to.reveal(), text);
    EXPECT_TRUE(from.empty());  // NOLINT(bugprone-use-after-move): that it is empty is the promise
    Secret assigned;
    Secret source{std::string(text)};
    assigned = std::move(source);
    EXPECT_EQ(assigned.reveal(), text);
    EXPECT_TRUE(source.empty());  // NOLINT(bugprone-use-after-move)
  }
}

TEST(SecretText, ComparesWhole) {
  EXPECT_TRUE(equal_in_constant_time(Secret("abc"), Secret("abc")));
  EXPECT_FALSE(equal_in_constant_time(Secret("abc"), Secret("abd")));
  EXPECT_FALSE(equal_in_constant_time(Secret("abc"), Secret("abcd")));
  EXPECT_TRUE(equal_in_constant_time(Secret(), Secret()));
}

template <typename T>
concept Streamable = requires(std::ostream& out, const T& value) {
  out << value;
};
static_assert(!Streamable<Secret>);
static_assert(!std::is_convertible_v<Secret, std::string>);

}  // namespace
}  // namespace sqlbak_gateway
