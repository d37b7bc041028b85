// The truth, against numbers worked out by hand.
#include "simulator/truth.h"

#include "support/manual_clock.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sqlbak_gateway::simulator {
namespace {

using nlohmann::json;
using sqlbak_gateway::testing::ManualClock;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using ::testing::HasSubstr;

constexpr SystemTime kNow = ManualClock::kStart;
constexpr double kNowSeconds = 1'768'392'000;

// One server "sql", one job "ERP" (id 101) for full backups kept 10 days and differential ones kept 3.
class Truth : public ::testing::Test {
 protected:
  Truth() {
    account_.add_server({.name = "sql"});
    account_.add_job({.name = "ERP",
                      .server_id = 1,
                      .types = {"database_full", "database_differential"},
                      .destinations = {{"S3", 0, 10, 0, 3}, {"Folder", 0, 2, 0, 2}}});
  }

  Id run(milliseconds age, const HandRun& hand = {}) { return account_.add_run(101, kNow - age, hand); }
  void patch(Account::Row row, Id id, const char* rfc6902) { account_.patch(row, id, json::parse(rfc6902)); }
  // The value of the one series of that name and type (all of the types together where it is empty); NaN
  // without one.
  double published(const std::string& name, const std::string& type = "full") {
    return value(published_truth(account_, knobs_, question_), name, type);
  }
  double own(const std::string& name, const std::string& type = "full") {
    return value(own_truth(account_, knobs_, question_), name, type);
  }
  static double value(const Series& series, const std::string& name, const std::string& type) {
    double found = kNone;
    for (const auto& [key, number] : family(series, name)) {
      if (type.empty() || key.find("backup_type=\"" + type + "\"") != key.npos) found = number;
    }
    return found;
  }
  // The names of all series of a family, in order.
  std::vector<std::string> names(const std::string& name) {
    Series all = published_truth(account_, knobs_, question_);
    all.merge(own_truth(account_, knobs_, question_));
    std::vector<std::string> names;
    for (const auto& [key, number] : family(all, name)) names.push_back(key);
    return names;
  }

