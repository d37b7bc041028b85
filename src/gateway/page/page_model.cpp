#include "gateway/page/page_model.h"

#include "gateway/published.h"
#include "gateway/trace.h"
#include "sqlbak_gateway/base/text.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

namespace sqlbak_gateway::gateway {
namespace {

using evaluation::JobState;
using evaluation::PreparedAccount;
using evaluation::PreparedJob;
using evaluation::PreparedRow;

constexpr std::size_t kLongestName = 120;   // bytes of a name on a page
constexpr std::size_t kLongestError = 400;  // bytes of an error on a page
constexpr std::size_t kNamed = 3;           // of several jobs or servers, how many a reason names

// At most the first `most` bytes, and an ellipsis where something is missing.
std::string shortened(std::string_view text, std::size_t most) {
  const std::string_view kept = cut_to(text, most);
  return kept.size() == text.size() ? std::string(text) : std::string(kept) + "…";
}

std::string named(std::string_view text) {
  return shortened(trimmed(text).empty() ? std::string_view("(no name)") : text, kLongestName);
}

std::uint64_t of(const PreparedAccount& account, JobState state) {
  return account.jobs_by_state[static_cast<std::size_t>(state)];
}

Duration age(SystemTime then, SystemTime now) {
  return std::max<Duration>(Duration::zero(), now - then);
}

bool suspended(const Published* data) {
  return data && data->snapshot().info && data->snapshot().info->suspended.value_or(false);
}

// What the list is sorted and counted by, cheap enough to be made for every account.
struct Triage {
  const AccountOnPage* account = nullptr;
  Standing standing = Standing::well;
  bool at_risk = false;
  bool not_collected = false;
  bool stale = false;
  bool attention = false;
  std::int64_t late = -1;  // -1: not known
  std::int64_t failing = -1;
  std::int64_t unknown = -1;
  std::int64_t protected_ = -1;
  std::int64_t paused = -1;
  std::int64_t offline = -1;
  std::int64_t missed = -1;             // of those offline, the ones that are not ignored
  Duration data_age = Duration::max();  // max: no data
};

Triage triage(const AccountOnPage& on_page, SystemTime now) {
  const AccountView& view = on_page.view;
  const Published* data = view.data.get();
  Triage t;
  t.account = &on_page;
  t.not_collected = view.record.last_failure.has_value();
  t.at_risk = suspended(data);
  if (data) {
    const PreparedAccount& account = *data->account;
    t.late = static_cast<std::int64_t>(of(account, JobState::late));
    t.failing = static_cast<std::int64_t>(of(account, JobState::failing));
    t.unknown = static_cast<std::int64_t>(of(account, JobState::unknown));
    t.protected_ = static_cast<std::int64_t>(of(account, JobState::protected_));
    t.paused = static_cast<std::int64_t>(of(account, JobState::paused));
    t.offline = static_cast<std::int64_t>(account.servers_offline);
    t.missed = static_cast<std::int64_t>(account.servers_missed.size());
    t.data_age = age(data->collected_at(), now);
    t.at_risk = t.at_risk || t.late + t.failing > 0;
    t.stale = t.data_age > stale_after(*on_page.config);
    t.attention = !view.backfilling &&
                  (t.unknown + t.missed > 0 || data->snapshot().jobs_unreadable > 0 || account.jobs.empty() ||
                   account.servers_without_jobs.value_or(0) > 0 || !account.ambiguous_overrides.empty());
  }
  if (t.at_risk) {
    t.standing = Standing::at_risk;
  } else if (t.not_collected) {
    t.standing = Standing::not_collected;
  } else if (t.stale) {
    t.standing = Standing::stale;
  } else if (t.attention) {
    t.standing = Standing::attention;
  } else if (!data || view.backfilling) {
    t.standing = Standing::waiting;
  }
  return t;
}

bool shown(const Triage& t, std::string_view subset) {
  if (subset.empty()) return true;
  if (subset == key(Standing::at_risk)) return t.at_risk;
  if (subset == key(Standing::not_collected)) return t.not_collected;
  if (subset == key(Standing::stale)) return t.stale;
  return subset == key(t.standing);
}

bool contains_all(const std::vector<std::string>& terms, std::initializer_list<std::string_view> texts,
                  const std::map<std::string, std::string>& labels = {}) {
  std::vector<std::string> lowered;
  for (const std::string_view text : texts) lowered.push_back(lower_case(text));
  for (const auto& [label, value] : labels) lowered.push_back(lower_case(value));
  return std::all_of(terms.begin(), terms.end(), [&](const std::string& term) {
    return std::any_of(lowered.begin(), lowered.end(),
                       [&](const std::string& text) { return text.find(term) != std::string::npos; });
  });
}

// Worst first: the state, then how many jobs are late or failing, how old the data are, and the name.
bool worse(const Triage& a, const Triage& b) {
  if (a.standing != b.standing) return a.standing < b.standing;
  if (a.late + a.failing != b.late + b.failing) return a.late + a.failing > b.late + b.failing;
  if (a.not_collected != b.not_collected) return a.not_collected;
  if (a.stale != b.stale) return a.stale;
  if (a.unknown + a.missed != b.unknown + b.missed) return a.unknown + a.missed > b.unknown + b.missed;
  return a.account->config->name < b.account->config->name;
}

Duration collection_time(const Triage& t) {
  return t.account->view.record.completed_any ? t.account->view.record.last_duration : Duration::min();
}

// Below 0: `a` before `b` in ascending order.
int compared(const Triage& a, const Triage& b, std::string_view order) {
  const auto by = [](const auto& x, const auto& y) { return x < y ? -1 : y < x ? 1 : 0; };
  if (order == "account") return by(a.account->config->name, b.account->config->name);
  if (order == "protected") return by(a.protected_, b.protected_);
  if (order == "late") return by(a.late, b.late);
  if (order == "failing") return by(a.failing, b.failing);
  if (order == "unknown") return by(a.unknown, b.unknown);
  if (order == "paused") return by(a.paused, b.paused);
  if (order == "offline") return by(a.offline, b.offline);
  if (order == "age") return by(a.data_age, b.data_age);
  if (order == "collection") return by(collection_time(a), collection_time(b));
  return by(b.standing, a.standing);
}

CollectionFacts facts(const Trace& trace) {
  CollectionFacts facts;
  facts.started_at = trace.started_at;
  facts.duration = trace.duration;
  for (const EndpointTotals& totals : trace.totals) facts.api_requests += totals.attempts;
  facts.retries = trace.retries;
  facts.throttled = trace.throttled;
  facts.result = trace.result;
  facts.error = shortened(valid_utf8(trace.message), kLongestError);
  return facts;
}

// ": ERP, CRM and 4 more"
std::string enumerated(const std::vector<std::string>& names, std::uint64_t all) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) text += (i == 0 ? ": " : ", ") + names[i];
  if (all > names.size() && !names.empty()) text += " and " + grouped(all - names.size()) + " more";
  return text;
}

