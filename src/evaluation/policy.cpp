#include "sqlbak_gateway/evaluation/policy.h"

#include "evaluation/overrides.h"

#include <algorithm>
#include <utility>

namespace sqlbak_gateway::evaluation {

void MaxAges::refine(const MaxAges& closer) {
  for (const BackupType type : kBackupTypes) {
    if (closer.of(type)) of(type) = closer.of(type);
  }
}

namespace {

using Names = ResolvedOverrides::Names;

Names names_of_server(std::string_view id, std::string_view name) {
  return {id, name, std::nullopt};
}

Names names_of(const Job& job) {
  return {job.id, job.name, job.server_name};
}

// Collects no names without overrides, which is the usual case.
std::vector<Names> names_of_servers(const Policy& policy, const Snapshot& snapshot) {
  std::vector<Names> names;
  if (policy.servers.empty()) return names;
  names.reserve(snapshot.servers.size());
  for (const Server& server : snapshot.servers) names.push_back(names_of_server(server.id, server.name));
  return names;
}

std::vector<Names> names_of_jobs(const Policy& policy, const Snapshot& snapshot) {
  std::vector<Names> names;
  if (policy.jobs.empty()) return names;
  names.reserve(snapshot.jobs.size());
  for (const auto& job : snapshot.jobs) names.push_back(names_of(job->job));
  return names;
}

void apply(const Override& override_, JobPolicy& policy) {
  if (override_.ignore) policy.ignored = *override_.ignore;
  policy.max_age.refine(override_.max_age);
}

}  // namespace

ResolvedOverrides::ResolvedOverrides(const std::vector<Override>& overrides,
                                     const std::vector<Names>& names) {
  for (const Override& override_ : overrides) {
    by_target_.emplace(override_.target, all_.size());
    all_.push_back({&override_, -1, 0});
  }
  for (const Names& of_one : names) {
    for (const auto& [found, how] : naming(of_one)) {
      ResolvedOverride& one = all_[static_cast<std::size_t>(found - all_.data())];
      if (how > one.closeness) one.matches = 0;
      if (how >= one.closeness) ++one.matches;
      one.closeness = std::max(one.closeness, how);
    }
  }
}

std::vector<std::pair<const ResolvedOverride*, int>> ResolvedOverrides::naming(const Names& names) const {
  std::vector<std::pair<const ResolvedOverride*, int>> found;
  if (by_target_.empty()) return found;
  const auto add = [&](std::string_view name, int how) {
    const auto [first, last] = by_target_.equal_range(name);
    for (auto entry = first; entry != last; ++entry) found.emplace_back(&all_[entry->second], how);
  };
  add(names.name, kByName);
  if (names.server) add(std::string(*names.server).append("/").append(names.name), kByServerAndName);
  add(names.id, kById);
  return found;
}

Overrides::Overrides(const Policy& policy, const Snapshot& snapshot)
    : policy_(policy),
      servers_(policy.servers, names_of_servers(policy, snapshot)),
      jobs_(policy.jobs, names_of_jobs(policy, snapshot)),
      jobs_complete_(snapshot.jobs_pending == 0) {}

JobPolicy Overrides::of(const Job& job) const {
  JobPolicy policy{policy_.lookback, policy_.max_age, false, {}};
  // A job without a server's id belongs to no server, whatever the name that stands for that.
  const Names server_names =
      job.server_id.empty() ? Names{} : names_of_server(job.server_id, job.server_name);
  for (const auto& [server, how] : servers_.naming(server_names)) {
    // A job may name a server that is no longer listed.
    const bool meant = server->matches > 0 ? server->closeness == how : how == ResolvedOverrides::kById;
    if (meant) apply(*server->target, policy);
  }
  for (const auto& [one, how] : jobs_.naming(names_of(job))) {
    if (one->closeness == how) apply(*one->target, policy);
  }
  return policy;
}

bool Overrides::ignores(const Server& server) const {
  bool ignored = false;
  for (const auto& [one, how] : servers_.naming(names_of_server(server.id, server.name))) {
    if (one->closeness == how && one->target->ignore) ignored = *one->target->ignore;
  }
  return ignored;
}

std::vector<AmbiguousOverride> Overrides::ambiguous() const {
  std::vector<AmbiguousOverride> ambiguous;
  for (const ResolvedOverride& one : servers_.all()) {
    if (one.matches != 1) ambiguous.push_back({true, one.target->target, one.matches});
  }
  for (const ResolvedOverride& one : jobs_.all()) {
    const bool may_come_yet = one.matches == 0 && !jobs_complete_;
    if (one.matches != 1 && !may_come_yet) ambiguous.push_back({false, one.target->target, one.matches});
  }
  return ambiguous;
}

}  // namespace sqlbak_gateway::evaluation
