// The in-process transport: what poll() does with time, and how faults end calls.
#include "simulator/in_process_transport.h"

#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sqlbak_gateway::simulator {
namespace {

using sqlbak_gateway::testing::ManualClock;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using upstream::Call;
using upstream::Completion;

World small_world() {
  World world;
  auto acme = std::make_unique<Account>("acme", "acme-token", ManualClock::kStart, 1);
  acme->add_server({.name = "sql-01"});
  world.add(std::move(acme));
  return world;
}

class InProcess : public ::testing::Test {
 protected:
  Call call(std::uint64_t id, const std::string& target = "/servers") {
    Call call;
    call.id = id;
    call.peer = peer_;
    call.token = token_;
    call.target = target;
    call.deadline = Deadline::after(clock_.steady_now(), seconds(30));
    return call;
  }
  void fail_with(std::string_view rule) { ASSERT_TRUE(simulator_.add_fault(rule).ok()); }
  // The one call's end, with the rule in force.
  Completion end_of(Call the_call) {
    transport_.start(std::move(the_call));
    std::vector<Completion> ended = transport_.poll(Deadline::never());
    EXPECT_EQ(ended.size(), 1u);
    return ended.empty() ? Completion{} : std::move(ended.front());
  }
  std::optional<FailureReason> failure_under(std::string_view rule) {
    simulator_.clear_faults();
    fail_with(rule);
    const Completion completion = end_of(call(1));
    if (!completion.failure) return std::nullopt;
    EXPECT_EQ(completion.status, 0);
    EXPECT_TRUE(completion.body.empty());
    EXPECT_FALSE(completion.failure->message.empty());
    return completion.failure->reason;
  }
  milliseconds elapsed() const { return std::chrono::floor<milliseconds>(clock_.steady_now() - start_); }
  static std::vector<std::uint64_t> ids(const std::vector<Completion>& completions) {
    std::vector<std::uint64_t> ids;
    for (const Completion& completion : completions) ids.push_back(completion.id);
    return ids;
  }

