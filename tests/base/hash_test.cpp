#include "sqlbak_gateway/base/hash.h"

#include <gtest/gtest.h>

namespace sqlbak_gateway {
namespace {

TEST(KeyedHash, IsHmacSha256) {
  // RFC 4231, test case 2.
  EXPECT_EQ(keyed_hash("Jefe", "what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST(KeyedHash, DependsOnKeyAndText) {
  EXPECT_NE(keyed_hash("a", "b"), keyed_hash("b", "a"));
  EXPECT_EQ(keyed_hash("", "").size(), 64u);
}

}  // namespace
}  // namespace sqlbak_gateway