std::string jobs_in(const PreparedAccount& account, JobState state, std::string_view state_words) {
  std::vector<std::string> names;
  for (const auto& job : account.jobs) {
    if (job->state != state) continue;
    names.push_back(named(job->source->job.name));
    if (names.size() == kNamed) break;
  }
  const std::uint64_t all = of(account, state);
  return counted(all, "job ", "jobs ").append(state_words) + enumerated(names, all);
}

std::string missed_servers(const PreparedAccount& account) {
  std::vector<std::string> names;
  for (const Server* server : account.servers_missed) {
    names.push_back(named(server->name));
    if (names.size() == kNamed) break;
  }
  const std::uint64_t all = account.servers_missed.size();
  return counted(all, "server offline", "servers offline") + enumerated(names, all);
}

void add_reasons_of_data(const AccountOnPage& on_page, const Triage& t, AccountSummary& summary) {
  const Published& data = *on_page.view.data;
  const PreparedAccount& account = *data.account;
  const Snapshot& snapshot = data.snapshot();
  const auto add = [&](Standing weight, std::string text) {
    summary.reasons.push_back({weight, std::move(text)});
  };
  if (suspended(&data)) add(Standing::at_risk, "SqlBak has suspended the account: its backups stop");
  if (t.late > 0) add(Standing::at_risk, jobs_in(account, JobState::late, "late"));
  if (t.failing > 0) add(Standing::at_risk, jobs_in(account, JobState::failing, "failing"));
  if (t.stale) {
    std::string text = "nothing newer is known than " + duration_in_words(t.data_age) + " ago";
    if (t.data_age > on_page.config->max_stale) text += "; probes do not show it any more (max_stale)";
    add(Standing::stale, std::move(text));
  }
  if (t.missed > 0) add(Standing::attention, missed_servers(account));
  if (on_page.view.backfilling) {
    add(Standing::waiting, "first reading: " + grouped(account.jobs.size()) + " of " +
                               counted(account.jobs.size() + snapshot.jobs_pending, "job", "jobs") + " read");
    return;
  }
  if (t.unknown > 0) add(Standing::attention, jobs_in(account, JobState::unknown, "in state unknown"));
  if (snapshot.jobs_unreadable > 0) {
    add(Standing::attention,
        counted(snapshot.jobs_unreadable, "job could not be read", "jobs could not be read"));
  }
  if (account.servers_without_jobs.value_or(0) > 0) {
    add(Standing::attention, counted(*account.servers_without_jobs, "server without a backup job",
                                     "servers without a backup job"));
  }
  if (account.jobs.empty()) add(Standing::attention, "the account has no jobs");
  if (!account.ambiguous_overrides.empty()) {
    add(Standing::attention,
        counted(account.ambiguous_overrides.size(), "override does not match one job or server",
                "overrides do not match one job or server"));
  }
}

