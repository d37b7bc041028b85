// The scheduler's rules, one by one, on times moved by hand.
#include "sqlbak_gateway/upstream/scheduler.h"

#include "upstream/collecting_world.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sqlbak_gateway::upstream::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

constexpr AccountKey kAcme{1};
constexpr AccountKey kBolt{2};
constexpr AccountKey kCrane{3};

class SchedulerTest : public ::testing::Test {
 protected:
  static constexpr GlobalLimits kAmple{.max_concurrent_requests = 1000, .requests_per_second = 0};

  void limit_all(GlobalLimits limits) { scheduler_.set_limits(limits, now_); }

  // Each account is its own limit group unless told otherwise; no rate unless told otherwise.
  void begins(AccountKey account, Share share = {}) {
    if (share.group == LimitGroup{}) share.group = LimitGroup{static_cast<std::uint64_t>(account)};
    scheduler_.begin(account, share, now_);
  }
  static Share unlimited(Share::Kind kind = Share::Kind::warm) {
    Share share;
    share.kind = kind;
    share.requests_per_second = 0;
    return share;
  }
  static Share backfill() { return unlimited(Share::Kind::backfill); }

  // The account's collection begins, and its first request has been answered: it is off probation.
  void begins_and_answers(AccountKey account, const Share& share = unlimited()) {
    begins(account, share);
    asks(account);
    const std::vector<Ticket> first = started();
    ASSERT_THAT(first, SizeIs(1));
    ends(first[0]);
  }

  std::vector<Ticket> asks(AccountKey account, int count = 1) {
    std::vector<Ticket> tickets;
    for (int i = 0; i < count; ++i) tickets.push_back(scheduler_.enqueue(account, now_));
    return tickets;
  }
  // What may start now, all of it.
  std::vector<Ticket> started() {
    std::vector<Ticket> tickets;
    while (const auto ticket = scheduler_.take(now_)) tickets.push_back(*ticket);
    return tickets;
  }
  Verdict ends(Ticket ticket, const Outcome& outcome = an_answer()) {
    return scheduler_.finished(ticket, outcome, now_);
  }
  void passes(Duration time) { now_ += time; }
  Duration until_next_event() const { return scheduler_.next_event(now_).remaining(now_); }

  SteadyTime now_{1h};
  Scheduler scheduler_{kAmple, 1};
};

// --- Order and concurrency ---

TEST_F(SchedulerTest, WithoutRequestsThereIsNothingToWaitFor) {
  begins(kAcme);
  EXPECT_THAT(started(), IsEmpty());
  EXPECT_EQ(scheduler_.next_event(now_), Deadline::never());
}

TEST_F(SchedulerTest, OneRequestIsInFlightUntilTheFirstAnswer) {
  begins(kAcme);
  const auto asked = asks(kAcme, 20);
  EXPECT_THAT(started(), ElementsAre(asked[0]));
  EXPECT_EQ(ends(asked[0]), Verdict::deliver);
  EXPECT_THAT(started(),
              ElementsAre(asked[1], asked[2], asked[3], asked[4], asked[5], asked[6], asked[7], asked[8]));
  ends(asked[5]);
  EXPECT_THAT(started(), ElementsAre(asked[9]));
}

TEST_F(SchedulerTest, EachCollectionBeginsWithOneRequest) {
  begins_and_answers(kAcme);
  scheduler_.end(kAcme, now_);
  begins(kAcme);
  const auto asked = asks(kAcme, 3);
  EXPECT_THAT(started(), ElementsAre(asked[0]));
}

TEST_F(SchedulerTest, AccountsTakeTurns) {
  begins_and_answers(kAcme);
  begins_and_answers(kBolt);
  const auto acme = asks(kAcme, 3);
  const auto bolt = asks(kBolt, 2);
  EXPECT_THAT(started(), ElementsAre(acme[0], bolt[0], acme[1], bolt[1], acme[2]));
}

