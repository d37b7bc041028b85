// Overrides: which jobs and servers of a snapshot the overrides of a policy match.
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
  int closeness;  // the closest way of naming that matched anything; negative if none did
  std::size_t matches;
};

// Finds overrides by their target with a look-up, because there may be very many of them and of jobs. An
// override matches by the closest way of naming that matches anything: a target that is one job's id does not
// also match a job of that name.
class ResolvedOverrides {
 public:
  // The ways of naming, the closest last.
  static constexpr int kByName = 0;
  static constexpr int kByServerAndName = 1;  // jobs only: "server/job"
  static constexpr int kById = 2;
  struct Names {
    std::string_view id;
    std::string_view name;
    std::optional<std::string_view> server;  // its name; jobs only
  };

  // Keeps references to `overrides`. `names` are those of all jobs (or servers).
  ResolvedOverrides(const std::vector<Override>& overrides, const std::vector<Names>& names);

  // The overrides whose target is one of `names`, with the way of naming. The closest way comes last; those
  // of the same way keep their order.
  std::vector<std::pair<const ResolvedOverride*, int>> naming(const Names& names) const;
  // All overrides, in their order.
  const std::vector<ResolvedOverride>& all() const { return all_; }

 private:
  std::vector<ResolvedOverride> all_;
  std::multimap<std::string_view, std::size_t> by_target_;  // indices of all_; equal targets keep their order
};

// Keeps a reference to the policy.
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
