// Rhythm: how often a job and type succeeds, and how long it may be silent, inferred from its past.
//
// The rules in words, for an operator who checks them by hand, are in docs/metrics.md ("How max_age is
// inferred").
#pragma once

#include "sqlbak_gateway/account/epoch_ms.h"

#include <optional>
#include <vector>

namespace sqlbak_gateway::evaluation {

struct Rhythm {
  double interval_ms = 0;  // the typical gap: the median of the latest gaps, the lower one of two
  double max_age_ms = 0;   // at least as long as every gap seen before, except a single long pause
};

// The known successes are given by the gaps between consecutive ones (`gaps_ms`, all above 0, the oldest
// first; the function may reorder them), from the first at `first_ms` (NaN if there is none) to the last at
// `last_ms`. If there are fewer than five, or they lie within less than six days (which may hold no weekend),
// the `earlier` ones (ascending) that are before the first count too. Empty if there are fewer than five in
// all.
std::optional<Rhythm> rhythm(std::vector<double>& gaps_ms, double first_ms, double last_ms,
                             const std::vector<EpochMs>& earlier);

}  // namespace sqlbak_gateway::evaluation
