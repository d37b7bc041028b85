// Workers: who starts threads, and what happens where there are none.
#include "http/workers.h"

#include "http/serving.h"

#include <atomic>
#include <latch>
#include <memory>
#include <sys/resource.h>
#include <system_error>
#include <thread>
#include <unistd.h>

#include <gtest/gtest.h>

namespace sqlbak_gateway::http::testing {
namespace {

class WorkersTest : public ::testing::Test {
 protected:
  ~WorkersTest() override {
    gate.open();
    if (workers) workers->stop(0);
  }
  void make(std::size_t threads, Workers::Priority priority = Workers::Priority::normal) {
    workers = std::make_shared<Workers>(threads, priority, [this](std::function<void()> run) {
      if (refused) throw std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again));
      ++(std::this_thread::get_id() == submitter ? started_here : started_elsewhere);
      return std::thread([this, run = std::move(run)] {
        may_run.wait();
        run();
      });
    });
  }
  bool submit_waiting() {
    return workers->submit([this] { gate.pass(); });
  }
  int niceness_of_a_job() {
    std::atomic<int> niceness{-100};
    workers->submit([&] { niceness = ::getpriority(PRIO_PROCESS, static_cast<id_t>(::gettid())); });
    EXPECT_TRUE(eventually([&] { return niceness != -100; }));
    return niceness;
  }

  const std::thread::id submitter = std::this_thread::get_id();
  std::atomic<bool> refused{false};
  std::atomic<int> started_here{0};
  std::atomic<int> started_elsewhere{0};
  std::latch may_run{1};
  Gate gate;
  std::shared_ptr<Workers> workers;
};

// The event thread has health checks to answer.
TEST_F(WorkersTest, ABurstCostsItsSubmitterOneStart) {
  make(50);
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(submit_waiting());
  EXPECT_EQ(started_here, 1);
  may_run.count_down();
  EXPECT_TRUE(eventually([&] { return gate.waiting() == 50; }));
  EXPECT_EQ(started_here, 1);
  EXPECT_EQ(started_elsewhere, 49);
}

TEST_F(WorkersTest, StartsNoMoreThreadsThanItMay) {
  make(3);
  may_run.count_down();
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(submit_waiting());
  EXPECT_TRUE(eventually([&] { return gate.waiting() == 3; }));
  EXPECT_EQ(workers->threads(), 3u);
  std::atomic<bool> last_ran{false};
  workers->submit([&] { last_ran = true; });
  gate.open();
  EXPECT_TRUE(eventually([&] { return last_ran.load(); }));
  EXPECT_EQ(started_here + started_elsewhere, 3);
}

TEST_F(WorkersTest, TakesNoJobWithoutAThread) {
  make(3);
  refused = true;
  EXPECT_FALSE(submit_waiting());
  EXPECT_EQ(workers->threads(), 0u);
}

TEST_F(WorkersTest, KeepsJobsForTheThreadsThereAre) {
  make(3);
  may_run.count_down();
  ASSERT_TRUE(submit_waiting());
  ASSERT_TRUE(eventually([&] { return gate.waiting() == 1; }));
  refused = true;
  std::atomic<bool> ran{false};
  EXPECT_TRUE(workers->submit([&] { ran = true; }));
  gate.open();
  EXPECT_TRUE(eventually([&] { return ran.load(); }));
}

TEST_F(WorkersTest, StartsAThreadAgainAfterARefusal) {
  make(3);
  may_run.count_down();
  refused = true;
  EXPECT_FALSE(submit_waiting());
  refused = false;
  EXPECT_TRUE(submit_waiting());
  EXPECT_TRUE(eventually([&] { return gate.waiting() == 1; }));
}

TEST_F(WorkersTest, LowPriorityIsBelowTheMakers) {
  may_run.count_down();
  make(1, Workers::Priority::low);
  const int own = ::getpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()));
  if (own >= 15) GTEST_SKIP() << "this program has the lowest priority already";
  EXPECT_GT(niceness_of_a_job(), own);
}

// A thread inherits its starter's niceness.
TEST_F(WorkersTest, ThreadsStartedByOthersAreNoNicer) {
  make(2, Workers::Priority::low);
  ASSERT_TRUE(submit_waiting());
  std::atomic<int> second{-100};
  workers->submit([&] { second = ::getpriority(PRIO_PROCESS, static_cast<id_t>(::gettid())); });
  may_run.count_down();
  ASSERT_TRUE(eventually([&] { return second != -100; }));
  const int own = ::getpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()));
  EXPECT_EQ(second, std::min(own + 5, 19));
  EXPECT_EQ(started_elsewhere, 1);
}

TEST_F(WorkersTest, EndsThreadsThatWereNotNeeded) {
  make(5);
  may_run.count_down();
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(submit_waiting());
  ASSERT_TRUE(eventually([&] { return gate.waiting() == 5; }));
  gate.open();
  EXPECT_TRUE(eventually([&] {
    workers->trim();
    return workers->threads() == 0;
  }));
}

}  // namespace
}  // namespace sqlbak_gateway::http::testing