AccountSummary summary_of(const Triage& t) {
  const AccountOnPage& on_page = *t.account;
  const AccountView& view = on_page.view;
  AccountSummary summary;
  summary.name = on_page.config->name;
  summary.labels = on_page.config->labels;
  summary.standing = t.standing;
  summary.at_risk = t.at_risk;
  summary.not_collected = t.not_collected;
  summary.stale = t.stale;
  if (view.data) {
    const PreparedAccount& account = *view.data->account;
    summary.jobs = account.jobs_by_state;
    summary.servers = account.servers.size();
    summary.servers_offline = account.servers_offline;
    summary.data_from = view.data->collected_at();
    add_reasons_of_data(on_page, t, summary);
  } else if (!view.record.completed_any) {
    summary.reasons.push_back(
        {Standing::waiting, view.record.in_progress
                                ? "first reading: it has just begun"
                                : "nobody has asked for it yet: scrape it (/sd tells Prometheus how)"});
  }
  if (view.record.last_failure) {
    std::string text = "not collected: " + std::string(words(view.record.last_failure->reason));
    if (view.record.failures_in_a_row > 1)
      text += ", " + grouped(view.record.failures_in_a_row) + " times in a row";
    summary.reasons.push_back({Standing::not_collected, std::move(text)});
    summary.advice = remedy(view.record.last_failure->reason);
  }
  std::stable_sort(summary.reasons.begin(), summary.reasons.end(),
                   [](const Reason& a, const Reason& b) { return a.weight < b.weight; });
  if (!view.traces.empty()) summary.last_collection = facts(*view.traces.front());
  if (view.record.in_progress) {
    summary.next.when = NextAttempt::When::running;
  } else if (view.next_collection_in.value_or(Duration::zero()) > Duration::zero()) {
    summary.next = {NextAttempt::When::later, *view.next_collection_in};
  }
  return summary;
}

std::optional<SystemTime> instant(EpochMs time) {
  constexpr double kFarthest = 253'402'300'799'000;  // the year 9999
  if (!time.has_value() || std::abs(time.milliseconds()) > kFarthest) return std::nullopt;
  return SystemTime(std::chrono::milliseconds(static_cast<std::int64_t>(time.milliseconds())));
}

