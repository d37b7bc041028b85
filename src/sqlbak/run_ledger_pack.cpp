// RunLedger::pack: what was remembered and what was read become what is remembered from now on.
#include "sqlbak/run_ledger.h"
#include "sqlbak/run_ledger_packer.h"

#include <algorithm>
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

}  // namespace

// Decides of each run what is remembered of it: its rows, whether it has to be asked for again, that it
// counts for nothing, or nothing at all.
class RunLedger::Packing {
 public:
  Packing(const RunLedger& ledger, const Circumstances& circumstances)
      : ledger_(ledger),
        circumstances_(circumstances),
        newest_start_(ledger.newest_start()),
        packer_(ledger) {
    kept_.reserve(ledger.runs_.size());
  }

  void add(const Run& run);
  Packed finish(const std::shared_ptr<const Remembered>& remembered) &&;

 private:
  struct Kept {
    Position position;
    const Run* run;
  };

  void add_vanished(const Run& run);
  void add_read(const Run& run, const Reading& reading);
  void add_unreadable(const Run& run);
  void add_as_it_was(const Run& run);
  void keep(const Run& run) { kept_.push_back({{ledger_.start_of(run), run.id}, &run}); }
  void add_idle(const Run& run, bool empty);
  bool is_too_old(const Run& run) const {
    return ledger_.start_of(run).milliseconds() < ledger_.kept_from_ms_;
  }
  bool own_fault(const Run& run) const;
  UnsettledRun failed_again(const Run& run, UnsettledRun unsettled);
  UnsettledRun to_read_again(const Run& run, const Reading& reading) const;
  UnsettledRun to_read_afresh(const Run& run) const;
  bool goes_by_another_id(const Kept& vanished) const;

  const RunLedger& ledger_;
  const Circumstances& circumstances_;
  const EpochMs newest_start_;
  Packer packer_;
  Packed packed_;
  std::vector<Kept> kept_;  // with rows
};

void RunLedger::Packing::add(const Run& run) {
  if (ledger_.vanished_now(run)) {
    add_vanished(run);
  } else if (is_too_old(run) && !run.seen && circumstances_.listed_whole) {
    // Not kept any more, nor listed: what it came to is remembered, and nobody asks for it again.
    if (run.first_row != kNone) keep(run);
  } else if (const Reading* reading = ledger_.reading_of(run)) {
    add_read(run, *reading);
  } else if (run.failure) {
    add_unreadable(run);
  } else if (run.known) {
    add_as_it_was(run);
  }
  // Else it is listed, but was not asked for: the collection was given up.
}

// A run that is listed without being there is known as that, so that it is not asked for each time. Of one
// that is not listed it is known whether it has to be asked for when it is back.
void RunLedger::Packing::add_vanished(const Run& run) {
  const Reading* const reading = ledger_.reading_of(run);
  const UnsettledRun* const before = ledger_.unsettled_before(run);
  const bool was_missing = before && before->missing;
  const EpochMs start = ledger_.start_of(run);
  const bool known_when_back = ledger_.has_rows(run) && start.milliseconds() >= ledger_.kept_from_ms_;
  if (run.gone && run.seen && !reading) {
    UnsettledRun missing;
    missing.id = run.id;
    missing.first_seen = before ? before->first_seen : ledger_.collected_at_;
    missing.failed_at = ledger_.collected_at_;
    missing.failures =
        std::min(static_cast<std::uint8_t>(was_missing ? before->failures + 1 : 1), kUnreadableAfter);
    missing.missing = true;
    packer_.add(missing);
  } else if (was_missing) {
    const UnsettledRun missing = run.failure ? failed_again(run, *before) : *before;
    if (run.seen || !circumstances_.listed_whole || known_when_back) packer_.add(missing);
  } else if (known_when_back) {
    if (reading) {
      // It may be the newest when it is back.
      if (!reading->settled(/*newest=*/true, circumstances_.ends_shown))
        packer_.add(to_read_again(run, *reading));
    } else if (before) {
      packer_.add(*before);
    } else if (run.doubted) {
      packer_.add(to_read_afresh(run));
    }
  }
  // What it came to stays known. Without a start it counted only while it was listed.
  if (ledger_.has_rows(run) && start.has_value()) keep(run);
}

void RunLedger::Packing::add_read(const Run& run, const Reading& reading) {
  const bool is_newest = reading.started_at.has_value() && reading.started_at == newest_start_;
  if (reading.settled(is_newest, circumstances_.ends_shown)) {
    add_idle(run, reading.rows == 0);
  } else {
    packer_.add(to_read_again(run, reading));
  }
  if (reading.rows > 0 && (!is_too_old(run) || run.first_row != kNone)) keep(run);
}