TEST_F(SchedulerTest, AllAccountsTogetherStayBelowTheGlobalLimit) {
  limit_all({.max_concurrent_requests = 3, .requests_per_second = 0});
  begins_and_answers(kAcme);
  begins_and_answers(kBolt);
  const auto acme = asks(kAcme, 4);
  const auto bolt = asks(kBolt, 4);
  EXPECT_THAT(started(), ElementsAre(acme[0], bolt[0], acme[1]));
  ends(acme[0]);
  EXPECT_THAT(started(), ElementsAre(bolt[1]));
  EXPECT_EQ(scheduler_.in_flight(), 3u);
}

TEST_F(SchedulerTest, WarmCollectionsGoBeforeBackfills) {
  begins_and_answers(kAcme, backfill());
  begins_and_answers(kBolt);
  const auto acme = asks(kAcme, 2);
  const auto bolt = asks(kBolt, 2);
  EXPECT_THAT(started(), ElementsAre(bolt[0], bolt[1], acme[0], acme[1]));
}

// --- Rates ---

TEST_F(SchedulerTest, AGroupBursts200RequestsAndThenKeepsItsRate) {
  Share share;
  share.max_concurrent_requests = 1000;
  share.requests_per_second = 50;
  begins_and_answers(kAcme, share);
  asks(kAcme, 300);
  EXPECT_THAT(started(), SizeIs(199)) << "one of the 200 was spent on the first answer";
  EXPECT_EQ(until_next_event(), 20ms);
  passes(19ms);
  EXPECT_THAT(started(), IsEmpty());
  passes(1ms);
  EXPECT_THAT(started(), SizeIs(1));
  passes(100ms);
  EXPECT_THAT(started(), SizeIs(5));
}

TEST_F(SchedulerTest, AccountsWithTheSameTokenShareOneRate) {
  Share share;
  share.group = LimitGroup{77};
  share.max_concurrent_requests = 1000;
  begins_and_answers(kAcme, share);
  begins_and_answers(kBolt, share);
  begins_and_answers(kCrane);
  asks(kAcme, 300);
  const auto bolt = asks(kBolt, 300);
  EXPECT_THAT(started(), SizeIs(198));
  asks(kCrane, 5);
  EXPECT_THAT(started(), SizeIs(5)) << "another token has its own";
  passes(40ms);
  EXPECT_THAT(started(), SizeIs(2)) << "one for each of the two";
}

TEST_F(SchedulerTest, ARaisedRateCountsForAccountsThatWait) {
  Share slow;
  slow.group = LimitGroup{77};
  slow.max_concurrent_requests = 1000;
  slow.requests_per_second = 0.01;
  begins_and_answers(kAcme, slow);
  begins_and_answers(kBolt, slow);
  asks(kAcme, 300);
  EXPECT_THAT(started(), SizeIs(198));
  asks(kBolt);
  EXPECT_THAT(started(), IsEmpty()) << "it waits for a hundred seconds";

  scheduler_.end(kAcme, now_);
  Share fast = slow;
  fast.requests_per_second = 50;
  begins(kAcme, fast);
  asks(kAcme);
  EXPECT_THAT(started(), IsEmpty());
  EXPECT_EQ(until_next_event(), 20ms);
  passes(20ms);
  EXPECT_THAT(started(), SizeIs(1));
  EXPECT_EQ(until_next_event(), 20ms);
  passes(20ms);
  EXPECT_THAT(started(), SizeIs(1));
}

TEST_F(SchedulerTest, TheRateOfAllAccountsTogetherIsKept) {
  limit_all({.requests_per_second = 10});
  for (std::uint64_t i = 1; i <= 30; ++i) {
    begins(AccountKey{i}, unlimited());
    asks(AccountKey{i});
  }
  EXPECT_THAT(started(), SizeIs(10)) << "a burst of one second's worth";
  EXPECT_EQ(until_next_event(), 100ms);
  passes(1s);
  EXPECT_THAT(started(), SizeIs(10));
}

TEST_F(SchedulerTest, ARateOfZeroIsNoLimit) {
  Share share = unlimited();
  share.max_concurrent_requests = 1000;
  begins_and_answers(kAcme, share);
  asks(kAcme, 900);
  EXPECT_THAT(started(), SizeIs(900));
}

// --- Retries and refusals ---

