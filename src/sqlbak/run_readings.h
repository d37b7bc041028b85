// RunReadings: the details that one collection has read of a job's runs, packed at once. Not thread-safe.
#pragma once

#include "sqlbak/decode.h"
#include "sqlbak/name_table.h"
#include "sqlbak_gateway/account/memory.h"

#include <cstdint>
#include <vector>

namespace sqlbak_gateway::sqlbak {

// The rows of one run, one for each backup type, and the outcomes of its databases. A view: it lives as long
// as what it looks at.
struct RunRows {
  const RunTally* tallies = nullptr;
  const RunExtent* extents = nullptr;  // one for each tally; null for remembered rows
  std::uint32_t count = 0;
  const PackedOutcome* outcomes = nullptr;
  std::uint32_t outcome_count = 0;
  std::uint32_t first = 0;  // PackedOutcome::tally counts from here
};

// The order of a run's outcomes, so that two readings can be compared.
inline bool in_order(const PackedOutcome& a, const PackedOutcome& b) {
  return a.tally != b.tally ? a.tally < b.tally : a.database < b.database;
}

// Whether a run came to the same. Files that were deleted in between make no difference.
bool came_to_the_same(const RunRows& before, const RunRows& now);

// A run that shows no end and stands still has come to its final outcome when all its entries are final.
// Where the API shows ends it may go on, but a failed one stays failed.
constexpr bool decided_without_an_end(bool final, bool failed, bool ends_shown) {
  return final && (failed || !ends_shown);
}

// What one reading of a run says about whether the run can still change. `ends_shown` means that the API is
// known to show when runs end.
struct RunReading {
  EpochMs started_at;
  SystemTime unchanged_since{};  // when it was first read as it is now
  std::uint32_t first_row = 0;
  std::uint32_t rows = 0;
  std::uint32_t first_outcome = 0;
  std::uint32_t outcomes = 0;
  bool old = false;        // it started more than kSettledAfter ago
  bool shows_end = false;  // the API shows its end
  bool final = false;      // it has entries, and all of them succeeded or failed
  bool failed = false;     // some entry failed
  bool quiet = false;      // it has stood still for kEqualReadingsApart

  // Its outcome is final, as far as can be told.
  bool decided(bool ends_shown) const {
    return shows_end ? final : quiet && decided_without_an_end(final, failed, ends_shown);
  }
  // It need not be read again. Nothing proves that the newest run of a job does not go on.
  bool settled(bool newest, bool ends_shown) const {
    if (newest && !shows_end) return old && final;
    return old || decided(ends_shown);
  }
  // It is taken to be running.
  bool open(bool ends_shown) const {
    if (old || shows_end || decided(ends_shown)) return false;
    return ends_shown || !final;
  }
};

class RunReadings {
 public:
  // Packs what was read. `databases` numbers the names of databases. The caller fills in `old`, `quiet` and
  // `unchanged_since`. Returns the number of the reading.
  std::uint32_t add(const RunDetails& details, NameTable& databases);

  RunReading& operator[](std::uint32_t number) { return readings_[number]; }
  const RunReading& operator[](std::uint32_t number) const { return readings_[number]; }
  // Valid until the next add().
  RunRows rows(const RunReading& reading) const;

 private:
  std::vector<RunReading> readings_;
  std::vector<RunTally> tallies_;
  std::vector<RunExtent> extents_;       // one for each tally
  std::vector<PackedOutcome> outcomes_;  // ascending by tally, which counts in the whole of tallies_
};

}  // namespace sqlbak_gateway::sqlbak
