// The choice of the run that a collection reads again to see whether it is still as remembered. Pure.
#pragma once

#include "sqlbak_gateway/account/memory.h"
#include "sqlbak_gateway/base/clock.h"

#include <cstddef>
#include <optional>
#include <vector>

namespace sqlbak_gateway::sqlbak {

struct AuditedRun {
  std::size_t job = 0;  // index
  RunId run;
};

// One of the settled runs, chosen by the instant T of the collection, so that each has its turn. An element
// of `jobs` is null where nothing is remembered of a job's runs. Empty if no run is settled.
std::optional<AuditedRun> choose_audit(const std::vector<const RememberedRuns*>& jobs,
                                       SystemTime collected_at);

}  // namespace sqlbak_gateway::sqlbak
