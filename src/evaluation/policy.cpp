#include "sqlbak_gateway/evaluation/policy.h"

#include "evaluation/overrides.h"

#include <utility>

namespace sqlbak_gateway::evaluation {

void MaxAges::refine(const MaxAges& closer) {
  for (const BackupType type : kBackupTypes) {
    if (closer.of(type)) of(type) = closer.of(type);
  }
}

namespace {

template <typename Named, typename Matches>
std::vector<ResolvedOverride> resolve(const std::vector<Override>& overrides, const std::vector<Named>& named,
                                      int closest, Matches&& matches) {
  std::vector<ResolvedOverride> resolved;
  for (const Override& override_ : overrides) {
    ResolvedOverride one{&override_, closest, 0};
    for (; one.closeness >= 0; --one.closeness) {
      for (const auto& candidate : named) {
        if (matches(override_.target, *candidate, one.closeness)) ++one.matches;
      }
      if (one.matches > 0) break;
    }
    resolved.push_back(one);
  }
  return resolved;
}

void apply(const Override& override_, JobPolicy& policy) {
  if (override_.ignore) policy.ignored = *override_.ignore;
  policy.max_age.refine(override_.max_age);
}

}  // namespace

Overrides::Overrides(const Policy& policy, const Snapshot& snapshot) : policy_(policy) {
  std::vector<const Server*> servers;
  for (const Server& server : snapshot.servers) servers.push_back(&server);
  std::vector<const Job*> jobs;
  for (const auto& job : snapshot.jobs) jobs.push_back(&job->job);
  servers_ =
      resolve(policy.servers, servers, kById, [](const std::string& target, const Server& server, int how) {
        return names(target, server.id, server.name, how);
      });
  jobs_ = resolve(policy.jobs, jobs, kById,
                  [](const std::string& target, const Job& job, int how) { return names(target, job, how); });
  jobs_complete_ = snapshot.jobs_pending == 0;
}

bool Overrides::names(const std::string& target, const std::string& id, const std::string& name, int how) {
  return how == kById ? target == id : how == kByName && target == name;
}

bool Overrides::names(const std::string& target, const Job& job, int how) {
  if (how != kByServerAndName) return names(target, job.id, job.name, how);
  const std::string& server = job.server_name;
  return target.size() == server.size() + 1 + job.name.size() &&
         target.compare(0, server.size(), server) == 0 && target[server.size()] == '/' &&
         target.compare(server.size() + 1, std::string::npos, job.name) == 0;
}

JobPolicy Overrides::of(const Job& job) const {
  JobPolicy policy{policy_.lookback, policy_.max_age, false};
  for (int how = kByName; how <= kById; ++how) {
    for (const ResolvedOverride& server : servers_) {
      const bool named = names(server.target->target, job.server_id, job.server_name, how);
      // A job may still say that it is of a server that is listed no more.
      const bool meant = server.matches > 0 ? server.closeness == how : how == kById;
      if (meant && named) apply(*server.target, policy);
    }
  }
  for (int how = kByName; how <= kById; ++how) {
    for (const ResolvedOverride& one : jobs_) {
      if (one.matches > 0 && one.closeness == how && names(one.target->target, job, how))
        apply(*one.target, policy);
    }
  }
  return policy;
}

bool Overrides::ignores(const Server& server) const {
  bool ignored = false;
  for (int how = kByName; how <= kById; ++how) {
    for (const ResolvedOverride& one : servers_) {
      const bool named = names(one.target->target, server.id, server.name, how);
      if (one.closeness == how && named && one.target->ignore) ignored = *one.target->ignore;
    }
  }
  return ignored;
}

std::vector<AmbiguousOverride> Overrides::ambiguous() const {
  std::vector<AmbiguousOverride> ambiguous;
  for (const ResolvedOverride& one : servers_) {
    if (one.matches != 1) ambiguous.push_back({true, one.target->target, one.matches});
  }
  for (const ResolvedOverride& one : jobs_) {
    const bool may_come_yet = one.matches == 0 && !jobs_complete_;
    if (one.matches != 1 && !may_come_yet) ambiguous.push_back({false, one.target->target, one.matches});
  }
  return ambiguous;
}

}  // namespace sqlbak_gateway::evaluation