  static constexpr double kNone = -12345;
  Account account_{"acme", "token", kNow, 1};
  Knobs knobs_;
  Question question_{.collected_at = kNow, .answered_at = kNow};
};

TEST_F(Truth, ServersAreOnlineOrNot) {
  account_.add_server({.name = "a", .status = " Online "});
  account_.add_server({.name = "b", .status = "disconnected"});
  account_.add_server({.name = "c", .status = "offline"});
  patch(Account::Row::server, 4,
        R"([{"op":"remove","path":"/name"},{"op":"replace","path":"/app_type","value":null}])");
  const Series series = published_truth(account_, knobs_, question_);
  EXPECT_EQ(series.at(R"(sqlbak_server_online{app_type="sqlbak_windows",server_id="2",server_name="a"})"), 1);
  EXPECT_EQ(series.at(R"(sqlbak_server_online{app_type="sqlbak_windows",server_id="3",server_name="b"})"), 0);
  EXPECT_EQ(series.at(R"(sqlbak_server_online{app_type="unknown",server_id="4",server_name="unknown"})"), 0);
  EXPECT_EQ(series.at("sqlbak_offline_servers_total"), 2);
}

TEST_F(Truth, RowsWithAnIdSeenBeforeReplaceTheEarlier) {
  account_.add_server({.name = "twin", .status = "offline"});
  patch(Account::Row::server, 2, R"([{"op":"replace","path":"/id","value":"1"}])");
  const Series series = published_truth(account_, knobs_, question_);
  EXPECT_EQ(family(series, "sqlbak_server_online").size(), 1u);
  EXPECT_EQ(series.at("sqlbak_offline_servers_total"), 1);
  EXPECT_THAT(names("sqlbak_job_retention_days")[0], HasSubstr(R"(server_name="twin")"));
}

TEST_F(Truth, AJobHasARowForEachTypeEnabledOrSeen) {
  run(hours(1), {.type = "database_transaction_log"});
  run(hours(2), {.type = "tape"});
  run(hours(3), {.type = "folder"});
  run(hours(24 * 30), {.type = "database_incremental"});  // before the window
  std::vector<std::string> types;
  for (const std::string& name : names("sqlbak_job_backups_total"))
    types.push_back(name.substr(name.find('"') + 1, 4));
  EXPECT_THAT(types, ::testing::ElementsAre("diff", "full", "log\"", "unkn"));
}

TEST_F(Truth, SkipsAJobWithoutAnIdAndCallsANamelessOneUnknown) {
  account_.add_job({.name = "ghost"});
  patch(Account::Row::job, 102, R"([{"op":"replace","path":"/id","value":0}])");
  patch(Account::Row::job, 101,
        R"([{"op":"remove","path":"/name"},{"op":"replace","path":"/server_id","value":77}])");
  EXPECT_THAT(names("sqlbak_job_info"),
              ::testing::ElementsAre(R"(sqlbak_job_info{enabled="true",job_id="101",job_name="unknown",)"
                                     R"(job_type="backup",server_id="77",server_name="unknown"})"));
}

TEST_F(Truth, NoIdBelongsToNothing) {
  account_.add_server({.name = "without an id"});
  patch(Account::Row::server, 2, R"([{"op":"remove","path":"/id"}])");
  patch(Account::Row::job, 101, R"([{"op":"replace","path":"/server_id","value":null}])");
  EXPECT_THAT(names("sqlbak_job_info"),
              ::testing::ElementsAre(HasSubstr(R"(server_id="",server_name="unknown")")));
  EXPECT_EQ(own_truth(account_, knobs_, question_).at("sqlbak_servers_without_jobs"), 2);
}

TEST_F(Truth, CountsEntriesInTheWindow) {
  run(hours(1), {.databases = {"a", "b"}});
  run(hours(25), {.status = " FAILED"});
  run(hours(49), {.status = "warning"});
  run(hours(24 * 17 - 1));  // the window is 10 + 7 days
  run(hours(24 * 17));
  run(hours(24 * 17) + milliseconds(1));
  EXPECT_EQ(published("sqlbak_job_backups_succeeded_total"), 4);
  EXPECT_EQ(published("sqlbak_job_backups_failed_total"), 1);
  EXPECT_EQ(published("sqlbak_job_backups_total"), 6);
  EXPECT_EQ(own("sqlbak_job_window_seconds"), 17 * 86400);
}

TEST_F(Truth, TheWindowIsAtLeastTheLookback) {
  question_.lookback = hours(24 * 20);
  run(hours(24 * 19));
  EXPECT_EQ(published("sqlbak_job_backups_total"), 1);
  EXPECT_EQ(own("sqlbak_job_window_seconds"), 20 * 86400);
}

TEST_F(Truth, ARunWithoutAStartIsInTheWindowButIsNoLastSuccess) {
  account_.add_run(101, std::nullopt);
  EXPECT_EQ(published("sqlbak_job_backups_total"), 1);
  EXPECT_EQ(published("sqlbak_job_last_success_age_hours"), -1);
}

TEST_F(Truth, AStartThatIsTextIsNone) {
  const Id id = run(hours(1));
  patch(Account::Row::run, id, R"([{"op":"replace","path":"/started_at","value":"1768388400000"}])");
  EXPECT_EQ(published("sqlbak_job_backups_total"), 1);
  EXPECT_EQ(published("sqlbak_job_last_success_age_hours"), -1);
}

TEST_F(Truth, TheAgeIsSinceTheLastSuccessAtTheAnswer) {
  run(hours(5));
  run(hours(3));
  run(hours(1), {.status = "failed"});
  EXPECT_DOUBLE_EQ(published("sqlbak_job_last_success_age_hours"), 3);
  EXPECT_EQ(published("sqlbak_job_last_success_age_hours", "diff"), -1);
  question_.answered_at = kNow + minutes(30);
  EXPECT_DOUBLE_EQ(published("sqlbak_job_last_success_age_hours"), 3.5);
  question_.answered_at = kNow - hours(4);
  EXPECT_DOUBLE_EQ(published("sqlbak_job_last_success_age_hours"), 0);
}

TEST_F(Truth, OldBackupsAreSuccessesPastRetentionWithFiles) {
  const hours kept(24 * 10);
  EXPECT_EQ(published("sqlbak_job_has_backups_older_than_policy"), 0);
  run(kept);  // exactly its retention is not past it
  run(kept + hours(1), {.deleted = true});
  run(kept + hours(1), {.status = "failed"});
  EXPECT_EQ(published("sqlbak_job_has_backups_older_than_policy"), 0);
  run(kept + milliseconds(1));
  EXPECT_EQ(published("sqlbak_job_has_backups_older_than_policy"), 1);
  EXPECT_EQ(published("sqlbak_job_has_backups_older_than_policy", "diff"), 0);
}

TEST_F(Truth, ABackupThatListsNoFileCountsAsOneThatIsThere) {
  run(hours(24 * 4), {.type = "database_differential", .uploads = 0});
  EXPECT_EQ(published("sqlbak_job_has_backups_older_than_policy", "diff"), 1);
}

TEST_F(Truth, DeletedIsWhatIsTrue) {
  const Id id = run(hours(24 * 11));
  const char* path = R"([{"op":"replace","path":"/backups/0/uploads/0/files/0/is_deleted","value":)";
  for (const char* is_true : {"true", "1", R"("false")", "[0]", "0.5"}) {
    patch(Account::Row::run, id, (path + std::string(is_true) + "}]").c_str());
    EXPECT_EQ(published("sqlbak_job_has_backups_older_than_policy"), 0) << is_true;
  }
  for (const char* is_not : {"false", "0", R"("")", "[]", "{}", "null", "0.0"}) {
    patch(Account::Row::run, id, (path + std::string(is_not) + "}]").c_str());
    EXPECT_EQ(published("sqlbak_job_has_backups_older_than_policy"), 1) << is_not;
  }
}

TEST_F(Truth, RetentionIsTheLongestOfItsDestinations) {
  EXPECT_EQ(published("sqlbak_job_retention_days"), 10);
  EXPECT_EQ(published("sqlbak_job_retention_days", "diff"), 3);
  account_.job(101).destinations.push_back({"Tape", 2, 5, 1, 0});
  EXPECT_EQ(published("sqlbak_job_retention_days"), 65);
  EXPECT_EQ(published("sqlbak_job_retention_days", "diff"), 30);
}

TEST_F(Truth, RetentionTakesWhatLooksLikeAWholeNumber) {
  const std::pair<const char*, double> cases[] = {{"7.9", 7},  {R"(" 12 ")", 12}, {R"("+4")", 4},
                                                  {"true", 1}, {R"("5.5")", 0},   {"null", 0},
                                                  {"[9]", 0},  {R"("")", 0}};
  for (const auto& [written, days] : cases) {
    account_.patch(Account::Row::settings, 101,
                   json::parse(std::string(R"([{"op":"replace","path":"/destinations","value":[{)") +
                               R"("full_backups_keep_days":)" + written + "}]}]"));
    EXPECT_EQ(published("sqlbak_job_retention_days"), days) << written;
  }
}

TEST_F(Truth, EnabledTypesComeFromTheSettings) {
  const auto enabled = [&](const char* settings) {
    patch(Account::Row::settings, 101, settings);
    std::string types;
    for (const std::string& name : names("sqlbak_job_backups_total")) {
      types += name.substr(name.find('"') + 1, name.find('"', name.find('"') + 1) - name.find('"') - 1) + " ";
    }
    return types;
  };
  EXPECT_EQ(enabled(R"([{"op":"replace","path":"","value":{}}])"), "full ");
  EXPECT_EQ(enabled(R"([{"op":"replace","path":"/schedule_settings","value":{"database_full":null}}])"),
            "full ");
  EXPECT_EQ(enabled(R"([{"op":"replace","path":"/schedule_settings",
                        "value":{"database_transaction_log":{"is_enabled":1},"database_incremental":{"is_enabled":""}}}])"),
            "log ");
  EXPECT_EQ(
      enabled(
          R"([{"op":"replace","path":"","value":{"folders_backup_settings":{"backup_types":["folder",null]}}}])"),
      "folder unknown ");
}