TEST_F(SchedulerTest, TransientFailuresAreRetriedWithGrowingPauses) {
  begins(kAcme);
  const Ticket ticket = asks(kAcme)[0];
  for (const Duration longest : {500ms, 1000ms, 2000ms}) {
    ASSERT_THAT(started(), ElementsAre(ticket));
    EXPECT_EQ(ends(ticket, a_500()), Verdict::will_retry);
    passes(longest);
  }
  ASSERT_THAT(started(), ElementsAre(ticket));
  EXPECT_EQ(ends(ticket, a_500()), Verdict::deliver);
  passes(1h);
  EXPECT_THAT(started(), IsEmpty());
  EXPECT_EQ(scheduler_.tally(kAcme, now_).retries, 3u);
}

TEST_F(SchedulerTest, PausesBeforeRetriesAreSpreadAndRepeatable) {
  const auto pauses_of = [](std::uint64_t seed) {
    Scheduler scheduler(kAmple, seed);
    SteadyTime now{1h};
    std::vector<Duration> pauses;
    for (std::uint64_t i = 1; i <= 4; ++i) {
      scheduler.begin(AccountKey{i}, Share{.group = LimitGroup{i}}, now);
      scheduler.enqueue(AccountKey{i}, now);
      scheduler.finished(scheduler.take(now).value(), a_500(), now);
      pauses.push_back(scheduler.next_event(now).remaining(now));
      scheduler.end(AccountKey{i}, now);
      now += 1s;
      scheduler.take(now);
    }
    return pauses;
  };
  EXPECT_EQ(pauses_of(1), pauses_of(1));
  EXPECT_NE(pauses_of(1), pauses_of(2));
  const std::vector<Duration> some = pauses_of(1);
  EXPECT_THAT(some, ::testing::Each(::testing::Le(Duration(500ms))));
  EXPECT_NE(some[0], some[1]);
}

TEST_F(SchedulerTest, ATimeoutCountsTwice) {
  begins(kAcme);
  const Ticket ticket = asks(kAcme)[0];
  started();
  EXPECT_EQ(ends(ticket, a_timeout()), Verdict::will_retry);
  passes(1s);
  started();
  EXPECT_EQ(ends(ticket, a_timeout()), Verdict::deliver);
}

TEST_F(SchedulerTest, LastingFailuresAreDeliveredAtOnce) {
  begins(kAcme);
  const Ticket ticket = asks(kAcme)[0];
  started();
  EXPECT_EQ(ends(ticket, a_401()), Verdict::deliver);
}

