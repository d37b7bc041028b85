#include "evaluation/judge.h"
#include "evaluation/overrides.h"
#include "sqlbak_gateway/evaluation/prepared.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>

namespace sqlbak_gateway::evaluation {
namespace {

// Shorter ids first, so that numbers are in order and the newest jobs and servers come last.
bool id_before(std::string_view a, std::string_view b) {
  return a.size() != b.size() ? a.size() < b.size() : a < b;
}

// Sorts, and keeps the last of equal items.
template <typename T, typename Before>
void sort_keeping_last(std::vector<T>& items, Before before) {
  std::stable_sort(items.begin(), items.end(), before);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const bool has_later_twin = i + 1 < items.size() && !before(items[i], items[i + 1]);
    if (has_later_twin) continue;
    if (kept != i) items[kept] = std::move(items[i]);
    ++kept;
  }
  items.resize(kept);
}

template <typename T>
bool same(const std::shared_ptr<const T>& a, const std::shared_ptr<const T>& b) {
  return a == b || (a && b && *a == *b);
}

bool same(const std::shared_ptr<const JobSnapshot>& a, const std::shared_ptr<const JobSnapshot>& b) {
  // Runs are compared by identity: comparing them by value costs as much as judging them.
  return a == b || (a->job == b->job && same(a->settings, b->settings) && a->runs == b->runs &&
                    same(a->remembered, b->remembered) && a->settings_current == b->settings_current &&
                    a->runs_current == b->runs_current && a->runs_read_at == b->runs_read_at &&
                    a->runs_reach == b->runs_reach);
}

// The instant for which a job is judged. A job whose runs could not be read is judged as of the last
// collection that could read them, so that it does not become late and its window does not move.
SystemTime instant_of(const JobSnapshot& source, SystemTime collected_at) {
  return source.runs_current ? collected_at : source.runs_read_at.value_or(collected_at);
}

std::vector<const Server*> distinct(const std::vector<Server>& servers) {
  std::vector<const Server*> distinct;
  distinct.reserve(servers.size());
  for (const Server& server : servers) distinct.push_back(&server);
  sort_keeping_last(distinct, [](const Server* a, const Server* b) {
    if (a->id != b->id) return id_before(a->id, b->id);
    return std::tie(a->name, a->app_type) < std::tie(b->name, b->app_type);
  });
  return distinct;
}

std::vector<StatusCount> count_by_status(const std::vector<Server>& servers) {
  std::map<std::string, std::uint64_t> counts;
  for (const std::string_view status : kKnownStatuses) counts.emplace(status, 0);
  for (const Server& server : servers) ++counts[server.status];
  std::vector<StatusCount> by_status;
  by_status.reserve(counts.size());
  for (const auto& [status, count] : counts) by_status.push_back({status, count});
  return by_status;
}

std::uint64_t count_without_jobs(const Snapshot& snapshot, const Overrides& overrides) {
  std::set<std::string_view> with_jobs;
  for (const auto& job : snapshot.jobs) {
    if (is_backup_job(job->job) && !job->job.server_id.empty()) with_jobs.insert(job->job.server_id);
  }
  return static_cast<std::uint64_t>(std::count_if(
      snapshot.servers.begin(), snapshot.servers.end(),
      [&](const Server& server) { return !with_jobs.contains(server.id) && !overrides.ignores(server); }));
}

}  // namespace

PreparedAccount prepare(std::shared_ptr<const Snapshot> snapshot, const Policy& policy,
                        const PreparedAccount* previous) {
  PreparedAccount account;
  const Overrides overrides(policy, *snapshot);
  const SystemTime now = snapshot->collected_at;

  auto jobs = snapshot->jobs;
  sort_keeping_last(jobs, [](const auto& a, const auto& b) { return id_before(a->job.id, b->job.id); });
  account.jobs.reserve(jobs.size());
  FactsByType scratch;
  std::size_t earlier = 0;  // both lists are in the order of ids
  for (auto& source : jobs) {
    JobPolicy job_policy = overrides.of(source->job);
    job_policy.api_clock_ahead = snapshot->api_clock_ahead;
    std::shared_ptr<const PreparedJob> job;
    if (previous) {
      const auto& known = previous->jobs;
      while (earlier < known.size() && id_before(known[earlier]->source->job.id, source->job.id)) ++earlier;
      if (earlier < known.size()) job = known[earlier];
    }
    const SystemTime at = instant_of(*source, now);
    const bool as_before = job && same(job->source, source) && job->policy == job_policy &&
                           job->judged_at <= at && at <= job->unchanged_until;
    if (!as_before)
      job = std::make_shared<const PreparedJob>(judge(std::move(source), job_policy, at, scratch));
    account.row_count += job->rows.size();
    ++account.jobs_by_state[static_cast<std::size_t>(job->state)];
    account.jobs.push_back(std::move(job));
  }
  account.jobs_by_state[static_cast<std::size_t>(JobState::unknown)] += snapshot->jobs_pending;

  account.servers = distinct(snapshot->servers);
  account.servers_offline =
      static_cast<std::uint64_t>(std::count_if(snapshot->servers.begin(), snapshot->servers.end(),
                                               [](const Server& server) { return !server.online(); }));
  std::copy_if(account.servers.begin(), account.servers.end(), std::back_inserter(account.servers_missed),
               [&](const Server* server) { return !server->online() && !overrides.ignores(*server); });
  account.servers_by_status = count_by_status(snapshot->servers);
  if (snapshot->jobs_pending == 0) account.servers_without_jobs = count_without_jobs(*snapshot, overrides);
  account.ambiguous_overrides = overrides.ambiguous();
  account.snapshot = std::move(snapshot);
  return account;
}

}  // namespace sqlbak_gateway::evaluation