TEST_F(Truth, TheSummaryRepeatsTheRow) {
  run(hours(2));
  EXPECT_EQ(names("sqlbak_job_summary").size(), 6u);
  EXPECT_THAT(names("sqlbak_job_summary"),
              ::testing::Contains(R"(sqlbak_job_summary{backup_type="full",job_id="101",job_name="ERP",)"
                                  R"(metric="last_success_age_hours",row_key="sql|ERP|full",server_id="1",)"
                                  R"(server_name="sql"})"));
}

TEST_F(Truth, GoneAndUnreadableRunsAreLeftOut) {
  account_.run(run(hours(1))).removed = true;
  account_.run(run(hours(2))).unlisted = true;
  account_.run(run(hours(3))).unreadable = true;
  EXPECT_EQ(published("sqlbak_job_backups_total"), 0);
}

TEST_F(Truth, ASkewedClockShowsSkewedTimes) {
  run(hours(3));
  knobs_.clock_skew = minutes(-30);
  EXPECT_DOUBLE_EQ(published("sqlbak_job_last_success_age_hours"), 3.5);
}

TEST_F(Truth, LastSuccessAndAttemptAreNotBoundToTheWindow) {
  run(hours(24 * 100));
  run(hours(24 * 90), {.status = "failed"});
  EXPECT_EQ(published("sqlbak_job_last_success_age_hours"), -1);
  EXPECT_EQ(own("sqlbak_job_last_success_timestamp_seconds"), kNowSeconds - 100 * 86400);
  EXPECT_EQ(own("sqlbak_job_last_attempt_timestamp_seconds"), kNowSeconds - 90 * 86400);
  EXPECT_EQ(own("sqlbak_job_last_success_timestamp_seconds", "diff"), kNone);
}

