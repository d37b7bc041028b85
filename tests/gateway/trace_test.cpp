#include "gateway/trace.h"

#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sqlbak_gateway::gateway {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TraceStep step(Duration at, std::string_view target, int status = 200, std::string_view note = "") {
  return {at, milliseconds(50), sqlbak::Endpoint::jobruns, status, target, note};
}

std::shared_ptr<const Trace> finished(TraceRecorder& recorder, std::string result = "success",
                                      std::string message = "") {
  return recorder.finish(milliseconds(1500), Duration::zero(), std::move(result), std::move(message));
}

template <typename View>
constexpr bool kHasTraces = requires(View view) {
  view.traces;
};
static_assert(kHasTraces<AccountView>);
static_assert(!kHasTraces<AccountFigures>, "a scrape of /metrics copies no traces");

TEST(Traces, KeepWhatEveryRequestDid) {
  TraceRecorder recorder{SystemTime{}};
  recorder.step(step(milliseconds(50), "/jobruns?job_id=1"), 1000);
  recorder.step(step(milliseconds(130), "/jobruns?job_id=2", 503, "the API answered 503"), 20);
  recorder.retried();
  recorder.step(step(milliseconds(700), "/jobruns?job_id=2"), 3000);
  const auto trace = finished(recorder);

  const std::vector<TraceStep> steps = trace->steps();
  ASSERT_EQ(steps.size(), 3u);
  EXPECT_EQ(steps[1].target, "/jobruns?job_id=2");
  EXPECT_EQ(steps[1].status, 503);
  EXPECT_EQ(steps[1].note, "the API answered 503");
  EXPECT_EQ(steps[2].at, milliseconds(700));
  EXPECT_EQ(steps[2].elapsed, milliseconds(50));
  const EndpointTotals& totals = trace->totals[static_cast<std::size_t>(sqlbak::Endpoint::jobruns)];
  EXPECT_EQ(totals.attempts, 3u);
  EXPECT_EQ(totals.failures, 1u);
  EXPECT_EQ(totals.bytes, 4020u);
  EXPECT_EQ(totals.time, milliseconds(150));
  EXPECT_EQ(trace->retries, 1u);
}

TEST(Traces, KeepTheLastStepsOfALongCollection) {
  TraceRecorder recorder{SystemTime{}};
  for (std::size_t i = 0; i < kTracedSteps + 7; ++i) {
    recorder.step(step(milliseconds(i), "/jobruns/" + std::to_string(i)), 1);
  }
  const auto trace = finished(recorder);
  EXPECT_EQ(trace->steps().size(), kTracedSteps);
  EXPECT_EQ(trace->steps().front().target, "/jobruns/7");
  EXPECT_EQ(trace->steps_dropped, 7u);
  EXPECT_NE(to_text(*trace, TraceDetail::every_step).find("7 earlier requests not kept"), std::string::npos);
}

TEST(Traces, AreReadableAsText) {
  TraceRecorder recorder{SystemTime{std::chrono::milliseconds(1'768'392'000'000)}};
  recorder.step(step(milliseconds(50), "/jobruns?job_id=1"), 1000);
  recorder.step(step(milliseconds(5130), "/jobruns?job_id=2", 0, "no answer within 5s"), 0);
  recorder.remark("not recognised: entry_status \"paused\" and the like, 2 times");
  EXPECT_EQ(to_text(*finished(recorder, "timeout", "no progress for 10m"), TraceDetail::every_step),
            "2026-01-14T12:00:00.000Z  timeout after 1.50 s, 2 API requests: no progress for 10m\n"
            "  jobruns: 2 requests, 1 failed, 1000 bytes, 50.0 ms on average\n"
            "  note: not recognised: entry_status \"paused\" and the like, 2 times\n"
            "  +   50.0 ms  200     50.0 ms  GET /jobruns?job_id=1\n"
            "  +    5.13 s  ---     50.0 ms  GET /jobruns?job_id=2  no answer within 5s\n");
}

