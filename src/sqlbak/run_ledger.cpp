#include "sqlbak/run_ledger.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace sqlbak_gateway::sqlbak {
namespace {

template <typename Runs>
auto find_in(Runs& runs, RunId id) -> decltype(runs.data()) {
  const auto found = std::lower_bound(runs.begin(), runs.end(), id,
                                      [](const RunRecord& run, RunId sought) { return run.id < sought; });
  return found == runs.end() || found->id != id ? nullptr : &*found;
}

}  // namespace

RunLedger::RunLedger(std::shared_ptr<const RememberedRuns> before, SystemTime collected_at)
    : before_(std::move(before)), collected_at_(collected_at) {
  if (!before_) return;
  names_ = NameTable(before_->names);
  databases_ = NameTable(before_->databases);
  const std::vector<RunId>& ids = before_->ids;
  for (std::uint32_t row = 0; row < ids.size(); ++row) {
    if (row > 0 && ids[row] == ids[row - 1]) continue;
    const RunTally& tally = before_->runs.tallies[row];
    RunRecord& run = runs_.emplace_back();
    run.id = ids[row];
    run.started_at = tally.started_at;
    run.first_row = row;
    run.known = tally.vanished ? Known::vanished : Known::settled;
    knows_undated_ = knows_undated_ || !run.started_at.has_value();
    if (!tally.vanished) ++known_;
  }
  for (std::uint32_t i = 0; i < before_->idle.size(); ++i) {
    RunRecord& run = runs_.emplace_back();
    run.id = before_->idle[i].id;
    run.started_at = before_->idle[i].started_at;
    run.entry = i;
    run.known = Known::idle;
    ++known_;
  }
  std::sort(runs_.begin(), runs_.end(), by_id);
  std::vector<RunRecord> without_rows;
  for (std::uint32_t i = 0; i < before_->unsettled.size(); ++i) {
    const UnsettledRun& unsettled = before_->unsettled[i];
    RunRecord* run = find(unsettled.id);
    if (!run && !without_rows.empty() && without_rows.back().id == unsettled.id) run = &without_rows.back();
    if (!run) {
      run = &without_rows.emplace_back();
      run->id = unsettled.id;
      ++known_;
    }
    run->entry = i;
    if (unsettled.missing) {
      run->known = Known::missing;
      continue;
    }
    run->known = run->known == Known::vanished ? Known::vanished_open : Known::open;
    run->started_at = unsettled.started_at;
    knows_undated_ = knows_undated_ || (unsettled.read && !unsettled.started_at.has_value());
  }
  merge(without_rows);
}

// `more` ascends by id, and none of them is in the ledger yet.
void RunLedger::merge(const std::vector<RunRecord>& more) {
  const auto middle = runs_.insert(runs_.end(), more.begin(), more.end());
  std::inplace_merge(runs_.begin(), middle, runs_.end(), by_id);
}

RunId RunLedger::id_of(std::string_view text) {
  if (const std::optional<RunId> number = RunId::numeric(text)) return *number;
  return RunId::named(names_.number_of(text));
}

const RunRecord* RunLedger::find(RunId id) const {
  return find_in(runs_, id);
}

RunRecord* RunLedger::find(RunId id) {
  return find_in(runs_, id);
}

RunRecord& RunLedger::insert(RunId id) {
  const auto place = std::lower_bound(runs_.begin(), runs_.end(), id,
                                      [](const RunRecord& run, RunId sought) { return run.id < sought; });
  if (place != runs_.end() && place->id == id) return *place;
  RunRecord run;
  run.id = id;
  return *runs_.insert(place, run);
}

const UnsettledRun* RunLedger::unsettled_before(const RunRecord& run) const {
  const bool unsettled =
      run.known == Known::open || run.known == Known::missing || run.known == Known::vanished_open;
  return unsettled ? &before_->unsettled[run.entry] : nullptr;
}

EpochMs RunLedger::nth_newest_start(std::size_t n) const {
  if (!before_) return {};
  const double now = EpochMs(collected_at_).milliseconds();
  std::size_t seen = 0;
  for (std::size_t row = before_->ids.size(); row-- > 0;) {
    const RunTally& tally = before_->runs.tallies[row];
    const bool last_row_of_run = row + 1 == before_->ids.size() || before_->ids[row] != before_->ids[row + 1];
    if (tally.vanished || !last_row_of_run || !(tally.started_at.milliseconds() <= now)) continue;
    if (++seen == n) return tally.started_at;
  }
  return {};
}