TEST_F(Truth, AReaderThatBeganLaterKnowsLess) {
  run(hours(24 * 30));
  question_.first_collected_at = kNow;
  EXPECT_EQ(own("sqlbak_job_last_success_timestamp_seconds"), kNone);
  question_.max_age["full"] = hours(24 * 15);  // a first collection reads back twice as far
  EXPECT_EQ(own("sqlbak_job_last_success_timestamp_seconds"), kNowSeconds - 30 * 86400);
}

TEST_F(Truth, TheLastFinishedAttemptCounts) {
  EXPECT_EQ(own("sqlbak_job_last_attempt_success"), kNone);
  EXPECT_EQ(own("sqlbak_job_consecutive_failures"), 0);
  run(hours(3));
  run(hours(2), {.status = "failed"});
  run(hours(1), {.status = "cancelled"});
  run(minutes(1), {.status = "running", .open = true});
  EXPECT_EQ(own("sqlbak_job_last_attempt_success"), 0);
  EXPECT_EQ(own("sqlbak_job_consecutive_failures"), 2);
  EXPECT_EQ(own("sqlbak_job_last_attempt_timestamp_seconds"), kNowSeconds - 60);
  run(milliseconds(1));
  EXPECT_EQ(own("sqlbak_job_last_attempt_success"), 1);
  EXPECT_EQ(own("sqlbak_job_consecutive_failures"), 0);
}

TEST_F(Truth, OneFailedEntryFailsTheAttempt) {
  const Id id = run(hours(1), {.databases = {"good", "bad"}});
  account_.run(id).entries[1].status = account_.word("failed");
  EXPECT_EQ(own("sqlbak_job_last_attempt_success"), 0);
  EXPECT_EQ(own("sqlbak_job_databases_failing", ""), 1);
  EXPECT_DOUBLE_EQ(published("sqlbak_job_last_success_age_hours"), 1);
}

TEST_F(Truth, ADatabaseIsFailingByItsLatestEntry) {
  run(hours(3), {.status = "failed", .databases = {"a", "b", "c"}});
  run(hours(2), {.databases = {"b"}});
  run(hours(1), {.status = "running", .databases = {"c"}, .open = true});
  EXPECT_EQ(own("sqlbak_job_databases_failing", ""), 2);
  knobs_.database_names = false;
  EXPECT_EQ(own("sqlbak_job_databases_failing", ""), kNone);
}

TEST_F(Truth, OverdueIsAgainstTheConfiguredAge) {
  EXPECT_EQ(own("sqlbak_job_overdue"), kNone);
  question_.max_age["full"] = hours(24);
  run(hours(24));
  EXPECT_EQ(own("sqlbak_job_overdue"), 0);
  EXPECT_EQ(own("sqlbak_job_max_age_seconds"), 86400);
  question_.collected_at = kNow + milliseconds(1);
  EXPECT_EQ(own("sqlbak_job_overdue"), 1);
  account_.job(101).enabled = false;
  EXPECT_EQ(own("sqlbak_job_overdue"), 0);
}