TypeFacts facts(const PreparedJob& job, const PreparedRow& row) {
  TypeFacts facts;
  facts.type = name(row.type);
  facts.runs_known = job.source->runs != nullptr;
  facts.last_success = instant(row.last_success);
  facts.last_attempt = instant(row.last_attempt);
  facts.last_attempt_succeeded = row.last_attempt_succeeded;
  facts.consecutive_failures = row.consecutive_failures.value_or(0);
  if (row.max_age) {
    constexpr double kLongest = 1e9;  // seconds; safely inside a Duration
    facts.max_age = std::chrono::duration_cast<Duration>(
        std::chrono::duration<double>(std::min(row.max_age->seconds, kLongest)));
    facts.max_age_configured = row.max_age->configured;
  }
  facts.overdue = row.overdue;
  facts.retention_days = row.retention_days;
  if (row.retention_violation.value_or(false)) {
    facts.retention = TypeFacts::Retention::violated;
  } else if (row.older_than_policy.value_or(false)) {
    facts.retention = TypeFacts::Retention::older_than_policy;
  } else if (row.retention_days && (row.older_than_policy || row.retention_violation)) {
    facts.retention = TypeFacts::Retention::kept;
  }
  return facts;
}

std::string types_where(const PreparedJob& job, bool (*holds)(const PreparedRow&)) {
  std::string types;
  for (const PreparedRow& row : job.rows) {
    if (holds(row)) types.append(types.empty() ? "" : ", ").append(name(row.type));
  }
  return types;
}

std::string why(const PreparedJob& job) {
  switch (job.state) {
    case JobState::late:
      return "no recent success: " +
             types_where(job, [](const PreparedRow& row) { return row.overdue == true; });
    case JobState::failing: {
      std::string text;
      const std::string types =
          types_where(job, [](const PreparedRow& row) { return row.last_attempt_succeeded == false; });
      if (!types.empty()) text = "the last attempt failed: " + types;
      if (job.databases_failing.value_or(0) > 0) {
        text +=
            (text.empty() ? "" : "; ") + counted(*job.databases_failing, "database fails", "databases fail");
      }
      return text;
    }
    case JobState::unknown:
      if (!job.source->runs || !job.source->settings) return "it could not be read completely";
      return "how often it should succeed is not known: set max_age, or wait for five successes";
    case JobState::paused:
      if (job.policy.ignored) return "ignored by configuration";
      if (job.enabled == false) return "disabled in SqlBak";
      return "nothing to back up";
    case JobState::protected_:
      return "";
  }
  return "";
}

JobFacts facts(const PreparedJob& job) {
  JobFacts facts;
  const Job& source = job.source->job;
  facts.id = shortened(source.id, kLongestName);
  facts.name = named(source.name);
  facts.server = named(source.server_name);
  facts.state = job.state;
  facts.why = why(job);
  facts.databases_failing = job.databases_failing;
  for (const PreparedRow& row : job.rows) facts.types.push_back(gateway::facts(job, row));
  return facts;
}

// Worst first.
int rank(JobState state) {
  switch (state) {
    case JobState::late:
      return 0;
    case JobState::failing:
      return 1;
    case JobState::unknown:
      return 2;
    case JobState::protected_:
      return 3;
    case JobState::paused:
      return 4;
  }
  return 5;
}

// The oldest last success of its types; a type that never succeeded is oldest of all.
double oldest_success(const PreparedJob& job) {
  double oldest = std::numeric_limits<double>::infinity();
  for (const PreparedRow& row : job.rows)
    oldest = std::min(oldest, row.last_success.has_value() ? row.last_success.milliseconds() : 0.0);
  return oldest;
}

bool job_before(const PreparedJob& a, const PreparedJob& b, const ListQuery& query) {
  const auto by = [](const auto& x, const auto& y) { return x < y ? -1 : y < x ? 1 : 0; };
  const Job& x = a.source->job;
  const Job& y = b.source->job;
  int order = 0;
  if (query.sort == "job") {
    order = by(x.name, y.name);
  } else if (query.sort == "server") {
    order = by(x.server_name, y.server_name);
  } else if (query.sort == "success") {
    order = by(oldest_success(b), oldest_success(a));
  } else {
    order = by(rank(b.state), rank(a.state));
  }
  if (order != 0) return (order < 0) != query.descending;
  if (rank(a.state) != rank(b.state)) return rank(a.state) < rank(b.state);
  if (x.name != y.name) return x.name < y.name;
  return x.id < y.id;
}