void RunLedger::Packing::add_unreadable(const Run& run) {
  const UnsettledRun* const before = ledger_.unsettled_before(run);
  if (run.known && !before && !run.doubted && !own_fault(run)) {
    ++packed_.failed;  // but what is finished stays so
    add_idle(run, run.empty);
  } else {
    UnsettledRun unsettled;
    unsettled.id = run.id;
    unsettled.started_at = run.started_at;
    unsettled.first_seen = ledger_.collected_at_;
    unsettled.read = run.known;
    packer_.add(failed_again(run, before ? *before : unsettled));
  }
  if (run.first_row != kNone) keep(run);  // what was known of it stands
}

// It was not asked for, or what it came to is not known yet because the collection was given up.
void RunLedger::Packing::add_as_it_was(const Run& run) {
  if (run.doubted && run.idle) return;  // asked for when it is listed again
  if (const UnsettledRun* const before = ledger_.unsettled_before(run)) {
    packer_.add(*before);
    if (before->failures >= kUnreadableAfter) ++packed_.left_out;
  } else {
    if (run.doubted && !is_too_old(run)) packer_.add(to_read_afresh(run));
    add_idle(run, run.empty);
  }
  if (run.first_row != kNone) keep(run);
}

// A run that is settled, if it counts for nothing and may be listed again.
void RunLedger::Packing::add_idle(const Run& run, bool empty) {
  const bool counts = ledger_.has_rows(run) && !is_too_old(run);
  if (!counts && (run.seen || !circumstances_.listed_whole))
    packer_.add(IdleRun{run.id, ledger_.start_of(run), empty});
}

// That its details could not be read is a run's own fault only where those of others could, and it was not
// the rate that was refused: else the endpoint is in trouble.
bool RunLedger::Packing::own_fault(const Run& run) const {
  return circumstances_.others_were_read && *run.failure != FailureReason::rate_limited;
}

UnsettledRun RunLedger::Packing::failed_again(const Run& run, UnsettledRun unsettled) {
  const bool was_left_out = unsettled.failures >= kUnreadableAfter;
  if (own_fault(run) && !was_left_out) ++unsettled.failures;
  unsettled.failed_at = ledger_.collected_at_;
  if (unsettled.failures < kUnreadableAfter) {
    ++packed_.failed;
  } else {
    ++packed_.left_out;
    if (!was_left_out) ++packed_.newly_left_out;
  }
  return unsettled;
}

UnsettledRun RunLedger::Packing::to_read_again(const Run& run, const Reading& reading) const {
  const UnsettledRun* const before = ledger_.unsettled_before(run);
  return {.id = run.id,
          .started_at = reading.started_at,
          .first_seen = before ? before->first_seen : ledger_.collected_at_,
          .unchanged_since = reading.unchanged_since,
          .read = true};
}

UnsettledRun RunLedger::Packing::to_read_afresh(const Run& run) const {
  return {.id = run.id, .started_at = run.started_at, .first_seen = ledger_.collected_at_, .read = true};
}

// A vanished run is there all the same where one that is listed started at the same instant and came to the
// same: an API may give its runs other ids.
bool RunLedger::Packing::goes_by_another_id(const Kept& vanished) const {
  const EpochMs start = vanished.position.start;
  auto other = std::partition_point(kept_.begin(), kept_.end(), [&](const Kept& kept) {
    return kept.position.start.milliseconds() < start.milliseconds();
  });
  for (; other != kept_.end() && other->position.start == start; ++other) {
    if (!ledger_.vanished_now(*other->run) &&
        ledger_.same(ledger_.rows_of(*vanished.run), ledger_.rows_of(*other->run))) {
      return true;
    }
  }
  return false;
}

RunLedger::Packed RunLedger::Packing::finish(const std::shared_ptr<const Remembered>& remembered) && {
  Remembered leaving = *remembered;
  std::sort(kept_.begin(), kept_.end(), [](const Kept& a, const Kept& b) { return a.position < b.position; });
  for (const Kept& kept : kept_) {
    const Run& run = *kept.run;
    const bool vanished = ledger_.vanished_now(run);
    if (vanished && goes_by_another_id(kept)) {
      packer_.drop(run.id);
      continue;
    }
    const Rows rows = ledger_.rows_of(run);
    std::optional<bool> open;
    if (const Reading* reading = ledger_.reading_of(run)) open = reading->open(circumstances_.ends_shown);
    if (is_too_old(run)) {
      for (std::uint32_t i = 0; i < rows.count; ++i) {
        sqlbak::remember(leaving, rows.tallies[i], open.value_or(rows.tallies[i].open));
      }
    } else {
      packer_.add(run.id, rows, open, vanished);
    }
  }
  packed_.remembered = leaving == *remembered ? remembered : std::make_shared<const Remembered>(leaving);
  packed_.runs = std::move(packer_).finish();
  return std::move(packed_);
}

RunLedger::Packed RunLedger::pack(const std::shared_ptr<const Remembered>& remembered,
                                  const Circumstances& circumstances) const {
  Packing packing(*this, circumstances);
  for (const Run& run : runs_) packing.add(run);
  return std::move(packing).finish(remembered);
}

}  // namespace sqlbak_gateway::sqlbak
