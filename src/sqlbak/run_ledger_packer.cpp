#include "sqlbak/run_ledger_packer.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <tuple>
#include <utility>

namespace sqlbak_gateway::sqlbak {
namespace {

// Of the entries that name a database, the latest for each and its type, back to one that is decided: an
// entry that still runs, or that is not believed yet, decides nothing.
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
  // A run without a start is older than all others.
  for (auto outcome = packed.outcomes.end(); outcome != dated;) publish(*--outcome, -kUndecided);
}

bool shows_something(const RunExtent& extent) {
  return extent.started_at.has_value() &&
         (extent.finished_at.has_value() || std::isfinite(extent.size_bytes));
}

// Of each type the latest few that show an end, and the latest few that show a size: a failed run may show
// only the one. Those that are not believed yet are kept beside them.
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

RunLedger::Packer::Packer(const RunLedger& ledger)
    : ledger_(ledger), database_of_(ledger.databases_.size(), kNone), name_of_(ledger.names_.size(), kNone) {}

// The numbers of names and databases that are still used are given anew, so that neither grows for ever.
RunId RunLedger::Packer::renumbered(RunId id) {
  if (!id.is_named()) return id;
  std::uint32_t& name = name_of_[id.name_index()];
  if (name == kNone) {
    name = static_cast<std::uint32_t>(out_.names.size());
    out_.names.push_back(ledger_.names_[id.name_index()]);
  }
  return RunId::named(name);
}

std::uint32_t RunLedger::Packer::renumbered_database(std::uint32_t database) {
  std::uint32_t& number = database_of_[database];
  if (number == kNone) {
    number = static_cast<std::uint32_t>(out_.databases.size());
    out_.databases.push_back(ledger_.databases_[database]);
  }
  return number;
}

void RunLedger::Packer::add(RunId run, const Rows& rows, std::optional<bool> open, bool vanished) {
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
    outcome.database = renumbered_database(outcome.database) & ((1u << 30) - 1);
  }
  // The order of readings, which these are compared with: numbers given anew may have changed it.
  std::sort(out_.outcomes.end() - rows.outcome_count, out_.outcomes.end(), in_order);
}

// That of a remembered run is found by its start and type.
void RunLedger::Packer::add_extent(const Rows& rows, std::uint32_t i) {
  std::vector<RunExtent>& extents = out_.runs.extents;
  if (rows.extents) {
    if (shows_something(rows.extents[i])) extents.push_back(rows.extents[i]);
    return;
  }
  const RunTally& tally = rows.tallies[i];
  const std::vector<RunExtent>& known = ledger_.before_->runs.extents;
  if (known.empty() || tally.started_at.milliseconds() < known.front().started_at.milliseconds()) return;
  for (const RunExtent& extent : known) {
    if (extent.type == tally.type && extent.started_at == tally.started_at) {
      extents.push_back(extent);
      return;
    }
  }
}

void RunLedger::Packer::add(UnsettledRun run) {
  run.id = renumbered(run.id);
  out_.unsettled.push_back(run);
}

void RunLedger::Packer::add(IdleRun run) {
  run.id = renumbered(run.id);
  out_.idle.push_back(run);
}

void RunLedger::Packer::drop(RunId run) {
  std::erase_if(out_.unsettled, [id = renumbered(run)](const UnsettledRun& other) {
    return other.id == id && !other.missing;
  });
}

std::shared_ptr<const RememberedRuns> RunLedger::Packer::finish() && {
  std::sort(out_.unsettled.begin(), out_.unsettled.end(), by_id);
  std::sort(out_.idle.begin(), out_.idle.end(), by_id);
  const double believed_until = EpochMs(ledger_.collected_at_).milliseconds() + kBelievedAheadMs;
  keep_latest(out_.runs.extents, believed_until);
  if (ledger_.before_ && same_runs(*ledger_.before_, out_)) return ledger_.before_;
  publish_databases(out_, believed_until);
  // What is kept for long holds no more room than it needs.
  out_.ids.shrink_to_fit();
  out_.runs.tallies.shrink_to_fit();
  out_.outcomes.shrink_to_fit();
  return std::make_shared<const RememberedRuns>(std::move(out_));
}

}  // namespace sqlbak_gateway::sqlbak