std::string sentence(const evaluation::AmbiguousOverride& over) {
  std::string text = std::string(over.of_server ? "servers" : "jobs") + ".\"" + named(over.target) + "\" ";
  if (over.matches == 0) return text + "matches nothing: correct its name, or remove it";
  return text + "matches " + grouped(over.matches) + " at once, and holds for all of them: name an id" +
         (over.of_server ? "" : ", or \"server/job\"");
}

PageOfList page_for(const ListQuery& query, Paging paging, std::size_t matching, std::size_t per_page) {
  if (paging == Paging::everything) return {1, 1, 0, matching};
  return page_of_list(query, matching, per_page);
}

}  // namespace

std::string_view key(Standing standing) {
  constexpr std::array<std::string_view, kStandings.size()> keys = {"at-risk",   "not-collected", "stale",
                                                                    "attention", "waiting",       "well"};
  return keys[static_cast<std::size_t>(standing)];
}

std::string_view words(Standing standing) {
  constexpr std::array<std::string_view, kStandings.size()> texts = {
      "At risk", "Not collected", "Stale", "Attention", "Waiting", "All well"};
  return texts[static_cast<std::size_t>(standing)];
}

std::string_view meaning(Standing standing) {
  constexpr std::array<std::string_view, kStandings.size()> texts = {
      "A job is late or failing, or SqlBak has suspended the account.",
      "The latest collection failed. What is shown is what was known before.",
      "What is known is older than three hours (or twice cache_ttl, where that is longer).",
      "Nothing of the above, but something to look at: a server is offline or has no job, a job is in state "
      "unknown or could not be read, or an override matches nothing.",
      "No verdict yet: nobody has asked for the account, or its first reading goes on.",
      "Everything is known, recent, and as it should be."};
  return texts[static_cast<std::size_t>(standing)];
}

std::string_view meaning(JobState state) {
  switch (state) {
    case JobState::protected_:
      return "Its settings and runs are known, and every enabled type has succeeded recently enough.";
    case JobState::late:
      return "The last success of one of its types is older than its max_age.";
    case JobState::failing:
      return "The last finished attempt of one of its types failed, or the latest backup of one of its "
             "databases did.";
    case JobState::unknown:
      return "It could not be read yet, or nobody knows how often one of its types should succeed: set "
             "max_age, "
             "or wait for five successes.";
    case JobState::paused:
      return "Nothing is expected of it: it is ignored by configuration, disabled in SqlBak, or no backup "
             "job.";
  }
  return "";
}

std::string_view words(FailureReason reason) {
  switch (reason) {
    case FailureReason::config:
      return "its token cannot be used";
    case FailureReason::auth:
      return "SqlBak refuses the token";
    case FailureReason::rate_limited:
      return "SqlBak asks to slow down";
    case FailureReason::timeout:
      return "SqlBak does not answer in time";
    case FailureReason::connection:
      return "SqlBak cannot be reached";
    case FailureReason::upstream_error:
      return "SqlBak answers with an error";
    case FailureReason::bad_response:
      return "SqlBak's answer was not understood";
  }
  return "";
}

std::string_view remedy(FailureReason reason) {
  switch (reason) {
    case FailureReason::config:
      return "Correct what the error names. A token file is read again by itself; no reload is needed.";
    case FailureReason::auth:
      return "Create a new token in SqlBak and write it to the account's token file; no reload is needed.";
    case FailureReason::rate_limited:
      return "If it lasts, lower the account's requests_per_second, raise its cache_ttl, and see who else "
             "uses "
             "its token.";
    case FailureReason::timeout:
      return "The gateway goes on trying. If it lasts, check the network and SqlBak's status.";
    case FailureReason::connection:
      return "Check DNS, firewall, proxy and certificates on the gateway's machine.";
    case FailureReason::upstream_error:
      return "The gateway goes on trying. If it lasts, check SqlBak's status.";
    case FailureReason::bad_response:
      return "Check api_url and any proxy in between; the debug page says what came.";
  }
  return "";
}

