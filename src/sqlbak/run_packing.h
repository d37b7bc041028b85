// Packing: at the end of a collection, a ledger's runs become what is remembered of a job. Pure.
#pragma once

#include "sqlbak/run_ledger.h"
#include "sqlbak_gateway/account/remembered.h"

#include <cstdint>
#include <memory>

namespace sqlbak_gateway::sqlbak {

struct PackCircumstances {
  bool listed_whole = false;      // the lists are complete
  bool others_were_read = false;  // the details of some run could be read: one that fails is at fault itself
  bool ends_shown = false;        // the API is known to show when runs end: one without an end still runs
};

struct PackedJob {
  std::shared_ptr<const RememberedRuns> runs;    // the very same as before if nothing changed
  std::shared_ptr<const Remembered> remembered;  // likewise
  std::uint64_t failed = 0;                      // runs that could not be read now
  std::uint64_t left_out = 0;        // runs that could not be read in kUnreadableAfter collections
  std::uint64_t newly_left_out = 0;  // those among them for which this was the last of these collections
};

// What is remembered of each run follows from the tables of run_state.h. `remembered` must not be null.
PackedJob pack_runs(const RunLedger& ledger, const std::shared_ptr<const Remembered>& remembered,
                    const PackCircumstances& circumstances);

}  // namespace sqlbak_gateway::sqlbak