TEST_F(SchedulerTest, ARefusalPausesAllAccountsOfTheTokenAndNoOther) {
  Share shared = unlimited();
  shared.group = LimitGroup{77};
  begins_and_answers(kAcme, shared);
  begins_and_answers(kBolt, shared);
  begins_and_answers(kCrane);
  const auto acme = asks(kAcme, 1);
  started();
  EXPECT_EQ(ends(acme[0], a_refusal(10s)), Verdict::will_retry);

  const auto bolt = asks(kBolt, 1);
  const auto crane = asks(kCrane, 1);
  EXPECT_THAT(started(), ElementsAre(crane[0]));
  passes(9'999ms);
  EXPECT_THAT(started(), IsEmpty());
  EXPECT_LE(until_next_event(), 1ms);
  passes(1ms);
  EXPECT_THAT(started(), UnorderedElementsAre(acme[0], bolt[0]));
}

TEST_F(SchedulerTest, ARefusedAccountStartsAgainWithOneRequest) {
  begins_and_answers(kAcme);
  const auto asked = asks(kAcme, 20);
  ASSERT_THAT(started(), SizeIs(8));
  ends(asked[0], a_refusal(10s));
  passes(5s);
  for (std::size_t i = 1; i < 8; ++i) scheduler_.finished(asked[i], a_refusal(5s), now_);
  passes(5s);
  const auto first = started();
  ASSERT_THAT(first, SizeIs(1));
  ends(first[0]);
  const auto second = started();
  ASSERT_THAT(second, SizeIs(2));
  ends(second[0]);
  EXPECT_THAT(started(), SizeIs(2)) << "three in flight";
}

TEST_F(SchedulerTest, RefusalsWithoutATimePauseLongerAndThenEnd) {
  begins(kAcme);
  const Ticket ticket = asks(kAcme)[0];
  for (const Duration longest : {1s, 2s, 4s, 8s, 16s, 30s, 30s}) {
    ASSERT_THAT(started(), ElementsAre(ticket));
    EXPECT_EQ(ends(ticket, a_refusal()), Verdict::will_retry);
    passes(longest / 2 - 1ms);
    EXPECT_THAT(started(), IsEmpty());
    passes(longest / 2 + 1ms);
  }
  ASSERT_THAT(started(), ElementsAre(ticket));
  EXPECT_EQ(ends(ticket, a_refusal()), Verdict::deliver);
}

// --- The end of a collection ---

TEST_F(SchedulerTest, EndForgetsTheQueueAndReturnsWhatIsInFlight) {
  begins_and_answers(kAcme);
  const auto asked = asks(kAcme, 10);
  started();
  ends(asked[0], a_500());
  EXPECT_THAT(scheduler_.end(kAcme, now_),
              UnorderedElementsAre(asked[1], asked[2], asked[3], asked[4], asked[5], asked[6], asked[7]));
  EXPECT_EQ(ends(asked[1]), Verdict::forgotten);
  begins(kAcme, unlimited());
  passes(1h);
  EXPECT_THAT(started(), IsEmpty()) << "the retry belonged to the former collection";
  EXPECT_EQ(scheduler_.in_flight(), 0u);
}

// --- Health ---

// Acme has been silent for too long, with requests in all of the eight slots, when Bolt comes.
class BesideADegradedAccount : public SchedulerTest {
 protected:
  BesideADegradedAccount() {
    limit_all({.max_concurrent_requests = 8, .requests_per_second = 0});
    begins_and_answers(kAcme);
    silent_ = asks(kAcme, 8);
    started();
    passes(kDegradedAfter);
    begins_and_answers_beside(kBolt);
  }
  void begins_and_answers_beside(AccountKey account) {
    begins(account, unlimited());
    const auto first = asks(account);
    preempted_ = preempted();
    EXPECT_EQ(started(), first);
    ends(first[0]);
  }
  std::vector<Ticket> preempted() {
    std::vector<Ticket> tickets;
    while (const auto ticket = scheduler_.preempt(now_)) tickets.push_back(*ticket);
    return tickets;
  }
  // All but the one that was preempted.
  void silent_ones_answer_late() {
    for (std::size_t i = 0; i < 7; ++i) ends(silent_[i]);
  }
  std::vector<Ticket> silent_;
  std::vector<Ticket> preempted_;
};

TEST_F(BesideADegradedAccount, NewestRequestIsPreemptedIfAHealthyOneNeedsASlot) {
  EXPECT_THAT(preempted_, ElementsAre(silent_[7]));
  asks(kBolt, 8);
  EXPECT_THAT(started(), SizeIs(1));
  for (std::size_t i = 6; i >= 2; --i) {
    EXPECT_THAT(preempted(), ElementsAre(silent_[i]));
    EXPECT_THAT(started(), SizeIs(1));
  }
  EXPECT_THAT(preempted(), IsEmpty()) << "it keeps a quarter of the slots";
}

TEST_F(BesideADegradedAccount, PreemptionCostsNoAttempt) {
  scheduler_.end(kBolt, now_);
  silent_ones_answer_late();
  ASSERT_THAT(started(), ElementsAre(silent_[7]));
  EXPECT_EQ(ends(silent_[7], a_timeout()), Verdict::will_retry)
      << "a timeout counts for two of the four attempts";
  passes(1s);
  ASSERT_THAT(started(), ElementsAre(silent_[7]));
  EXPECT_EQ(ends(silent_[7], a_timeout()), Verdict::deliver);
}

TEST_F(BesideADegradedAccount, HealthyOnesGoFirstButEveryEighthTurnIsDegraded) {
  limit_all(kAmple);
  for (const Ticket ticket : {silent_[0], silent_[1], silent_[2]})
    ends(ticket);  // answers, but late: still degraded
  Share wide = unlimited();
  wide.max_concurrent_requests = 100;
  begins(kCrane, wide);
  const Ticket first = asks(kCrane)[0];
  EXPECT_THAT(started(), UnorderedElementsAre(first, silent_[7]));
  ends(first);
  const auto acme = asks(kAcme, 7);
  const auto crane = asks(kCrane, 30);
  const auto order = started();
  const auto count_of_acme = std::count_if(order.begin(), order.begin() + 24, [&](Ticket ticket) {
    return std::find(acme.begin(), acme.end(), ticket) != acme.end();
  });
  EXPECT_EQ(count_of_acme, 3);
}

TEST_F(BesideADegradedAccount, OnePromptAnswerMakesItHealthyAgain) {
  silent_ones_answer_late();
  ASSERT_THAT(started(), ElementsAre(silent_[7]));
  passes(10ms);
  ends(silent_[7]);
  const auto acme = asks(kAcme, 8);
  EXPECT_THAT(started(), SizeIs(8)) << "more than a quarter of the slots";
  passes(1ms);
  asks(kBolt, 1);
  EXPECT_THAT(preempted(), IsEmpty());
}

TEST_F(BesideADegradedAccount, MayUseAllSlotsWhileNoHealthyAccountCollects) {
  scheduler_.end(kBolt, now_);
  ends(silent_[0]);  // late
  asks(kAcme, 8);
  EXPECT_THAT(started(), SizeIs(2));
  EXPECT_EQ(scheduler_.in_flight(), 8u);
}

TEST_F(SchedulerTest, APreemptedRequestIsTheFirstOfItsAccountAgain) {
  limit_all({.max_concurrent_requests = 2, .requests_per_second = 0});
  begins_and_answers(kAcme);
  const auto acme = asks(kAcme, 3);
  ASSERT_THAT(started(), ElementsAre(acme[0], acme[1]));
  passes(kDegradedAfter);
  begins(kBolt, unlimited());
  asks(kBolt);
  EXPECT_EQ(scheduler_.preempt(now_), acme[1]);
  scheduler_.end(kBolt, now_);
  ends(acme[0]);
  EXPECT_THAT(started(), ElementsAre(acme[1], acme[2]));
}

TEST_F(SchedulerTest, ThreeFailuresInARowMakeAnAccountDegraded) {
  limit_all({.max_concurrent_requests = 4, .requests_per_second = 0});
  begins(kBolt, unlimited());
  begins_and_answers(kAcme);
  asks(kAcme, 20);
  auto first = started();
  ASSERT_THAT(first, SizeIs(4));
  ends(first[0], a_500());
  ends(first[1]);
  ends(first[2], a_500());
  EXPECT_THAT(started(), SizeIs(3)) << "still healthy";
  ends(first[3], a_500());
  first = started();
  ASSERT_THAT(first, SizeIs(1)) << "two failures since the last answer";
  ends(first[0], a_500());
  EXPECT_THAT(started(), IsEmpty()) << "three: on probation, and degraded ones have one slot of the four";
}

TEST_F(SchedulerTest, ASilentAccountHasOneRequestInFlight) {
  begins_and_answers(kAcme);
  asks(kAcme, 20);
  const auto silent = started();
  ASSERT_THAT(silent, SizeIs(8));
  passes(kDegradedAfter);
  EXPECT_THAT(started(), IsEmpty());
  for (const Ticket ticket : silent) ends(ticket, a_401());
  EXPECT_THAT(started(), SizeIs(1)) << "on probation until something is answered";
}

TEST_F(SchedulerTest, AnAccountThatIsHealthyAgainLeavesTheDegradedSlots) {
  limit_all({.max_concurrent_requests = 8, .requests_per_second = 0});
  begins_and_answers(kAcme);
  const auto silent = asks(kAcme, 8);
  started();
  passes(kDegradedAfter);
  started();
  for (std::size_t i = 0; i < 4; ++i) ends(silent[i]);  // late
  const auto prompt = asks(kAcme);
  EXPECT_EQ(started(), prompt);
  ends(prompt[0]);
  begins(kBolt, unlimited());
  const auto failed = asks(kBolt);
  started();
  ends(failed[0], a_500());
  const auto bolt = asks(kBolt);
  EXPECT_EQ(started(), bolt) << "Acme's four are not counted for the quarter";
}

TEST_F(SchedulerTest, AFailedFirstRequestMakesAnAccountDegraded) {
  begins(kAcme, unlimited());
  const auto failed = asks(kAcme);
  started();
  ends(failed[0], a_500());
  const auto acme = asks(kAcme);
  begins(kBolt, unlimited());
  const auto bolt = asks(kBolt);
  EXPECT_THAT(started(), ElementsAre(bolt[0], acme[0]));
}

TEST_F(SchedulerTest, SilenceCountsFromTheLastAnswer) {
  limit_all({.max_concurrent_requests = 8, .requests_per_second = 0});
  begins_and_answers(kAcme);
  const auto acme = asks(kAcme, 9);
  started();
  for (int i = 0; i < 2; ++i) {
    passes(kDegradedAfter / 2);
    if (i == 0) ends(acme[0]);
    started();
  }
  begins(kBolt, unlimited());
  asks(kBolt);
  EXPECT_EQ(scheduler_.preempt(now_), std::nullopt) << "half as long";
  passes(kDegradedAfter / 2);
  started();
  EXPECT_EQ(scheduler_.preempt(now_), acme[8]);
}

TEST_F(SchedulerTest, AnAccountWithSlowAnswersStaysDegraded) {
  begins(kAcme, unlimited());
  const auto first = asks(kAcme);
  started();
  passes(kDegradedAfter);
  ends(first[0]);
  const auto acme = asks(kAcme);
  begins(kBolt, unlimited());
  const auto bolt = asks(kBolt);
  EXPECT_THAT(started(), ElementsAre(bolt[0], acme[0]));
}

TEST_F(SchedulerTest, ADegradedAccountBeginsItsNextCollectionDegraded) {
  begins(kAcme, unlimited());
  asks(kAcme);
  started();
  passes(kDegradedAfter);
  started();
  scheduler_.end(kAcme, now_);
  begins(kAcme, unlimited());
  begins(kBolt, unlimited());
  const auto acme = asks(kAcme);
  const auto bolt = asks(kBolt);
  EXPECT_THAT(started(), ElementsAre(bolt[0], acme[0]));
}

// --- Backfill slots ---

class BackfillTest : public SchedulerTest {
 protected:
  static constexpr AccountKey kDelta{4};

  BackfillTest() {
    GlobalLimits limits = kAmple;
    limits.backfills_at_a_time = 2;
    limit_all(limits);
    for (const AccountKey account : {kAcme, kBolt, kCrane, kDelta}) begins_and_answers(account, backfill());
  }
  // How many requests each of the four has started.
  std::vector<std::size_t> asks_of_each(int count = 20) {
    std::vector<std::vector<Ticket>> asked;
    for (const AccountKey account : {kAcme, kBolt, kCrane, kDelta}) asked.push_back(asks(account, count));
    const auto all = started();
    std::vector<std::size_t> counts;
    for (const auto& tickets : asked) {
      counts.push_back(static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [&](Ticket ticket) {
        return std::find(tickets.begin(), tickets.end(), ticket) != tickets.end();
      })));
    }
    started_ = all;
    return counts;
  }
  std::vector<Ticket> started_;
};

