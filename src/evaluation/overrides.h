// Overrides: which jobs and servers of a snapshot the overrides of a policy mean.
#pragma once

#include "sqlbak_gateway/evaluation/policy.h"
#include "sqlbak_gateway/evaluation/prepared.h"

#include <cstddef>
#include <string>
#include <vector>

namespace sqlbak_gateway::evaluation {

struct ResolvedOverride {
  const Override* target;
  int closeness;  // the closest way of naming that matched anything; below 0: none
  std::size_t matches;
};

// Refers to the policy it was made from. An override means what it names in the closest way that matches
// anything: a target that is one job's id does not also mean a job of that name.
class Overrides {
 public:
  Overrides(const Policy& policy, const Snapshot& snapshot);

  JobPolicy of(const Job& job) const;
  bool ignores(const Server& server) const;
  std::vector<AmbiguousOverride> ambiguous() const;

 private:
  // Ways of naming, the closest last.
  static constexpr int kByName = 0;
  static constexpr int kByServerAndName = 1;  // jobs only: "server/job"
  static constexpr int kById = 2;
  static bool names(const std::string& target, const std::string& id, const std::string& name, int how);
  static bool names(const std::string& target, const Job& job, int how);

  const Policy& policy_;
  std::vector<ResolvedOverride> servers_;
  std::vector<ResolvedOverride> jobs_;
  bool jobs_complete_ = true;
};

}  // namespace sqlbak_gateway::evaluation
