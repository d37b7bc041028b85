// /servers, /jobs, /jobruns: pages, ids, names, repeated rows.
#include "sqlbak/answers.h"
#include "sqlbak/field.h"
#include "sqlbak_gateway/base/text.h"

#include <string>
#include <vector>

namespace sqlbak_gateway::sqlbak {
namespace {

using namespace ::sqlbak_gateway::sqlbak::testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> run_ids(const std::string& rows) {
  std::vector<std::string> ids;
  for (const RunRow& row : decoded(decode_runs, page(rows)).rows) ids.push_back(row.id);
  return ids;
}

Server only_server(const std::string& row, Notes* notes = nullptr) {
  const auto servers = decoded(decode_servers, page(row), notes);
  EXPECT_EQ(servers.rows.size(), 1u) << row;
  return servers.rows.empty() ? Server{} : servers.rows[0];
}

Job only_job(const std::string& row, Notes* notes = nullptr) {
  const auto jobs = decoded(decode_jobs, page(row), notes);
  EXPECT_EQ(jobs.rows.size(), 1u) << row;
  return jobs.rows.empty() ? Job{} : jobs.rows[0];
}

TEST(Names, AreShortenedWhereTheyAreTooLong) {
  const std::string name(kMaxTextBytes, 'x');
  Notes notes;
  const auto row = [](const std::string& of) { return R"({"id":1,"name":")" + of + R"("})"; };
  EXPECT_EQ(only_job(row(name), &notes).name, name);
  EXPECT_EQ(notes.unrecognised.count(NotedField::job_name), 0u);
  EXPECT_EQ(only_job(row(name + "a"), &notes).name, shortened_to(name + "a", kMaxTextBytes));
  EXPECT_EQ(only_server(row(name + "b"), &notes).name, shortened_to(name + "b", kMaxTextBytes));
  EXPECT_EQ(notes.unrecognised.count(NotedField::job_name), 1u);
  EXPECT_EQ(notes.unrecognised.count(NotedField::server_name), 1u);
}

TEST(Page, AListThatIsMissingOrFalsyIsEmpty) {
  for (const char* members :
       {"", R"("list":null)", R"("list":[])", R"("list":{})", R"("list":"")", R"("list":0)", R"("list":0.0)",
        R"("list":false)", R"("list":[{"id":1}],"list":null)", R"("list":{"id":1},"list":[])"}) {
    EXPECT_THAT(decoded(decode_runs, data(members)).rows, IsEmpty()) << members;
    EXPECT_EQ(decoded(decode_runs, data(members)).elements, 0u) << members;
  }
}

TEST(Page, AListOfAnotherShapeIsUnknownNotEmpty) {
  struct Case {
    std::string members;
    std::string message;
  };
  const Case cases[] = {
      {R"("list":{"id":1})", "`data.list` is an object instead of a list"},
      {R"("list":"none")", "`data.list` is a string instead of a list"},
      {R"("list":1)", "`data.list` is a number instead of a list"},
      {R"("list":true)", "`data.list` is a boolean instead of a list"},
      {R"("list":[],"list":{"0":{}})", "`data.list` is an object instead of a list"},
  };
  for (const Case& c : cases) {
    EXPECT_THAT(refusal(decode_servers, data(c.members)), HasSubstr(c.message));
    EXPECT_THAT(refusal(decode_jobs, data(c.members)), HasSubstr(c.message));
    EXPECT_THAT(refusal(decode_runs, data(c.members)), HasSubstr(c.message));
  }
}

TEST(Page, HasMoreByTruthiness) {
  for (const char* value : {"true", "1", "-1", "0.5", R"("false")", R"("0")", R"(" ")", "[0]", "[[]]", "[{}]",
                            R"({"a":null})", "1e400"}) {
    EXPECT_TRUE(decoded(decode_jobs, data(std::string(R"("has_more":)") + value)).has_more) << value;
  }
  for (const char* value : {"false", "0", "-0", "0.0", "0e9", "1e-400", R"("")", "null", "[]", "{}"}) {
    EXPECT_FALSE(decoded(decode_jobs, data(std::string(R"("has_more":)") + value)).has_more) << value;
  }
  EXPECT_FALSE(decoded(decode_jobs, data("")).has_more);
  EXPECT_FALSE(decoded(decode_jobs, data(R"("has_more":true,"has_more":false)")).has_more);
}

TEST(Page, TotalIsANumberOrNothing) {
  const auto total = [](const std::string& value) {
    return decoded(decode_jobs, data(R"("total":)" + value)).total;
  };
  EXPECT_EQ(total("0"), 0u);
  EXPECT_EQ(total("672"), 672u);
  EXPECT_EQ(total("672.0"), 672u);
  EXPECT_EQ(total("18446744073709551615"), 18446744073709551615u);
  for (const char* value :
       {"null", "-1", "-0.5", R"("672")", "true", "[]", "1e300", "1e400", "18446744073709551616"}) {
    EXPECT_EQ(total(value), std::nullopt) << value;
  }
  EXPECT_EQ(decoded(decode_jobs, data("")).total, std::nullopt);
}

TEST(Page, CountsEveryElementOfTheList) {
  const auto jobs = decoded(decode_jobs, page(R"({"id":1},{"id":1},{},null,7)"));
  EXPECT_EQ(jobs.elements, 5u);
  EXPECT_EQ(jobs.rows.size(), 1u);
}

TEST(Page, HasABoundedNumberOfElements) {
  std::string rows = "{}";
  for (std::size_t i = 1; i < kMaxPageElements; ++i) rows += ",{}";
  EXPECT_EQ(refusal(decode_servers, page(rows)), "");
  EXPECT_THAT(refusal(decode_servers, page(rows + ",{}")), HasSubstr("more than 100000 elements"));
  EXPECT_THAT(refusal(decode_servers, page(rows + ",0")), HasSubstr("more than 100000 elements"));
}

TEST(Ids, AreTheTextOfTheJson) {
  struct Case {
    std::string json;
    std::string id;
  };
  const Case cases[] = {
      {"42", "42"},
      {"-7", "-7"},
      {R"("42")", "42"},
      {R"("042")", "042"},
      {R"(" a b ")", " a b "},
      {R"("0")", "0"},
      {R"("null")", "null"},
      {"42.0", "42"},
      {"42.50", "42.50"},
      {"42.5", "42.5"},
      {"-42.5", "-42.5"},
      {"-42.0", "-42"},
      {"1e3", "1000"},
      {"1E+3", "1000"},
      {"1.5e3", "1500"},
      {"1500e-2", "15"},
      {"1501e-2", "1501e-2"},
      {"0.001e3", "1"},
      {"0.5", "0.5"},
      {"9007199254740993", "9007199254740993"},
      {"9007199254740993.0", "9007199254740993"},
      {"9223372036854775808", "9223372036854775808"},
      {"-9223372036854775808", "-9223372036854775808"},
      {"18446744073709551615", "18446744073709551615"},
      {"18446744073709551616", "18446744073709551616"},
      {"-9223372036854775809", "-9223372036854775809"},
      {"123456789012345678901234567890", "123456789012345678901234567890"},
      {std::string(400, '9'), std::string(400, '9')},
      {"1e20", "100000000000000000000"},
      {"1e400", "1e400"},  // written out, a short number would be long
      {"true", "true"},
  };
  for (const Case& c : cases) EXPECT_THAT(run_ids(R"({"id":)" + c.json + "}"), ElementsAre(c.id)) << c.json;
}

TEST(Ids, JobsAndRunsWithoutATrueOneAreSkippedAndNoted) {
  for (const char* row :
       {"{}", R"({"id":null})", R"({"id":0})", R"({"id":-0})", R"({"id":0.0})", R"({"id":""})",
        R"({"id":false})", R"({"id":[]})", R"({"id":{}})", R"({"id":1,"id":null})"}) {
    Notes notes;
    EXPECT_THAT(decoded(decode_runs, page(row), &notes).rows, IsEmpty()) << row;
    EXPECT_EQ(notes.unrecognised.count(NotedField::run_id), 1u) << row;
    EXPECT_THAT(decoded(decode_jobs, page(row), &notes).rows, IsEmpty()) << row;
    EXPECT_EQ(notes.unrecognised.count(NotedField::job_id), 1u) << row;
  }
}

TEST(Ids, ThatAreObjectsOrListsCannotBeAskedFor) {
  for (const char* id : {"[1]", R"({"id":1})", "[[]]"}) {
    Notes notes;
    EXPECT_THAT(decoded(decode_jobs, page(std::string(R"({"id":)") + id + "}"), &notes).rows, IsEmpty())
        << id;
    EXPECT_EQ(notes.unrecognised.count(NotedField::job_id), 1u) << id;
  }
}

TEST(Rows, WithAnIdSeenBeforeReplaceTheEarlierInItsPlace) {
  const auto jobs =
      decoded(decode_jobs, page(R"({"id":2,"name":"a"},{"id":1,"name":"b"},{"id":"2","name":"c"},
      {"id":3,"name":"d"},{"id":2.0,"name":"e"},{"id":3})"));
  ASSERT_EQ(jobs.rows.size(), 3u);
  EXPECT_EQ(jobs.rows[0].id, "2");
  EXPECT_EQ(jobs.rows[0].name, "e");
  EXPECT_EQ(jobs.rows[1].name, "b");
  EXPECT_EQ(jobs.rows[2].id, "3");
  EXPECT_EQ(jobs.rows[2].name, "unknown");
  EXPECT_EQ(jobs.elements, 6u);
}

TEST(Rows, KeepTheOrderOfTheList) {
  EXPECT_THAT(run_ids(R"({"id":3},{"id":10},{"id":2},{"id":10})"), ElementsAre("3", "10", "2"));
  EXPECT_THAT(run_ids(R"({"id":1},{"id":1},{"id":1})"), ElementsAre("1"));
}

TEST(Rows, ThatAreNoObjectsAreLeftOutAndNoted) {
  Notes notes;
  EXPECT_THAT(decoded(decode_servers, page(R"(null,1,"x",[{"id":1}],true)"), &notes).rows, IsEmpty());
  EXPECT_EQ(notes.unrecognised.count(NotedField::server_row), 5u);
  EXPECT_EQ(notes.unrecognised.entries()[0].sample, "null");
}

TEST(Servers, AreReadWithTheContractsSubstitutes) {
  EXPECT_EQ(
      only_server(R"({"id":7,"name":"SQL-1","app_type":"sqlbak_linux","status":"online","os":{"name":"x"}})"),
      (Server{"7", "SQL-1", "sqlbak_linux", "online"}));
  EXPECT_EQ(only_server("{}"), (Server{"", "unknown", "unknown", ""}));
  EXPECT_EQ(only_server(R"({"id":null,"name":null,"app_type":null,"status":null})"),
            (Server{"", "unknown", "unknown", ""}));
  EXPECT_EQ(only_server(R"({"id":"","name":"","app_type":"","status":""})"), (Server{"", "", "", ""}));
  EXPECT_EQ(only_server(R"({"id":0,"name":42,"app_type":4.0,"status":1})"), (Server{"0", "42", "4", "1"}));
  EXPECT_EQ(only_server(R"({"id":false,"name":true,"app_type":false,"status":true})"),
            (Server{"false", "true", "false", "true"}));
  EXPECT_EQ(only_server(R"({"name":"a","name":null})").name, "unknown");
}

TEST(Servers, StatusIsTrimmedAndLowerCased) {
  EXPECT_TRUE(only_server(R"({"status":" \tOnLine\r\n"})").online());
  EXPECT_EQ(only_server(R"({"status":" DISCONNECTED"})").status, "disconnected");
  EXPECT_FALSE(only_server(R"({"status":"on line"})").online());
}

TEST(Servers, WithoutAnIdAreNeverTheSame) {
  const auto servers =
      decoded(decode_servers,
              page(R"({"name":"a"},{"id":null,"name":"b"},{"id":5,"name":"c"},{"name":"a"},{"id":5})"));
  ASSERT_EQ(servers.rows.size(), 4u);
  EXPECT_EQ(servers.rows[1].name, "b");
  EXPECT_EQ(servers.rows[2].name, "unknown");
  EXPECT_EQ(servers.rows[3].name, "a");
}

TEST(Servers, NoteWhatIsNotRecognised) {
  Notes notes;
  const Server server =
      only_server(R"({"id":[1],"name":{"a":1},"app_type":[],"status":" Rebooting"})", &notes);
  EXPECT_EQ(server, (Server{"", "unknown", "unknown", "rebooting"}));
  EXPECT_EQ(notes.unrecognised.count(NotedField::server_id), 1u);
  EXPECT_EQ(notes.unrecognised.count(NotedField::server_name), 2u);
  EXPECT_EQ(notes.unrecognised.count(NotedField::server_status), 1u);
  Notes none;
  only_server(R"({"id":1,"name":"x","app_type":"y","status":"Offline"})", &none);
  EXPECT_TRUE(none.unrecognised.empty());
}

TEST(Jobs, AreReadWithTheContractsSubstitutes) {
  EXPECT_EQ(only_job(R"({"id":9,"name":"Nightly","server_id":7})"), (Job{"9", "Nightly", "7", "", {}, {}}));
  EXPECT_EQ(only_job(R"({"id":9})"), (Job{"9", "unknown", "", "", {}, {}}));
  EXPECT_EQ(only_job(R"({"id":9,"name":null,"server_id":null})"), (Job{"9", "unknown", "", "", {}, {}}));
  EXPECT_EQ(only_job(R"({"id":9,"name":"","server_id":0})"), (Job{"9", "", "0", "", {}, {}}));
  EXPECT_EQ(only_job(R"({"id":9,"server_id":"7"})").server_id, "7");
  EXPECT_EQ(only_job(R"({"id":9,"server_id":7.0})").server_id, "7");
  EXPECT_EQ(only_job(R"({"id":9,"server_id":{"id":7}})").server_id, "");
  EXPECT_EQ(only_job(R"({"id":9,"name":"a\"b\\c\nd"})").name, "a\"b\\c\nd");
}

TEST(Jobs, SayTheirTypeUnderEitherName) {
  const auto type = [](const std::string& members) { return only_job(R"({"id":9,)" + members + "}").type; };
  EXPECT_EQ(type(R"("job_type":" Backup ")"), "backup");
  EXPECT_EQ(type(R"("type":"maintenance")"), "maintenance");
  EXPECT_EQ(type(R"("type":"maintenance","job_type":"backup")"), "backup");
  EXPECT_EQ(type(R"("job_type":null,"type":"maintenance")"), "maintenance");
  EXPECT_EQ(type(R"("job_type":"backup","job_type":null)"), std::nullopt);
  for (const char* value : {"null", R"("")", R"("  ")", "[]", R"({"a":1})"}) {
    EXPECT_EQ(type(std::string(R"("job_type":)") + value), std::nullopt) << value;
  }
}

TEST(Jobs, SayWhetherTheyAreEnabledByTruthiness) {
  const auto enabled = [](const std::string& members) {
    return only_job(R"({"id":9,)" + members + "}").enabled;
  };
  EXPECT_EQ(enabled(R"("is_enabled":true)"), true);
  EXPECT_EQ(enabled(R"("enabled":false)"), false);
  EXPECT_EQ(enabled(R"("enabled":0)"), false);
  EXPECT_EQ(enabled(R"("enabled":"")"), false);
  EXPECT_EQ(enabled(R"("enabled":"false")"), true);
  EXPECT_EQ(enabled(R"("enabled":true,"is_enabled":false)"), false);
  EXPECT_EQ(enabled(R"("is_enabled":null,"enabled":true)"), true);
  EXPECT_EQ(enabled(R"("is_enabled":null)"), std::nullopt);
  EXPECT_EQ(enabled(R"("is_enabled":{})"), std::nullopt);
}

TEST(Jobs, ReportWhichPlausibleNamesTheyHave) {
  Notes notes;
  only_job(R"({"id":9,"type":"backup","is_enabled":false,"enabled":null})", &notes);
  EXPECT_THAT(notes.fields.names(), ElementsAre("jobs: type", "jobs: is_enabled"));
}

TEST(Runs, AreKnownByTheirIdsAlone) {
  Notes notes;
  const auto runs =
      decoded(decode_runs,
              page(R"({"id":5,"started_at":"2026-01-14","finished_at":"soon","status":"vanished"})"), &notes);
  EXPECT_THAT(runs.rows, ElementsAre(RunRow{"5"}));
  EXPECT_TRUE(notes.unrecognised.empty()) << "nobody is told of values that nothing is made of";
}

}  // namespace
}  // namespace sqlbak_gateway::sqlbak
