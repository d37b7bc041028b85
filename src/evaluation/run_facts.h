// RunFacts: what one pass over a job's runs finds for each backup type.
#pragma once

#include "sqlbak_gateway/account/remembered.h"
#include "sqlbak_gateway/account/run.h"
#include "sqlbak_gateway/evaluation/prepared.h"

#include <array>
#include <limits>
#include <vector>

namespace sqlbak_gateway::evaluation {

inline constexpr double kNever = std::numeric_limits<double>::infinity();
inline constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

// Facts about one type, from the runs whose start is known. Instants are milliseconds since the epoch. What
// was not found is kUnknown, or kNever for the earliest of something.
struct TypeFacts {
  double last_attempt = kUnknown;

  double first_success = kUnknown;
  double last_success = kUnknown;
  double last_settled_success = kUnknown;   // at least an hour before T
  double first_unsettled_success = kNever;  // the others' earliest
  double first_undeleted = kNever;          // a success that still has files
  std::vector<double> gaps;                 // between successes, the oldest first

  double last_finished = kUnknown;
  bool finished_succeeded = false;      // all entries of that attempt did
  bool any_finished_succeeded = false;  // any attempt
  std::uint64_t failures = 0;           // finished attempts since the last that succeeded
  std::uint64_t failures_since_remembered = 0;
  double remembered_until = -kNever;  // the last finished attempt that was remembered
};

// Facts about one type, from the runs in the window.
struct WindowFacts {
  WindowCounts counts;
  double last_success = kUnknown;
  double first_undeleted = kNever;
};

using FactsByType = std::array<TypeFacts, kBackupTypeCount>;
using WindowByType = std::array<WindowFacts, kBackupTypeCount>;

// Up to which start a success counts as settled, and a run is believed at all.
struct Limits {
  double settled_until;
  double believed_until;
};

// Fills `facts`, reusing its memory, from all runs that are believed. An attempt is a run with entries of the
// type. It is finished when the run cannot change any more. Runs that started in the same millisecond are one
// attempt. Returns the earliest start that is not believed, or NaN.
double collect_facts(const JobRuns& runs, const Remembered* remembered, Limits limits, FactsByType& facts);

// `first_start` is the start of the earliest run in the window, or NaN.
struct Window {
  WindowByType by_type;
  double first_start = kUnknown;
};
Window count_window(const JobRuns& runs, double window_start);

// Adds the facts to what was remembered.
Remembered merge(const Remembered* before, const JobRuns* runs, const FactsByType& facts,
                 SystemTime collected_at);

}  // namespace sqlbak_gateway::evaluation
