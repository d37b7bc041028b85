// /jobruns/{id}: what one run did.
#include "sqlbak/answers.h"

#include <cmath>
#include <string>

namespace sqlbak_gateway::sqlbak {
namespace {

using namespace ::sqlbak_gateway::sqlbak::testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

RunTally tally(BackupType type, std::uint32_t succeeded, std::uint32_t failed, std::uint32_t other,
               bool undeleted) {
  return {EpochMs(1000.0), succeeded, failed, other, type, undeleted, false};
}

RunTally only_tally(const std::string& entries) {
  const RunDetails details = decoded(decode_run, run(entries));
  EXPECT_EQ(details.tallies.size(), 1u) << entries;
  return details.tallies.empty() ? RunTally{} : *details.tallies.begin();
}

RunExtent extent(const std::string& entries) {
  const RunDetails details = decoded(decode_run, run(entries));
  EXPECT_LE(details.extents.size(), 1u) << entries;
  return details.extents.empty() ? RunExtent{} : *details.extents.begin();
}

TEST(Run, TalliesItsEntriesByTypeAndStatus) {
  const RunDetails details = decoded(decode_run, data(R"("started_at":1000,"backups":[
      {"backup_type":"database_full","status":"succeeded","uploads":[{"files":[{"is_deleted":true}]}]},
      {"backup_type":"database_full","status":"failed"},
      {"backup_type":"database_transaction_log","status":"succeeded","uploads":[]},
      {"backup_type":"folder","status":"warning"},
      {"backup_type":"database_full","status":"succeeded","uploads":[{"files":[{"is_deleted":true}]}]}])"));
  EXPECT_EQ(details.started_at, EpochMs(1000.0));
  EXPECT_EQ(details.entries, 5u);
  EXPECT_FALSE(details.all_final);
  EXPECT_THAT(details.tallies,
              ElementsAre(tally(BackupType::full, 2, 1, 0, false), tally(BackupType::log, 1, 0, 0, true),
                          tally(BackupType::folder, 0, 0, 1, false)));
  EXPECT_EQ(details.tallies.find(BackupType::log)->succeeded, 1u);
  EXPECT_EQ(details.tallies.find(BackupType::diff), nullptr);
  EXPECT_TRUE(details.extents.empty());
  EXPECT_THAT(details.databases, IsEmpty());
}

TEST(Run, WithoutEntriesIsEmptyAndVacuouslyFinal) {
  for (const char* members :
       {"", R"("backups":null)", R"("backups":[])", R"("backups":{})", R"("backups":"")", R"("backups":0)",
        R"("backups":false)", R"("backups":[{}],"backups":null)"}) {
    const RunDetails details = decoded(decode_run, data(members));
    EXPECT_EQ(details.entries, 0u) << members;
    EXPECT_TRUE(details.all_final) << members;
    EXPECT_TRUE(details.tallies.empty()) << members;
    EXPECT_FALSE(details.started_at.has_value()) << members;
  }
}

TEST(Run, ListsOfAnotherShapeAreUnknownNotEmpty) {
  struct Case {
    std::string body;
    std::string message;
  };
  const Case cases[] = {
      {data(R"("backups":{"0":{}})"), "`data.backups` is an object instead of a list"},
      {data(R"("backups":"none")"), "`data.backups` is a string instead of a list"},
      {data(R"("backups":[{"uploads":7}],"backups":true)"), "`data.backups` is a boolean"},
      {run(R"({"uploads":{"files":[]}})"), "`data.backups[].uploads` is an object"},
      {run(R"({},{"uploads":1},{"uploads":"x"})"), "`data.backups[].uploads` is a number"},
      {run(R"({"uploads":[{"files":"a.bak"}]})"), "`data.backups[].uploads[].files` is a string"},
      {run(R"({"uploads":[{"files":"a.bak"},{"files":[]}]},{})"),
       "`data.backups[].uploads[].files` is a string"},
      {run(R"({"uploads":[{},{"files":{"0":{"is_deleted":true}}}]})"),
       "`data.backups[].uploads[].files` is an object"},
  };
  for (const Case& c : cases) EXPECT_THAT(refusal(decode_run, c.body), HasSubstr(c.message)) << c.body;
}

TEST(Run, AnUnreadableListThatIsReplacedDoesNotMatter) {
  for (const std::string& body :
       {data(R"("backups":"x","backups":[])"), data(R"("backups":[{"uploads":1}],"backups":[{}])"),
        run(R"({"uploads":1,"uploads":[]})"), run(R"({"uploads":[{"files":1}],"uploads":null})"),
        run(R"({"uploads":[{"files":1,"files":[]}]})"), run(R"({"uploads":[{"files":[],"files":0}]})")}) {
    EXPECT_EQ(refusal(decode_run, body), "") << body;
  }
}

TEST(Run, StartsAtANumberOnly) {
  struct Case {
    std::string value;
    double milliseconds;  // NaN: nothing
  };
  const double nothing = std::nan("");
  const Case cases[] = {
      {"1768392000123", 1768392000123.0},
      {"1768392000123.25", 1768392000123.25},
      {"1.768392e12", 1768392000000.0},
      {"0", 0.0},
      {"-1", -1.0},
      {"99999999999999", 99999999999999.0},
      {"18446744073709551616", 18446744073709551616.0},
      {R"("1768392000123")", nothing},
      {"true", nothing},
      {"null", nothing},
      {"[1]", nothing},
      {"{}", nothing},
      {"1e400", nothing},
      {"-1e400", nothing},
  };
  for (const Case& c : cases) {
    const RunDetails details = decoded(decode_run, data(R"("backups":[{}],"started_at":)" + c.value));
    EXPECT_EQ(details.started_at, EpochMs(c.milliseconds)) << c.value;
    EXPECT_EQ(details.tallies.begin()->started_at, EpochMs(c.milliseconds)) << c.value;
  }
  EXPECT_FALSE(decoded(decode_run, data(R"("started_at":1,"started_at":"2")")).started_at.has_value());
}

TEST(Entry, StatusIsComparedTrimmedAndLowerCased) {
  for (const char* status : {"succeeded", " Succeeded\\n", "SUCCEEDED\\t "}) {
    EXPECT_EQ(only_tally(std::string(R"({"status":")") + status + R"("})").succeeded, 1u) << status;
  }
  EXPECT_EQ(only_tally(R"({"status":"\u000bFailed "})").failed, 1u);
  for (const char* status : {R"("success")", R"("succeeded!")", R"("running")", R"("")", "null", "true", "1",
                             "{}", R"(["succeeded"])"}) {
    const RunTally tally = only_tally(std::string(R"({"status":)") + status + "}");
    EXPECT_EQ(tally.other, 1u) << status;
    EXPECT_EQ(tally.total(), 1u) << status;
  }
  EXPECT_EQ(only_tally("{}").other, 1u);
  EXPECT_EQ(only_tally(R"({"status":"failed","status":"succeeded"})").succeeded, 1u);
}

TEST(Entry, TypeIsTheContractsOrUnknown) {
  struct Case {
    std::string json;
    BackupType type;
  };
  const Case cases[] = {
      {R"("database_full")", BackupType::full},
      {R"(" Database_Full ")", BackupType::full},
      {R"("database_differential")", BackupType::diff},
      {R"("database_transaction_log")", BackupType::log},
      {R"("DATABASE_INCREMENTAL")", BackupType::inc},
      {R"("folder")", BackupType::folder},
      {R"("full")", BackupType::unknown},
      {R"("")", BackupType::unknown},
      {"null", BackupType::unknown},
      {"1", BackupType::unknown},
      {R"(["database_full"])", BackupType::unknown},
  };
  for (const Case& c : cases)
    EXPECT_EQ(only_tally(R"({"backup_type":)" + c.json + "}").type, c.type) << c.json;
  EXPECT_EQ(only_tally("{}").type, BackupType::unknown);
}

TEST(Entry, IsUndeletedWithAFileLeftOrNoneListed) {
  struct Case {
    std::string uploads;  // what follows the status
    bool undeleted;
  };
  const Case cases[] = {
      {"", true},
      {R"(,"uploads":null)", true},
      {R"(,"uploads":[])", true},
      {R"(,"uploads":"")", true},
      {R"(,"uploads":[{}])", true},
      {R"(,"uploads":[{"files":null}])", true},
      {R"(,"uploads":[{"files":[]},{"files":{}}])", true},
      {R"(,"uploads":[{"files":[{}]}])", true},
      {R"(,"uploads":[{"files":[{"is_deleted":false}]}])", true},
      {R"(,"uploads":[{"files":[{"is_deleted":0}]}])", true},
      {R"(,"uploads":[{"files":[{"is_deleted":0.0}]}])", true},
      {R"(,"uploads":[{"files":[{"is_deleted":""}]}])", true},
      {R"(,"uploads":[{"files":[{"is_deleted":null}]}])", true},
      {R"(,"uploads":[{"files":[{"is_deleted":[]}]}])", true},
      {R"(,"uploads":[{"files":[{"is_deleted":{}}]}])", true},
      {R"(,"uploads":[{"files":[{"is_deleted":true,"is_deleted":null}]}])", true},
      {R"(,"uploads":[{"files":[{"is_deleted":true}]}])", false},
      {R"(,"uploads":[{"files":[{"is_deleted":1}]}])", false},
      {R"(,"uploads":[{"files":[{"is_deleted":-0.5}]}])", false},
      {R"(,"uploads":[{"files":[{"is_deleted":"false"}]}])", false},
      {R"(,"uploads":[{"files":[{"is_deleted":[0]}]}])", false},
      {R"(,"uploads":[{"files":[{"is_deleted":{"at":null}}]}])", false},
      {R"(,"uploads":[{"files":[{"is_deleted":false,"is_deleted":true}]}])", false},
      // All files of all uploads must be gone.
      {R"(,"uploads":[{"files":[{"is_deleted":true},{"is_deleted":true}]},{"files":[{"is_deleted":true}]}])",
       false},
      {R"(,"uploads":[{"files":[{"is_deleted":true}]},{"files":[{"is_deleted":true},{}]}])", true},
      {R"(,"uploads":[{"files":[{"is_deleted":true}]},{"files":[]},{}])", false},
      // The last of repeated members counts.
      {R"(,"uploads":[{"files":[{}]}],"uploads":[{"files":[{"is_deleted":true}]}])", false},
      {R"(,"uploads":[{"files":[{}],"files":[{"is_deleted":true}]}])", false},
      {R"(,"uploads":[{"files":[{"is_deleted":true}],"files":null}])", true},
      {R"(,"uploads":[{"files":[{"is_deleted":true}]}],"uploads":null)", true},
      // An element that is no upload or no file is noted, and lists nothing.
      {R"(,"uploads":[null,7])", true},
      {R"(,"uploads":[{"files":["a.bak"]}])", true},
      {R"(,"uploads":[null,{"files":[{"is_deleted":true},null]}])", false},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(only_tally(R"({"status":"succeeded")" + c.uploads + "}").undeleted, c.undeleted) << c.uploads;
    EXPECT_FALSE(only_tally(R"({"status":"failed")" + c.uploads + "}").undeleted) << c.uploads;
    EXPECT_FALSE(only_tally(R"({"status":"warning")" + c.uploads + "}").undeleted) << c.uploads;
  }
  EXPECT_TRUE(only_tally(R"({"status":"succeeded","uploads":[{"files":[{"is_deleted":true}]}]},
                            {"status":"succeeded"})")
                  .undeleted);
}

TEST(Entry, HasNothingToDoWithTheFilesOfOthers) {
  const RunTally tally = only_tally(R"({"status":"failed","uploads":[{"files":[{"is_deleted":true}]}]},
                                       {"status":"succeeded","uploads":[{}]})");
  EXPECT_TRUE(tally.undeleted);
  EXPECT_FALSE(only_tally(R"({"status":"failed","uploads":[{"files":[{"is_deleted":false}]}]},
                             {"status":"succeeded","uploads":[{"files":[{"is_deleted":true}]},{}]})")
                   .undeleted);
}

TEST(Entry, ThatIsNoObjectIsNotCounted) {
  Notes notes;
  const RunDetails details = decoded(decode_run, run(R"(null,7,"x",[{}],{"status":"failed"})"), &notes);
  EXPECT_EQ(details.entries, 1u);
  EXPECT_TRUE(details.all_final);
  EXPECT_EQ(notes.unrecognised.count(NotedField::entry), 4u);
}

TEST(Entry, RepeatedBackupsStartAnew) {
  const RunDetails details = decoded(decode_run, data(R"("started_at":1000,
      "backups":[{"status":"running","database":"a","size":1},{"status":"failed"}],
      "backups":[{"status":"succeeded","uploads":[{"files":[{"is_deleted":true}]}]}])"));
  EXPECT_EQ(details.entries, 1u);
  EXPECT_TRUE(details.all_final);
  EXPECT_THAT(details.tallies, ElementsAre(tally(BackupType::unknown, 1, 0, 0, false)));
  EXPECT_THAT(details.databases, IsEmpty());
}

TEST(Extent, EndsWithTheLastEntryOfItsTypeElseWithTheRun) {
  EXPECT_EQ(extent(R"({"finished_at":2000},{"finished_at":3000.5},{"finished_at":2500})").finished_at,
            EpochMs(3000.5));
  EXPECT_EQ(extent(R"({"completed_at":5,"end_time":4,"ended_at":3})").finished_at, EpochMs(3.0));
  EXPECT_EQ(extent(R"({"finished_at":null,"completed_at":5})").finished_at, EpochMs(5.0));

  const RunDetails details = decoded(decode_run, data(R"("started_at":1000,"ended_at":9000,"backups":[
      {"backup_type":"database_full","finished_at":4000},{"backup_type":"folder"}])"));
  EXPECT_EQ(details.finished_at, EpochMs(9000.0));
  EXPECT_EQ(details.extents.size(), 2u);
  EXPECT_EQ(*details.extents.find(BackupType::full),
            (RunExtent{EpochMs(1000.0), EpochMs(4000.0), std::nan(""), BackupType::full}));
  EXPECT_EQ(*details.extents.find(BackupType::folder),
            (RunExtent{EpochMs(1000.0), EpochMs(9000.0), std::nan(""), BackupType::folder}));
}

TEST(Extent, IsTheSizeOfWhatSucceeded) {
  EXPECT_EQ(extent(R"({"status":"succeeded","size":10},{"status":"succeeded","size_bytes":5},
                      {"status":"failed","size":100},{"status":"succeeded"})")
                .size_bytes,
            15.0);
  EXPECT_EQ(extent(R"({"status":"succeeded","backup_size":3,"size_bytes":2,"size":1})").size_bytes, 1.0);
  EXPECT_EQ(extent(R"({"status":"succeeded","size":0})").size_bytes, 0.0);
  for (const char* size : {"null", R"("10")", "-1", "true", "{}", "1e400"}) {
    EXPECT_TRUE(decoded(decode_run, run(std::string(R"({"status":"succeeded","size":)") + size + "}"))
                    .extents.empty())
        << size;
  }
}

TEST(Databases, KeepTheirLastEntryOfEachType) {
  const RunDetails details = decoded(decode_run, run(R"(
      {"database_name":"b","backup_type":"database_full","status":"failed"},
      {"database":"a","backup_type":"database_full","status":"succeeded"},
      {"db_name":"b","backup_type":"database_full","status":"succeeded"},
      {"database":"b","backup_type":"database_transaction_log","status":"running"},
      {"database":"","status":"failed"},{"database":null,"status":"failed"},{"database":{},"status":"failed"},
      {"database":7})"));
  EXPECT_THAT(details.databases,
              ElementsAre(DatabaseOutcome{EpochMs(1000.0), "b", BackupType::full, EntryStatus::succeeded},
                          DatabaseOutcome{EpochMs(1000.0), "a", BackupType::full, EntryStatus::succeeded},
                          DatabaseOutcome{EpochMs(1000.0), "b", BackupType::log, EntryStatus::other},
                          DatabaseOutcome{EpochMs(1000.0), "7", BackupType::unknown, EntryStatus::other}));
  EXPECT_EQ(
      decoded(decode_run, run(R"({"db_name":"c","database":"b","database_name":"a"})")).databases[0].database,
      "a");
}

TEST(RunNotes, SayWhatWasNotRecognised) {
  Notes notes;
  decoded(decode_run, data(R"("started_at":"x","ended_at":"y","backups":[
      {"backup_type":"database_snapshot","status":"Vanished ","size":"10","finished_at":"z","database":["a"],
       "uploads":[3,{"files":[4]}]},
      {"backup_type":null,"status":null,"size":null,"finished_at":0,"database":null}])"),
          &notes);
  for (const NotedField field :
       {NotedField::run_started_at, NotedField::entry_type, NotedField::entry_status, NotedField::entry_size,
        NotedField::entry_database, NotedField::upload, NotedField::file}) {
    EXPECT_EQ(notes.unrecognised.count(field), 1u) << name(field);
  }
  EXPECT_EQ(notes.unrecognised.count(NotedField::run_ended_at), 2u);
  EXPECT_TRUE(notes.fields.empty());
}

TEST(RunNotes, SayWhichPlausibleNamesHeldSomething) {
  Notes notes;
  decoded(decode_run, data(R"("end_time":9,"backups":[{"completed_at":8,"size_bytes":1,"db_name":"a"}])"),
          &notes);
  EXPECT_THAT(notes.fields.names(),
              ElementsAre("jobrun_details: end_time", "jobrun_details: backups[].completed_at",
                          "jobrun_details: backups[].size_bytes", "jobrun_details: backups[].db_name"));
  EXPECT_TRUE(notes.unrecognised.empty());
}

TEST(Run, AStatusThatIsKnownIsNothingToNote) {
  for (const char* status :
       {"running", " Running ", "cancelled", "canceled", "warning", "succeeded", "failed"}) {
    Notes notes;
    ASSERT_TRUE(decode_run(run(R"({"status":")" + std::string(status) + R"("})"), notes)) << status;
    EXPECT_EQ(notes.unrecognised.count(NotedField::entry_status), 0u) << status;
  }
}

}  // namespace
}  // namespace sqlbak_gateway::sqlbak
