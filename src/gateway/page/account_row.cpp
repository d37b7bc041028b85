#include "gateway/page/account_row.h"

#include "gateway/page/words.h"
#include "sqlbak_gateway/base/text.h"

#include <algorithm>
#include <utility>

namespace sqlbak_gateway::gateway {
namespace {

using evaluation::JobState;
using evaluation::PreparedAccount;

constexpr std::size_t kNamed = 3;  // of several jobs or servers, how many a reason names

bool suspended(const PreparedAccount& account) {
  return account.snapshot->info && account.snapshot->info->suspended.value_or(false);
}

std::uint64_t jobs_in(const PreparedAccount& account, JobState state) {
  return account.jobs_by_state[static_cast<std::size_t>(state)];
}

bool needs_attention(const PreparedAccount& account) {
  return jobs_in(account, JobState::unknown) > 0 || !account.servers_missed.empty() ||
         account.snapshot->jobs_unreadable > 0 || account.jobs.empty() ||
         account.servers_without_jobs.value_or(0) > 0 || !account.ambiguous_overrides.empty();
}

// Empty if nothing has been read.
std::optional<std::uint64_t> late_or_failing(const AccountRow& row) {
  if (!row.data()) return std::nullopt;
  return jobs_in(*row.data(), JobState::late) + jobs_in(*row.data(), JobState::failing);
}
std::optional<std::uint64_t> unknown_or_missed(const AccountRow& row) {
  if (!row.data()) return std::nullopt;
  return jobs_in(*row.data(), JobState::unknown) + row.data()->servers_missed.size();
}

// "2 jobs late: ERP, CRM and 4 more"
template <typename Item, typename NameOf>
std::string counted_and_named(std::uint64_t number, std::string_view one, std::string_view many,
                              const std::vector<Item>& items, NameOf name_of) {
  std::string text = counted(number, one, many);
  std::uint64_t named = 0;
  for (const Item& item : items) {
    const std::string* name = name_of(item);
    if (!name) continue;
    text.append(named == 0 ? ": " : ", ").append(display_name(*name));
    if (++named == kNamed) break;
  }
  if (named > 0 && number > named) text += " and " + grouped(number - named) + " more";
  return text;
}

std::string jobs_named(const PreparedAccount& account, JobState state, const std::string& what) {
  return counted_and_named(
      jobs_in(account, state), "job " + what, "jobs " + what, account.jobs,
      [&](const auto& job) { return job->state == state ? &job->source->job.name : nullptr; });
}

std::string missed_servers(const PreparedAccount& account) {
  return counted_and_named(account.servers_missed.size(), "server offline", "servers offline",
                           account.servers_missed, [](const Server* server) { return &server->name; });
}

std::string initial_collection(const PreparedAccount& account) {
  return "initial collection: " + grouped(account.jobs.size()) + " of " +
         counted(account.jobs.size() + account.snapshot->jobs_pending, "job", "jobs") + " read";
}

// What the data say, besides jobs that are late or failing.
void add_attention(const PreparedAccount& account, std::vector<Reason>& reasons) {
  const auto add = [&](std::string text) { reasons.push_back({Standing::attention, std::move(text)}); };
  const auto add_counted = [&](std::uint64_t number, std::string_view one, std::string_view many) {
    if (number > 0) add(counted(number, one, many));
  };
  if (jobs_in(account, JobState::unknown) > 0)
    add(jobs_named(account, JobState::unknown, "in state unknown"));
  add_counted(account.snapshot->jobs_unreadable, "job could not be read", "jobs could not be read");
  add_counted(account.servers_without_jobs.value_or(0), "server without a backup job",
              "servers without a backup job");
  if (account.jobs.empty()) add("the account has no jobs");
  add_counted(account.ambiguous_overrides.size(), "override does not match one job or server",
              "overrides do not match one job or server");
}

void add_reasons_of_data(const AccountRow& row, std::vector<Reason>& reasons) {
  const PreparedAccount& account = *row.data();
  const auto add = [&](Standing weight, std::string text) { reasons.push_back({weight, std::move(text)}); };
  if (suspended(account)) add(Standing::at_risk, "SqlBak has suspended the account: its backups stop");
  if (jobs_in(account, JobState::late) > 0)
    add(Standing::at_risk, jobs_named(account, JobState::late, "late"));
  if (jobs_in(account, JobState::failing) > 0)
    add(Standing::at_risk, jobs_named(account, JobState::failing, "failing"));
  if (row.stale) {
    std::string text = "the data are " + duration_in_words(row.data_age) + " old";
    if (row.data_age > row.config().max_stale) text += "; probes no longer return them (max_stale)";
    add(Standing::stale, std::move(text));
  }
  if (!account.servers_missed.empty()) add(Standing::attention, missed_servers(account));
  if (row.view().backfilling) {
    add(Standing::waiting, initial_collection(account));
  } else {
    add_attention(account, reasons);
  }
}

}  // namespace

AccountRow account_row(const AccountOnPage& on_page, SystemTime now) {
  const AccountView& view = on_page.view;
  AccountRow row{&on_page};
  row.not_collected = view.record.last_failure.has_value();
  bool attention = false;
  if (const PreparedAccount* data = row.data()) {
    row.data_age = std::max<Duration>(Duration::zero(), now - data->snapshot->collected_at);
    row.at_risk = suspended(*data) || late_or_failing(row) > 0;
    row.stale = row.data_age > stale_after(row.config());
    attention = !view.backfilling && needs_attention(*data);
  }
  if (row.at_risk) {
    row.standing = Standing::at_risk;
  } else if (row.not_collected) {
    row.standing = Standing::not_collected;
  } else if (row.stale) {
    row.standing = Standing::stale;
  } else if (attention) {
    row.standing = Standing::attention;
  } else if (!row.data() || view.backfilling) {
    row.standing = Standing::waiting;
  }
  return row;
}

Duration stale_after(const config::AccountConfig& config) {
  constexpr Duration kAsTheAlert = std::chrono::hours(3);
  return std::min(config.max_stale, std::max(kAsTheAlert, 2 * config.cache_ttl));
}

bool counts_as(const AccountRow& row, Standing standing) {
  switch (standing) {
    case Standing::at_risk:
      return row.at_risk;
    case Standing::not_collected:
      return row.not_collected;
    case Standing::stale:
      return row.stale;
    case Standing::attention:
    case Standing::waiting:
    case Standing::well:
      break;
  }
  return row.standing == standing;
}

bool worse(const AccountRow& a, const AccountRow& b) {
  if (a.standing != b.standing) return a.standing < b.standing;
  if (late_or_failing(a) != late_or_failing(b)) return late_or_failing(a) > late_or_failing(b);
  if (a.not_collected != b.not_collected) return a.not_collected;
  if (a.stale != b.stale) return a.stale;
  if (unknown_or_missed(a) != unknown_or_missed(b)) return unknown_or_missed(a) > unknown_or_missed(b);
  return a.config().name < b.config().name;
}

std::optional<std::uint64_t> jobs_in(const AccountRow& row, JobState state) {
  if (!row.data()) return std::nullopt;
  return jobs_in(*row.data(), state);
}

std::optional<std::uint64_t> servers(const AccountRow& row) {
  if (!row.data()) return std::nullopt;
  return row.data()->servers.size();
}

std::optional<std::uint64_t> servers_offline(const AccountRow& row) {
  if (!row.data()) return std::nullopt;
  return row.data()->servers_offline;
}

std::optional<SystemTime> data_from(const AccountRow& row) {
  if (!row.data()) return std::nullopt;
  return row.data()->snapshot->collected_at;
}

std::vector<Reason> reasons(const AccountRow& row) {
  const CollectionRecord& record = row.view().record;
  std::vector<Reason> reasons;
  if (row.data()) {
    add_reasons_of_data(row, reasons);
  } else if (!record.completed_any) {
    reasons.push_back({Standing::waiting, record.in_progress
                                              ? "initial collection: it has just started"
                                              : "not probed yet: scrape it (/sd tells Prometheus how)"});
  }
  if (record.last_failure) {
    std::string text = "not collected: " + std::string(words(record.last_failure->reason));
    if (record.failures_in_a_row > 1) text += ", " + grouped(record.failures_in_a_row) + " times in a row";
    reasons.push_back({Standing::not_collected, std::move(text)});
  }
  std::stable_sort(reasons.begin(), reasons.end(),
                   [](const Reason& a, const Reason& b) { return a.weight < b.weight; });
  return reasons;
}

std::string_view advice(const AccountRow& row) {
  const auto& failure = row.view().record.last_failure;
  return failure ? remedy(failure->reason) : std::string_view();
}

}  // namespace sqlbak_gateway::gateway
