// Each fault as a plain HTTP client sees it, and which requests a rule strikes.
#include "simulator/simulated_api.h"

#include <gmock/gmock.h>

namespace sqlbak_gateway::simulator::testing {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;

using Fault = SimulatedApi;
using Rule = SimulatedApi;
using DishonestList = SimulatedApi;

TEST_F(Fault, Latency) {
  fail_with("latency=60ms");
  const Seen seen = get("/me");
  EXPECT_EQ(seen.status, 200);
  EXPECT_GE(seen.seconds, 0.06);
}

TEST_F(Fault, JitterStaysInItsBounds) {
  fail_with("latency=30ms,jitter=30ms");
  for (int i = 0; i < 3; ++i) EXPECT_GE(get("/me").seconds, 0.03);
}

TEST_F(Fault, AnyStatus) {
  fail_with("status=418");
  const Seen seen = get("/me");
  EXPECT_EQ(seen.status, 418);
  EXPECT_TRUE(seen.json().contains("error"));
  EXPECT_EQ(simulator_.requests().back().status, 418);
}

TEST_F(Fault, RetryAfterInSeconds) {
  fail_with("status=503,retry_after=90s");
  EXPECT_EQ(get("/me").status, 503);
  EXPECT_EQ(get("/me").header("retry-after"), "90");
}

TEST_F(Fault, RetryAfterAsADateOfTheSkewedClock) {
  turn("clock_skew=1h");
  fail_with("status=429,retry_after_date=90s");
  EXPECT_EQ(get("/me").status, 429);
  EXPECT_EQ(get("/me").header("retry-after"), "Wed, 14 Jan 2026 13:01:30 GMT");
}

TEST_F(Fault, DrippedHead) {
  fail_with("drip_head=1ms");
  const Seen seen = get("/me");
  EXPECT_EQ(seen.status, 200);
  EXPECT_GE(seen.seconds, 0.1);  // a head of more than a hundred bytes
}

TEST_F(Fault, DrippedBody) {
  fail_with("endpoint=servers,drip_body=1ms");
  const Seen seen = get("/servers");
  EXPECT_EQ(seen.list().size(), 2u);
  EXPECT_GE(seen.seconds, 0.001 * static_cast<double>(seen.body.size()));
}

TEST_F(Fault, TruncatedBody) {
  const std::size_t whole = get("/servers").body.size();
  fail_with("close=body");
  const Seen seen = get("/servers");
  EXPECT_EQ(seen.result, CURLE_PARTIAL_FILE);
  EXPECT_EQ(seen.body.size(), whole / 2);
}

TEST_F(Fault, TruncatedBodyInChunks) {
  fail_with("close=body,chunked=on");
  EXPECT_NE(get("/servers").result, CURLE_OK);
}

TEST_F(Fault, BodyTruncatedByItsAuthor) {
  fail_with("body=truncated");
  const Seen seen = get("/servers");
  EXPECT_EQ(seen.result, CURLE_OK);
  EXPECT_TRUE(seen.json().is_discarded());
}

TEST_F(Fault, ClosedBeforeTheAnswer) {
  fail_with("close=before");
  EXPECT_EQ(get("/me").result, CURLE_GOT_NOTHING);
  EXPECT_EQ(simulator_.requests().back().status, 0);
}

TEST_F(Fault, ClosedInTheHead) {
  fail_with("close=head");
  const Seen seen = get("/me");
  // libcurl is content with a head that stops at any byte when the connection is closed properly.
  EXPECT_TRUE(seen.result != CURLE_OK || seen.body.empty());
  EXPECT_FALSE(seen.has("content-length"));
  EXPECT_EQ(simulator_.requests().back().status, 0);
}

TEST_F(Fault, Reset) {
  fail_with("reset=before");
  EXPECT_EQ(get("/me").result, CURLE_RECV_ERROR);
  simulator_.clear_faults();
  fail_with("reset=body");
  EXPECT_EQ(get("/me").result, CURLE_RECV_ERROR);
}

TEST_F(Fault, Silence) {
  client_.timeout_ms = 150;
  for (const char* rule : {"hang=before", "hang=head", "hang=body"}) {
    simulator_.clear_faults();
    fail_with(rule);
    EXPECT_EQ(get("/me").result, CURLE_OPERATION_TIMEDOUT) << rule;
  }
}

TEST_F(Fault, MoreBytesThanAnnounced) {
  fail_with("extra=50");
  EXPECT_EQ(get("/me").data()["name"], "acme");
  EXPECT_EQ(get("/me").data()["name"], "acme");  // the surplus is not taken for the next answer
}

TEST_F(Fault, OverlongBodyThatIsStillJson) {
  fail_with("pad=2MiB");
  const Seen seen = get("/me");
  EXPECT_GT(seen.body.size(), 2u << 20);
  EXPECT_EQ(seen.data()["name"], "acme");
}

TEST_F(Fault, OverlongBodyThatIsSmallOnTheWire) {
  fail_with("pad=2MiB,gzip=on");
  client_.accepts_gzip = true;
  const Seen seen = get("/me");
  EXPECT_LT(std::stoul(seen.header("content-length")), 10'000u);
  EXPECT_GT(seen.body.size(), 2u << 20);
}

TEST_F(Fault, InterimAnswers) {
  fail_with("interim=103,interim=102");
  for (int i = 0; i < 2; ++i) {
    const Seen seen = get("/me");
    EXPECT_EQ(seen.status, 200);
    EXPECT_EQ(seen.headers.count("x-interim"), 2u);
    EXPECT_EQ(seen.data()["name"], "acme");
  }
}

TEST_F(Fault, Redirect) {
  fail_with("redirect=http://127.0.0.1:1/elsewhere");
  const Seen seen = get("/me");
  EXPECT_EQ(seen.status, 302);
  EXPECT_EQ(seen.header("location"), "http://127.0.0.1:1/elsewhere");
  simulator_.clear_faults();
  fail_with("redirect=/elsewhere,status=307");
  EXPECT_EQ(get("/me").status, 307);
}

TEST_F(Fault, GzipUnasked) {
  fail_with("gzip=on");
  const Seen seen = get("/me");
  EXPECT_EQ(seen.header("content-encoding"), "gzip");
  EXPECT_EQ(seen.body.substr(0, 2), "\x1f\x8b");
}

TEST_F(Fault, Chunks) {
  fail_with("chunked=on");
  const Seen seen = get("/me");
  EXPECT_EQ(seen.header("transfer-encoding"), "chunked");
  EXPECT_EQ(seen.data()["name"], "acme");
}

TEST_F(Fault, MalformedJson) {
  for (const char* kind : {"malformed", "huge_numbers", "invalid_utf8", "empty", "html"}) {
    simulator_.clear_faults();
    fail_with(std::string("body=") + kind);
    const Seen seen = get("/servers");
    EXPECT_EQ(seen.status, 200);
    EXPECT_TRUE(seen.json().is_discarded()) << kind << ": " << seen.body;
  }
}

TEST_F(Fault, JsonOfAnotherShape) {
  fail_with("body=null");
  EXPECT_TRUE(get("/servers").json().is_null());
  simulator_.clear_faults();
  fail_with("body=no_data");
  EXPECT_TRUE(get("/servers").data().is_null());
}

TEST_F(Fault, WrongTypes) {
  fail_with("body=wrong_types");
  EXPECT_TRUE(get("/servers").list().is_object());
  const json run = get("/jobruns/10005").data();
  EXPECT_TRUE(run["id"].is_object());
  EXPECT_EQ(run["status"], 17);
  EXPECT_TRUE(run["backups"].is_object());
}

TEST_F(Fault, DeepNesting) {
  fail_with("body=deep");
  const std::string body = get("/servers").body;
  EXPECT_EQ(std::ranges::count(body, '['), 100'000);
  EXPECT_EQ(std::ranges::count(body, ']'), 100'000);
}

TEST_F(Fault, RateLimitWithABucket) {
  fail_with("rate=2,burst=3");
  EXPECT_THAT((std::vector{get("/me").status, get("/me").status, get("/me").status}),
              ElementsAre(200, 200, 200));
  const Seen over = get("/me");
  EXPECT_EQ(over.status, 429);
  EXPECT_EQ(over.header("retry-after"), "1");
  EXPECT_EQ(get("/me", "other-token").status, 200) << "each account has a bucket of its own";
  clock_.advance(std::chrono::milliseconds(500));
  EXPECT_EQ(get("/me").status, 200);
  EXPECT_EQ(get("/me").status, 429);
}

TEST_F(DishonestList, NeverEnds) {
  fail_with("endless=on");
  const Seen first = get("/jobruns?job_id=101&page_size=3");
  EXPECT_EQ(first.data()["has_more"], true);
  EXPECT_THAT(ids(get("/jobruns?job_id=101&page_size=3&page=2")), ElementsAre(10002, 10001));
  const Seen tenth = get("/jobruns?job_id=101&page_size=3&page=10");
  EXPECT_THAT(ids(tenth), ElementsAre(10002, 10001));
  EXPECT_EQ(tenth.data()["has_more"], true);
}

TEST_F(DishonestList, ShiftsWhileItIsRead) {
  fail_with("shift=1");
  EXPECT_THAT(ids(get("/jobruns?job_id=101&page_size=2")), ElementsAre(10005, 10004));
  const Seen second = get("/jobruns?job_id=101&page_size=2&page=2");
  EXPECT_THAT(ids(second), ElementsAre(10004, 10003)) << "a row slipped in before";
  EXPECT_EQ(second.data()["total"], 6);
  simulator_.clear_faults();
  fail_with("shift=-1");
  EXPECT_THAT(ids(get("/jobruns?job_id=101&page_size=2&page=2")), ElementsAre(10002, 10001))
      << "10003 is missed";
}

TEST_F(DishonestList, ShowsRunsLate) {
  fail_with("late=2h");
  EXPECT_EQ(get("/jobruns?job_id=101").list().size(), 4u);
  EXPECT_EQ(get("/jobruns/10005").status, 200);
  simulator_.advance(std::chrono::hours(1));
  EXPECT_EQ(get("/jobruns?job_id=101").list().size(), 5u);
}

TEST_F(DishonestList, ChangesItsMindAboutRuns) {
  simulator_.with([&](World& world) {
    acme(world).run(10001).removed = true;
    acme(world).run(10002).unlisted = true;
    acme(world).run(10003).unreadable = true;
    acme(world).run(10004).entries[0].status = acme(world).word("failed");
  });
  EXPECT_THAT(ids(get("/jobruns?job_id=101")), ElementsAre(10005, 10004, 10003));
  EXPECT_EQ(get("/jobruns/10001").status, 404);
  EXPECT_EQ(get("/jobruns/10002").status, 200);
  EXPECT_EQ(get("/jobruns/10003").status, 404);
  EXPECT_EQ(get("/jobruns/10004").data()["backups"][0]["status"], "failed");
  simulator_.with([&](World& world) { acme(world).run(10003).unreadable = false; });
  EXPECT_EQ(get("/jobruns/10003").status, 200);
}

TEST_F(Rule, StrikesItsEndpointAccountAndPath) {
  fail_with("endpoint=job*,account=ac*,path=/jobruns/10005*,status=500");
  EXPECT_EQ(get("/jobruns/10005").status, 500);
  EXPECT_EQ(get("/jobruns/10004").status, 200);
  EXPECT_EQ(get("/me").status, 200);
  EXPECT_EQ(get("/jobruns/10005", "other-token").status, 404);
}

TEST_F(Rule, StrikesInItsTime) {
  fail_with("from=1h,until=2h,status=500");
  EXPECT_EQ(get("/me").status, 200);
  simulator_.advance(std::chrono::hours(1));
  EXPECT_EQ(get("/me").status, 500);
  simulator_.advance(std::chrono::hours(1));
  EXPECT_EQ(get("/me").status, 200);
}

TEST_F(Rule, StrikesNowAndThen) {
  fail_with("skip=1,every=2,first=2,status=500");
  std::vector<long> seen;
  for (int i = 0; i < 8; ++i) seen.push_back(get("/me").status);
  EXPECT_THAT(seen, ElementsAre(200, 200, 500, 200, 500, 200, 200, 200));
  const Faults::Count count = simulator_.fault_counts().front();
  EXPECT_EQ(count.matched, 8u);
  EXPECT_EQ(count.struck, 2u);
}

TEST_F(Rule, StrikesByChance) {
  fail_with("probability=0.5,status=500");
  int struck = 0;
  for (int i = 0; i < 60; ++i) struck += get("/me").status == 500 ? 1 : 0;
  EXPECT_GT(struck, 10);
  EXPECT_LT(struck, 50);
}

TEST_F(Rule, CanBeTakenBack) {
  const std::uint64_t number = *simulator_.add_fault("status=500");
  EXPECT_EQ(get("/me").status, 500);
  simulator_.remove_fault(number);
  EXPECT_EQ(get("/me").status, 200);
}

TEST_F(Rule, AddsUpWithOthersAndTheLastWins) {
  fail_with("latency=20ms,status=500");
  fail_with("latency=20ms,status=502");
  const Seen seen = get("/me");
  EXPECT_EQ(seen.status, 502);
  EXPECT_GE(seen.seconds, 0.04);
}

TEST_F(Rule, IsRefusedWithWhatIsExpected) {
  EXPECT_EQ(simulator_.add_fault("colour=red").error().message,
            "a fault has no \"colour\"; --help lists what it has");
  EXPECT_EQ(simulator_.add_fault("latency=fast").error().message,
            "\"latency=fast\" is none: write latency=DURATION");
  for (const char* rule :
       {"status=99", "every=0", "close=nowhere", "interim=200", "rate=0", "body=ugly", "latency"}) {
    EXPECT_FALSE(simulator_.add_fault(rule).ok()) << rule;
  }
}

}  // namespace
}  // namespace sqlbak_gateway::simulator::testing
