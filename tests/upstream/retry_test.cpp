#include "sqlbak_gateway/upstream/retry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sqlbak_gateway::upstream {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

// Wed, 14 Jan 2026 12:00:00 GMT
constexpr SystemTime kNow{1'768'392'000'000ms};

Completion answer(int status, std::optional<std::string> retry_after = std::nullopt) {
  Completion completion;
  completion.status = status;
  completion.retry_after = std::move(retry_after);
  return completion;
}

Completion failure(FailureReason reason, bool lasting = false) {
  Completion completion;
  completion.failure = Completion::Failure{reason, "what happened", lasting};
  return completion;
}

struct StatusCase {
  int status;
  Outcome::Kind kind;
  FailureReason reason;  // where not answered
};

TEST(Judging, ClassifiesEveryStatus) {
  using enum Outcome::Kind;
  for (const StatusCase& expected : {
           StatusCase{200, answered, {}},
           {404, answered, {}},
           {204, failed, FailureReason::upstream_error},
           {206, failed, FailureReason::upstream_error},
           {301, failed, FailureReason::upstream_error},
           {304, failed, FailureReason::upstream_error},
           {308, failed, FailureReason::upstream_error},
           {400, failed, FailureReason::upstream_error},
           {401, failed, FailureReason::auth},
           {403, failed, FailureReason::upstream_error},
           {407, failed, FailureReason::upstream_error},
           {429, refused, FailureReason::rate_limited},
           {500, transient, FailureReason::upstream_error},
           {501, failed, FailureReason::upstream_error},
           {502, transient, FailureReason::upstream_error},
           {503, transient, FailureReason::upstream_error},
           {504, transient, FailureReason::upstream_error},
           {599, transient, FailureReason::upstream_error},
       }) {
    const Outcome outcome = judge(answer(expected.status), kNow);
    EXPECT_EQ(outcome.kind, expected.kind) << expected.status;
    if (expected.kind == answered) continue;
    EXPECT_EQ(name(outcome.reason), name(expected.reason)) << expected.status;
    EXPECT_THAT(outcome.message, HasSubstr(std::to_string(expected.status)));
    EXPECT_FALSE(outcome.timed_out);
  }
}

TEST(Judging, A403RefusesTheTokenOnlyInJson) {
  const auto judged = [](int status, std::string body) {
    Completion completion = answer(status);
    completion.body = std::move(body);
    return judge(completion, kNow);
  };
  EXPECT_EQ(judged(403, R"( {"error":"the token was revoked"})").reason, FailureReason::auth);
  for (const char* body : {"", "<html><body>Request blocked</body></html>", "Forbidden"}) {
    const Outcome blocked = judged(403, body);
    EXPECT_EQ(blocked.kind, Outcome::Kind::failed) << body;
    EXPECT_EQ(blocked.reason, FailureReason::upstream_error) << body;
    EXPECT_THAT(blocked.message, HasSubstr("something before the API blocked the request (403")) << body;
    EXPECT_EQ(judged(401, body).reason, FailureReason::auth) << body;
  }
}

TEST(Judging, FailuresWithoutAnAnswerAreTransientUnlessLasting) {
  using enum Outcome::Kind;
  EXPECT_EQ(judge(failure(FailureReason::connection), kNow).kind, transient);
  EXPECT_EQ(judge(failure(FailureReason::connection, true), kNow).kind, failed);
  EXPECT_EQ(judge(failure(FailureReason::bad_response), kNow).kind, transient);
  EXPECT_EQ(judge(failure(FailureReason::bad_response, true), kNow).kind, failed);

  const Outcome timeout = judge(failure(FailureReason::timeout), kNow);
  EXPECT_EQ(timeout.kind, transient);
  EXPECT_TRUE(timeout.timed_out);
  EXPECT_EQ(timeout.reason, FailureReason::timeout);
  EXPECT_EQ(timeout.message, "what happened");
}

TEST(Judging, A503WithRetryAfterIsARefusal) {
  const Outcome outcome = judge(answer(503, "7"), kNow);
  EXPECT_EQ(outcome.kind, Outcome::Kind::refused);
  EXPECT_EQ(outcome.retry_after, 7s);
  EXPECT_EQ(outcome.reason, FailureReason::rate_limited);
  EXPECT_EQ(judge(answer(503, "soon"), kNow).kind, Outcome::Kind::transient) << "garbage is ignored";
  EXPECT_EQ(judge(answer(500, "7"), kNow).kind, Outcome::Kind::transient) << "only 429 and 503 have it";
}

