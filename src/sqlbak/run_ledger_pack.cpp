// RunLedger::pack: what was remembered and what was read become what is remembered from now on.
#include "sqlbak/run_ledger.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <tuple>
#include <utility>

namespace sqlbak_gateway::sqlbak {
namespace {

// The order of JobRuns::tallies: by start, those without one last.
struct Position {
  EpochMs start;
  RunId id;
  friend bool operator<(const Position& a, const Position& b) {
    if (a.start.has_value() != b.start.has_value()) return a.start.has_value();
    if (a.start.has_value() && a.start.milliseconds() != b.start.milliseconds()) {
      return a.start.milliseconds() < b.start.milliseconds();
    }
    return a.id < b.id;
  }
};

EpochMs later(EpochMs a, EpochMs b) {
  return a.milliseconds() > b.milliseconds() || !b.has_value() ? a : b;
}

void remember_success(std::vector<EpochMs>& successes, EpochMs start) {
  if (!successes.empty() && !(successes.back().milliseconds() < start.milliseconds())) return;
  if (successes.size() == RememberedType::kSuccesses) successes.erase(successes.begin());
  successes.push_back(start);
}

// A run that is not kept any longer adds itself to what is remembered of its type. Runs come in the order of
// their starts.
void remember(Remembered& remembered, const RunTally& tally, bool open) {
  const EpochMs start = tally.started_at;
  if (tally.total() == 0 || !start.has_value()) return;
  if (!(remembered.oldest_run.milliseconds() <= start.milliseconds())) remembered.oldest_run = start;
  RememberedType& type = remembered.of(tally.type);
  type.last_attempt = later(type.last_attempt, start);
  if (tally.succeeded > 0) {
    type.last_success = later(type.last_success, start);
    remember_success(type.successes, start);
  }
  if (open || type.last_finished.milliseconds() > start.milliseconds()) return;
  const bool succeeded = tally.failed == 0 && tally.other == 0;
  if (type.last_finished == start) {
    // Several that started together are one attempt, which succeeded only when all of them did.
    if (succeeded || !type.last_finished_succeeded) return;
  }
  type.last_finished = start;
  type.last_finished_succeeded = succeeded;
  type.consecutive_failures = succeeded ? 0 : type.consecutive_failures + 1;
}

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

class RunLedger::Packer {
 public:
  explicit Packer(const RunLedger& ledger)
      : ledger_(ledger),
        database_of_(ledger.databases_.size(), kNone),
        name_of_(ledger.names_.size(), kNone) {}

  // The numbers of names and databases that are still used are given anew, so that neither grows for ever.
  RunId id(RunId old) {
    if (!old.is_named()) return old;
    std::uint32_t& name = name_of_[old.name_index()];
    if (name == kNone) {
      name = static_cast<std::uint32_t>(out_.names.size());
      out_.names.push_back(ledger_.names_[old.name_index()]);
    }
    return RunId::named(name);
  }

  void add(RunId old, const Rows& rows, std::optional<bool> open, bool vanished) {
    const RunId run = id(old);
    const auto first = static_cast<std::uint32_t>(out_.ids.size());
    for (std::uint32_t i = 0; i < rows.count; ++i) {
      out_.ids.push_back(run);
      RunTally& tally = out_.runs.tallies.emplace_back(rows.tallies[i]);
      tally.open = open.value_or(tally.open);
      tally.vanished = vanished;
      add_extent(rows, i);
    }
    for (std::uint32_t i = 0; i < rows.outcome_count; ++i) {
      PackedOutcome outcome = rows.outcomes[i];
      outcome.tally = outcome.tally - rows.first + first;
      std::uint32_t& database = database_of_[outcome.database];
      if (database == kNone) {
        database = static_cast<std::uint32_t>(out_.databases.size());
        out_.databases.push_back(ledger_.databases_[outcome.database]);
      }
      outcome.database = database & ((1u << 30) - 1);
      out_.outcomes.push_back(outcome);
    }
    // The order of readings, which these are compared with: numbers given anew may have changed it.
    std::sort(out_.outcomes.end() - rows.outcome_count, out_.outcomes.end(), in_order);
  }
  void add(UnsettledRun run) {
    run.id = id(run.id);
    out_.unsettled.push_back(run);
  }
  // What was added of a run that may be asked for.
  void drop(RunId old) {
    std::erase_if(out_.unsettled,
                  [run = id(old)](const UnsettledRun& other) { return other.id == run && !other.missing; });
  }
  void add(IdleRun run) {
    run.id = id(run.id);
    out_.idle.push_back(run);
  }