  ManualClock clock_;
  SteadyTime start_ = clock_.steady_now();
  Simulator simulator_{small_world(), clock_};
  InProcessTransport transport_{simulator_, clock_, milliseconds(50)};
  std::shared_ptr<const upstream::Peer> peer_ = std::make_shared<upstream::Peer>(
      upstream::Peer{"https://api.example.com/public-api/v1", {}, Secret(), ""});
  std::shared_ptr<const Secret> token_ = std::make_shared<Secret>("acme-token");
};

TEST_F(InProcess, ACallEndsAfterItsRoundTrip) {
  transport_.start(call(7));
  EXPECT_EQ(transport_.in_flight(), 1u);
  const std::vector<Completion> ended = transport_.poll(Deadline::never());
  EXPECT_THAT(ids(ended), ElementsAre(7));
  EXPECT_EQ(ended[0].status, 200);
  EXPECT_NE(ended[0].body.find("sql-01"), std::string::npos);
  EXPECT_EQ(ended[0].elapsed, milliseconds(50));
  EXPECT_EQ(ended[0].server_date, ManualClock::kStart);
  EXPECT_EQ(elapsed(), milliseconds(50));
  EXPECT_EQ(transport_.in_flight(), 0u);
}

TEST_F(InProcess, PollGoesNoFurtherThanUntil) {
  transport_.start(call(1));
  EXPECT_THAT(transport_.poll(Deadline::at(start_ + milliseconds(20))), ElementsAre());
  EXPECT_EQ(elapsed(), milliseconds(20));
  EXPECT_EQ(transport_.poll(Deadline::at(start_ + milliseconds(90))).size(), 1u);
  EXPECT_EQ(elapsed(), milliseconds(50)) << "and no further than the next completion";
}

TEST_F(InProcess, PollWithNothingInFlightGoesToUntil) {
  EXPECT_THAT(transport_.poll(Deadline::at(start_ + seconds(5))), ElementsAre());
  EXPECT_EQ(elapsed(), seconds(5));
  EXPECT_THAT(transport_.poll(Deadline::never()), ElementsAre());
  EXPECT_EQ(elapsed(), seconds(5));
}

TEST_F(InProcess, PollIntoThePastMovesNothing) {
  transport_.start(call(1));
  EXPECT_THAT(transport_.poll(Deadline::at(start_ - seconds(1))), ElementsAre());
  EXPECT_EQ(elapsed(), milliseconds(0));
}

TEST_F(InProcess, CallsOfOneInstantEndTogetherInTheirOrder) {
  transport_.start(call(3));
  transport_.start(call(1));
  clock_.advance(milliseconds(10));
  transport_.start(call(2));
  EXPECT_THAT(ids(transport_.poll(Deadline::never())), ElementsAre(3, 1));
  EXPECT_THAT(ids(transport_.poll(Deadline::never())), ElementsAre(2));
  EXPECT_EQ(elapsed(), milliseconds(60));
  EXPECT_EQ(transport_.most_in_flight(), 3u);
}

TEST_F(InProcess, WakeEndsOnePollWithoutMovingTheClock) {
  transport_.start(call(1));
  transport_.wake();
  EXPECT_THAT(transport_.poll(Deadline::never()), ElementsAre());
  EXPECT_EQ(elapsed(), milliseconds(0));
  EXPECT_EQ(transport_.poll(Deadline::never()).size(), 1u);
}

TEST_F(InProcess, ACancelledCallIsForgotten) {
  transport_.start(call(1));
  transport_.start(call(2));
  transport_.cancel(1);
  transport_.cancel(99);
  EXPECT_THAT(ids(transport_.poll(Deadline::never())), ElementsAre(2));
}

TEST_F(InProcess, TheAnswerIsOfTheMomentTheCallBegan) {
  transport_.start(call(1));
  simulator_.with([](World& world) { world.account("acme").server(1).name = "renamed"; });
  EXPECT_EQ(transport_.poll(Deadline::never())[0].body.find("renamed"), std::string::npos);
}

TEST_F(InProcess, StatusesAreAnswers) {
  EXPECT_EQ(end_of(call(1, "/jobruns/1")).status, 404);
  auto wrong = call(2);
  wrong.token = std::make_shared<Secret>("nonsense");
  EXPECT_EQ(end_of(wrong).status, 401);
  fail_with("status=503,retry_after=30s");
  const Completion completion = end_of(call(3));
  EXPECT_EQ(completion.status, 503);
  EXPECT_EQ(completion.retry_after, "30");
  EXPECT_FALSE(completion.failure);
}

TEST_F(InProcess, RedirectsAreNotFollowed) {
  fail_with("redirect=https://elsewhere.example.com/");
  EXPECT_EQ(end_of(call(1)).status, 302);
}

TEST_F(InProcess, LatencyAndDripsTakeTheirTime) {
  fail_with("latency=1s,drip_body=1ms");
  const Completion completion = end_of(call(1));
  EXPECT_EQ(completion.elapsed, milliseconds(1050 + static_cast<int>(completion.body.size())));
}

TEST_F(InProcess, ACallEndsAtItsDeadline) {
  fail_with("drip_head=1s");
  const Completion completion = end_of(call(1));
  EXPECT_EQ(completion.failure->reason, FailureReason::timeout);
  EXPECT_EQ(completion.elapsed, seconds(30));
  EXPECT_EQ(elapsed(), seconds(30));
}

TEST_F(InProcess, ACallThatNeverEndsIsInFlightForEver) {
  fail_with("hang=body");
  Call patient = call(1);
  patient.deadline = Deadline::never();
  transport_.start(patient);
  EXPECT_EQ(transport_.next_completion(), std::nullopt);
  EXPECT_THAT(transport_.poll(Deadline::at(start_ + std::chrono::hours(1))), ElementsAre());
  EXPECT_EQ(transport_.in_flight(), 1u);
}

TEST_F(InProcess, FaultsEndCallsAsTheRealTransportWould) {
  const std::pair<const char*, std::optional<FailureReason>> cases[] = {
      {"close=before", FailureReason::connection},
      {"close=body", FailureReason::bad_response},
      {"close=head", FailureReason::bad_response},
      {"reset=before", FailureReason::connection},
      {"reset=head", FailureReason::connection},
      {"reset=body", FailureReason::connection},
      {"hang=before", FailureReason::timeout},
      {"hang=head", FailureReason::timeout},
      {"hang=body", FailureReason::timeout},
      {"latency=31s", FailureReason::timeout},
      {"pad=17MiB", FailureReason::bad_response},
      {"pad=17MiB,gzip=on", FailureReason::bad_response},
      {"interim=103", std::nullopt},
      {"extra=50", std::nullopt},
      {"gzip=on", std::nullopt},
      {"chunked=on", std::nullopt},
      {"body=malformed", std::nullopt},
  };
  for (const auto& [rule, reason] : cases) EXPECT_EQ(failure_under(rule), reason) << rule;
}

TEST_F(InProcess, TheWorldGoesOnWithTheClock) {
  simulator_.with([](World& world) {
    Job job;
    job.cadences = {{ManualClock::kStart + std::chrono::hours(1), std::chrono::hours(1), {"database_full"}}};
    world.account("acme").add_job(job);
  });
  EXPECT_EQ(end_of(call(1, "/jobruns?job_id=101")).body.find("10001"), std::string::npos);
  clock_.advance(std::chrono::hours(1));
  EXPECT_NE(end_of(call(2, "/jobruns?job_id=101")).body.find("10001"), std::string::npos);
}

}  // namespace
}  // namespace sqlbak_gateway::simulator