TEST_F(BackfillTest, AFewAccountsBackfillAtATimeInOrderOfArrival) {
  EXPECT_THAT(asks_of_each(), ElementsAre(8, 8, 0, 0));
  scheduler_.end(kBolt, now_);
  EXPECT_THAT(started(), SizeIs(8)) << "Crane's";
}

TEST_F(BackfillTest, SlotsThatAReloadAddsAreTakenAtOnce) {
  asks_of_each();
  limit_all({.max_concurrent_requests = 1000, .requests_per_second = 0, .backfills_at_a_time = 3});
  EXPECT_THAT(started(), SizeIs(8));
}

TEST_F(BackfillTest, ASlotIsLostBySilence) {
  asks_of_each();
  passes(kDegradedAfter / 2);
  for (const Ticket ticket : started_) {
    if (ticket % 2 == 0) ends(ticket);
  }
  started();
  passes(kDegradedAfter);
  EXPECT_THAT(started(), SizeIs(16)) << "Crane and Delta have the slots of Acme and Bolt";
}

TEST_F(BackfillTest, ASlotLostByAPauseIsRegainedInOrderOfArrival) {
  asks_of_each();
  for (std::size_t i = 0; i < 8; ++i) ends(started_[2 * i], a_refusal(30s));  // Acme's, in turn with Bolt's
  passes(kDegradedAfter / 2);
  for (std::size_t i = 0; i < 8; ++i) ends(started_[2 * i + 1]);
  EXPECT_THAT(started(), SizeIs(8)) << "Bolt goes on";
  passes(kDegradedAfter / 2);
  EXPECT_THAT(started(), SizeIs(8)) << "Crane has Acme's slot";
  scheduler_.end(kBolt, now_);
  EXPECT_THAT(started(), SizeIs(8)) << "Delta";
  passes(30s);
  scheduler_.end(kCrane, now_);
  EXPECT_THAT(started(), SizeIs(1)) << "Acme, which starts again with one request after its refusals";
}

