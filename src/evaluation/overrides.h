// Overrides: which jobs and servers of a snapshot the overrides of a policy mean.
#pragma once

#include "sqlbak_gateway/evaluation/policy.h"
#include "sqlbak_gateway/evaluation/prepared.h"

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sqlbak_gateway::evaluation {

struct ResolvedOverride {
  const Override* target;
  int closeness;  // the closest way of naming that matched anything; below 0: none
  std::size_t matches;
};

// Overrides found by what they name: there may be as many as a file has room for, and as many jobs. An
// override means what it names in the closest way that matches anything: a target that is one job's id does
// not also mean a job of that name.
class ResolvedOverrides {
 public:
  // Ways of naming, the closest last.
  static constexpr int kByName = 0;
  static constexpr int kByServerAndName = 1;  // jobs only: "server/job"
  static constexpr int kById = 2;
  struct Names {
    std::string_view id;
    std::string_view name;
    std::optional<std::string_view> server;  // its name; jobs only
  };

  // Refers to `overrides`. `names` are those of all that may be meant.
  ResolvedOverrides(const std::vector<Override>& overrides, const std::vector<Names>& names);

  // Those whose target is one of `names`, with the way of naming that makes it so: the closest last, and
  // those of one way in their order.
  std::vector<std::pair<const ResolvedOverride*, int>> naming(const Names& names) const;
  // In their order.
  const std::vector<ResolvedOverride>& all() const { return all_; }

 private:
  std::vector<ResolvedOverride> all_;
  std::multimap<std::string_view, std::size_t> by_target_;  // places in all_; equal ones in their order
};

// Refers to the policy it was made from.
class Overrides {
 public:
  Overrides(const Policy& policy, const Snapshot& snapshot);

  JobPolicy of(const Job& job) const;
  bool ignores(const Server& server) const;
  std::vector<AmbiguousOverride> ambiguous() const;

 private:
  const Policy& policy_;
  const ResolvedOverrides servers_;
  const ResolvedOverrides jobs_;
  const bool jobs_complete_;
};

}  // namespace sqlbak_gateway::evaluation