TEST_F(Truth, AJobThatNeverSucceededIsOverdueSinceFirstSeen) {
  question_.max_age["full"] = hours(24);
  EXPECT_EQ(own("sqlbak_job_overdue"), 0) << "the job was made just now";
  run(hours(25), {.status = "failed"});
  EXPECT_EQ(own("sqlbak_job_overdue"), 1);
}

// Full backups are kept ten days.
TEST_F(Truth, RetentionIsViolatedWhenALaterSuccessDeletedNothing) {
  run(hours(24 * 12));
  EXPECT_EQ(own("sqlbak_job_retention_violation"), 0) << "expired, but nothing has succeeded since";
  run(hours(24 * 3));
  EXPECT_EQ(own("sqlbak_job_retention_violation"), 0) << "that was before it expired";
  run(hours(24 * 1), {.status = "failed"});
  EXPECT_EQ(own("sqlbak_job_retention_violation"), 0);
  run(hours(1) - milliseconds(1));
  EXPECT_EQ(own("sqlbak_job_retention_violation"), 0) << "deletion is given an hour";
  run(hours(1));
  EXPECT_EQ(own("sqlbak_job_retention_violation"), 1);
}

TEST_F(Truth, DurationAndSizeAreOfTheLastRunThatShowsThem) {
  run(hours(2), {.databases = {"a", "b"}, .duration = minutes(7), .size = 1000});
  EXPECT_EQ(own("sqlbak_job_last_duration_seconds"), 420);
  EXPECT_EQ(own("sqlbak_job_last_size_bytes"), 2000);
  knobs_.finished_at = knobs_.sizes = false;
  EXPECT_EQ(own("sqlbak_job_last_duration_seconds"), kNone);
  EXPECT_EQ(own("sqlbak_job_last_size_bytes"), kNone);
}

TEST_F(Truth, CountsServersByStatusAndThoseWithoutJobs) {
  account_.add_server({.name = "spare", .status = "offline"});
  account_.add_server({.name = "tended"});
  account_.add_job({.name = "Index rebuild", .server_id = 3, .type = "maintenance"});
  const Series series = own_truth(account_, knobs_, question_);
  EXPECT_EQ(series.at(R"(sqlbak_servers{status="online"})"), 2);
  EXPECT_EQ(series.at(R"(sqlbak_servers{status="offline"})"), 1);
  EXPECT_EQ(series.at(R"(sqlbak_servers{status="disconnected"})"), 0);
  EXPECT_EQ(series.at("sqlbak_servers_without_jobs"), 2);
}

TEST_F(Truth, KnowsASuspendedAccountWhereMeAnswers) {
  account_.suspended = true;
  EXPECT_EQ(own("sqlbak_account_suspended", ""), 1);
  knobs_.me = false;
  EXPECT_EQ(own("sqlbak_account_suspended", ""), kNone);
}

TEST(Expositions, AreReadWithLabelsInAnyOrder) {
  const auto series = parse_exposition(
      "# HELP a b\n"
      "a{z=\"1\",b=\"x\\\"y\\\\z\\n\"} 2.5\n"
      "b 1e3 1768392000000\n"
      "c{} NaN\n"
      "d -Inf\n");
  ASSERT_TRUE(series.ok());
  EXPECT_EQ(series->at("a{b=\"x\\\"y\\\\z\\n\",z=\"1\"}"), 2.5);
  EXPECT_EQ(series->at("b"), 1000);
  EXPECT_TRUE(series->contains("c"));
  EXPECT_EQ(parse_exposition(to_text(*series)).ok(), true);
}

TEST(Expositions, AreRefusedWhereTheyAreNone) {
  for (const char* text : {"a", "a{b=\"1\" 2", "a{b=1} 2", "a x", "a 1\na 2", "{} "}) {
    EXPECT_FALSE(parse_exposition(text).ok()) << text;
  }
}

TEST(Differences, AreToldLineByLine) {
  const Series expected = {{"a", 1}, {"b", 2}, {"c", 3}};
  const Series seen = {{"a", 1 + 1e-12}, {"b", 5}, {"d", 4}};
  EXPECT_EQ(difference(expected, seen), "expected 2, seen 5: b\nonly expected: c 3\nonly seen: d 4\n");
  EXPECT_EQ(difference(expected, expected), "");
}

}  // namespace
}  // namespace sqlbak_gateway::simulator