// Accounts whose own rate, which their tenants may set, lets them ask less often than once in kDegradedAfter.
class SlowBackfillsTest : public SchedulerTest {
 protected:
  // They have spent what they may ask at once, but for Crane, which is the last in line and not slow.
  void have_begun(std::uint32_t slots) {
    GlobalLimits limits = kAmple;
    limits.backfills_at_a_time = slots;
    limit_all(limits);
    Share slow = backfill();
    slow.requests_per_second = 0.9;
    begins_and_answers(kAcme, slow);
    slow.requests_per_second = 0.3;
    begins_and_answers(kBolt, slow);
    begins_and_answers(kCrane, backfill());
    for (const AccountKey account : {kAcme, kBolt}) asks(account, 400);
    crane_ = asks(kCrane).front();
  }
  // Until nothing more may start, and whether Crane did.
  bool crane_starts() {
    bool crane = false;
    for (auto tickets = started(); !tickets.empty(); tickets = started()) {
      for (const Ticket ticket : tickets) {
        crane = crane || ticket == crane_;
        ends(ticket);
      }
    }
    return crane;
  }
  Ticket crane_ = 0;
};

TEST_F(SlowBackfillsTest, LoseTheirSlotsWhileTheyWaitForTheirRate) {
  have_begun(2);
  EXPECT_FALSE(crane_starts());
  passes(kDegradedAfter);
  EXPECT_TRUE(crane_starts());
}

