#include "sqlbak/run_packing.h"

#include "sqlbak/packed_runs.h"
#include "sqlbak/past_runs.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

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

class Packing {
 public:
  Packing(const RunLedger& ledger, const PackCircumstances& circumstances)
      : ledger_(ledger),
        circumstances_(circumstances),
        newest_start_(ledger.newest_start()),
        writer_(ledger) {
    kept_.reserve(ledger.runs().size());
  }

  void add(const RunRecord& run);
  PackedJob finish(const std::shared_ptr<const Remembered>& remembered) &&;

 private:
  // A run whose rows are kept.
  struct Kept {
    Position position;
    const RunRecord* run;
    bool vanished;  // what it came to stays true, although it counts no longer
  };

  Presence presence_of(const RunRecord& run) const;
  Details details_of(const RunRecord& run, Presence presence) const;
  bool own_fault(const RunRecord& run) const;
  void add_entry(const RunRecord& run, Known next, Presence presence);
  UnsettledRun missing(const RunRecord& run) const;
  UnsettledRun read_again(const RunRecord& run, const RunReading& reading) const;
  UnsettledRun failed_again(const RunRecord& run, UnsettledRun entry);
  bool goes_by_another_id(const Kept& gone) const;

  const RunLedger& ledger_;
  const PackCircumstances& circumstances_;
  const EpochMs newest_start_;
  PackedRunsWriter writer_;
  PackedJob packed_;
  std::vector<Kept> kept_;
};

void Packing::add(const RunRecord& run) {
  const Presence presence = presence_of(run);
  const Worth worth = ledger_.worth_of(run);
  const Known now = after_details(run.known, details_of(run, presence));
  const Known next = after_lists(now, presence, worth);
  add_entry(run, next, presence);

  // What started before what is kept is added to what is remembered of its type, if it was known before.
  const bool counts = next == Known::settled || next == Known::open;
  const bool stays_true = next == Known::vanished || next == Known::vanished_open ||
                          (next == Known::missing && worth == Worth::lasting);
  const bool rows_kept = worth == Worth::old ? run.first_row != RunRecord::kNone : counts || stays_true;
  if (!rows_kept || !ledger_.has_rows(run)) return;
  const bool vanished = worth == Worth::old ? run.is_gone() : stays_true;
  kept_.push_back({{ledger_.start_of(run), run.id}, &run, vanished});
}

Presence Packing::presence_of(const RunRecord& run) const {
  if (run.was_listed()) return Presence::listed;
  const bool gone =
      circumstances_.listed_whole || run.listed == Listed::left_out || run.asked == Asked::not_found;
  return gone ? Presence::gone : Presence::unseen;
}

Details Packing::details_of(const RunRecord& run, Presence presence) const {
  if (const RunReading* reading = ledger_.reading_of(run)) {
    // A run that is gone may be the newest once it is listed again.
    const bool newest = presence == Presence::gone ||
                        (reading->started_at.has_value() && reading->started_at == newest_start_);
    if (!reading->settled(newest, circumstances_.ends_shown)) return Details::unfinished;
    return reading->rows > 0 ? Details::finished : Details::empty;
  }
  if (presence == Presence::listed && run.asked == Asked::not_found) return Details::not_found;
  if (presence != Presence::gone && run.failed()) {
    return run.doubted || own_fault(run) ? Details::unreadable : Details::endpoint_failed;
  }
  // Nobody reads a run again that started before what is kept. An idle run is forgotten and asked for anew.
  const bool doubted = run.doubted && (run.known == Known::idle || ledger_.worth_of(run) != Worth::old);
  return doubted ? Details::doubted : Details::unread;
}

// That its details could not be read is a run's own fault only if those of others could, and the API did not
// refuse because of the rate: else the endpoint is in trouble.
bool Packing::own_fault(const RunRecord& run) const {
  return circumstances_.others_were_read && run.asked != Asked::rate_limited;
}