Duration stale_after(const config::AccountConfig& config) {
  constexpr Duration kAsTheAlert = std::chrono::hours(3);
  return std::min(config.max_stale, std::max(kAsTheAlert, 2 * config.cache_ttl));
}

std::span<const std::string_view> account_subsets() {
  static constexpr std::array<std::string_view, 6> kSubsets = {"at-risk",   "not-collected", "stale",
                                                               "attention", "waiting",       "well"};
  return kSubsets;
}

std::span<const ListOrder> account_orders() {
  static constexpr std::array<ListOrder, 10> kOrders = {{{"state", true},
                                                         {"account", false},
                                                         {"protected", true},
                                                         {"late", true},
                                                         {"failing", true},
                                                         {"unknown", true},
                                                         {"paused", true},
                                                         {"offline", true},
                                                         {"age", true},
                                                         {"collection", true}}};
  return kOrders;
}

std::span<const std::string_view> job_subsets() {
  static constexpr std::array<std::string_view, evaluation::kJobStates.size()> kSubsets = {
      name(JobState::protected_), name(JobState::late), name(JobState::failing), name(JobState::unknown),
      name(JobState::paused)};
  return kSubsets;
}

std::span<const ListOrder> job_orders() {
  static constexpr std::array<ListOrder, 4> kOrders = {
      {{"state", true}, {"job", false}, {"server", false}, {"success", true}}};
  return kOrders;
}

Overview overview(const std::vector<AccountOnPage>& accounts, const ListQuery& query, Paging paging,
                  GatewayFacts gateway) {
  Overview page;
  page.gateway = std::move(gateway);
  page.query = query;
  page.accounts = accounts.size();
  const std::vector<std::string> terms = query.terms();
  std::vector<Triage> matching;
  for (const AccountOnPage& account : accounts) {
    const Triage t = triage(account, page.gateway.now);
    page.at_risk += t.at_risk ? 1 : 0;
    page.not_collected += t.not_collected ? 1 : 0;
    page.stale += t.stale ? 1 : 0;
    ++page.by_standing[static_cast<std::size_t>(t.standing)];
    if (account.view.data) {
      for (std::size_t i = 0; i < page.jobs.size(); ++i)
        page.jobs[i] += account.view.data->account->jobs_by_state[i];
    }
    if (!shown(t, query.show)) continue;
    if (!terms.empty() &&
        !contains_all(terms, {account.config->name, words(t.standing)}, account.config->labels)) {
      continue;
    }
    matching.push_back(t);
  }
  std::sort(matching.begin(), matching.end(), [&](const Triage& a, const Triage& b) {
    const int order = compared(a, b, query.sort);
    if (order == 0 || query.sort == "state") {
      if (query.sort == "state" && !query.descending) return worse(b, a);
      return worse(a, b);
    }
    return (order < 0) != query.descending;
  });
  page.matching = matching.size();
  page.page = page_for(query, paging, matching.size(), kAccountsPerPage);
  page.query.page = page.page.page;
  for (std::size_t i = 0; i < page.page.count; ++i)
    page.rows.push_back(summary_of(matching[page.page.first + i]));
  return page;
}

