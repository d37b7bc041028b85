// RunLedger::Packer: rows and runs, as a ledger holds them, become RememberedRuns. What is to be remembered,
// and of which runs, RunLedger::Packing decides. Not thread-safe.
#pragma once

#include "sqlbak/run_ledger.h"

namespace sqlbak_gateway::sqlbak {

class RunLedger::Packer {
 public:
  explicit Packer(const RunLedger& ledger);

  // A run's rows; runs come in the order of JobRuns::tallies. `open`: nothing leaves that as it was.
  void add(RunId run, const Rows& rows, std::optional<bool> open, bool vanished);
  void add(UnsettledRun run);
  void add(IdleRun run);
  // What was added of a run that may be asked for.
  void drop(RunId run);

  // Those that the ledger began with themselves, when they are the same.
  std::shared_ptr<const RememberedRuns> finish() &&;

 private:
  RunId renumbered(RunId id);
  std::uint32_t renumbered_database(std::uint32_t database);
  void add_extent(const Rows& rows, std::uint32_t i);

  const RunLedger& ledger_;
  RememberedRuns out_;
  std::vector<std::uint32_t> database_of_;
  std::vector<std::uint32_t> name_of_;
};

}  // namespace sqlbak_gateway::sqlbak
