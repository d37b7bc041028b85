// The model of the page for people: what it says, as plain data, before it is HTML or JSON. Pure functions
// from views to values; nothing here locks, waits or asks the time. Text from the API is cut to a length that
// a page can show, and is not escaped yet. What is not known is nothing, never zero.
//
// It is for an operator who is called at night: which customers have a problem, and why. So everything is
// sorted worst first, and every state comes with its reasons in words.
#pragma once

#include "gateway/page/list_query.h"
#include "sqlbak_gateway/evaluation/prepared.h"
#include "sqlbak_gateway/gateway/account_view.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sqlbak_gateway::gateway {

// How an account stands, worst first. Of several that apply, the first is its state.
enum class Standing : std::uint8_t {
  at_risk,        // a job is late or failing, or SqlBak has suspended the account
  not_collected,  // the latest completed collection failed
  stale,          // what is known is old: see stale_after()
  attention,      // nothing of that, but something to look at: a server offline, a job in state unknown, …
  waiting,        // there is no verdict yet: nobody has asked for the account, or a first reading goes on
  well
};
inline constexpr std::array kStandings = {Standing::at_risk,   Standing::not_collected, Standing::stale,
                                          Standing::attention, Standing::waiting,       Standing::well};
// What stands in addresses and in JSON: "at-risk".
std::string_view key(Standing standing);
// What people read: "At risk".
std::string_view words(Standing standing);
// When an account is in it, in a sentence.
std::string_view meaning(Standing standing);
// When a job is in it, in a sentence; docs/metrics.md has the same in full.
std::string_view meaning(evaluation::JobState state);
// Why a collection failed, as a clause.
std::string_view words(FailureReason reason);
// What to do about a collection that failed for this reason.
std::string_view remedy(FailureReason reason);

// Data that are older are stale: three hours (as the alert SqlBakDataStale has it), or twice cache_ttl where
// that is longer; max_stale where that is shorter.
Duration stale_after(const config::AccountConfig& config);

// The subsets and orders of the accounts' list, and of an account's jobs.
std::span<const std::string_view> account_subsets();
std::span<const ListOrder> account_orders();
std::span<const std::string_view> job_subsets();
std::span<const ListOrder> job_orders();
inline constexpr std::size_t kAccountsPerPage = 100;
inline constexpr std::size_t kJobsPerPage = 100;

// About the gateway itself.
struct GatewayFacts {
  struct Configuration {
    bool last_reload_succeeded = true;
    SystemTime last_reload_success{};
    std::size_t files_rejected = 0;
  };
  std::string version;
  Duration uptime{};
  std::optional<Configuration> configuration;  // nothing: not for this reader
  SystemTime now{};
};

struct Reason {
  Standing weight = Standing::attention;  // what it makes of the account
  std::string text;
};

struct CollectionFacts {
  SystemTime started_at{};
  Duration duration{};
  std::uint64_t api_requests = 0;
  std::uint64_t retries = 0;
  Duration throttled{};
  std::string result;  // "success", "partial", or a failure's reason
  std::string error;   // of a failure
  bool failed() const { return !error.empty(); }
};

struct NextAttempt {
  enum class When { running, with_next_probe, later } when = When::with_next_probe;
  Duration in{};  // of `later`
};

struct AccountSummary {
  std::string name;
  std::map<std::string, std::string> labels;
  Standing standing = Standing::waiting;
  bool at_risk = false;
  bool not_collected = false;
  bool stale = false;
  std::vector<Reason> reasons;  // worst first; of several jobs or servers the first few are named
  // By state, in the order of kJobStates; nothing while nothing has been read.
  std::optional<std::array<std::uint64_t, evaluation::kJobStates.size()>> jobs;
  std::optional<std::uint64_t> servers;
  std::optional<std::uint64_t> servers_offline;
  std::optional<SystemTime> data_from;
  std::optional<CollectionFacts> last_collection;
  std::string advice;  // what to do about its failure; empty: it did not fail
  NextAttempt next;
};

struct Overview {
  GatewayFacts gateway;
  // Over all accounts that the reader may see, whatever the query leaves of them.
  std::size_t accounts = 0;
  std::size_t at_risk = 0;
  std::size_t not_collected = 0;
  std::size_t stale = 0;
  std::array<std::size_t, kStandings.size()> by_standing{};
  std::array<std::uint64_t, evaluation::kJobStates.size()> jobs{};

  ListQuery query;
  std::size_t matching = 0;
  PageOfList page;
  std::vector<AccountSummary> rows;
};

enum class Paging { pages, everything };
Overview overview(const std::vector<AccountOnPage>& accounts, const ListQuery& query, Paging paging,
                  GatewayFacts gateway);

struct TypeFacts {
  std::string_view type;                   // a label value: static text
  bool runs_known = true;                  // false: they could not be read, so nothing is known below
  std::optional<SystemTime> last_success;  // nothing with runs_known: none is known
  std::optional<SystemTime> last_attempt;
  std::optional<bool> last_attempt_succeeded;  // of the last finished one
  std::uint64_t consecutive_failures = 0;
  std::optional<Duration> max_age;
  bool max_age_configured = false;  // else inferred
  std::optional<bool> overdue;
  std::optional<std::int64_t> retention_days;
  enum class Retention { unknown, kept, older_than_policy, violated } retention = Retention::unknown;
};
std::string_view words(TypeFacts::Retention retention);
// What stands in JSON.
std::string_view key(TypeFacts::Retention retention);

struct JobFacts {
  std::string id;
  std::string name;
  std::string server;
  evaluation::JobState state = evaluation::JobState::unknown;
  std::string why;  // the state, in words
  std::optional<std::uint64_t> databases_failing;
  std::vector<TypeFacts> types;
};

struct ServerFacts {
  std::string id;
  std::string name;
  std::string app_type;
  std::string status;
};

struct AccountDetail {
  GatewayFacts gateway;
  AccountSummary summary;
  std::string api_url;
  Duration cache_ttl{};
  Duration max_stale{};
  std::optional<SystemTime> last_probe;
  std::size_t jobs_pending = 0;
  std::size_t jobs_unreadable = 0;

  ListQuery query;
  std::size_t matching = 0;
  PageOfList page;
  std::vector<JobFacts> jobs;

  std::vector<ServerFacts> servers_offline;  // at most kServersShown
  std::vector<std::string> overrides;        // that match nothing, or several; each in a sentence
  std::vector<CollectionFacts> collections;  // newest first: the latest, and earlier failures
};
inline constexpr std::size_t kServersShown = 50;

AccountDetail account_detail(const AccountOnPage& account, const ListQuery& query, Paging paging,
                             GatewayFacts gateway);

// For people: "12 s", "3 min", "2 h 5 min", "4 d 7 h"; below a second "350 ms".
std::string duration_in_words(Duration duration);
// The same in whole seconds: "0 s", "12 s".
std::string age_in_words(Duration age);
// "1,234"
std::string grouped(std::uint64_t number);
// "1 job", "2 jobs"
std::string counted(std::uint64_t number, std::string_view singular, std::string_view plural);

}  // namespace sqlbak_gateway::gateway