AccountDetail account_detail(const AccountOnPage& account, const ListQuery& query, Paging paging,
                             GatewayFacts gateway) {
  const AccountView& view = account.view;
  AccountDetail page;
  page.summary = summary_of(triage(account, gateway.now));
  page.gateway = std::move(gateway);
  page.api_url = account.config->api_url;
  page.cache_ttl = account.config->cache_ttl;
  page.max_stale = account.config->max_stale;
  page.last_probe = view.counters.last_probe;
  page.query = query;

  for (const auto& trace : view.traces) page.collections.push_back(facts(*trace));
  for (const auto& trace : view.failures) {
    if (view.traces.empty() || trace->started_at < view.traces.back()->started_at)
      page.collections.push_back(facts(*trace));
  }
  if (!view.data) {
    page.page = page_for(query, paging, 0, kJobsPerPage);
    return page;
  }

  const PreparedAccount& prepared = *view.data->account;
  page.jobs_pending = view.data->snapshot().jobs_pending;
  page.jobs_unreadable = view.data->snapshot().jobs_unreadable;
  for (const Server* server : prepared.servers) {
    if (server->online() || page.servers_offline.size() == kServersShown) continue;
    page.servers_offline.push_back({shortened(server->id, kLongestName), named(server->name),
                                    shortened(server->app_type, kLongestName),
                                    shortened(server->status, kLongestName)});
  }
  for (const evaluation::AmbiguousOverride& over : prepared.ambiguous_overrides)
    page.overrides.push_back(sentence(over));

  const std::vector<std::string> terms = query.terms();
  std::vector<const PreparedJob*> matching;
  for (const auto& job : prepared.jobs) {
    if (!query.show.empty() && query.show != name(job->state)) continue;
    const Job& source = job->source->job;
    if (!terms.empty() && !contains_all(terms, {source.name, source.server_name, name(job->state)})) continue;
    matching.push_back(job.get());
  }
  std::sort(matching.begin(), matching.end(),
            [&](const PreparedJob* a, const PreparedJob* b) { return job_before(*a, *b, query); });
  page.matching = matching.size();
  page.page = page_for(query, paging, matching.size(), kJobsPerPage);
  page.query.page = page.page.page;
  for (std::size_t i = 0; i < page.page.count; ++i)
    page.jobs.push_back(facts(*matching[page.page.first + i]));
  return page;
}

std::string_view words(TypeFacts::Retention retention) {
  switch (retention) {
    case TypeFacts::Retention::unknown:
      return "not known";
    case TypeFacts::Retention::kept:
      return "as it should be";
    case TypeFacts::Retention::older_than_policy:
      return "expired, to go at the next success";
    case TypeFacts::Retention::violated:
      return "expired, and not deleted";
  }
  return "";
}

std::string_view key(TypeFacts::Retention retention) {
  switch (retention) {
    case TypeFacts::Retention::unknown:
      return "unknown";
    case TypeFacts::Retention::kept:
      return "kept";
    case TypeFacts::Retention::older_than_policy:
      return "older_than_policy";
    case TypeFacts::Retention::violated:
      return "violated";
  }
  return "";
}

std::string duration_in_words(Duration duration) {
  using std::chrono::floor;
  const auto ms = floor<std::chrono::milliseconds>(std::max(duration, Duration::zero())).count();
  if (ms < 1000) return std::to_string(ms) + " ms";
  const std::int64_t seconds = ms / 1000;
  const auto two = [](std::int64_t large, std::string_view unit, std::int64_t small,
                      std::string_view small_unit) {
    std::string text = std::to_string(large).append(" ").append(unit);
    if (small > 0) text.append(" ").append(std::to_string(small)).append(" ").append(small_unit);
    return text;
  };
  if (seconds < 10 && ms % 1000 >= 100)
    return std::to_string(seconds) + "." + std::to_string(ms % 1000 / 100) + " s";
  if (seconds < 60) return std::to_string(seconds) + " s";
  if (seconds < 600) return two(seconds / 60, "min", seconds % 60, "s");
  if (seconds < 3600) return std::to_string(seconds / 60) + " min";
  if (seconds < 86'400) return two(seconds / 3600, "h", seconds % 3600 / 60, "min");
  return two(seconds / 86'400, "d", seconds % 86'400 / 3600, "h");
}

std::string age_in_words(Duration age) {
  if (age < std::chrono::seconds(1)) return "0 s";
  return duration_in_words(std::chrono::floor<std::chrono::seconds>(age));
}

std::string grouped(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3;) text.insert(at -= 3, ",");
  return text;
}

std::string counted(std::uint64_t number, std::string_view singular, std::string_view plural) {
  return grouped(number).append(" ").append(number == 1 ? singular : plural);
}

}  // namespace sqlbak_gateway::gateway
