#include "sqlbak/audit.h"

#include <algorithm>
#include <cstdint>

namespace sqlbak_gateway::sqlbak {
namespace {

std::uint64_t mixed(std::uint64_t value) {
  value ^= value >> 33;
  value *= 0xff51afd7ed558ccdu;
  value ^= value >> 33;
  return value;
}

// Neither open nor vanished. What a vanished run came to cannot be read again.
bool is_settled(const RememberedRuns& runs, std::size_t row) {
  if (runs.runs.tallies[row].vanished) return false;
  const auto unsettled = std::lower_bound(runs.unsettled.begin(), runs.unsettled.end(), runs.ids[row],
                                          [](const UnsettledRun& run, RunId id) { return run.id < id; });
  return unsettled == runs.unsettled.end() || unsettled->id != runs.ids[row];
}

}  // namespace

std::optional<AuditedRun> choose_audit(const std::vector<const RememberedRuns*>& jobs,
                                       SystemTime collected_at) {
  std::uint64_t rows = 0;
  for (const RememberedRuns* runs : jobs) rows += runs ? runs->ids.size() : 0;
  if (rows == 0) return std::nullopt;
  std::uint64_t row = mixed(static_cast<std::uint64_t>(collected_at.time_since_epoch().count())) % rows;
  // Two rounds: from the row onwards through all jobs, and again from the first.
  for (int round = 0; round < 2; ++round) {
    for (std::size_t job = 0; job < jobs.size(); ++job) {
      if (!jobs[job]) continue;
      const RememberedRuns& runs = *jobs[job];
      for (; row < runs.ids.size(); ++row) {
        if (is_settled(runs, row)) return AuditedRun{job, runs.ids[row]};
      }
      row -= runs.ids.size();
    }
  }
  return std::nullopt;
}

}  // namespace sqlbak_gateway::sqlbak