TEST(Judging, ARetryAfterDateCountsFromTheServersClock) {
  Completion completion = answer(429, "Wed, 14 Jan 2026 12:00:30 GMT");
  EXPECT_EQ(judge(completion, kNow).retry_after, 30s);
  completion.server_date = kNow + 20s;
  EXPECT_EQ(judge(completion, kNow).retry_after, 10s);
}

TEST(Judging, ARedirectSaysThatItIsNotFollowed) {
  EXPECT_THAT(judge(answer(302), kNow).message, HasSubstr("redirects are not followed"));
}

TEST(RetryAfter, IsReadBoundedAndGarbageIgnored) {
  const auto read = [](std::string_view text) { return parse_retry_after(text, kNow); };
  EXPECT_EQ(read("0"), 0s);
  EXPECT_EQ(read(" 120 "), 120s);
  EXPECT_EQ(read("900"), 15min);
  EXPECT_EQ(read("901"), 15min);
  EXPECT_EQ(read("99999999999999999999999999"), 15min);
  EXPECT_EQ(read("Wed, 14 Jan 2026 12:05:00 GMT"), 5min);
  EXPECT_EQ(read("Wed, 14 Jan 2026 11:00:00 GMT"), 0s) << "in the past";
  EXPECT_EQ(read("Fri, 31 Dec 9999 23:59:59 GMT"), 15min);
  for (const char* garbage : {"", " ", "-1", "+1", "1.5", "0x10", "10s", "soon", "Wed, 14 Jan 2026", "1,2"}) {
    EXPECT_EQ(read(garbage), std::nullopt) << garbage;
  }
}

TEST(HttpDate, HasThreeForms) {
  EXPECT_EQ(parse_http_date("Wed, 14 Jan 2026 12:00:00 GMT"), kNow);
  EXPECT_EQ(parse_http_date("Wednesday, 14-Jan-26 12:00:00 GMT"), kNow);
  EXPECT_EQ(parse_http_date("Wed Jan 14 12:00:00 2026"), kNow);
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), SystemTime(784'111'777'000ms));
  EXPECT_EQ(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT"), SystemTime(784'111'777'000ms));
  EXPECT_EQ(parse_http_date("Sun Nov  6 08:49:37 1994"), SystemTime(784'111'777'000ms));
  EXPECT_EQ(parse_http_date("Thu, 29 Feb 2024 00:00:00 GMT"), SystemTime(1'709'164'800'000ms));
}

TEST(HttpDate, NothingElseIsOne) {
  for (const char* garbage :
       {"", "Wed", "Wed, 14 Jan 2026 12:00:00", "Wed, 14 Jan 2026 12:00:00 CET",
        "Wed, 32 Jan 2026 12:00:00 GMT", "Wed, 14 Foo 2026 12:00:00 GMT", "Wed, 14 Jan 2026 24:00:00 GMT",
        "Thu, 29 Feb 2023 00:00:00 GMT", "Wed, 14 Jan 2026 12:00:00 GMT and more",
        "Wed, -4 Jan 2026 12:00:00 GMT", "2026-01-14T12:00:00Z"}) {
    EXPECT_EQ(parse_http_date(garbage), std::nullopt) << garbage;
  }
}

TEST(Backoff, DoublesFromHalfASecondToHalfAMinuteWithJitter) {
  EXPECT_EQ(backoff(0, 1), 500ms);
  EXPECT_EQ(backoff(1, 1), 1s);
  EXPECT_EQ(backoff(2, 1), 2s);
  EXPECT_EQ(backoff(5, 1), 16s);
  EXPECT_EQ(backoff(6, 1), 30s);
  EXPECT_EQ(backoff(4'000'000'000u, 1), 30s);
  EXPECT_EQ(backoff(3, 0), 0s);
  EXPECT_EQ(backoff(3, 0.25), 1s);
}

}  // namespace
}  // namespace sqlbak_gateway::upstream
