// Passwords checked one at a time, equal ones once, and few that wait: with real threads.
#include "gateway/password_checks.h"

#include "support/manual_clock.h"

#include <atomic>
#include <latch>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace sqlbak_gateway::gateway {
namespace {

using Outcome = PasswordChecks::Outcome;
using Asker = PasswordChecks::Asker;

Asker from(std::string owner) {
  return {std::move(owner), true, http::Urgency::ordinary};
}
const Asker kPatient = from("192.0.2.1");
const Asker kUrgent{"192.0.2.1", true, http::Urgency::urgent};
const Asker kMayNotWait{"192.0.2.1", false, http::Urgency::ordinary};

class PasswordChecksTest : public ::testing::Test {
 protected:
  ~PasswordChecksTest() override {
    for (std::thread& thread : threads) thread.join();
  }
  // A check that goes on until release().
  void hold(const std::string& credential, bool matches = true) {
    const auto begun = std::make_shared<std::latch>(1);
    threads.emplace_back([this, begun, credential, matches] {
      checks.check(credential, kPatient, [&] {
        ++worked;
        begun->count_down();
        released.wait();
        return matches;
      });
    });
    begun->wait();
  }
  // One more thread that asks; returns when it waits.
  void ask(const std::string& credential, const Asker& asker = kPatient) {
    const std::size_t before = checks.waiting();
    threads.emplace_back([this, credential, asker] {
      const Outcome outcome = checks.check(credential, asker, [this] {
        ++worked;
        return true;
      });
      ++(outcome == Outcome::right ? right : outcome == Outcome::wrong ? wrong : busy);
    });
    while (checks.waiting() == before) std::this_thread::yield();
  }
  // Asks on this thread; `right` if it comes to it.
  Outcome at_once(const std::string& credential, const Asker& asker = kPatient) {
    return checks.check(credential, asker, [this] {
      ++worked;
      return true;
    });
  }
  void release() {
    released.count_down();
    for (std::thread& thread : threads) thread.join();
    threads.clear();
  }

  testing::ManualClock clock;
  PasswordChecks checks{clock};
  std::latch released{1};
  std::atomic<int> worked{0};
  std::atomic<int> right{0};
  std::atomic<int> wrong{0};
  std::atomic<int> busy{0};
  std::vector<std::thread> threads;
};

TEST_F(PasswordChecksTest, EqualCredentialsAreCheckedOnceAndAllAreRight) {
  hold("acme");
  for (int i = 0; i < 9; ++i) ask("acme");
  release();
  EXPECT_EQ(right, 9);
  EXPECT_EQ(worked, 1);
}

TEST_F(PasswordChecksTest, EqualCredentialsAreWrongTogether) {
  hold("acme", false);
  for (int i = 0; i < 9; ++i) ask("acme");
  release();
  EXPECT_EQ(wrong, 9);
  EXPECT_EQ(worked, 1);
}

TEST_F(PasswordChecksTest, OthersWaitForTheirTurn) {
  hold("acme", false);
  ask("globex");
  ask("initech");
  EXPECT_EQ(worked, 1);
  release();
  EXPECT_EQ(right, 2);
  EXPECT_EQ(worked, 3);
}

TEST_F(PasswordChecksTest, WhoMayNotWaitIsCheckedAtOnceOrNotAtAll) {
  EXPECT_EQ(at_once("globex", kMayNotWait), Outcome::right);
  hold("acme");
  EXPECT_EQ(at_once("globex", kMayNotWait), Outcome::busy);
  EXPECT_EQ(at_once("acme", kMayNotWait), Outcome::busy);
  EXPECT_EQ(worked, 2);
  release();
  EXPECT_EQ(at_once("globex", kMayNotWait), Outcome::right);
}

TEST_F(PasswordChecksTest, FewDifferentOnesWait) {
  hold("acme");
  for (std::size_t i = 0; i < PasswordChecks::Limits().queued; ++i) {
    ask("customer-" + std::to_string(i), from("192.0.2.2" + std::to_string(i)));
  }
  EXPECT_EQ(at_once("globex"), Outcome::busy);
  ask("acme");  // an equal one takes no turn
  release();
  EXPECT_EQ(busy, 0);
}

TEST_F(PasswordChecksTest, OneAddressDoesNotTakeEveryPlaceInTheQueue) {
  hold("acme");
  for (std::size_t i = 0; i < PasswordChecks::Limits().queued_of_one; ++i) {
    ask("guess-" + std::to_string(i), from("192.0.2.66"));
  }
  EXPECT_EQ(at_once("another guess", from("192.0.2.66")), Outcome::busy);
  ask("globex");
  release();
  EXPECT_EQ(busy, 0);
}

TEST_F(PasswordChecksTest, ATurnThatIsGivenUpGoesOn) {
  EXPECT_EQ(checks.check("acme", kPatient, [] { return std::optional<bool>(); }), Outcome::busy);
  EXPECT_EQ(at_once("acme", kMayNotWait), Outcome::right);
}

TEST_F(PasswordChecksTest, NotAllUrgentThreadsWait) {
  const std::size_t most = PasswordChecks::Limits().urgent_waiting;
  EXPECT_LT(most, http::Limits().urgent_threads);
  hold("acme");
  for (std::size_t i = 0; i < most; ++i) ask("acme", kUrgent);
  EXPECT_EQ(at_once("acme", kUrgent), Outcome::busy);
  EXPECT_EQ(at_once("globex", kUrgent), Outcome::busy);
  ask("acme", kPatient);  // an ordinary thread
  release();
  EXPECT_EQ(busy, 0);
  EXPECT_EQ(checks.waiting(), 0u);
}

TEST_F(PasswordChecksTest, NotAllOrdinaryThreadsWait) {
  const std::size_t most = PasswordChecks::Limits().ordinary_waiting;
  EXPECT_LT(most, http::Limits().max_requests_in_flight);
  hold("acme");
  for (std::size_t i = 0; i < most; ++i) ask("acme");
  EXPECT_EQ(at_once("acme"), Outcome::busy);
  release();
  EXPECT_EQ(static_cast<std::size_t>(right), most);
}

TEST_F(PasswordChecksTest, NobodyWaitsForATurnForLong) {
  const RealClock real;
  PasswordChecks impatient(real, {.patience = std::chrono::milliseconds(1)});
  impatient.check("acme", kPatient, [&] {
    EXPECT_EQ(impatient.check("globex", kPatient, [] { return true; }), Outcome::busy);
    return true;
  });
  EXPECT_EQ(impatient.check("globex", kPatient, [] { return true; }), Outcome::right);
}

TEST_F(PasswordChecksTest, TheTurnGoesOnWhenACheckFails) {
  EXPECT_THROW(checks.check("acme", kPatient, []() -> bool { throw std::runtime_error("no memory"); }),
               std::runtime_error);
  EXPECT_EQ(at_once("acme", kMayNotWait), Outcome::right);
}

}  // namespace
}  // namespace sqlbak_gateway::gateway