// Writes what is remembered of a run besides its rows.
void Packing::add_entry(const RunRecord& run, Known next, Presence presence) {
  const bool failed = run.failed() && presence != Presence::gone;
  const UnsettledRun* const before = ledger_.unsettled_before(run);
  const RunReading* const reading = ledger_.reading_of(run);
  const bool read_again_later = next == Known::open || next == Known::missing || next == Known::vanished_open;
  if (!read_again_later) {
    if (failed) ++packed_.failed;
    if (next != Known::idle) return;
    const bool was_empty = run.known == Known::idle && ledger_.before()->idle[run.entry].empty;
    const bool empty = reading ? reading->rows == 0 : was_empty;
    writer_.add(IdleRun{run.id, ledger_.start_of(run), empty});
  } else if (reading) {
    writer_.add(read_again(run, *reading));
  } else if (next == Known::missing && run.asked == Asked::not_found) {
    writer_.add(missing(run));
  } else {
    const UnsettledRun entry = before ? *before
                                      : UnsettledRun{.id = run.id,
                                                     .started_at = run.started_at,
                                                     .first_seen = ledger_.collected_at(),
                                                     .read = run.known != Known::none};
    writer_.add(failed ? failed_again(run, entry) : entry);
    if (!failed && next == Known::open && entry.failures >= kUnreadableAfter) ++packed_.left_out;
  }
}

UnsettledRun Packing::missing(const RunRecord& run) const {
  const UnsettledRun* const before = ledger_.unsettled_before(run);
  const int times = before && before->missing ? before->failures + 1 : 1;
  return {.id = run.id,
          .first_seen = before ? before->first_seen : ledger_.collected_at(),
          .failed_at = ledger_.collected_at(),
          .failures = static_cast<std::uint8_t>(std::min<int>(times, kUnreadableAfter)),
          .missing = true};
}

UnsettledRun Packing::read_again(const RunRecord& run, const RunReading& reading) const {
  const UnsettledRun* const before = ledger_.unsettled_before(run);
  return {.id = run.id,
          .started_at = reading.started_at,
          .first_seen = before ? before->first_seen : ledger_.collected_at(),
          .unchanged_since = reading.unchanged_since,
          .read = true};
}

UnsettledRun Packing::failed_again(const RunRecord& run, UnsettledRun entry) {
  const bool was_left_out = entry.failures >= kUnreadableAfter;
  if (own_fault(run) && !was_left_out) ++entry.failures;
  entry.failed_at = ledger_.collected_at();
  if (entry.failures < kUnreadableAfter) {
    ++packed_.failed;
  } else {
    ++packed_.left_out;
    if (!was_left_out) ++packed_.newly_left_out;
  }
  return entry;
}

// An API may give its runs other ids: a run is not gone if one that is listed started at the same instant and
// came to the same.
bool Packing::goes_by_another_id(const Kept& gone) const {
  const EpochMs start = gone.position.start;
  auto other = std::partition_point(kept_.begin(), kept_.end(), [&](const Kept& kept) {
    return kept.position.start.milliseconds() < start.milliseconds();
  });
  for (; other != kept_.end() && other->position.start == start; ++other) {
    if (!other->vanished && came_to_the_same(ledger_.rows_of(*gone.run), ledger_.rows_of(*other->run))) {
      return true;
    }
  }
  return false;
}

PackedJob Packing::finish(const std::shared_ptr<const Remembered>& remembered) && {
  Remembered past = *remembered;
  std::sort(kept_.begin(), kept_.end(), [](const Kept& a, const Kept& b) { return a.position < b.position; });
  for (const Kept& kept : kept_) {
    const RunRecord& run = *kept.run;
    if (kept.vanished && goes_by_another_id(kept)) {
      writer_.drop(run.id);
      continue;
    }
    const RunRows rows = ledger_.rows_of(run);
    std::optional<bool> open;
    if (const RunReading* reading = ledger_.reading_of(run)) open = reading->open(circumstances_.ends_shown);
    if (ledger_.worth_of(run) != Worth::old) {
      writer_.add(run.id, rows, open, kept.vanished);
      continue;
    }
    for (std::uint32_t i = 0; i < rows.count; ++i) {
      add_past_run(past, rows.tallies[i], open.value_or(rows.tallies[i].open));
    }
  }
  packed_.remembered = past == *remembered ? remembered : std::make_shared<const Remembered>(past);
  packed_.runs = std::move(writer_).finish();
  return std::move(packed_);
}

}  // namespace

PackedJob pack_runs(const RunLedger& ledger, const std::shared_ptr<const Remembered>& remembered,
                    const PackCircumstances& circumstances) {
  Packing packing(ledger, circumstances);
  for (const RunRecord& run : ledger.runs()) packing.add(run);
  return std::move(packing).finish(remembered);
}

}  // namespace sqlbak_gateway::sqlbak
