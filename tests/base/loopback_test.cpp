#include "sqlbak_gateway/base/loopback.h"

#include <gtest/gtest.h>

namespace sqlbak_gateway {
namespace {

TEST(Loopback, IsThisMachineAndNothingElse) {
  for (const char* own : {"127.0.0.1", "127.8.8.8", "::1", "0:0:0:0:0:0:0:1", "localhost", "LocalHost"}) {
    EXPECT_TRUE(is_loopback(own)) << own;
  }
  for (const char* other : {"", "0.0.0.0", "::", "10.0.0.1", "128.0.0.1", "::2", "gateway", "127.1",
                            "127.0.0.1.example.com", "localhost.example.com", "db.localhost", "[::1]"}) {
    EXPECT_FALSE(is_loopback(other)) << other;
  }
}

}  // namespace
}  // namespace sqlbak_gateway
