// Rhythm: how often a job and type succeeds, and how long it may be silent, as its past shows.
//
// The rules in words, for an operator who checks them by hand, are in docs/metrics.md ("How max_age is
// inferred").
#pragma once

#include "sqlbak_gateway/account/epoch_ms.h"

#include <optional>
#include <vector>

namespace sqlbak_gateway::evaluation {

struct Rhythm {
  double interval_ms = 0;  // the typical gap: the median of the latest, the lower one of an even number
  double max_age_ms = 0;   // no gap seen before, but for a single long pause, is longer
};

// The successes that are known: `gaps_ms` between consecutive ones, all above 0, the oldest first (they may
// be left in another order), from the first at `first_ms` (NaN: there is none) to the last at `last_ms`.
// Where they are fewer than five, or lie within less than the six days that are sure to hold a weekend, the
// `earlier` ones (ascending) count too, as far as they are before the first. Nothing from fewer than five in
// all.
std::optional<Rhythm> rhythm(std::vector<double>& gaps_ms, double first_ms, double last_ms,
                             const std::vector<EpochMs>& earlier);

}  // namespace sqlbak_gateway::evaluation
