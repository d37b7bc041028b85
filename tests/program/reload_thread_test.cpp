// ReloadThread: reloads one at a time, for whoever asks.
#include "program/reload_thread.h"

#include <atomic>
#include <chrono>
#include <future>
#include <latch>
#include <memory>
#include <semaphore>
#include <vector>

#include <gtest/gtest.h>

namespace sqlbak_gateway {
namespace {

using namespace std::chrono_literals;

class ReloadThreadTest : public ::testing::Test {
 protected:
  ~ReloadThreadTest() override { may_end.release(100); }

  // A reload that begins, and goes on until may_end is released.
  Result<void> held() {
    ++begun;
    began.release();
    may_end.acquire();
    return fails ? Result<void>(Error{"a mistake"}) : Result<void>();
  }

  std::atomic<int> begun{0};
  std::atomic<bool> fails{false};
  std::counting_semaphore<> began{0};
  std::counting_semaphore<> may_end{0};
  std::unique_ptr<ReloadThread> thread = std::make_unique<ReloadThread>([this] { return held(); });
};

TEST_F(ReloadThreadTest, ReloadsWhenRequested) {
  thread->request();
  began.acquire();
  EXPECT_EQ(begun, 1);
}

TEST_F(ReloadThreadTest, RequestsDuringOneReloadAreOne) {
  thread->request();
  began.acquire();
  for (int i = 0; i < 3; ++i) thread->request();
  may_end.release(2);
  began.acquire();
  may_end.release(10);
  thread.reset();
  EXPECT_EQ(begun, 2);
}

TEST_F(ReloadThreadTest, ReturnsWhatCameOfTheReload) {
  may_end.release(2);
  EXPECT_TRUE(thread->reload().ok());
  fails = true;
  const Result<void> refused = thread->reload();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "a mistake");
}

// The files may have changed after the running reload read them.
TEST_F(ReloadThreadTest, WaitsForAReloadThatBeganAfterTheCall) {
  thread->request();
  began.acquire();
  std::latch asking(1);
  std::future<Result<void>> second = std::async(std::launch::async, [&] {
    asking.count_down();
    return thread->reload();
  });
  asking.wait();
  EXPECT_EQ(second.wait_for(20ms), std::future_status::timeout);
  may_end.release();
  began.acquire();
  EXPECT_EQ(second.wait_for(20ms), std::future_status::timeout);
  may_end.release();
  EXPECT_TRUE(second.get().ok());
  EXPECT_EQ(begun, 2);
}

TEST_F(ReloadThreadTest, EndsWithoutWaitingForRequests) {
  thread->request();
  began.acquire();
  thread->request();
  may_end.release();
  thread.reset();
  EXPECT_LE(begun, 2);
}

}  // namespace
}  // namespace sqlbak_gateway
