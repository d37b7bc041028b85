// What a collection reads, and what happens if it cannot read something.
#include "sqlbak/collected_account.h"
#include "sqlbak/endpoints.h"

#include <functional>
#include <string>
#include <tuple>
#include <utility>

namespace sqlbak_gateway::sqlbak {
namespace {

using ::testing::Contains;
using testing::Days;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Hours;
using testing::Id;
using ::testing::IsEmpty;
using testing::minutes;
using ::testing::Not;
using ::testing::SizeIs;

using CollectionReading = testing::CollectedAccount;

// --- The initial collection ---

TEST_F(CollectionReading, ReadsServersJobsSettingsAndEveryRun) {
  const Id erp = add_job("ERP", 14);
  add_run(erp, Hours(30));
  add_run(erp, Hours(6), {.status = "failed"});
  add_job("CRM");

  const CollectionOutcome outcome = collect();

  ASSERT_FALSE(outcome.failure);
  EXPECT_FALSE(outcome.partial());
  EXPECT_EQ(outcome.snapshot->collected_at, kNow);
  EXPECT_THAT(outcome.snapshot->servers, ElementsAre(Server{"1", "sql", "sqlbak_windows", "online"}));
  EXPECT_EQ(job(outcome, "ERP").job.server_name, "sql");
  EXPECT_EQ(job(outcome, "ERP").settings->full_retention_days, 14);
  EXPECT_THAT(ages(job(outcome, "ERP")), ElementsAre(30, 6));
  EXPECT_THAT(job(outcome, "CRM").runs->tallies, IsEmpty());
  EXPECT_TRUE(outcome.snapshot->jobruns_available);
  EXPECT_TRUE(outcome.snapshot->jobsettings_available);
  EXPECT_EQ(outcome.snapshot->info->email, "backup@acme.example");
  // These are /me, two lists, two jobs with settings and a list each, and two runs.
  EXPECT_EQ(requests(), 1u + 2 + 2 * 2 + 2);
}

TEST_F(CollectionReading, AsksForRunsOfTheWindowAndADayMore) {
  add_job("month", 30);  // its window is a week more
  add_job("lookback");
  plan_.lookback = Hours(240);
  collect();
  const auto asked = [](SystemTime after) {
    return "started_after=" + std::to_string(after.time_since_epoch().count()) + "&";
  };
  EXPECT_THAT(targets("jobruns"),
              ElementsAre(HasSubstr(asked(kNow - Days(38))), HasSubstr(asked(kNow - Days(11)))));
}

TEST_F(CollectionReading, NeverAsksForRunsFromBefore1970) {
  add_job("ages", 30'000);
  collect();
  EXPECT_THAT(targets("jobruns"), ElementsAre(HasSubstr("started_after=0&")));
}

TEST_F(CollectionReading, KeepsRunsAsLongAsMaxAgeNeedsThem) {
  const Id job_id = add_job("weekly");
  add_run(job_id, Days(20));
  add_run(job_id, Days(8));
  EXPECT_THAT(ages(job(collect(), "weekly")), IsEmpty());

  memory_.reset();
  plan_.first_reach = [](const Job& job) {
    return job.name == "weekly" ? Duration(Days(21)) : Duration::zero();
  };
  EXPECT_THAT(ages(job(collect(), "weekly")), ElementsAre(20 * 24, 8 * 24));
}

TEST_F(CollectionReading, ReadsPageAfterPage) {
  turn("page_size=2");
  const Id job_id = add_job("job-1");
  for (int i = 1; i <= 5; ++i) add_run(job_id, Hours(i));
  for (int i = 2; i <= 5; ++i) add_job("job-" + std::to_string(i));
  const CollectionOutcome outcome = collect();
  EXPECT_THAT(outcome.snapshot->jobs, SizeIs(5));
  EXPECT_THAT(ages(job(outcome, "job-1")), ElementsAre(5, 4, 3, 2, 1));
  EXPECT_EQ(requests("jobs"), 3u);
}

TEST_F(CollectionReading, EndsAListAtAPageThatBringsNothingNew) {
  turn("page_size=2");
  for (int i = 1; i <= 5; ++i) add_job("job-" + std::to_string(i));
  fail_with("endpoint=jobs,endless=on");
  EXPECT_THAT(collect().snapshot->jobs, SizeIs(5));
  EXPECT_EQ(requests("jobs"), 4u);
}

TEST_F(CollectionReading, TakesTheLaterOfTwoRowsWithOneId) {
  turn("page_size=1");
  const Id first = add_job("first");
  const Id second = add_job("second");
  change([&](simulator::Account& account) {
    account.patch(
        simulator::Account::Row::job, second,
        nlohmann::json::parse(R"([{"op":"replace","path":"/id","value":)" + std::to_string(first) + "}]"));
  });
  const CollectionOutcome outcome = collect();
  ASSERT_THAT(outcome.snapshot->jobs, SizeIs(1));
  EXPECT_EQ(outcome.snapshot->jobs[0]->job.name, "second");
}

TEST_F(CollectionReading, KeepsRunsWithoutAStartWhileTheyAreListed) {
  const Id job_id = add_job("job");
  const Id run = change([&](simulator::Account& account) { return account.add_run(job_id, std::nullopt); });
  EXPECT_THAT(job(collect(), "job").runs->tallies, SizeIs(1));
  EXPECT_THAT(job(collect(), "job").runs->tallies, SizeIs(1));
  change([&](simulator::Account& account) { account.run(run).unlisted = true; });
  EXPECT_THAT(job(collect(), "job").runs->tallies, IsEmpty());
}

TEST_F(CollectionReading, SkipsIdsThatAreNoLongerIds) {
  const Id monster = add_job("monster");
  add_job("job");
  change([&](simulator::Account& account) {
    account.patch(simulator::Account::Row::job, monster,
                  {{{"op", "replace"}, {"path", "/id"}, {"value", std::string(kMaxIdBytes + 1, 'x')}}});
  });
  const CollectionOutcome outcome = collect();
  EXPECT_THAT(outcome.snapshot->jobs, SizeIs(1));
  EXPECT_EQ(outcome.unrecognised.count(NotedField::job_id), 1u);
}

// --- Lists whose rows move while their pages are read ---

class AListThatMoves : public CollectionReading {
 protected:
  // Five jobs are on three pages. A row that slips out leaves four, on two pages.
  AListThatMoves() {
    turn("page_size=2");
    for (int i = 1; i <= 5; ++i) ids_.push_back(add_job("job-" + std::to_string(i)));
  }
  // The fault applies to one request for a page of jobs, counted from 1.
  void strike(int request, const std::string& fault) {
    fail_with("endpoint=jobs,first=1,skip=" + std::to_string(request - 1) + "," + fault);
  }
  static std::vector<std::string> names(const CollectionOutcome& outcome) {
    std::vector<std::string> names;
    for (const auto& job : outcome.snapshot->jobs) names.push_back(job->job.name);
    std::ranges::sort(names);
    return names;
  }
  std::vector<Id> ids_;
};

const auto kAllFive = ElementsAre("job-1", "job-2", "job-3", "job-4", "job-5");

TEST_F(AListThatMoves, IsReadOnceMore) {
  strike(2, "shift=-1");  // job-3 slips onto the page before, which has been read
  EXPECT_THAT(names(collect()), kAllFive);
  EXPECT_EQ(requests("jobs"), 5u);
  heal();
  EXPECT_THAT(names(collect()), kAllFive);
  EXPECT_EQ(requests("jobs"), 3u);
}

TEST_F(AListThatMoves, IsReadOnceMoreForARowThatComesTwice) {
  turn("total=off");
  strike(2, "shift=1");
  EXPECT_THAT(names(collect()), kAllFive);
  EXPECT_EQ(requests("jobs"), 6u);
}

TEST_F(AListThatMoves, IsReadOnceMoreWhereAKnownRowIsMissing) {
  turn("total=off");
  collect();
  strike(2, "shift=-1");
  EXPECT_THAT(names(collect()), kAllFive);
  EXPECT_EQ(requests("jobs"), 5u);
}

TEST_F(AListThatMoves, MissesOnlyWhatBothReadingsMiss) {
  strike(3, "shift=-1");  // the first reading misses job-5 …
  strike(5, "shift=-1");  // … and the second job-3
  EXPECT_THAT(names(collect()), kAllFive);
  EXPECT_EQ(requests("jobs"), 5u);
}

TEST_F(AListThatMoves, IsNotReadAThirdTime) {
  fail_with("endpoint=jobs,shift=-1");
  EXPECT_THAT(names(collect()), ElementsAre("job-1", "job-2", "job-4", "job-5"));
  EXPECT_EQ(requests("jobs"), 2u * 2);
}

TEST_F(AListThatMoves, DoesNotKeepAJobThatWasDeleted) {
  collect();
  change([&](simulator::Account& account) { account.remove_job(ids_[1]); });
  EXPECT_THAT(names(collect()), ElementsAre("job-1", "job-3", "job-4", "job-5"));
  EXPECT_EQ(requests("jobs"), 2u * 2);
  EXPECT_THAT(names(collect()), SizeIs(4));
  EXPECT_EQ(requests("jobs"), 2u);
}

TEST_F(AListThatMoves, IsReadOnceMoreForAServerToo) {
  turn("total=off");
  change([](simulator::Account& account) {
    for (const char* name : {"sql-2", "sql-3", "sql-4"}) account.add_server({.name = name});
  });
  collect();
  EXPECT_EQ(requests("servers"), 2u);
  fail_with("endpoint=servers,shift=-1,skip=1,first=1");
  EXPECT_THAT(collect().snapshot->servers, SizeIs(4));
  EXPECT_EQ(requests("servers"), 4u);
  heal();
  collect();
  EXPECT_EQ(requests("servers"), 2u);
}

TEST_F(CollectionReading, AListOfOnePageIsNotReadTwice) {
  const Id first = add_job("first");
  add_job("second");
  collect();
  change([&](simulator::Account& account) { account.remove_job(first); });
  EXPECT_THAT(collect().snapshot->jobs, SizeIs(1));
  EXPECT_EQ(requests("jobs"), 1u);
}

// An account whose list of servers is given by the test.
struct ListedServers {
  std::size_t rows = 0;
  std::size_t requests = 0;
};
ListedServers listed_servers(const Clock& clock,
                             const std::function<std::string(bool first_page)>& members_of_page) {
  Collection collection({}, nullptr);
  ListedServers listed;
  const auto api = [&](const Request& request) {
    if (request.endpoint != Endpoint::servers) return Answer{200, R"({"data":{"list":[]}})", {}};
    ++listed.requests;
    return Answer{200, "{\"data\":{" + members_of_page(request.target == servers_target(1)) + "}}", {}};
  };
  sqlbak_gateway::testing::drive(collection, api, clock);
  listed.rows = collection.finish().snapshot->servers.size();
  return listed;
}

TEST_F(CollectionReading, AListShorterThanItsTotalIsReadOnceMore) {
  bool moved = true;
  const ListedServers listed = listed_servers(clock_, [&](bool first_page) -> std::string {
    if (first_page) return R"("list":[{"id":1},{"id":2}],"has_more":true,"total":4)";
    return std::exchange(moved, false) ? R"("list":[{"id":4}],"total":4)"
                                       : R"("list":[{"id":3},{"id":4}],"total":4)";
  });
  EXPECT_EQ(listed.rows, 4u);
  EXPECT_EQ(listed.requests, 4u);
}

TEST_F(CollectionReading, EndsAListWhoseApiIgnoresThePage) {
  const ListedServers listed = listed_servers(clock_, [](bool) {
    return R"("list":[{"id":1},{"id":2},{"name":"no id"}],"has_more":true,"total":9)";
  });
  EXPECT_EQ(listed.rows, 3u);
  EXPECT_LE(listed.requests, 4u);
}

TEST_F(CollectionReading, CountsServersWithoutAnIdOnceInARepeatedList) {
  const ListedServers listed = listed_servers(clock_, [](bool first_page) {
    return first_page ? R"("list":[{"id":1},{"name":"no id"}],"has_more":true)"
                      : R"("list":[{"id":1},{"id":2},{"name":"no id"}])";
  });
  EXPECT_EQ(listed.rows, 4u);
  EXPECT_EQ(listed.requests, 4u);
}

// --- Unreadable answers ---

TEST_F(CollectionReading, FailsWhenAListCannotBeReadCompletely) {
  turn("page_size=2");
  for (int i = 1; i <= 3; ++i) add_job("job-" + std::to_string(i));
  fail_with("endpoint=jobs,status=500,skip=1");
  const CollectionOutcome outcome = collect();
  ASSERT_TRUE(outcome.failure);
  EXPECT_EQ(outcome.failure->reason, FailureReason::upstream_error);
  EXPECT_THAT(outcome.failure->message, HasSubstr("jobs, page 2"));
  EXPECT_EQ(outcome.snapshot, nullptr);
  EXPECT_EQ(up(outcome, Endpoint::jobs), false);
  EXPECT_EQ(up(outcome, Endpoint::servers), true);
}

TEST_F(CollectionReading, FailsWhenAListIsNoList) {
  fail_with("endpoint=servers,body=malformed");
  EXPECT_EQ(collect().failure->reason, FailureReason::bad_response);
}

TEST_F(CollectionReading, FailsWhenAListNeverEnds) {
  Collection collection({}, nullptr);
  const auto endless = [](const Request& request) {
    Answer answer{200, R"({"data":{"list":[],"has_more":false}})", {}};
    if (request.endpoint == Endpoint::jobs) {
      answer.body = R"({"data":{"list":[)";
      for (std::size_t i = 0; i < kPageSize; ++i) {
        answer.body += R"({"id":")" + request.target + "-" + std::to_string(i) + R"("},)";
      }
      answer.body += R"({"id":"last of )" + request.target + R"("}],"has_more":true}})";
    }
    return answer;
  };
  const auto asked = sqlbak_gateway::testing::drive(collection, endless, clock_);
  EXPECT_THAT(collection.finish().failure->message, HasSubstr("longer than 20000 rows"));
  EXPECT_LE(asked, kMaxServers / kPageSize + 3);
}

TEST_F(CollectionReading, StopsAtOnceWhenTheTokenIsRefused) {
  for (int i = 1; i <= 20; ++i) add_run(add_job("job-" + std::to_string(i)), Hours(1));
  fail_with("endpoint=jobrun_details,status=403,skip=3");
  const CollectionOutcome outcome = collect({.max_in_flight = 1, .before_answer = {}});
  EXPECT_EQ(outcome.failure->reason, FailureReason::auth);
  EXPECT_EQ(outcome.snapshot, nullptr);
  EXPECT_EQ(requests("jobrun_details"), 4u);
}

TEST_F(CollectionReading, AMeThatIsForbiddenFailsNothing) {
  add_run(add_job("job"), Hours(1));
  for (const char* forbidden : {"endpoint=me,status=403", "endpoint=me,status=403,body=html"}) {
    fail_with(forbidden);
    memory_.reset();
    const CollectionOutcome outcome = collect();
    ASSERT_FALSE(outcome.failure) << forbidden;
    EXPECT_FALSE(outcome.partial());
    EXPECT_EQ(up(outcome, Endpoint::me), false);
    EXPECT_EQ(outcome.snapshot->info, std::nullopt);
    EXPECT_THAT(ages(job(outcome, "job")), ElementsAre(1));
    heal();
  }
}

TEST_F(CollectionReading, TellsHowFarTheApisClockIsAhead) {
  add_job("job");
  using std::chrono::milliseconds;
  using std::chrono::seconds;
  const auto collected = [&](std::optional<milliseconds> ahead, milliseconds delay_of_the_first = {}) {
    Collection collection(plan_, nullptr);
    const auto api = [&](const Request& request) {
      Answer answer = sqlbak_gateway::testing::answer_of(simulator_, token_, request.target);
      if (ahead) answer.server_date = clock_.system_now() + *ahead - delay_of_the_first;
      delay_of_the_first = {};
      return answer;
    };
    sqlbak_gateway::testing::drive(collection, api, clock_);
    return collection.finish();
  };
  EXPECT_EQ(collected(std::nullopt).api_clock_ahead, std::nullopt);
  EXPECT_EQ(collected(std::nullopt).snapshot->api_clock_ahead, minutes(0));
  EXPECT_EQ(collected(milliseconds(1500)).api_clock_ahead, milliseconds(1500));
  EXPECT_EQ(collected(seconds(89)).snapshot->api_clock_ahead, minutes(0)) << "they agree";
  EXPECT_EQ(collected(seconds(-89)).snapshot->api_clock_ahead, minutes(0)) << "they agree";
  EXPECT_EQ(collected(Hours(3) + seconds(20)).snapshot->api_clock_ahead, minutes(180));
  EXPECT_EQ(collected(-Hours(3)).snapshot->api_clock_ahead, minutes(-180));
  EXPECT_EQ(collected(milliseconds(0), minutes(5)).snapshot->api_clock_ahead, minutes(0));
}

TEST_F(CollectionReading, NoIdBelongsToNothing) {
  add_job("on sql");
  add_job("on none");
  change([](simulator::Account& account) {
    account.add_server({.name = "without an id"});
    using Row = simulator::Account::Row;
    account.patch(Row::server, 2, nlohmann::json::parse(R"([{"op":"remove","path":"/id"}])"));
    account.patch(Row::job, 102,
                  nlohmann::json::parse(R"([{"op":"replace","path":"/server_id","value":null}])"));
  });
  const CollectionOutcome outcome = collect();
  EXPECT_EQ(job(outcome, "on sql").job.server_name, "sql");
  EXPECT_EQ(job(outcome, "on none").job.server_name, "unknown");
  EXPECT_EQ(job(outcome, "on none").job.server_id, "");
}

TEST_F(CollectionReading, WithoutSettingsThereAreNone) {
  add_run(add_job("job"), Hours(1));
  fail_with("endpoint=settings,status=500");
  const CollectionOutcome outcome = collect();
  EXPECT_FALSE(outcome.failure);
  EXPECT_TRUE(outcome.partial());
  EXPECT_FALSE(outcome.snapshot->jobsettings_available);
  EXPECT_EQ(job(outcome, "job").settings, nullptr);
  EXPECT_FALSE(job(outcome, "job").settings_current);
  EXPECT_THAT(ages(job(outcome, "job")), ElementsAre(1));
}

TEST_F(CollectionReading, KeepsTheLastGoodSettings) {
  add_job("job", 14);
  collect();
  fail_with("endpoint=settings,status=500");
  pass(Hours(1));
  const CollectionOutcome outcome = collect();
  EXPECT_FALSE(outcome.snapshot->jobsettings_available);
  EXPECT_EQ(outcome.snapshot->jobs_unreadable, 1u);
  EXPECT_EQ(job(outcome, "job").settings->full_retention_days, 14);
}

TEST_F(CollectionReading, WithoutAListRunsAreUnknownOrTheLastGoodOnes) {
  add_run(add_job("job"), Hours(1));
  fail_with("endpoint=jobruns,status=500");
  const CollectionOutcome first = collect();
  EXPECT_EQ(job(first, "job").runs, nullptr);
  EXPECT_EQ(job(first, "job").remembered->first_seen, EpochMs(kNow));
  EXPECT_FALSE(first.snapshot->jobruns_available);
  EXPECT_EQ(first.snapshot->jobs_unreadable, 1u);

  heal();
  collect();
  fail_with("endpoint=jobruns,status=500");
  pass(Hours(1));
  const CollectionOutcome last = collect();
  EXPECT_THAT(ages(job(last, "job")), ElementsAre(2));
  EXPECT_FALSE(job(last, "job").runs_current);
}

TEST_F(CollectionReading, LeavesOutARunThatCannotBeReadAndSaysSo) {
  const Id job_id = add_job("job");
  add_run(job_id, Hours(2));
  const Id bad = add_run(job_id, Hours(1));
  fail_with("path=/jobruns/" + std::to_string(bad) + ",body=malformed");
  const CollectionOutcome outcome = collect();
  EXPECT_FALSE(outcome.partial());
  EXPECT_FALSE(outcome.snapshot->jobruns_available);
  EXPECT_THAT(ages(job(outcome, "job")), ElementsAre(2));

  heal();
  const CollectionOutcome next = collect();
  EXPECT_TRUE(next.snapshot->jobruns_available);
  EXPECT_THAT(ages(job(next, "job")), ElementsAre(2, 1));
}

// It must not look like a job without a backup in its window.
TEST_F(CollectionReading, AJobWithNoReadableRunIsUnknown) {
  const Id job_id = add_job("job");
  add_run(job_id, Hours(2));
  fail_with("endpoint=jobrun_details,status=500");
  for (int i = 0; i < 2; ++i) {
    const CollectionOutcome outcome = collect();
    EXPECT_FALSE(outcome.snapshot->jobruns_available);
    EXPECT_EQ(job(outcome, "job").runs, nullptr);
  }
  fail_with("endpoint=jobruns,status=500");
  EXPECT_EQ(job(collect(), "job").runs, nullptr);

  heal();
  EXPECT_THAT(ages(job(collect(), "job")), ElementsAre(2));
}

TEST_F(CollectionReading, KeepsTheLastGoodDetailsOfARun) {
  const Id job_id = add_job("job");
  const Id run = add_run(job_id, minutes(5), {.status = "running", .open = true});
  collect();
  fail_with("path=/jobruns/" + std::to_string(run) + ",status=500");
  const CollectionOutcome outcome = collect();
  EXPECT_FALSE(outcome.snapshot->jobruns_available);
  ASSERT_THAT(job(outcome, "job").runs->tallies, SizeIs(1));
  EXPECT_EQ(job(outcome, "job").runs->tallies[0].other, 1u);
}

class AnEndpoint : public CollectionReading,
                   public ::testing::WithParamInterface<std::tuple<Endpoint, const char*>> {};
INSTANTIATE_TEST_SUITE_P(With, AnEndpoint,
                         ::testing::Combine(::testing::ValuesIn(kEndpoints),
                                            ::testing::Values("status=500", "body=malformed")));

TEST_P(AnEndpoint, IsDownAsLongAsItsAnswersCannotBeUsed) {
  const auto& [endpoint, fault] = GetParam();
  const auto up = [this, i = static_cast<std::size_t>(endpoint)] { return collect().endpoint_up[i]; };
  add_run(add_job("job"), Hours(1));
  fail_with("endpoint=" + std::string(name(endpoint)) + "," + fault);
  EXPECT_EQ(up(), false);
  heal();
  pass(Hours(2));
  EXPECT_EQ(up(), true);
}

class AnUnreadableRun : public CollectionReading, public ::testing::WithParamInterface<const char*> {};
INSTANTIATE_TEST_SUITE_P(With, AnUnreadableRun,
                         ::testing::Values("status=500", "body=malformed", "close=before"));

TEST_P(AnUnreadableRun, IsLeftOutAfterThreeTriesAndTriedAgainDaily) {
  const Id job_id = add_job("job");
  add_run(job_id, Hours(2));
  const Id bad = add_run(job_id, Hours(1));
  fail_with("path=/jobruns/" + std::to_string(bad) + "," + GetParam());
  EXPECT_FALSE(collect().snapshot->jobruns_available);
  EXPECT_FALSE(collect().snapshot->jobruns_available);
  const CollectionOutcome third = collect();
  EXPECT_TRUE(third.snapshot->jobruns_available);
  EXPECT_EQ(third.runs_left_out, 1u);

  const CollectionOutcome fourth = collect();
  EXPECT_EQ(fourth.runs_left_out, 1u);
  EXPECT_THAT(targets("jobrun_details"), Not(Contains("/jobruns/" + std::to_string(bad))));

  heal();
  pass(Hours(25));
  const CollectionOutcome later = collect();
  EXPECT_EQ(later.runs_left_out, 0u);
  EXPECT_THAT(ages(job(later, "job")), ElementsAre(27, 26));
}

TEST_F(CollectionReading, ARunThatIsLeftOutIsNotedOnce) {
  const Id job_id = add_job("job");
  add_run(job_id, Hours(2));
  const Id bad = add_run(job_id, Hours(1));
  fail_with("path=/jobruns/" + std::to_string(bad) + ",body=malformed");
  std::vector<std::uint64_t> noted;
  for (int i = 0; i < 8; ++i) {
    pass(Hours(5));
    noted.push_back(collect().unrecognised.count(NotedField::run_details));
  }
  EXPECT_THAT(noted, ElementsAre(0, 0, 1, 0, 0, 0, 0, 0));
}

// Remembered runs are asked for again now and then: for the audit, as witnesses, or when they pass their
// retention.
TEST_F(CollectionReading, ARememberedRunThatCannotBeReadAgainStandsAsItWas) {
  const Id job_id = add_job("job");
  for (int i = 1; i <= 5; ++i) add_run(job_id, Hours(i));
  collect();
  fail_with("endpoint=jobrun_details,body=malformed");
  for (int i = 0; i < 10; ++i) {
    pass(minutes(5));
    const CollectionOutcome outcome = collect();
    EXPECT_THAT(job(outcome, "job").runs->tallies, SizeIs(5));
    EXPECT_FALSE(outcome.snapshot->jobruns_available);
  }
  heal();
  const Id newest = add_run(job_id, minutes(1));
  EXPECT_THAT(job(collect(), "job").runs->tallies, SizeIs(6));
  fail_with("endpoint=jobrun_details,body=malformed,path=*jobruns/1*");
  fail_with("endpoint=jobrun_details,body=malformed,first=0,path=/jobruns/" + std::to_string(newest));
  for (int i = 0; i < 10; ++i) {
    pass(minutes(5));
    EXPECT_THAT(job(collect(), "job").runs->tallies, SizeIs(6));
  }
}

TEST_F(CollectionReading, SaysSinceWhenRunsCouldNotBeRead) {
  const Id job_id = add_job("job");
  add_run(job_id, Hours(2));
  fail_with("endpoint=jobruns,status=500");
  EXPECT_EQ(job(collect(), "job").runs_read_at, std::nullopt);
  heal();
  pass(minutes(5));
  const SystemTime read_at = clock_.system_now();
  EXPECT_EQ(job(collect(), "job").runs_read_at, std::nullopt) << "they are current";
  fail_with("endpoint=jobruns,status=500");
  for (int i = 0; i < 3; ++i) {
    pass(minutes(5));
    EXPECT_EQ(job(collect(), "job").runs_read_at, read_at);
  }
}

// If the retention was raised and the runs cannot be listed again, nobody has looked that far back.
TEST_F(CollectionReading, SaysHowFarBackTheRunsGo) {
  const Id job_id = add_job("job", 14);
  add_run(job_id, Hours(2));
  constexpr auto kTwoWeeksAndReserve = Days(14 + 7);
  EXPECT_EQ(job(collect(), "job").runs_reach, kTwoWeeksAndReserve);

  change([&](simulator::Account& account) { account.job(job_id).destinations = {{"S3", 0, 60, 0, 60}}; });
  fail_with("endpoint=jobruns,status=500");
  pass(Hours(5));
  const CollectionOutcome unlisted = collect();
  EXPECT_EQ(job(unlisted, "job").settings->full_retention_days, 60);
  EXPECT_EQ(job(unlisted, "job").runs_reach, kTwoWeeksAndReserve);

  heal();
  pass(Hours(1));
  EXPECT_EQ(job(collect(), "job").runs_reach, Days(60 + 7));
}

TEST_F(CollectionReading, WhereNoRunOfAJobIsKnownTheGaugeSaysSo) {
  add_run(add_job("good"), Hours(1));
  const Id bad = add_run(add_job("bad"), Hours(1));
  fail_with("path=/jobruns/" + std::to_string(bad) + ",body=malformed");
  for (int i = 0; i < 5; ++i) {
    const CollectionOutcome outcome = collect();
    const bool unknown = !job(outcome, "bad").runs;
    EXPECT_FALSE(unknown && outcome.snapshot->jobruns_available) << "collection " << i;
    pass(minutes(5));
  }
}

TEST_F(CollectionReading, AnOutageOfDetailsCostsNoMoreRequestsEachTime) {
  for (int i = 0; i < 20; ++i) {
    const Id job_id = add_job("job" + std::to_string(i));
    for (int j = 1; j < 50; ++j) add_run(job_id, Hours(j));
  }
  collect();
  fail_with("endpoint=jobrun_details,status=500");
  for (int i = 0; i < 100; ++i) {
    pass(minutes(5));
    collect();
  }
  EXPECT_LE(requests("jobrun_details"), 3u);
}

TEST_F(CollectionReading, ALeftOutWitnessIsNotAskedForEachTime) {
  const Id job_id = add_job("job", 2);
  const Id old = add_run(job_id, Days(3));
  add_run(job_id, Hours(1));
  const std::string path = "/jobruns/" + std::to_string(old);
  collect();
  fail_with("path=" + path + ",body=malformed");
  for (int i = 0; i < 4; ++i) {
    pass(minutes(5));
    collect();
  }
  for (int i = 0; i < 4; ++i) {
    pass(minutes(5));
    EXPECT_EQ(collect().runs_left_out, 1u);
    EXPECT_THAT(targets("jobrun_details"), Not(Contains(path)));
  }
}

TEST_F(CollectionReading, ServersWithoutAnIdDoNotMakeAListEndless) {
  change([](simulator::Account& account) {
    account.patch(simulator::Account::Row::server, 1, {{{"op", "remove"}, {"path", "/id"}}});
  });
  fail_with("endpoint=servers,endless=on");
  const CollectionOutcome outcome = collect();
  EXPECT_FALSE(outcome.failure);
  EXPECT_LE(requests("servers"), 2u);
}

TEST_F(CollectionReading, AJobWithThousandsOfRunsLetsTheOthersGoFirst) {
  const Id log = add_job("log");
  for (int i = 0; i < 900; ++i) add_run(log, minutes(10 * i + 1));
  std::vector<std::string> small;
  for (const char* name : {"first", "second", "third"}) {
    small.push_back("/jobruns/" + std::to_string(add_run(add_job(name), Hours(1))));
  }
  collect();
  const std::vector<std::string> asked = targets("jobrun_details");
  ASSERT_THAT(asked, SizeIs(903));
  for (const std::string& run : small) {
    EXPECT_LT(std::find(asked.begin(), asked.end(), run) - asked.begin(), 600)
        << run;  // 500, and what was in flight
  }
}

class AnOutage : public CollectionReading, public ::testing::WithParamInterface<const char*> {};
INSTANTIATE_TEST_SUITE_P(Of, AnOutage, ::testing::Values("status=500", "body=malformed", "close=before"));

TEST_P(AnOutage, LeavesNoRunOut) {
  const Id job_id = add_job("job");
  add_run(job_id, Hours(2));
  fail_with(std::string("endpoint=jobrun_details,") + GetParam());
  for (int i = 0; i < 5; ++i) {
    const CollectionOutcome outcome = collect();
    EXPECT_FALSE(outcome.snapshot->jobruns_available);
    EXPECT_EQ(outcome.runs_left_out, 0u);
    EXPECT_EQ(up(outcome, Endpoint::jobrun_details), false);
  }
  heal();
  EXPECT_THAT(ages(job(collect(), "job")), ElementsAre(2));
}

TEST_F(CollectionReading, ARunThatIsGoneIsJustLeftOut) {
  const Id job_id = add_job("job");
  add_run(job_id, Hours(2));
  const Id gone = add_run(job_id, Hours(1));
  change([&](simulator::Account& account) { account.run(gone).unreadable = true; });
  const CollectionOutcome outcome = collect();
  EXPECT_TRUE(outcome.snapshot->jobruns_available);
  EXPECT_THAT(ages(job(outcome, "job")), ElementsAre(2));
  EXPECT_EQ(up(outcome, Endpoint::jobrun_details), true);
}

TEST_F(CollectionReading, TellsWhichEndpointsAnswered) {
  turn("me=off");
  add_job("job");
  const CollectionOutcome outcome = collect();
  EXPECT_EQ(up(outcome, Endpoint::me), false);
  EXPECT_EQ(up(outcome, Endpoint::settings), true);
  EXPECT_EQ(up(outcome, Endpoint::jobruns), true);
  EXPECT_EQ(up(outcome, Endpoint::jobrun_details), std::nullopt);
  EXPECT_FALSE(outcome.failure);
  EXPECT_FALSE(outcome.snapshot->info);
}

// --- A long initial collection ---

TEST_F(CollectionReading, ShowsTheFirstJobsOfABackfillEarly) {
  for (int i = 1; i <= 3; ++i) {
    const Id job_id = add_job("job-" + std::to_string(i));
    for (int run = 1; run <= 10; ++run) add_run(job_id, Hours(run));
  }
  plan_.started_at = kNow;
  Collection collection(plan_, nullptr);
  EXPECT_TRUE(collection.backfill());
  const auto api = [&](const Request& request) {
    return sqlbak_gateway::testing::answer_of(simulator_, token_, request.target);
  };
  std::shared_ptr<const Snapshot> first;
  const auto watch = [&](std::uint64_t) {
    if (!first && collection.jobs_read() == 1) first = collection.progress();
    return true;
  };
  sqlbak_gateway::testing::drive(collection, api, clock_, {.max_in_flight = 4, .before_answer = watch});
  ASSERT_TRUE(first);
  EXPECT_EQ(first->jobs_pending, 2u);
  EXPECT_FALSE(first->jobruns_available);
  ASSERT_THAT(first->jobs, SizeIs(1));
  EXPECT_EQ(first->jobs[0]->job.name, "job-1");
  EXPECT_THAT(first->jobs[0]->runs->tallies, SizeIs(10));
  EXPECT_EQ(collection.finish().snapshot->jobs_pending, 0u);
}

TEST_F(CollectionReading, KeepsWhatItHasReadWhenItIsGivenUp) {
  const Id job_id = add_job("job");
  for (int run = 1; run <= 20; ++run) add_run(job_id, Hours(run));
  const CollectionOutcome half = collect(given_up_after(15));  // /me, two lists, settings, runs, ten details
  EXPECT_EQ(half.failure->message, "given up");
  EXPECT_EQ(half.snapshot, nullptr);
  EXPECT_EQ(requests("jobrun_details"), 10u);
  EXPECT_FALSE(memory_->complete);

  const CollectionOutcome whole = collect();
  EXPECT_THAT(job(whole, "job").runs->tallies, SizeIs(20));
  EXPECT_EQ(requests("jobrun_details"), 10u + 1);  // the others, and one that is audited
}

TEST_F(CollectionReading, CanSayAtAnyTimeWhatItWouldRemember) {
  const Id job_id = add_job("job");
  for (int run = 1; run <= 20; ++run) add_run(job_id, Hours(run));
  plan_.started_at = kNow;
  Collection collection(plan_, nullptr);
  std::shared_ptr<const AccountMemory> so_far;
  const auto api = [&](const Request& request) {
    return sqlbak_gateway::testing::answer_of(simulator_, token_, request.target);
  };
  sqlbak_gateway::testing::drive(collection, api, clock_,
                                 {.max_in_flight = 1, .before_answer = [&](std::uint64_t answers) {
                                    if (answers == 15) so_far = collection.memory_so_far();
                                    return true;
                                  }});
  ASSERT_THAT(so_far->jobs, SizeIs(1));
  EXPECT_THAT(so_far->jobs[0]->runs->ids, SizeIs(10));
  EXPECT_FALSE(so_far->jobs[0]->covered_from);
}

}  // namespace
}  // namespace sqlbak_gateway::sqlbak