TEST_F(SlowBackfillsTest, TakeNoSlotsFromThoseWhoWaitForTheirFirst) {
  have_begun(1);
  EXPECT_FALSE(crane_starts()) << "Acme has it";
  passes(kDegradedAfter);
  EXPECT_FALSE(crane_starts()) << "Bolt has it";
  passes(kDegradedAfter);
  EXPECT_TRUE(crane_starts()) << "though Acme, which came before it, may ask again";
}

// --- Time accounting ---

TEST_F(SchedulerTest, TimeWithoutProgressLeavesOutWaiting) {
  limit_all({.max_concurrent_requests = 1, .requests_per_second = 0});
  begins(kAcme, unlimited());
  begins(kBolt, unlimited());
  const auto acme = asks(kAcme);
  const auto bolt = asks(kBolt);
  ASSERT_THAT(started(), ElementsAre(acme[0]));
  passes(300ms);
  EXPECT_EQ(scheduler_.without_progress(kAcme, now_), 300ms) << "in flight";
  EXPECT_EQ(scheduler_.without_progress(kBolt, now_), 0ms) << "waiting for its turn";
  ends(acme[0]);
  EXPECT_EQ(scheduler_.without_progress(kAcme, now_), 0ms);

  ASSERT_THAT(started(), ElementsAre(bolt[0]));
  passes(200ms);
  ends(bolt[0], a_refusal(1min));
  passes(1min);
  EXPECT_EQ(scheduler_.without_progress(kBolt, now_), 200ms) << "a Retry-After does not count";
  started();
  passes(100ms);
  EXPECT_EQ(scheduler_.without_progress(kBolt, now_), 300ms);
}

