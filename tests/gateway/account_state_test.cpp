#include "gateway/account_state.h"

#include "gateway/published.h"
#include "support/manual_clock.h"

#include <gtest/gtest.h>

namespace sqlbak_gateway::gateway {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using Freshness = AccountState::Freshness;

constexpr Duration kTtl = seconds(270);

// Plays an account's life on a clock moved by hand.
class AccountStateTest : public ::testing::Test {
 protected:
  void begin(double jitter = 0) { state.began(clock.steady_now(), clock.system_now(), jitter); }
  void succeed() { state.ended({}, 0, std::make_shared<const Published>(), clock.steady_now()); }
  void fail(FailureReason reason = FailureReason::timeout) {
    sqlbak::CollectionOutcome outcome;
    outcome.failure = {reason, "it did not answer"};
    state.ended(outcome, 0, nullptr, clock.steady_now());
  }
  void collect_in(Duration time, double jitter = 0) {
    begin(jitter);
    clock.advance(time);
    succeed();
  }
  void fail_in(Duration time) {
    begin();
    clock.advance(time);
    fail();
  }
  Freshness after(Duration time) {
    clock.advance(time);
    return state.freshness(clock.steady_now());
  }
  Freshness now() { return after(Duration::zero()); }
  bool worth_waiting(Duration budget) {
    return state.worth_waiting(clock.steady_now(), Deadline::after(clock.steady_now(), budget));
  }

