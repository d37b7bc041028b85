// Every fault of the simulator at every endpoint, in the initial collection or a later one. Whatever happens
// to one account: the program keeps running, nothing untrue is shown, the other account is exact, requests
// are bounded, and once the API is healthy again the account recovers by itself.
#include "gateway/gateway_world.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <string>
#include <vector>

namespace sqlbak_gateway::gateway {
namespace {

using simulator::Account;
using simulator::Hours;
using simulator::Series;
using std::chrono::milliseconds;
using std::chrono::minutes;

struct FaultKind {
  const char* name;
  const char* rule;
  // The API says something plausible but wrong. No reader can know, so it may be shown until the API says
  // otherwise.
  bool untruth = false;
};

constexpr std::array kFaults = {
    FaultKind{"Status400", "status=400"},
    FaultKind{"Status401", "status=401"},
    FaultKind{"Status403", "status=403"},
    FaultKind{"Status404", "status=404", true},
    FaultKind{"Status429", "status=429"},
    FaultKind{"Status429RetryAfter", "status=429,retry_after=7s"},
    FaultKind{"Status429RetryAfterDate", "status=429,retry_after_date=7s"},
    FaultKind{"Status429RetryAfterTomorrow", "status=429,retry_after=1d"},
    FaultKind{"Status500", "status=500"},
    FaultKind{"Status501", "status=501"},
    FaultKind{"Status503", "status=503"},
    FaultKind{"Status503RetryAfter", "status=503,retry_after=3s"},
    FaultKind{"Status500ThenWell", "status=500,first=2"},
    FaultKind{"Status500NowAndThen", "status=500,every=3"},
    FaultKind{"Status500ByChance", "status=500,probability=0.5"},
    FaultKind{"Redirect", "redirect=http://192.0.2.1/elsewhere"},
    FaultKind{"Malformed", "body=malformed"},
    FaultKind{"WrongTypes", "body=wrong_types", true},
    FaultKind{"HugeNumbers", "body=huge_numbers", true},
    FaultKind{"Deep", "body=deep"},
    FaultKind{"InvalidUtf8", "body=invalid_utf8", true},
    FaultKind{"Truncated", "body=truncated"},
    FaultKind{"Empty", "body=empty"},
    FaultKind{"Html", "body=html"},
    FaultKind{"Null", "body=null"},
    FaultKind{"NoData", "body=no_data"},
    FaultKind{"TooLarge", "pad=300KiB"},
    FaultKind{"Slow", "latency=10s,jitter=5s"},
    FaultKind{"NoAnswerForHours", "latency=10h"},
    FaultKind{"DrippedHead", "drip_head=1s"},
    FaultKind{"DrippedBody", "drip_body=1s"},
    FaultKind{"ClosedBefore", "close=before"},
    FaultKind{"ClosedInHead", "close=head"},
    FaultKind{"ClosedInBody", "close=body"},
    FaultKind{"ResetBefore", "reset=before"},
    FaultKind{"ResetInHead", "reset=head"},
    FaultKind{"ResetInBody", "reset=body"},
    FaultKind{"HangsBefore", "hang=before"},
    FaultKind{"HangsInHead", "hang=head"},
    FaultKind{"HangsInBody", "hang=body"},
    FaultKind{"ExtraBytes", "extra=100"},
    FaultKind{"InterimAnswers", "interim=103"},
    FaultKind{"Chunked", "chunked=on"},
    FaultKind{"ChunkedAndClosed", "chunked=on,close=body"},
    FaultKind{"Gzip", "gzip=on"},
    FaultKind{"Endless", "endless=on"},
    FaultKind{"RowsSlipIn", "shift=1", true},
    FaultKind{"RowsSlipOut", "shift=-1", true},
    FaultKind{"ListedLate", "late=2h", true},
    FaultKind{"RateLimited", "rate=0.5,burst=2"},
};

enum class When { first_collection, later };

// The series of an answer that are about the account, not about collecting it.
constexpr std::array kFamilies = {"sqlbak_server_online",
                                  "sqlbak_offline_servers_total",
                                  "sqlbak_job_retention_days",
                                  "sqlbak_job_has_backups_older_than_policy",
                                  "sqlbak_job_last_success_age_hours",
                                  "sqlbak_job_backups_*",
                                  "sqlbak_job_summary",
                                  "sqlbak_job_last_success_timestamp_seconds",
                                  "sqlbak_job_last_attempt_*",
                                  "sqlbak_job_consecutive_failures",
                                  "sqlbak_job_window_seconds",
                                  "sqlbak_job_retention_violation",
                                  "sqlbak_job_databases_failing",
                                  "sqlbak_job_info",
                                  "sqlbak_job_last_duration_seconds",
                                  "sqlbak_job_last_size_bytes",
                                  "sqlbak_servers",
                                  "sqlbak_servers_without_jobs",
                                  "sqlbak_account_suspended"};

Series about_the_account(const Series& all) {
  Series kept;
  for (const char* pattern : kFamilies) kept.merge(simulator::family(all, pattern));
  return kept;
}

// A gateway with one account that has the fault ("struck") and one that does not.
class Trial final : public testing::GatewayWorld {
 public:
  Trial() : GatewayWorld(world()) {
    api_knobs.page_size = 2;  // lists have a second page
    api.set_knobs(api_knobs);
    configuration.upstream.max_response_bytes = 200'000;
    configured("struck");
    configured("well");
    first_at_ = clock.system_now();
  }
  void TestBody() override {}