void RunLedger::doubt() {
  for (RunRecord& run : runs_) run.doubted = run.known != Known::none && !run.was_read();
}

bool RunLedger::ask(RunId id) {
  RunRecord& run = insert(id);
  if (run.asked != Asked::no) return false;
  run.asked = Asked::waiting;
  return true;
}

std::vector<RunId> RunLedger::due_again(std::optional<SystemTime> last_read_at, bool ends_shown) const {
  std::vector<RunId> ids;
  if (!before_) return ids;
  // The hour of the clock serves as well as any other: the first collection of each hour reads such runs.
  const auto hour = [](SystemTime time) { return time.time_since_epoch() / kNewestAgainEvery; };
  const bool read_this_hour = last_read_at && hour(*last_read_at) == hour(collected_at_);
  for (const UnsettledRun& run : before_->unsettled) {
    if (find(run.id)->known != Known::open || !worth_asking(run)) continue;
    if (read_this_hour && run.failures == 0 && asked_only_hourly(run, ends_shown)) continue;
    ids.push_back(run.id);
  }
  return ids;
}

// True also if the clock was ahead when the run could not be read.
bool RunLedger::worth_asking(const UnsettledRun& run) const {
  return run.failures < kUnreadableAfter || collected_at_ < run.failed_at ||
         collected_at_ - run.failed_at >= kUnreadableAgainAfter;
}

// The run is old, or its outcome is final, as far as can be told.
bool RunLedger::asked_only_hourly(const UnsettledRun& unsettled, bool ends_shown) const {
  if (unsettled.unchanged_since == SystemTime{}) return false;  // never read as it is now, or doubted
  if (is_old(unsettled.started_at, unsettled.first_seen)) return true;
  if (collected_at_ - unsettled.unchanged_since < kEqualReadingsApart) return false;
  const RunRows rows = remembered_rows(*find(unsettled.id));
  const auto end = rows.tallies + rows.count;
  const bool final = rows.count > 0 &&
                     std::all_of(rows.tallies, end, [](const RunTally& tally) { return tally.other == 0; });
  const bool failed = std::any_of(rows.tallies, end, [](const RunTally& tally) { return tally.failed > 0; });
  return decided_without_an_end(final, failed, ends_shown);
}

// A run without a start, or with one too far ahead, is as old as the gateway's knowledge of it.
bool RunLedger::is_old(EpochMs started_at, SystemTime first_seen) const {
  const double now = EpochMs(collected_at_).milliseconds();
  const double start = started_at.milliseconds();
  const double since = start <= now + kBelievedAheadMs ? start : EpochMs(first_seen).milliseconds();
  return now - since > static_cast<double>(kSettledAfter.count());
}

EpochMs RunLedger::newest_start() const {
  const double believed_until = EpochMs(collected_at_).milliseconds() + kBelievedAheadMs;
  EpochMs newest;
  for (const RunRecord& run : runs_) {
    if (run.is_gone() || (!run.was_read() && run.known == Known::none)) continue;
    const EpochMs start = start_of(run);
    if (start.milliseconds() <= believed_until && !(start.milliseconds() <= newest.milliseconds())) {
      newest = start;
    }
  }
  return newest;
}

void RunLedger::read(RunId id, const RunDetails& details, SystemTime now) {
  RunRecord& run = insert(id);
  const std::uint32_t number = readings_.add(details, databases_);
  RunReading& reading = readings_[number];
  const UnsettledRun* const before = unsettled_before(run);
  const bool was_settled = run.known != Known::none && !before;
  const bool known_as_this = (was_settled || (before && before->read)) &&
                             came_to_the_same(remembered_rows(run), readings_.rows(reading));
  reading.old = is_old(details.started_at, before ? before->first_seen : collected_at_);
  reading.unchanged_since = known_as_this && before ? before->unchanged_since : now;
  reading.quiet = known_as_this && (was_settled || now - reading.unchanged_since >= kEqualReadingsApart);
  run.reading = number;
  run.asked = Asked::read;
}

