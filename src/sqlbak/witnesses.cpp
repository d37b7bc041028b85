#include "sqlbak/witnesses.h"

#include <algorithm>
#include <limits>
#include <optional>

namespace sqlbak_gateway::sqlbak {
namespace {

bool has_files(const RunTally& tally, BackupType type) {
  return tally.type == type && tally.succeeded > 0 && tally.undeleted;
}

// The oldest start from `from_ms` on of a run that this collection has read and that still has its files.
double oldest_with_files(const RunLedger& ledger, BackupType type, double from_ms) {
  double oldest = std::numeric_limits<double>::infinity();
  for (const RunRecord& run : ledger.runs()) {
    if (!run.was_read() || !ledger.counts(run)) continue;
    const RunRows rows = ledger.rows_of(run);
    for (const RunTally* tally = rows.tallies; tally != rows.tallies + rows.count; ++tally) {
      const double start = tally->started_at.milliseconds();
      if (has_files(*tally, type) && start >= from_ms) oldest = std::min(oldest, start);
    }
  }
  return oldest;
}

}  // namespace

std::vector<RunId> next_witnesses(const RunLedger& ledger, BackupType type, double from_ms, double to_ms,
                                  std::size_t at_most) {
  std::vector<RunId> witnesses;
  if (!ledger.before()) return witnesses;
  std::optional<double> oldest_read;  // found out when there is a candidate
  // A run that is not kept any more is no witness.
  const std::vector<RunTally>& tallies = ledger.before()->runs.tallies;
  auto tally = std::partition_point(tallies.begin(), tallies.end(), [&](const RunTally& earlier) {
    return earlier.started_at.milliseconds() < std::max(from_ms, ledger.kept_from_ms());
  });
  for (; tally != tallies.end() && witnesses.size() < at_most; ++tally) {
    const double start = tally->started_at.milliseconds();
    if (!(start <= to_ms)) break;
    if (!has_files(*tally, type)) continue;
    const RunRecord& run =
        *ledger.find(ledger.before()->ids[static_cast<std::size_t>(tally - tallies.begin())]);
    if (run.is_gone() || run.was_read()) continue;  // oldest_with_files() looks at what was read
    // A run that could not be read, now or lately, still has its files as far as is known.
    const UnsettledRun* const before = ledger.unsettled_before(run);
    if (run.asked != Asked::no || (before && before->failures > 0)) break;
    if (!oldest_read) oldest_read = oldest_with_files(ledger, type, from_ms);
    if (*oldest_read <= start) break;
    witnesses.push_back(run.id);
  }
  return witnesses;
}

}  // namespace sqlbak_gateway::sqlbak
