// PackedRunsWriter: writes RememberedRuns. What is written, and of which runs, is pack_runs()'s decision.
// Not thread-safe.
#pragma once

#include "sqlbak/run_ledger.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sqlbak_gateway::sqlbak {

// Ends and sizes are kept of this many of the latest runs of each type: one to be shown, and some to fall
// back on when runs vanish.
inline constexpr std::size_t kExtentsKept = 4;

class PackedRunsWriter {
 public:
  // `ledger` has the names, and what was remembered before. It outlives the writer.
  explicit PackedRunsWriter(const RunLedger& ledger);

  // Adds a run's rows. Runs must come in the order of JobRuns::tallies. An empty `open` leaves the rows as
  // they are.
  void add(RunId run, const RunRows& rows, std::optional<bool> open, bool vanished);
  void add(UnsettledRun run);
  void add(IdleRun run);
  // Takes back the UnsettledRun of a run, unless it is missing.
  void drop(RunId run);

  // What was remembered before, if it is the same.
  std::shared_ptr<const RememberedRuns> finish() &&;

 private:
  // Only names that are still used are written, under new numbers, so that their number does not grow for
  // ever.
  class Renumbering {
   public:
    Renumbering(const std::vector<std::string>& from, std::vector<std::string>& to);
    std::uint32_t operator()(std::uint32_t number);

   private:
    const std::vector<std::string>& from_;
    std::vector<std::string>& to_;
    std::vector<std::uint32_t> new_number_;
  };

  RunId renumbered(RunId id) { return id.is_named() ? RunId::named(new_name_(id.name_index())) : id; }
  void add_extent(const RunRows& rows, std::uint32_t i);

  const RunLedger& ledger_;
  RememberedRuns out_;
  Renumbering new_name_;
  Renumbering new_database_;
};

}  // namespace sqlbak_gateway::sqlbak