  void run(const FaultKind& fault, std::string_view endpoint, When when) {
    if (when == When::later) {
      expect_truth("struck", collected("struck"));
      expect_truth("well", collected("well"));
      // Longer than any answer is kept, so that the next collection asks every endpoint.
      let_pass(minutes(70));
    }
    something_happens();
    const std::uint64_t before = api.request_count("struck");
    fail_with("account=struck,endpoint=" + std::string(endpoint) + "," + fault.rule);

    for (const int pause : {1, 2, 3, 6}) {
      probe("struck");
      probe("well");
      let_pass(minutes(pause));
      const Series struck = probed("struck");
      if (!fault.untruth) expect_no_lie(struck);
      // A minute is enough for the other account, at the initial collection too.
      expect_truth("well", probed("well"));
    }
    const std::uint64_t asked = api.request_count("struck") - before;
    EXPECT_LE(asked, 12u * kHealthyRequests) << "requests in 12 minutes";

    api.clear_faults();
    expect_recovery(endpoint);
  }

 private:
  // Requests of one initial collection of the struck account.
  static constexpr std::uint64_t kHealthyRequests = 30;

  // "unchanged" is "struck" as it was before the fault, for the truth of that time.
  static simulator::World world() {
    simulator::World all;
    for (const char* name : {"struck", "well", "unchanged"}) {
      auto account =
          std::make_unique<Account>(name, std::string("token-") + name, testing::ManualClock::kStart, 1);
      account->email = "it@example.com";
      account->add_server({.name = "sql-1"});
      account->add_server({.name = "sql-2", .status = "offline"});
      const auto full = account->add_job(
          {.name = "Full", .server_id = 1, .destinations = {{"S3", 0, 7, 0, 7}}, .databases = {"erp"}});
      const auto logs = account->add_job({.name = "Logs",
                                          .server_id = 2,
                                          .types = {"database_full", "database_transaction_log"},
                                          .destinations = {{"S3", 0, 7, 0, 7}}});
      account->add_job({.name = "Never", .server_id = 1});
      const SystemTime now = account->now();
      for (int day = 3; day >= 1; --day)
        account->add_run(full, now - Hours(24 * day), {.databases = {"erp"}});
      account->add_run(logs, now - Hours(5));
      for (int hour = 3; hour >= 2; --hour) {
        account->add_run(logs, now - Hours(hour), {.type = "database_transaction_log"});
      }
      all.add(std::move(account));
    }
    return all;
  }

  void something_happens() {
    api.with([](simulator::World& all) {
      Account& account = all.account("struck");
      account.server(2).status = "online";
      simulator::Job& full = account.job(account.job_named("Full"));
      full.destinations = {{"S3", 0, 14, 0, 14}};
      account.add_run(full.id, account.now() - minutes(30), {.status = "failed", .databases = {"erp"}});
      account.add_run(account.job_named("Logs"), account.now() - minutes(20),
                      {.type = "database_transaction_log"});
      return 0;
    });
  }

  Series truth(const std::string& account, SystemTime collected_at) {
    simulator::Question question;
    question.collected_at = collected_at;
    question.answered_at = clock.system_now();
    question.first_collected_at = first_at_;
    return api.with([&](simulator::World& world) {
      Series all = simulator::published_truth(world.account(account), api_knobs, question);
      all.merge(simulator::own_truth(world.account(account), api_knobs, question));
      return about_the_account(all);
    });
  }
  static SystemTime instant(const Series& answer, const std::string& name) {
    return SystemTime(milliseconds(std::llround(value(answer, name).value_or(0) * 1e3)));
  }

  void expect_truth(const std::string& account, const Series& answer) {
    EXPECT_EQ(value(answer, "probe_success"), 1);
    const SystemTime collected_at = instant(answer, "sqlbak_last_check_timestamp");
    EXPECT_EQ(simulator::difference(truth(account, collected_at), about_the_account(answer)), "");
  }
  void expect_truth_or_pending(const std::string& account, const Series& answer) {
    if (value(answer, "probe_success") == 1) expect_truth(account, answer);
  }