RunRows RunLedger::remembered_rows(const RunRecord& run) const {
  RunRows rows;
  if (run.first_row == RunRecord::kNone) return rows;
  rows.first = run.first_row;
  rows.tallies = before_->runs.tallies.data() + run.first_row;
  while (run.first_row + rows.count < before_->ids.size() &&
         before_->ids[run.first_row + rows.count] == run.id) {
    ++rows.count;
  }
  const auto before_row = [](const PackedOutcome& outcome, std::uint32_t row) { return outcome.tally < row; };
  const auto begin =
      std::lower_bound(before_->outcomes.begin(), before_->outcomes.end(), run.first_row, before_row);
  const auto end = std::lower_bound(begin, before_->outcomes.end(), run.first_row + rows.count, before_row);
  rows.outcomes = before_->outcomes.data() + (begin - before_->outcomes.begin());
  rows.outcome_count = static_cast<std::uint32_t>(end - begin);
  return rows;
}

RunRows RunLedger::rows_of(const RunRecord& run) const {
  return run.was_read() ? readings_.rows(readings_[run.reading]) : remembered_rows(run);
}

Worth RunLedger::worth_of(const RunRecord& run) const {
  const EpochMs start = start_of(run);
  if (start.milliseconds() < kept_from_ms_) return Worth::old;
  return start.has_value() && has_rows(run) ? Worth::lasting : Worth::fleeting;
}

bool RunLedger::contradicts_memory(RunId id) const {
  const RunRecord* run = find(id);
  return run && run->known != Known::none && run->was_read() &&
         !came_to_the_same(remembered_rows(*run), rows_of(*run));
}

void RunLedger::begin_list() {
  listed_ = 0;
  for (RunRecord& run : runs_) {
    if (run.listed == Listed::now) run.listed = Listed::before;
  }
}

RunLedger::PageRows RunLedger::list(const std::vector<RunId>& page, std::vector<RunId>& to_ask) {
  std::vector<RunRecord> unknown;
  for (const RunId id : page) {
    if (!find(id)) unknown.emplace_back().id = id;
  }
  std::sort(unknown.begin(), unknown.end(), by_id);
  merge(unknown);
  PageRows result;
  for (const RunId id : page) {
    RunRecord& run = *find(id);
    if (run.listed == Listed::now) {
      result.repeats = true;
      continue;
    }
    run.listed = Listed::now;
    ++listed_;
    result.anything_new = true;
    if (run.asked == Asked::no && needs_details(run)) to_ask.push_back(id);
  }
  return result;
}

// `run` is listed.
bool RunLedger::needs_details(const RunRecord& run) const {
  if (run.doubted) return true;
  switch (run.known) {
    case Known::none:
    case Known::vanished_open:
      return true;
    case Known::missing:
      return worth_asking(*unsettled_before(run));
    case Known::idle:
      return !before_->idle[run.entry].empty && run.started_at.milliseconds() >= kept_from_ms_;
    case Known::settled:
    case Known::open:  // asked for already, if it is due
    case Known::vanished:
      return false;
  }
  return false;
}

bool RunLedger::counts(const RunRecord& run) const {
  if (run.is_gone()) return false;
  if (!run.was_read() && (run.known == Known::none || run.known == Known::idle)) return false;
  return !(start_of(run).milliseconds() < kept_from_ms_);
}

bool RunLedger::list_overlaps() const {
  double oldest_listed = std::numeric_limits<double>::infinity();
  double newest_unlisted = -oldest_listed;
  for (const RunRecord& run : runs_) {
    if (run.first_row == RunRecord::kNone || run.is_gone() || !run.started_at.has_value()) continue;
    const double start = run.started_at.milliseconds();
    if (run.listed == Listed::now) {
      oldest_listed = std::min(oldest_listed, start);
    } else {
      newest_unlisted = std::max(newest_unlisted, start);
    }
  }
  return std::isfinite(oldest_listed) && newest_unlisted <= oldest_listed;
}

std::vector<RunId> RunLedger::unlisted() const {
  std::vector<RunId> ids;
  for (const RunRecord& run : runs_) {
    if (run.known != Known::none && !run.was_listed() && counts(run)) ids.push_back(run.id);
  }
  return ids;
}

bool RunLedger::lost_all() const {
  bool any = false;
  for (const RunRecord& run : runs_) {
    if (run.known == Known::none || !counts(run)) continue;
    if (run.was_listed()) return false;
    any = true;
  }
  return any;
}

void RunLedger::drop_unlisted() {
  for (RunRecord& run : runs_) {
    if (run.known != Known::none && !run.was_listed() && counts(run)) run.listed = Listed::left_out;
  }
}

}  // namespace sqlbak_gateway::sqlbak