// The targets that a text shows, in its order.
std::vector<std::string> shown(const std::string& text) {
  std::vector<std::string> targets;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (const std::size_t at = line.find("GET /"); at != std::string::npos)
      targets.push_back(line.substr(at + 5));
  }
  return targets;
}

TEST(Traces, SayWhatACollectionWaitedFor) {
  TraceRecorder recorder{SystemTime{std::chrono::milliseconds(1'768'392'000'000)}};
  recorder.step(step(milliseconds(50), "/jobs", 429, "the API answered 429"), 10);
  recorder.retried();
  recorder.step(step(milliseconds(6000), "/jobs"), 1000);
  EXPECT_EQ(summary_line(*recorder.finish(milliseconds(6050), milliseconds(5000), "success", "")),
            "2026-01-14T12:00:00.000Z  success after 6.05 s (5.00 s of it waiting for rate limits), 2 API "
            "requests, 1 of "
            "them again");
}

TEST(Traces, AreShortInAnOverview) {
  TraceRecorder recorder{SystemTime{}};
  for (int i = 1; i <= 1000; ++i) recorder.step(step(milliseconds(i), "/" + std::to_string(i)), 1);
  recorder.remark("something");
  const std::string text = to_text(*finished(recorder), TraceDetail::overview);
  EXPECT_THAT(shown(text), ElementsAre("996", "997", "998", "999", "1000"));
  EXPECT_THAT(text, HasSubstr("1000 API requests\n"));
  EXPECT_THAT(text, HasSubstr("  jobruns: 1000 requests, 1000 bytes"));
  EXPECT_THAT(text, HasSubstr("  note: something\n"));
  EXPECT_THAT(text, HasSubstr("  of these 1000 requests the last 5 (--log.level=debug shows more):\n"));
}

TEST(Traces, ShowWhatFailedLastInAnOverviewToo) {
  TraceRecorder recorder{SystemTime{}};
  for (int i = 1; i <= 100; ++i) {
    const bool failed = i % 10 == 0;
    recorder.step(step(milliseconds(i), "/" + std::to_string(i), failed ? 500 : 200, failed ? "broken" : ""),
                  1);
  }
  const std::string text = to_text(*finished(recorder), TraceDetail::overview);
  EXPECT_THAT(shown(text), ElementsAre("50  broken", "60  broken", "70  broken", "80  broken", "90  broken",
                                       "96", "97", "98", "99", "100  broken"));
  EXPECT_THAT(text, HasSubstr("of these 100 requests the last 5, and before them the last that failed ("));
}

TEST(Traces, HideNothingInAnOverviewOfAFewSteps) {
  TraceRecorder recorder{SystemTime{}};
  for (std::size_t i = 0; i < kStepsInOverview; ++i) recorder.step(step(milliseconds(i), "/jobs"), 1);
  const auto trace = finished(recorder);
  EXPECT_EQ(to_text(*trace, TraceDetail::overview), to_text(*trace, TraceDetail::every_step));
}

TEST(Traces, FailuresOfLastNightAreStillThereInTheMorning) {
  TraceBook book;
  TraceRecorder recorder{SystemTime{}};
  book.add(finished(recorder, "timeout", "it hung"));
  for (std::size_t i = 0; i < 3 * kTracedCollections; ++i) book.add(finished(recorder));
  EXPECT_EQ(book.latest().size(), kTracedCollections);
  ASSERT_EQ(book.failures().size(), 1u);
  EXPECT_EQ(book.failures().front()->message, "it hung");
}

TEST(Traces, KeepOnlyTheLatestFailuresNewestFirst) {
  TraceBook book;
  TraceRecorder recorder{SystemTime{}};
  for (std::size_t i = 0; i < kTracedFailures + 3; ++i)
    book.add(finished(recorder, "timeout", std::to_string(i)));
  ASSERT_EQ(book.failures().size(), kTracedFailures);
  EXPECT_EQ(book.failures().front()->message, std::to_string(kTracedFailures + 2));
}

}  // namespace
}  // namespace sqlbak_gateway::gateway