  std::shared_ptr<const RememberedRuns> finish() && {
    const auto by_id = [](const auto& a, const auto& b) { return a.id < b.id; };
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

 private:
  // That of a remembered run is found by its start and type.
  void add_extent(const Rows& rows, std::uint32_t i) {
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

  const RunLedger& ledger_;
  RememberedRuns out_;
  std::vector<std::uint32_t> database_of_;
  std::vector<std::uint32_t> name_of_;
};

UnsettledRun RunLedger::unsettled_as_read(const Run& run, const Reading& reading) const {
  const UnsettledRun* const before = unsettled_before(run);
  return {.id = run.id,
          .started_at = reading.started_at,
          .first_seen = before ? before->first_seen : collected_at_,
          .unchanged_since = reading.unchanged_since,
          .read = true};
}

UnsettledRun RunLedger::unsettled_as_doubted(const Run& run) const {
  return {.id = run.id, .started_at = run.started_at, .first_seen = collected_at_, .read = true};
}

// That its details could not be read is a run's own fault only where those of others could, and it was not
// the rate that was refused: else the endpoint is in trouble, and what is finished stays so.
bool RunLedger::own_fault(const Run& run, const Circumstances& circumstances) {
  return run.failure && circumstances.others_were_read && *run.failure != FailureReason::rate_limited;
}

// A run that is listed without being there is known as that, so that it is not asked for each time. Of one
// that is not listed it is known whether it has to be asked for when it is back.
void RunLedger::pack_vanished(const Run& run, const Circumstances& circumstances, Packer& packer,
                              Packed& packed) const {
  const Reading* const reading = reading_of(run);
  const UnsettledRun* const before = unsettled_before(run);
  const bool was_missing = before && before->missing;
  const bool known_when_back = has_rows(run) && start_of(run).milliseconds() >= kept_from_ms_;
  if (run.gone && run.seen && !reading) {
    UnsettledRun missing;
    missing.id = run.id;
    missing.first_seen = before ? before->first_seen : collected_at_;
    missing.failed_at = collected_at_;
    missing.failures =
        std::min(static_cast<std::uint8_t>(was_missing ? before->failures + 1 : 1), kUnreadableAfter);
    missing.missing = true;
    packer.add(missing);
  } else if (was_missing) {
    UnsettledRun missing = *before;
    if (run.failure) {
      if (own_fault(run, circumstances) && missing.failures < kUnreadableAfter) ++missing.failures;
      missing.failed_at = collected_at_;
      if (missing.failures < kUnreadableAfter) {
        ++packed.failed;
      } else {
        if (before->failures < kUnreadableAfter) ++packed.newly_left_out;
        ++packed.left_out;
      }
    }
    if (run.seen || !circumstances.listed_whole || known_when_back) packer.add(missing);
  } else if (known_when_back) {
    if (reading) {
      // It may be the newest when it is back.
      if (!reading->settled(/*newest=*/true, circumstances.ends_shown))
        packer.add(unsettled_as_read(run, *reading));
    } else if (before) {
      packer.add(*before);
    } else if (run.doubted) {
      packer.add(unsettled_as_doubted(run));
    }
  }
}

RunLedger::Packed RunLedger::pack(const std::shared_ptr<const Remembered>& remembered,
                                  const Circumstances& circumstances) const {
  Packed packed;
  packed.remembered = remembered;
  Packer packer(*this);
  Remembered leaving = *remembered;

  const auto is_newest = [newest = newest_start()](EpochMs start) {
    return start.has_value() && start == newest;
  };
  struct Kept {
    Position position;
    const Run* run;
  };
  std::vector<Kept> kept;
  kept.reserve(runs_.size());
  for (const Run& run : runs_) {
    const Reading* reading = reading_of(run);
    const UnsettledRun* before = unsettled_before(run);
    const EpochMs start = start_of(run);
    const bool too_old = start.milliseconds() < kept_from_ms_;
    if (vanished_now(run)) {
      pack_vanished(run, circumstances, packer, packed);
      // What it came to stays known. Without a start it counted only while it was listed.
      if (has_rows(run) && start.has_value()) kept.push_back({{start, run.id}, &run});
      continue;
    }
    // Not kept any more, nor listed: what it came to is remembered, and nobody asks for it again.
    if (too_old && !run.seen && circumstances.listed_whole) {
      if (run.first_row != kNone) kept.push_back({{start, run.id}, &run});
      continue;
    }
    const bool read_and_settled = reading && reading->settled(is_newest(start), circumstances.ends_shown);
    if (run.doubted && run.idle && !reading && !run.failure) continue;  // asked for when it is listed again

    const bool at_fault = own_fault(run, circumstances);
    const bool stands = run.failure && !at_fault && run.known && !before && !run.doubted;

    // Whether it has to be asked for again.
    std::uint8_t failures = before ? before->failures : std::uint8_t{0};
    if (reading) {
      if (!read_and_settled) packer.add(unsettled_as_read(run, *reading));
    } else if (stands) {
      ++packed.failed;
    } else if (run.failure) {
      if (at_fault && failures < kUnreadableAfter) ++failures;
      UnsettledRun unsettled = before ? *before : UnsettledRun{};
      if (!before) {
        unsettled.id = run.id;
        unsettled.started_at = run.started_at;
        unsettled.first_seen = collected_at_;
        unsettled.read = run.known;
      }
      unsettled.failed_at = collected_at_;
      unsettled.failures = failures;
      packer.add(unsettled);
      if (failures < kUnreadableAfter) ++packed.failed;
    } else if (before) {
      packer.add(*before);
    } else if (!run.known) {
      continue;  // listed, but not asked for: the collection was given up
    } else if (run.doubted && !too_old) {
      packer.add(unsettled_as_doubted(run));
    }
    if (failures >= kUnreadableAfter && !reading) {
      if (!before || before->failures < kUnreadableAfter) ++packed.newly_left_out;
      ++packed.left_out;
      if (run.first_row == kNone) continue;  // else what was known of it stands
    }

    if (has_rows(run) && (!too_old || run.first_row != kNone)) kept.push_back({{start, run.id}, &run});
    const bool settled = reading ? read_and_settled : !before && (!run.failure || stands);
    if (settled && (too_old || !has_rows(run)) && (run.seen || !circumstances.listed_whole)) {
      packer.add(IdleRun{run.id, start, reading ? !has_rows(run) : run.empty});
    }
  }

  std::sort(kept.begin(), kept.end(), [](const Kept& a, const Kept& b) { return a.position < b.position; });
  // A vanished run is there all the same where one that is listed started at the same instant and came to the
  // same: an API may give its runs other ids.
  const auto goes_by_another_id = [&](const Kept& vanished) {
    const auto [first, last] =
        std::equal_range(kept.begin(), kept.end(), vanished, [](const Kept& a, const Kept& b) {
          return a.position.start.milliseconds() < b.position.start.milliseconds();
        });
    return std::any_of(first, last, [&](const Kept& other) {
      return !vanished_now(*other.run) && same(rows_of(*vanished.run), rows_of(*other.run));
    });
  };
  for (const Kept& one : kept) {
    const auto& [position, run] = one;
    if (vanished_now(*run) && goes_by_another_id(one)) {
      packer.drop(run->id);
      continue;
    }
    const Rows rows = rows_of(*run);
    std::optional<bool> open;
    if (const Reading* reading = reading_of(*run)) open = reading->open(circumstances.ends_shown);
    if (position.start.milliseconds() < kept_from_ms_) {
      for (std::uint32_t i = 0; i < rows.count; ++i) {
        sqlbak::remember(leaving, rows.tallies[i], open.value_or(rows.tallies[i].open));
      }
    } else {
      packer.add(run->id, rows, open, vanished_now(*run));
    }
  }
  if (!(leaving == *remembered)) packed.remembered = std::make_shared<const Remembered>(leaving);
  packed.runs = std::move(packer).finish();
  return packed;
}

}  // namespace sqlbak_gateway::sqlbak
