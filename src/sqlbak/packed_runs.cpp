#include "sqlbak/packed_runs.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <tuple>
#include <utility>

namespace sqlbak_gateway::sqlbak {
namespace {

// Publishes the latest outcomes of each database and type, back to one that is decided. An entry that still
// runs, or that is dated too far ahead, decides nothing.
void publish_databases(RememberedRuns& packed, double believed_until) {
  if (packed.outcomes.empty()) return;
  constexpr double kUndecided = std::numeric_limits<double>::infinity();
  std::vector<double> decided(packed.databases.size() * kBackupTypeCount, kUndecided);
  std::vector<DatabaseOutcome>& databases = packed.runs.databases;
  const auto publish = [&](const PackedOutcome& outcome, double start) {
    const RunTally& tally = packed.runs.tallies[outcome.tally];
    double& since = decided[outcome.database * kBackupTypeCount + index(tally.type)];
    if (since != kUndecided && since != start) return;
    const auto status = static_cast<EntryStatus>(outcome.status);
    databases.push_back({tally.started_at, packed.databases[outcome.database], tally.type, status});
    const bool decides = (status != EntryStatus::other || !tally.open) && !(start > believed_until);
    if (decides) since = start;
  };
  const auto dated =
      std::partition_point(packed.outcomes.begin(), packed.outcomes.end(), [&](const PackedOutcome& outcome) {
        return packed.runs.tallies[outcome.tally].started_at.has_value();
      });
  for (auto outcome = dated; outcome != packed.outcomes.begin();) {
    --outcome;
    publish(*outcome, packed.runs.tallies[outcome->tally].started_at.milliseconds());
  }
  // A run without a start counts as older than all others.
  for (auto outcome = packed.outcomes.end(); outcome != dated;) publish(*--outcome, -kUndecided);
}

bool shows_something(const RunExtent& extent) {
  return extent.started_at.has_value() &&
         (extent.finished_at.has_value() || std::isfinite(extent.size_bytes));
}

// Keeps, of each type, the latest few that show an end and the latest few that show a size, because a failed
// run may show only one of them. Those that are dated too far ahead are counted apart.
void keep_latest(std::vector<RunExtent>& extents, double believed_until) {
  struct Count {
    std::array<std::size_t, kBackupTypeCount> ends{};
    std::array<std::size_t, kBackupTypeCount> sizes{};
  };
  Count believed;
  Count ahead;
  std::vector<RunExtent> latest;
  for (auto extent = extents.rbegin(); extent != extents.rend(); ++extent) {
    Count& kept = extent->started_at.milliseconds() > believed_until ? ahead : believed;
    std::size_t& ends = kept.ends[index(extent->type)];
    std::size_t& sizes = kept.sizes[index(extent->type)];
    const bool shows_end = extent->finished_at.has_value() && ends++ < kExtentsKept;
    const bool shows_size = std::isfinite(extent->size_bytes) && sizes++ < kExtentsKept;
    if (shows_end || shows_size) latest.push_back(*extent);
  }
  extents.assign(latest.rbegin(), latest.rend());
}

bool same_runs(const RememberedRuns& a, const RememberedRuns& b) {
  const auto all = [](const RememberedRuns& runs) {
    return std::tie(runs.runs.tallies, runs.runs.extents, runs.ids, runs.outcomes, runs.databases, runs.names,
                    runs.unsettled, runs.idle);
  };
  return all(a) == all(b);
}

}  // namespace

PackedRunsWriter::Renumbering::Renumbering(const std::vector<std::string>& from, std::vector<std::string>& to)
    : from_(from), to_(to), new_number_(from.size(), RunRecord::kNone) {}

std::uint32_t PackedRunsWriter::Renumbering::operator()(std::uint32_t number) {
  std::uint32_t& new_number = new_number_[number];
  if (new_number == RunRecord::kNone) {
    new_number = static_cast<std::uint32_t>(to_.size());
    to_.push_back(from_[number]);
  }
  return new_number;
}

PackedRunsWriter::PackedRunsWriter(const RunLedger& ledger)
    : ledger_(ledger),
      new_name_(ledger.names(), out_.names),
      new_database_(ledger.databases(), out_.databases) {}

void PackedRunsWriter::add(RunId run, const RunRows& rows, std::optional<bool> open, bool vanished) {
  const RunId id = renumbered(run);
  const auto first = static_cast<std::uint32_t>(out_.ids.size());
  for (std::uint32_t i = 0; i < rows.count; ++i) {
    out_.ids.push_back(id);
    RunTally& tally = out_.runs.tallies.emplace_back(rows.tallies[i]);
    tally.open = open.value_or(tally.open);
    tally.vanished = vanished;
    add_extent(rows, i);
  }
  for (std::uint32_t i = 0; i < rows.outcome_count; ++i) {
    PackedOutcome& outcome = out_.outcomes.emplace_back(rows.outcomes[i]);
    outcome.tally = outcome.tally - rows.first + first;
    outcome.database = new_database_(outcome.database) & ((1u << 30) - 1);
  }
  // The new numbers may have changed the order, and later readings are compared with these outcomes.
  std::sort(out_.outcomes.end() - rows.outcome_count, out_.outcomes.end(), in_order);
}

// The extent of a remembered run is found by its start and type.
void PackedRunsWriter::add_extent(const RunRows& rows, std::uint32_t i) {
  std::vector<RunExtent>& extents = out_.runs.extents;
  if (rows.extents) {
    if (shows_something(rows.extents[i])) extents.push_back(rows.extents[i]);
    return;
  }
  const RunTally& tally = rows.tallies[i];
  const std::vector<RunExtent>& known = ledger_.before()->runs.extents;
  if (known.empty() || tally.started_at.milliseconds() < known.front().started_at.milliseconds()) return;
  for (const RunExtent& extent : known) {
    if (extent.type == tally.type && extent.started_at == tally.started_at) {
      extents.push_back(extent);
      return;
    }
  }
}

void PackedRunsWriter::add(UnsettledRun run) {
  run.id = renumbered(run.id);
  out_.unsettled.push_back(run);
}

void PackedRunsWriter::add(IdleRun run) {
  run.id = renumbered(run.id);
  out_.idle.push_back(run);
}

void PackedRunsWriter::drop(RunId run) {
  std::erase_if(out_.unsettled, [id = renumbered(run)](const UnsettledRun& other) {
    return other.id == id && !other.missing;
  });
}

std::shared_ptr<const RememberedRuns> PackedRunsWriter::finish() && {
  std::sort(out_.unsettled.begin(), out_.unsettled.end(), by_id);
  std::sort(out_.idle.begin(), out_.idle.end(), by_id);
  const double believed_until = EpochMs(ledger_.collected_at()).milliseconds() + kBelievedAheadMs;
  keep_latest(out_.runs.extents, believed_until);
  if (ledger_.before() && same_runs(*ledger_.before(), out_)) return ledger_.shared_before();
  publish_databases(out_, believed_until);
  // These are kept for long, so they take no more room than they need.
  out_.ids.shrink_to_fit();
  out_.runs.tallies.shrink_to_fit();
  out_.outcomes.shrink_to_fit();
  return std::make_shared<const RememberedRuns>(std::move(out_));
}

}  // namespace sqlbak_gateway::sqlbak
