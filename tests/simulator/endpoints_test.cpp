// What the simulated API answers when nothing is turned and nothing fails, and what each knob changes, seen
// by a plain HTTP client.
#include "simulator/simulated_api.h"

#include <algorithm>

#include <gmock/gmock.h>

namespace sqlbak_gateway::simulator::testing {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

using Endpoints = SimulatedApi;
using KnobTurned = SimulatedApi;

TEST_F(Endpoints, WantAKnownToken) {
  EXPECT_EQ(get("/me", "").status, 401);
  EXPECT_EQ(get("/me", "nonsense").status, 401);
  EXPECT_EQ(get("/me").status, 200);
  EXPECT_TRUE(get("/me", "nonsense").json().contains("error"));
}

TEST_F(Endpoints, KnowATokenNoMoreAfterItIsRotatedOrRevoked) {
  simulator_.with([&](World& world) { acme(world).token = "new-token"; });
  EXPECT_EQ(get("/me", "acme-token").status, 401);
  EXPECT_EQ(get("/me", "new-token").status, 200);
  simulator_.with([&](World& world) { acme(world).refused = 403; });
  EXPECT_EQ(get("/me", "new-token").status, 403);
}

TEST_F(Endpoints, KeepAccountsApart) {
  EXPECT_EQ(ids(get("/jobs")), std::vector<Id>{kJob});
  EXPECT_THAT(ids(get("/jobs", "other-token")), ElementsAre());
  EXPECT_EQ(get("/jobruns/10001", "other-token").status, 404);
  EXPECT_EQ(get("/jobs/101/settings", "other-token").status, 404);
}

TEST_F(Endpoints, WrapObjectsInData) {
  const json me = get("/me").data();
  EXPECT_EQ(me["email"], "backup@acme.example");
  EXPECT_EQ(me["is_suspended"], false);
  EXPECT_EQ(me["created_at"], kNowMs - 400 * 86'400'000LL);
}

TEST_F(Endpoints, WrapListsWithPaging) {
  const json data = get("/servers").data();
  EXPECT_EQ(data["has_more"], false);
  EXPECT_EQ(data["page"], 1);
  EXPECT_EQ(data["page_size"], 100);
  EXPECT_EQ(data["total"], 2);
  EXPECT_EQ(data["list"][0],
            json::parse(R"({"id":1,"name":"sql-01","app_type":"sqlbak_windows","status":"online"})"));
}

TEST_F(Endpoints, ServeListsPageByPage) {
  const Seen first = get("/jobruns?job_id=101&page_size=2");
  EXPECT_THAT(ids(first), ElementsAre(10005, 10004));
  EXPECT_EQ(first.data()["has_more"], true);
  EXPECT_THAT(ids(get("/jobruns?job_id=101&page_size=2&page=2")), ElementsAre(10003, 10002));
  const Seen last = get("/jobruns?job_id=101&page_size=2&page=3");
  EXPECT_THAT(ids(last), ElementsAre(10001));
  EXPECT_EQ(last.data()["has_more"], false);
  EXPECT_THAT(ids(get("/jobruns?job_id=101&page_size=2&page=4")), ElementsAre());
  EXPECT_EQ(get("/jobs?page=0").status, 400);
}

TEST_F(Endpoints, ServeAtMostAHundredRowsAPage) {
  simulator_.with([&](World& world) {
    for (int i = 0; i < 150; ++i) acme(world).add_server({.name = "more"});
  });
  EXPECT_EQ(get("/servers?page_size=1000").list().size(), 100u);
  EXPECT_EQ(get("/servers?page_size=1000&page=2").list().size(), 52u);
}

TEST_F(Endpoints, Filter) {
  EXPECT_THAT(ids(get("/servers?status=offline")), ElementsAre(2));
  EXPECT_THAT(ids(get("/servers?name=sql-01&app_type=sqlbak_windows")), ElementsAre(1));
  EXPECT_THAT(ids(get("/jobs?server_id=2")), ElementsAre());
  EXPECT_THAT(ids(get("/jobs?job_type=backup&name=Nightly")), ElementsAre(101));
  EXPECT_THAT(ids(get("/jobruns?job_id=999")), ElementsAre());
}

TEST_F(Endpoints, ListRunsFromAnInstantOn) {
  const std::int64_t third = kNowMs - 2 * 86'400'000LL - 3'600'000LL;
  EXPECT_THAT(ids(get("/jobruns?job_id=101&started_after=" + std::to_string(third))),
              ElementsAre(10005, 10004, 10003));
  EXPECT_THAT(ids(get("/jobruns?job_id=101&started_after=" + std::to_string(third + 1))),
              ElementsAre(10005, 10004));
  EXPECT_EQ(get("/jobruns?job_id=101&started_after=yesterday").status, 400);
}

TEST_F(Endpoints, ListARunWithoutAStartWhateverTheFilter) {
  simulator_.with([&](World& world) { acme(world).add_run(kJob, std::nullopt); });
  const Seen seen = get("/jobruns?job_id=101&started_after=" + std::to_string(kNowMs));
  EXPECT_THAT(ids(seen), ElementsAre(10006));
  EXPECT_TRUE(seen.list()[0]["started_at"].is_null());
}

TEST_F(Endpoints, ShowWhatAJobIsSetTo) {
  const json settings = get("/jobs/101/settings").data();
  EXPECT_TRUE(settings["schedule_settings"].contains("database_full"));
  EXPECT_EQ(settings["schedule_settings"]["database_transaction_log"]["is_enabled"], false);
  EXPECT_EQ(settings["destinations"][0]["full_backups_keep_days"], 14);
  EXPECT_EQ(settings["destinations"][0]["inc_backups_keep_days"], 7);
  EXPECT_EQ(get("/jobs/999/settings").status, 404);
}

TEST_F(Endpoints, ShowWhatARunDid) {
  const json run = get("/jobruns/10005").data();
  EXPECT_EQ(run["started_at"], kNowMs - 3'600'000);
  EXPECT_EQ(run["finished_at"], kNowMs - 3'600'000 + 360'000);
  ASSERT_EQ(run["backups"].size(), 1u);
  EXPECT_EQ(run["backups"][0]["backup_type"], "database_full");
  EXPECT_EQ(run["backups"][0]["status"], "succeeded");
  EXPECT_EQ(run["backups"][0]["uploads"][0]["files"][0]["is_deleted"], false);
  EXPECT_EQ(get("/jobruns/1").status, 404);
}

TEST_F(Endpoints, AreThereForDestinationsAndConnectionsToo) {
  EXPECT_EQ(get("/destinations").list()[0]["name"], "Amazon S3");
  EXPECT_EQ(get("/dbms_connections").list().size(), 2u);
  EXPECT_EQ(get("/nothing").status, 404);
}

TEST_F(Endpoints, ShowRowsAsPatched) {
  simulator_.with([&](World& world) {
    acme(world).patch(Account::Row::server, 1,
                      json::parse(R"([{"op":"replace","path":"/name","value":null}])"));
    acme(world).patch(Account::Row::run, 10005,
                      json::parse(R"([{"op":"replace","path":"/started_at","value":"7"}])"));
  });
  EXPECT_TRUE(get("/servers").list()[0]["name"].is_null());
  EXPECT_EQ(get("/jobruns/10005").data()["started_at"], "7");
  EXPECT_EQ(get("/jobruns?job_id=101&page_size=1").list()[0]["started_at"], "7");
}

TEST_F(Endpoints, CountAndRecordWhatTheyWereAsked) {
  get("/servers");
  get("/jobruns?job_id=101");
  get("/jobruns/10005");
  get("/jobs", "nonsense");
  EXPECT_EQ(simulator_.request_count("acme"), 3u);
  EXPECT_EQ(simulator_.request_count("*", "jobrun_details"), 1u);
  EXPECT_EQ(simulator_.request_count(""), 1u);
  const LoggedRequest last = simulator_.requests().back();
  EXPECT_EQ(last.status, 401);
  EXPECT_EQ(last.target, "/jobs");
  simulator_.forget_requests();
  EXPECT_EQ(simulator_.request_count(), 0u);
}

TEST_F(KnobTurned, RowsOfRunsCarryLess) {
  turn("row_started_at=off");
  turn("row_status=off");
  turn("row_job_id=off");
  EXPECT_EQ(get("/jobruns?job_id=101&page_size=1").list()[0], json({{"id", 10005}}));
}

TEST_F(KnobTurned, RowsOfRunsStandInAnotherOrder) {
  turn("order=oldest_first");
  EXPECT_THAT(ids(get("/jobruns?job_id=101")), ElementsAre(10001, 10002, 10003, 10004, 10005));
  turn("order=shuffled");
  const std::vector<Id> shuffled = ids(get("/jobruns?job_id=101"));
  EXPECT_THAT(shuffled, UnorderedElementsAre(10001, 10002, 10003, 10004, 10005));
  EXPECT_FALSE(std::ranges::is_sorted(shuffled) || std::ranges::is_sorted(shuffled, std::greater<>()));
}

TEST_F(KnobTurned, ListsCarryNoTotal) {
  turn("total=off");
  const json data = get("/jobs").data();
  EXPECT_FALSE(data.contains("total") || data.contains("page") || data.contains("page_size"));
  EXPECT_TRUE(data.contains("has_more"));
}

TEST_F(KnobTurned, PagesAreSmaller) {
  turn("page_size=3");
  EXPECT_EQ(get("/jobruns?job_id=101&page_size=100").list().size(), 3u);
  EXPECT_EQ(get("/jobruns?job_id=101&page_size=100&page=2").list().size(), 2u);
}

TEST_F(KnobTurned, IdsAreText) {
  turn("ids_as_text=on");
  EXPECT_EQ(get("/jobs").list()[0]["id"], "101");
  EXPECT_EQ(get("/jobs").list()[0]["server_id"], "1");
  EXPECT_EQ(get("/jobruns/10005").data()["id"], "10005");
}

TEST_F(KnobTurned, IdsOfRunsAreNoNumbers) {
  turn("named_runs=on");
  EXPECT_EQ(get("/jobruns?job_id=101").list()[0]["id"], "run-10005");
  EXPECT_EQ(get("/jobruns/run-10005").data()["id"], "run-10005");
  EXPECT_EQ(get("/jobruns/10005").status, 404);
}

TEST_F(KnobTurned, RunsAreListedForOneJobOnly) {
  EXPECT_EQ(get("/jobruns").list().size(), 5u);
  turn("job_id_required=on");
  EXPECT_EQ(get("/jobruns").status, 400);
}

TEST_F(KnobTurned, UncertainMembersAreNotThere) {
  turn("finished_at=off");
  turn("sizes=off");
  turn("database_names=off");
  turn("job_type=off");
  turn("job_enabled=off");
  const json run = get("/jobruns/10005").data();
  EXPECT_FALSE(run.contains("finished_at"));
  EXPECT_FALSE(run["backups"][0].contains("size"));
  EXPECT_FALSE(run["backups"][0].contains("database_name"));
  EXPECT_FALSE(run["backups"][0]["uploads"][0]["files"][0].contains("size"));
  EXPECT_EQ(get("/jobs").list()[0], json::parse(R"({"id":101,"name":"Nightly","server_id":1})"));
}

// The filter at noon; runs start at eleven each day.
TEST_F(KnobTurned, TheFilterIsCoarse) {
  const std::string noon_two_days_ago = std::to_string(kNowMs - 2 * 86'400'000LL);
  EXPECT_EQ(get("/jobruns?job_id=101&started_after=" + noon_two_days_ago).list().size(), 2u);
  turn("filter_granularity=1d");
  EXPECT_EQ(get("/jobruns?job_id=101&started_after=" + noon_two_days_ago).list().size(), 3u);
  const std::string morning_two_days_ago = std::to_string(kNowMs - 2 * 86'400'000LL - 4 * 3'600'000LL);
  EXPECT_EQ(get("/jobruns?job_id=101&started_after=" + morning_two_days_ago).list().size(), 3u);
  turn("filter_rounds_up=on");
  EXPECT_EQ(get("/jobruns?job_id=101&started_after=" + morning_two_days_ago).list().size(), 2u);
}

TEST_F(KnobTurned, TheClockIsSkewed) {
  EXPECT_EQ(get("/me").header("date"), "Wed, 14 Jan 2026 12:00:00 GMT");
  turn("clock_skew=-5m");
  EXPECT_EQ(get("/me").header("date"), "Wed, 14 Jan 2026 11:55:00 GMT");
  EXPECT_EQ(get("/jobruns/10005").data()["started_at"], kNowMs - 3'600'000 - 300'000);
  const std::string real_start = std::to_string(kNowMs - 3'600'000);
  EXPECT_EQ(get("/jobruns?job_id=101&started_after=" + real_start).list().size(), 0u);
}

TEST_F(KnobTurned, MeIsNotThere) {
  turn("me=off");
  EXPECT_EQ(get("/me").status, 404);
}

TEST_F(KnobTurned, MaintenanceJobsAreListedOnlyWhenAskedFor) {
  simulator_.with(
      [&](World& world) { acme(world).add_job({.name = "Index rebuild", .type = "maintenance"}); });
  EXPECT_EQ(get("/jobs").list().size(), 2u);
  turn("maintenance=off");
  EXPECT_EQ(get("/jobs").list().size(), 1u);
  EXPECT_THAT(ids(get("/jobs?job_type=maintenance")), ElementsAre(102));
}

TEST_F(KnobTurned, AnswersAreCompressedForThoseWhoAsk) {
  turn("gzip=on");
  EXPECT_FALSE(get("/me").has("content-encoding"));
  client_.accepts_gzip = true;
  const Seen seen = get("/me");
  EXPECT_EQ(seen.header("content-encoding"), "gzip");
  EXPECT_EQ(seen.data()["name"], "acme");
}

TEST(Knob, IsRefusedWithWhatIsExpected) {
  Knobs knobs;
  EXPECT_EQ(set_knob(knobs, "order=up").error().message,
            "knob order is set as order=newest_first|oldest_first|shuffled");
  EXPECT_THAT(set_knob(knobs, "colour=red").error().message,
              ::testing::StartsWith("there is no knob \"colour\""));
  EXPECT_FALSE(set_knob(knobs, "filter_granularity=0s").ok());
  EXPECT_FALSE(set_knob(knobs, "total").ok());
}

}  // namespace
}  // namespace sqlbak_gateway::simulator::testing
