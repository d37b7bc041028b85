// /jobs/{id}/settings and /me.
#include "sqlbak/answers.h"

#include <string>

namespace sqlbak_gateway::sqlbak {
namespace {

using namespace ::sqlbak_gateway::sqlbak::testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

BackupTypeSet types(std::initializer_list<BackupType> members) {
  BackupTypeSet set;
  for (const BackupType type : members) set.insert(type);
  return set;
}

BackupTypeSet enabled_types(const std::string& members) {
  return decoded(decode_settings, data(members)).enabled_types;
}

BackupTypeSet scheduled(const std::string& schedule) {
  return enabled_types(R"("schedule_settings":{)" + schedule + "}");
}

std::int64_t full_days(const std::string& destinations) {
  return decoded(decode_settings, data(R"("destinations":[)" + destinations + "]")).full_retention_days;
}

constexpr auto kFull = BackupType::full;
constexpr auto kDiff = BackupType::diff;
constexpr auto kInc = BackupType::inc;
constexpr auto kLog = BackupType::log;
constexpr auto kFolder = BackupType::folder;
constexpr auto kUnknown = BackupType::unknown;

TEST(EnabledTypes, AreFullWhereTheSettingsNameNone) {
  for (const char* members : {"", R"("schedule_settings":null,"folders_backup_settings":null)",
                              R"("schedule_settings":{},"folders_backup_settings":{})",
                              R"("schedule_settings":[],"folders_backup_settings":"")",
                              R"("schedule_settings":["database_differential"],"folders_backup_settings":7)",
                              R"("folders_backup_settings":{"backup_types":null})",
                              R"("folders_backup_settings":{"backup_types":[]})",
                              R"("folders_backup_settings":{"backup_types":"folder"})",
                              R"("folders_backup_settings":{"backup_types":{"folder":1}})"}) {
    EXPECT_EQ(enabled_types(members), types({kFull})) << members;
  }
}

TEST(EnabledTypes, FullByItsMemberWhateverItsValue) {
  for (const char* value : {"null", "false", "0", "{}", R"({"is_enabled":false})", "[]", "\"x\""}) {
    EXPECT_EQ(scheduled(std::string(R"("database_full":)") + value +
                        R"(,"database_transaction_log":{"is_enabled":true})"),
              types({kFull, kLog}))
        << value;
  }
  EXPECT_EQ(scheduled(R"("database_transaction_log":{"is_enabled":true})"), types({kLog}));
}

TEST(EnabledTypes, OthersByATrueIsEnabled) {
  EXPECT_EQ(scheduled(R"("database_differential":{"is_enabled":true})"), types({kDiff}));
  EXPECT_EQ(scheduled(R"("database_incremental":{"is_enabled":true})"), types({kInc}));
  for (const char* value : {"true", "1", "-1", "0.1", "\"yes\"", "\"false\"", "\" \"", "[0]", R"({"a":0})"}) {
    EXPECT_EQ(scheduled(std::string(R"("database_transaction_log":{"is_enabled":)") + value + "}"),
              types({kLog}))
        << value;
  }
  for (const char* value : {"false", "0", "0.0", "\"\"", "null", "[]", "{}"}) {
    EXPECT_EQ(scheduled(std::string(R"("database_transaction_log":{"is_enabled":)") + value + "}"),
              types({kFull}))
        << value;
  }
  for (const char* member : {"null", "true", "1", "\"x\"", "[]", "{}", R"([{"is_enabled":true}])",
                             R"({"x":{"is_enabled":true}})"}) {
    EXPECT_EQ(scheduled(std::string(R"("database_transaction_log":)") + member), types({kFull})) << member;
  }
}

TEST(EnabledTypes, EveryTypeOfTheFolders) {
  const auto folders = [](const std::string& list) {
    return enabled_types(R"("folders_backup_settings":{"backup_types":[)" + list + "]}");
  };
  EXPECT_EQ(folders(R"("folder")"), types({kFolder}));
  EXPECT_EQ(folders(R"(" FOLDER ","database_full")"), types({kFolder, kFull}));
  EXPECT_EQ(folders(R"("weekly")"), types({kUnknown}));
  for (const char* element : {"null", "1", "{}", R"({"backup_type":"folder"})", R"(["folder"])"}) {
    EXPECT_EQ(folders(element), types({kUnknown})) << element;
  }
  EXPECT_EQ(enabled_types(R"("schedule_settings":{"database_differential":{"is_enabled":1}},
                             "folders_backup_settings":{"backup_types":["folder"]})"),
            types({kDiff, kFolder}));
}

TEST(EnabledTypes, TheLastOfRepeatedMembersStands) {
  EXPECT_EQ(enabled_types(R"("schedule_settings":{"database_full":1},"schedule_settings":{})"),
            types({kFull}));
  EXPECT_EQ(enabled_types(R"("schedule_settings":{"database_full":1},
                             "schedule_settings":{"database_incremental":{"is_enabled":1}})"),
            types({kInc}));
  EXPECT_EQ(scheduled(R"("database_differential":{"is_enabled":1},"database_differential":null,
                         "database_incremental":{"is_enabled":1})"),
            types({kInc}));
  EXPECT_EQ(scheduled(R"("database_differential":{"is_enabled":1},"database_differential":{},
                         "database_incremental":{"is_enabled":1})"),
            types({kInc}));
  EXPECT_EQ(
      enabled_types(R"("folders_backup_settings":{"backup_types":["weekly"],"backup_types":["folder"]})"),
      types({kFolder}));
  EXPECT_EQ(
      enabled_types(R"("folders_backup_settings":{"backup_types":["folder"]},"folders_backup_settings":{})"),
      types({kFull}));
}

TEST(Retention, IsTheLargestOverTheDestinationsOfMonthsAndDays) {
  const JobSettings settings = decoded(decode_settings, data(R"("destinations":[
      {"full_backups_keep_months":1,"full_backups_keep_days":5,"inc_backups_keep_months":0,"inc_backups_keep_days":14},
      {"full_backups_keep_months":0,"full_backups_keep_days":90,"inc_backups_keep_months":0,"inc_backups_keep_days":7}])"));
  EXPECT_EQ(settings.full_retention_days, 90);
  EXPECT_EQ(settings.inc_retention_days, 14);
  EXPECT_EQ(settings.retention_days(kFull), 90);
  EXPECT_EQ(settings.retention_days(kDiff), 14);
  EXPECT_EQ(settings.retention_days(kLog), 14);
  EXPECT_EQ(settings.retention_days(kInc), 14);
  EXPECT_EQ(settings.retention_days(kFolder), 0);
  EXPECT_EQ(settings.retention_days(kUnknown), 0);
}

TEST(Retention, IsNoneWithoutDestinations) {
  for (const char* members :
       {"", R"("destinations":null)", R"("destinations":[])", R"("destinations":{})", R"("destinations":"")",
        R"("destinations":[{"full_backups_keep_days":9}],"destinations":0)"}) {
    EXPECT_EQ(decoded(decode_settings, data(members)).full_retention_days, 0) << members;
  }
}

TEST(Retention, DestinationsOfAnotherShapeAreUnknownNotNone) {
  EXPECT_THAT(refusal(decode_settings, data(R"("destinations":{"full_backups_keep_days":9})")),
              HasSubstr("`data.destinations` is an object instead of a list"));
  EXPECT_THAT(refusal(decode_settings, data(R"("destinations":"s3")")),
              HasSubstr("`data.destinations` is a string"));
  EXPECT_EQ(refusal(decode_settings, data(R"("destinations":"s3","destinations":[])")), "");
}

TEST(Retention, ReadsWhatIsANumberAndTakesTheRestForZero) {
  struct Case {
    std::string json;
    std::int64_t days;
  };
  const Case cases[] = {
      {"12", 12},
      {"3.9", 3},
      {"-3.9", -3},
      {"1e2", 100},
      {"true", 1},
      {"false", 0},
      {"null", 0},
      {R"("12")", 12},
      {R"(" 12 ")", 12},
      {R"("\t12\n")", 12},
      {R"("+12")", 12},
      {R"("-3")", -3},
      {R"("- 3")", 0},
      {R"("+-3")", 0},
      {R"("x")", 0},
      {R"("")", 0},
      {R"("+")", 0},
      {R"("3.9")", 0},
      {R"("1e2")", 0},
      {R"("1_000")", 0},
      {R"("0x10")", 0},
      {R"("12 days")", 0},
      {R"("007")", 7},
      {"[12]", 0},
      {"{}", 0},
      // An absurd number is cut, so that arithmetic with it is defined.
      {"10000000", 10'000'000},
      {"10000001", 10'000'000},
      {"-1e300", -10'000'000},
      {"1e400", 10'000'000},
      {"18446744073709551616", 10'000'000},
      {R"("99999999999999999999999")", 10'000'000},
      {R"("-99999999999999999999999")", -10'000'000},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(full_days(R"({"full_backups_keep_days":)" + c.json + "}"), c.days) << c.json;
    const std::int64_t as_months =
        std::clamp<std::int64_t>(c.days * 30, -kMaxRetentionDays, kMaxRetentionDays);
    EXPECT_EQ(full_days(R"({"full_backups_keep_months":)" + c.json + "}"), as_months) << c.json;
  }
}

TEST(Retention, MayBeNegative) {
  EXPECT_EQ(full_days(R"({"full_backups_keep_months":-1,"full_backups_keep_days":5})"), -25);
  EXPECT_EQ(full_days(R"({"full_backups_keep_days":-9},{"full_backups_keep_days":-4})"), -4);
  EXPECT_EQ(full_days(R"({"full_backups_keep_days":-9},{})"), 0);
}

TEST(Retention, TheLastOfRepeatedMembersStands) {
  EXPECT_EQ(full_days(R"({"full_backups_keep_days":9,"full_backups_keep_days":null})"), 0);
  EXPECT_EQ(decoded(decode_settings, data(R"("destinations":[{"full_backups_keep_days":9}],
                                            "destinations":[{"full_backups_keep_days":2}])"))
                .full_retention_days,
            2);
}

TEST(Retention, LeavesOutDestinationsThatAreNoObjects) {
  EXPECT_EQ(full_days(R"(null,7,{"full_backups_keep_days":-2},"s3",[{"full_backups_keep_days":9}])"), -2);
}

TEST(SettingsEnabled, UnderEitherNameByTruthiness) {
  const auto enabled = [](const std::string& members) {
    return decoded(decode_settings, data(members)).enabled;
  };
  EXPECT_EQ(enabled(""), std::nullopt);
  EXPECT_EQ(enabled(R"("is_enabled":false)"), false);
  EXPECT_EQ(enabled(R"("enabled":1)"), true);
  EXPECT_EQ(enabled(R"("enabled":true,"is_enabled":0)"), false);
  EXPECT_EQ(enabled(R"("is_enabled":null,"enabled":"no")"), true);
  EXPECT_EQ(enabled(R"("is_enabled":[])"), std::nullopt);
}

TEST(SettingsNotes, SayWhatWasNotRecognised) {
  Notes notes;
  decoded(decode_settings, data(R"("enabled":true,"is_enabled":{},
      "schedule_settings":{"database_differential":"on","database_incremental":false},
      "folders_backup_settings":{"backup_types":["weekly"]},
      "destinations":[7,{"full_backups_keep_days":"soon","inc_backups_keep_days":null}])"),
          &notes);
  for (const NotedField field : {NotedField::job_enabled, NotedField::schedule, NotedField::folder_types,
                                 NotedField::destination, NotedField::retention}) {
    EXPECT_EQ(notes.unrecognised.count(field), 1u) << name(field);
  }
  EXPECT_THAT(notes.fields.names(), ElementsAre("settings: enabled"));
}

TEST(Account, IsReadWhereItSays) {
  EXPECT_EQ(decoded(decode_account,
                    data(R"("email":"a@b.c","is_suspended":false,"created_at":1500000000000,"name":"x",
                                            "subscription":{"email":"no"})")),
            (AccountInfo{"a@b.c", false, EpochMs(1500000000000.0)}));
  EXPECT_EQ(decoded(decode_account, data("")), AccountInfo{});
  EXPECT_EQ(decoded(decode_account, data(R"("email":null,"is_suspended":null,"created_at":null)")),
            AccountInfo{});
  EXPECT_EQ(decoded(decode_account, data(R"("is_suspended":"false")")).suspended, true);
  EXPECT_EQ(decoded(decode_account, data(R"("is_suspended":0)")).suspended, false);
}

TEST(Account, NotesWhatWasNotRecognised) {
  Notes notes;
  EXPECT_EQ(decoded(decode_account, data(R"("email":["a"],"is_suspended":{},"created_at":"2017")"), &notes),
            AccountInfo{});
  EXPECT_EQ(notes.unrecognised.count(NotedField::account), 3u);
}

}  // namespace
}  // namespace sqlbak_gateway::sqlbak