  testing::ManualClock clock;
  AccountState state{kTtl};
};

TEST_F(AccountStateTest, ANewAccountIsDue) {
  EXPECT_EQ(now(), Freshness::due);
  EXPECT_FALSE(state.probe_success());
  EXPECT_EQ(state.data(), nullptr);
}

TEST_F(AccountStateTest, DataAreFreshForTheTtlFromTheStartOfTheirCollection) {
  collect_in(seconds(20));
  EXPECT_EQ(now(), Freshness::fresh);
  EXPECT_EQ(after(seconds(249)), Freshness::fresh);  // 269 s after the start
  EXPECT_EQ(after(seconds(1)), Freshness::due);
}

TEST_F(AccountStateTest, DataAreFreshForHalfTheTtlAfterACollection) {
  collect_in(seconds(260));
  EXPECT_EQ(after(seconds(134)), Freshness::fresh);
  EXPECT_EQ(after(seconds(1)), Freshness::due);  // 135 s = 270 / 2
}

TEST_F(AccountStateTest, JitterShortensTheTtlByTenPercentAtMost) {
  collect_in(seconds(0), /*jitter=*/1.0);
  EXPECT_EQ(after(seconds(242)), Freshness::fresh);
  EXPECT_EQ(after(seconds(1)), Freshness::due);  // 243 s = 270 - 10 %
}

TEST_F(AccountStateTest, OneCollectionRunsAtATime) {
  begin();
  EXPECT_EQ(now(), Freshness::running);
  EXPECT_EQ(after(minutes(60)), Freshness::running);  // however long it takes
}

TEST_F(AccountStateTest, AProbeDoesNotWaitForAnOldCollection) {
  EXPECT_FALSE(worth_waiting(seconds(10)));  // nothing runs
  begin();
  EXPECT_TRUE(worth_waiting(seconds(10)));
  EXPECT_FALSE(worth_waiting(seconds(0)));
  clock.advance(seconds(10));
  EXPECT_TRUE(worth_waiting(seconds(10)));
  clock.advance(seconds(1));
  EXPECT_FALSE(worth_waiting(seconds(10)));
  EXPECT_TRUE(worth_waiting(seconds(30)));
}

TEST_F(AccountStateTest, AFailureKeepsTheDataAndSaysWhy) {
  collect_in(seconds(1));
  const auto data = state.data();
  clock.advance(kTtl);
  fail_in(seconds(5));
  EXPECT_EQ(state.data(), data);
  EXPECT_TRUE(state.has_good_data());
  EXPECT_FALSE(state.probe_success());
  ASSERT_TRUE(state.record().last_failure.has_value());
  EXPECT_EQ(state.record().last_failure->reason, FailureReason::timeout);
  EXPECT_LT(*state.record().last_success, *state.record().last_attempt);
}

TEST_F(AccountStateTest, ASuccessAfterAFailureClearsIt) {
  fail_in(seconds(5));
  clock.advance(minutes(1));
  collect_in(seconds(5));
  EXPECT_TRUE(state.probe_success());
  EXPECT_EQ(state.record().last_failure, std::nullopt);
  EXPECT_EQ(now(), Freshness::fresh);
}

TEST_F(AccountStateTest, FailuresBackOffFromThirtySecondsToTenMinutes) {
  for (const Duration backoff :
       {seconds(30), seconds(60), seconds(120), seconds(240), seconds(480), seconds(600), seconds(600)}) {
    fail_in(seconds(1));
    EXPECT_EQ(after(backoff - seconds(1)), Freshness::backed_off);
    EXPECT_EQ(after(seconds(1)), Freshness::due);
  }
}

TEST_F(AccountStateTest, ASuccessStartsTheBackoffAnew) {
  fail_in(seconds(1));
  clock.advance(minutes(1));
  fail_in(seconds(1));
  clock.advance(minutes(2));
  collect_in(seconds(1));
  clock.advance(kTtl);
  fail_in(seconds(1));
  EXPECT_EQ(after(seconds(30)), Freshness::due);
}

TEST_F(AccountStateTest, AChangedTokenEndsTheBackoff) {
  fail_in(seconds(1));
  EXPECT_EQ(now(), Freshness::backed_off);
  state.end_backoff();
  EXPECT_EQ(now(), Freshness::due);
}

TEST_F(AccountStateTest, EndingABackoffDoesNotMakeFreshDataDue) {
  collect_in(seconds(1));
  state.end_backoff();
  EXPECT_EQ(now(), Freshness::fresh);
}

TEST_F(AccountStateTest, ABackfillShowsWhatItHasReadAndIsNoSuccessYet) {
  begin();
  const auto first_jobs = std::make_shared<const Published>();
  clock.advance(minutes(5));
  state.progressed(first_jobs);
  EXPECT_EQ(state.data(), first_jobs);
  EXPECT_FALSE(state.has_good_data());
  EXPECT_FALSE(state.probe_success());
  EXPECT_EQ(now(), Freshness::running);
  succeed();
  EXPECT_NE(state.data(), first_jobs);
  EXPECT_TRUE(state.probe_success());
}

TEST_F(AccountStateTest, ProgressNeverReplacesGoodData) {
  collect_in(seconds(1));
  const auto good = state.data();
  clock.advance(kTtl);
  begin();
  state.progressed(std::make_shared<const Published>());
  EXPECT_EQ(state.data(), good);
}

TEST_F(AccountStateTest, WhatAFormerProcessKnewIsTheLastGoodDataButNotFresh) {
  const auto remembered = std::make_shared<const Published>();
  state.restored(remembered, clock.system_now() - std::chrono::hours(2), clock.system_now());
  EXPECT_EQ(state.data(), remembered);
  EXPECT_TRUE(state.has_good_data());
  EXPECT_FALSE(state.probe_success()) << "collections may have failed since";
  EXPECT_EQ(now(), Freshness::due);
  EXPECT_EQ(state.record().last_success, clock.system_now() - std::chrono::hours(2));
}

TEST_F(AccountStateTest, WhatAFormerProcessReadJustNowWasItsLastCollection) {
  state.restored(std::make_shared<const Published>(), clock.system_now() - minutes(4), clock.system_now());
  EXPECT_TRUE(state.probe_success());
}

TEST_F(AccountStateTest, RememberedDataTellNothingOfTheLastCollection) {
  state.restored(std::make_shared<const Published>(), clock.system_now(), clock.system_now());
  EXPECT_FALSE(state.record().completed_any);
  fail_in(seconds(1));
  EXPECT_FALSE(state.probe_success());
}

TEST_F(AccountStateTest, WhatTurnsOutToBeAnotherAccountsIsNoSuccess) {
  state.restored(std::make_shared<const Published>(), clock.system_now(), clock.system_now());
  state.disowned();
  EXPECT_EQ(state.data(), nullptr);
  EXPECT_FALSE(state.probe_success());
  EXPECT_EQ(state.record().last_success, std::nullopt);
}

TEST_F(AccountStateTest, AChangedConfigurationStartsWithoutFailures) {
  fail_in(seconds(1));
  const Duration first_wait = *state.next_due() - clock.steady_now();
  fail_in(seconds(1));
  begin();
  state.reconfigured(kTtl, nullptr);
  EXPECT_FALSE(state.record().in_progress);
  EXPECT_EQ(now(), Freshness::due);
  fail_in(seconds(1));
  EXPECT_EQ(*state.next_due() - clock.steady_now(), first_wait);
}

TEST_F(AccountStateTest, AChangedConfigurationKeepsWhatWasKnown) {
  collect_in(seconds(1));
  fail_in(seconds(2));
  const auto judged_anew = std::make_shared<const Published>();
  state.reconfigured(kTtl, judged_anew);
  EXPECT_EQ(state.data(), judged_anew);
  EXPECT_FALSE(state.probe_success());
  EXPECT_TRUE(state.record().last_failure);
  EXPECT_EQ(state.record().last_duration, seconds(2));
  EXPECT_EQ(state.freshness(clock.steady_now()), Freshness::due) << "a reload ends the wait";
}

TEST_F(AccountStateTest, AnEndpointKeepsItsLastWordUntilItIsAskedAgain) {
  const auto end_with = [&](std::optional<bool> me, std::optional<bool> jobs) {
    begin();
    sqlbak::CollectionOutcome outcome;
    outcome.endpoint_up[static_cast<std::size_t>(sqlbak::Endpoint::me)] = me;
    outcome.endpoint_up[static_cast<std::size_t>(sqlbak::Endpoint::jobs)] = jobs;
    state.ended(outcome, 0, std::make_shared<const Published>(), clock.steady_now());
  };
  const auto up = [&](sqlbak::Endpoint endpoint) {
    return state.record().endpoint_up[static_cast<std::size_t>(endpoint)];
  };
  end_with(true, true);
  end_with(std::nullopt, false);
  EXPECT_EQ(up(sqlbak::Endpoint::me), true);
  EXPECT_EQ(up(sqlbak::Endpoint::jobs), false);
  EXPECT_EQ(up(sqlbak::Endpoint::settings), std::nullopt);
}

// Two Prometheus servers, any phase between them: one collection a TTL.
TEST_F(AccountStateTest, TwoServersCostOneCollectionPerTtl) {
  for (int phase = 0; phase < 60; phase += 7) {
    AccountState both{kTtl};
    const SteadyTime start = clock.steady_now();
    int collections = 0;
    for (int second = 0; second < 24 * 3600; ++second) {
      const SteadyTime at = start + seconds(second);
      const bool probed = second % 60 == 0 || second % 60 == phase;
      if (probed && both.freshness(at) == Freshness::due) {
        both.began(at, clock.system_now(), 0.5);
        both.ended({}, 0, std::make_shared<const Published>(), at + std::chrono::milliseconds(600));
        ++collections;
      }
    }
    // A day has 320 TTLs; with jitter 0.5 one lasts 256.5 s.
    EXPECT_LE(collections, 24 * 3600 / 256 + 1) << "phase " << phase;
    EXPECT_GE(collections, 24 * 3600 / 300) << "phase " << phase;
  }
}

TEST(ProbeBudget, IsTheScrapeTimeoutLessTheOffset) {
  struct Case {
    std::optional<Duration> header;
    Duration offset;
    Duration budget;
  };
  using std::chrono::milliseconds;
  for (const Case& c : {Case{seconds(10), milliseconds(500), milliseconds(9500)},
                        {milliseconds(501), milliseconds(500), milliseconds(1)},
                        {milliseconds(500), milliseconds(500), milliseconds(250)},  // not smaller: half
                        {milliseconds(100), milliseconds(500), milliseconds(50)},
                        {seconds(10), seconds(0), seconds(10)},
                        {std::nullopt, milliseconds(500), seconds(120)}}) {
    EXPECT_EQ(probe_budget(c.header, c.offset), c.budget);
  }
}

}  // namespace
}  // namespace sqlbak_gateway::gateway