TEST_F(SchedulerTest, RateLimitedTimeCountsUntilTheNextAnswer) {
  begins_and_answers(kAcme);
  begins_and_answers(kBolt);
  const auto acme = asks(kAcme, 1);
  const auto bolt = asks(kBolt, 1);
  started();
  ends(acme[0], a_refusal(1min));
  started();
  passes(1min);
  started();
  passes(5s);
  EXPECT_EQ(scheduler_.rate_limited(kAcme, now_), 1min) << "in flight is not rate limited";
  ends(acme[0], a_refusal(1min));
  started();
  passes(30s);
  EXPECT_EQ(scheduler_.rate_limited(kAcme, now_), 90s);
  EXPECT_EQ(scheduler_.rate_limited(kBolt, now_), 0s);

  passes(30s);
  started();
  ends(acme[0]);
  asks(kAcme, 1);
  passes(1min);
  EXPECT_EQ(scheduler_.rate_limited(kAcme, now_), 0s);
  ends(bolt[0]);
}

TEST_F(BackfillTest, WaitingForASlotAfterARefusalIsNotRateLimited) {
  asks_of_each();
  for (std::size_t i = 0; i < 8; ++i) ends(started_[2 * i], a_refusal(30s));  // Acme's
  started();
  passes(30s);
  started();  // Crane has its slot
  passes(1h);
  EXPECT_EQ(scheduler_.rate_limited(kAcme, now_), 30s);
}

TEST_F(SchedulerTest, WaitingForARetryIsLackOfProgressUnlikeForASlot) {
  limit_all({.max_concurrent_requests = 10, .requests_per_second = 0, .backfills_at_a_time = 1});
  begins_and_answers(kAcme, backfill());
  begins_and_answers(kBolt, backfill());
  const auto acme = asks(kAcme, 1);
  asks(kBolt, 1);
  started();
  ends(acme[0], a_500());
  passes(100ms);
  EXPECT_EQ(scheduler_.without_progress(kAcme, now_), 100ms);
  EXPECT_EQ(scheduler_.without_progress(kBolt, now_), 0ms);
}

TEST_F(SchedulerTest, ThrottledTimeIsWaitingForAPauseOrARate) {
  begins_and_answers(kAcme);
  const auto asked = asks(kAcme, 1);
  started();
  passes(50ms);
  ends(asked[0], a_refusal(5s));
  started();
  passes(2s);
  EXPECT_EQ(scheduler_.tally(kAcme, now_).throttled, 2s);
  passes(10s);
  started();
  EXPECT_GE(scheduler_.tally(kAcme, now_).throttled, 5s);
  passes(1s);
  ends(asked[0]);
  const Duration so_far = scheduler_.tally(kAcme, now_).throttled;
  passes(10s);
  EXPECT_EQ(scheduler_.tally(kAcme, now_).throttled, so_far) << "nothing to ask";
}

TEST_F(SchedulerTest, ThrottledTimeIncludesTheRateOfAllAccounts) {
  limit_all({.requests_per_second = 1});
  begins(kAcme, unlimited());
  begins(kBolt, unlimited());
  asks(kAcme);
  asks(kBolt);
  ASSERT_THAT(started(), SizeIs(1));
  passes(1s);
  ASSERT_THAT(started(), SizeIs(1));
  EXPECT_EQ(scheduler_.tally(kAcme, now_).throttled, 0s);
  EXPECT_EQ(scheduler_.tally(kBolt, now_).throttled, 1s);

  asks(kAcme);
  EXPECT_THAT(started(), IsEmpty()) << "it has one in flight until the first is answered";
  passes(1h);
  scheduler_.end(kAcme, now_);
  begins(kAcme, unlimited());
  asks(kAcme, 2);
  ends(started().at(0));
  EXPECT_THAT(started(), IsEmpty());
  passes(1s);
  EXPECT_EQ(scheduler_.tally(kAcme, now_).throttled, 1s) << "what was before does not count";
}

TEST_F(SchedulerTest, TalliesLastUntilTheAccountIsForgotten) {
  begins(kAcme);
  const auto asked = asks(kAcme);
  started();
  ends(asked[0], a_500());
  scheduler_.end(kAcme, now_);
  begins(kAcme);
  EXPECT_EQ(scheduler_.tally(kAcme, now_).retries, 1u);
  scheduler_.end(kAcme, now_);
  scheduler_.forget(kAcme);
  EXPECT_EQ(scheduler_.tally(kAcme, now_).retries, 0u);
}

}  // namespace
}  // namespace sqlbak_gateway::upstream::testing
