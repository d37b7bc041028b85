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

// The successes of a job and type that are known.
struct Successes {
  std::vector<double>&
      gaps_ms;          // between consecutive ones, all above 0, the oldest first; may be left in disorder
  double first_ms = 0;  // NaN: there is none
  double last_ms = 0;
};

// Nothing from fewer than five successes. Where they are fewer, or lie within less than the six days that are
// sure to hold a weekend, the `earlier` ones (ascending) count too, as far as they are before the first.
std::optional<Rhythm> rhythm(Successes known, const std::vector<EpochMs>& earlier);

// `gaps_ms`: the times between consecutive successes, all above 0, the oldest first; they may be left in
// another order. `span_ms`: from the first success to the last. Nothing from fewer than five successes.
std::optional<Rhythm> rhythm(std::vector<double>& gaps_ms, double span_ms);

}  // namespace sqlbak_gateway::evaluation