  // Every series shown is one that the account has or had, with a value between the former and the present
  // one. Runs that could not be read may be missing from the counts if the answer says so.
  void expect_no_lie(const Series& answer) {
    std::vector<Series> truths;
    for (const char* name :
         {"sqlbak_last_check_timestamp", "sqlbak_collection_last_attempt_timestamp_seconds"}) {
      const SystemTime at = instant(answer, name);
      if (at == SystemTime()) continue;
      truths.push_back(truth("unchanged", at));
      truths.push_back(truth("struck", at));
    }
    const bool all_runs = value(answer, "sqlbak_jobruns_available") == 1;
    const bool all_settings = value(answer, "sqlbak_jobsettings_available") == 1;
    for (const auto& [series, shown] : about_the_account(answer)) {
      double least = std::numeric_limits<double>::infinity();
      double most = -least;
      for (const Series& truth : truths) {
        const auto found = truth.find(series);
        if (found == truth.end()) continue;
        least = std::min(least, found->second);
        most = std::max(most, found->second);
      }
      const double room = 1e-6 * std::max(1.0, std::abs(shown));
      // Without settings the window is the lookback.
      if (!all_settings && series.starts_with("sqlbak_job_window_seconds") && shown == 168 * 3600) continue;
      const bool fewer = !all_runs && series.find("backups_") != std::string::npos && shown < least;
      EXPECT_TRUE((shown >= least - room && shown <= most + room) || fewer)
          << series << " is " << shown << ", and should be " << least << " to " << most;
    }
  }

  void expect_recovery(std::string_view endpoint) {
    // Longer than the longest backoff. /me is asked hourly, and an unreadable run once a day.
    const Duration patience = endpoint == "jobrun_details" ? Duration(Hours(26))
                              : endpoint == "me"           ? Duration(minutes(75))
                                                           : Duration(minutes(31));
    Duration pause = minutes(5);
    const Deadline limit = Deadline::after(clock.steady_now(), patience);
    std::string wrong = "never tried";
    while (!wrong.empty() && !limit.passed(clock.steady_now())) {
      probe("struck");
      let_collections_end();
      const Series answer = probed("struck");
      wrong = value(answer, "probe_success") == 1 ? "" : "probe_success is not 1";
      if (wrong.empty() && value(answer, "sqlbak_jobruns_available") != 1) wrong = "runs are not available";
      if (wrong.empty() && value(answer, "sqlbak_jobsettings_available") != 1)
        wrong = "settings are not available";
      if (wrong.empty()) {
        wrong = simulator::difference(truth("struck", instant(answer, "sqlbak_last_check_timestamp")),
                                      about_the_account(answer));
      }
      if (wrong.empty()) break;
      let_pass(pause);
      if (limit.remaining(clock.steady_now()) > Hours(2)) pause = Hours(1);
    }
    EXPECT_EQ(wrong, "") << "not well again";
  }

  SystemTime first_at_;
};

class FaultMatrix : public ::testing::TestWithParam<FaultKind> {};

TEST_P(FaultMatrix, StrikesOneAccountAndTellsNoLie) {
  for (const sqlbak::Endpoint endpoint : sqlbak::kEndpoints) {
    for (const When when : {When::first_collection, When::later}) {
      SCOPED_TRACE(std::string(name(endpoint)) + (when == When::later ? ", later" : ", initial collection"));
      Trial trial;
      trial.run(GetParam(), name(endpoint), when);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(EveryFault, FaultMatrix, ::testing::ValuesIn(kFaults),
                         [](const auto& fault) { return std::string(fault.param.name); });

// Every fault of the simulator is in the table above.
TEST(FaultMatrixTable, HoldsEveryFaultTheSimulatorKnows) {
  std::string rules;
  for (const FaultKind& fault : kFaults) rules += std::string(",") + fault.rule;
  const std::set<std::string> aims = {"endpoint", "account", "path", "from", "until", "skip"};
  for (const std::string& line : simulator::fault_help()) {
    const std::string key = line.substr(0, line.find('='));
    if (aims.contains(key)) continue;
    EXPECT_NE(rules.find("," + key + "="), std::string::npos) << line;
  }
  for (const char* body : {"malformed", "wrong_types", "huge_numbers", "deep", "invalid_utf8", "truncated",
                           "empty", "html", "null", "no_data"}) {
    EXPECT_NE(rules.find(std::string("body=") + body), std::string::npos) << body;
  }
}

}  // namespace
}  // namespace sqlbak_gateway::gateway
