#include "sqlbak/run_ledger.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace sqlbak_gateway::sqlbak {

RunLedger::RunLedger(std::shared_ptr<const RememberedRuns> remembered, SystemTime collected_at)
    : before_(std::move(remembered)), collected_at_(collected_at) {
  if (!before_) return;
  names_ = before_->names;
  databases_ = before_->databases;
  const std::vector<RunId>& ids = before_->ids;
  for (std::uint32_t row = 0; row < ids.size(); ++row) {
    if (row > 0 && ids[row] == ids[row - 1]) continue;
    Run run;
    run.id = ids[row];
    run.started_at = before_->runs.tallies[row].started_at;
    run.first_row = row;
    run.known = true;
    run.vanished = before_->runs.tallies[row].vanished;
    runs_.push_back(run);
    knows_undated_ = knows_undated_ || !run.started_at.has_value();
  }
  for (const IdleRun& idle : before_->idle) {
    Run& run = runs_.emplace_back();
    run.id = idle.id;
    run.known = true;
    run.idle = true;
    run.empty = idle.empty;
    run.started_at = idle.started_at;
  }
  std::sort(runs_.begin(), runs_.end(), by_id);
  std::vector<Run> without_rows;
  for (std::uint32_t i = 0; i < before_->unsettled.size(); ++i) {
    const UnsettledRun& unsettled = before_->unsettled[i];
    Run* const with_rows = find(unsettled.id);
    const bool repeats = !without_rows.empty() && without_rows.back().id == unsettled.id;
    Run& run = with_rows ? *with_rows : repeats ? without_rows.back() : without_rows.emplace_back();
    run.id = unsettled.id;
    run.known = true;
    run.unsettled = i;
    run.missing = unsettled.missing;
    if (!unsettled.missing) run.started_at = unsettled.started_at;
    knows_undated_ = knows_undated_ || (unsettled.read && !unsettled.started_at.has_value());
  }
  merge(without_rows);
  known_ = static_cast<std::size_t>(
      std::count_if(runs_.begin(), runs_.end(), [](const Run& run) { return !run.vanished; }));
}

// `more` ascends by id, and none of them is there yet.
void RunLedger::merge(const std::vector<Run>& more) {
  const auto middle = runs_.insert(runs_.end(), more.begin(), more.end());
  std::inplace_merge(runs_.begin(), middle, runs_.end(), by_id);
}

RunId RunLedger::id_of(std::string_view text) {
  if (const std::optional<RunId> number = RunId::numeric(text)) return *number;
  if (name_index_.size() != names_.size()) {
    for (std::uint32_t i = 0; i < names_.size(); ++i) name_index_.emplace(names_[i], i);
  }
  const auto [found, added] =
      name_index_.try_emplace(std::string(text), static_cast<std::uint32_t>(names_.size()));
  if (added) names_.emplace_back(text);
  return RunId::named(found->second);
}

std::uint32_t RunLedger::database_of(const std::string& name) {
  if (database_index_.size() != databases_.size()) {
    for (std::uint32_t i = 0; i < databases_.size(); ++i) database_index_.emplace(databases_[i], i);
  }
  const auto [found, added] =
      database_index_.try_emplace(name, static_cast<std::uint32_t>(databases_.size()));
  if (added) databases_.push_back(name);
  return found->second;
}

const RunLedger::Run* RunLedger::find(RunId id) const {
  const auto found = std::lower_bound(runs_.begin(), runs_.end(), id,
                                      [](const Run& run, RunId sought) { return run.id < sought; });
  return found == runs_.end() || found->id != id ? nullptr : &*found;
}

RunLedger::Run* RunLedger::find(RunId id) {
  const auto found = std::lower_bound(runs_.begin(), runs_.end(), id,
                                      [](const Run& run, RunId sought) { return run.id < sought; });
  return found == runs_.end() || found->id != id ? nullptr : &*found;
}

RunLedger::Run& RunLedger::insert(RunId id) {
  const auto place = std::lower_bound(runs_.begin(), runs_.end(), id,
                                      [](const Run& run, RunId sought) { return run.id < sought; });
  if (place != runs_.end() && place->id == id) return *place;
  Run run;
  run.id = id;
  return *runs_.insert(place, run);
}

EpochMs RunLedger::nth_newest_start(std::size_t n) const {
  if (!before_) return {};
  const double now = EpochMs(collected_at_).milliseconds();
  std::size_t seen = 0;
  for (std::size_t row = before_->ids.size(); row-- > 0;) {
    const EpochMs start = before_->runs.tallies[row].started_at;
    const bool last_row_of_run = row + 1 == before_->ids.size() || before_->ids[row] != before_->ids[row + 1];
    if (before_->runs.tallies[row].vanished) continue;
    if (start.milliseconds() <= now && last_row_of_run && ++seen == n) return start;
  }
  return {};
}

void RunLedger::doubt() {
  for (Run& run : runs_) run.doubted = run.known && run.reading == kNone;
}

bool RunLedger::ask(RunId id) {
  bool& asked = insert(id).asked;
  return !std::exchange(asked, true);
}

// An hour is as good as another: the first collection of each reads such runs.
std::vector<RunId> RunLedger::unsettled(std::optional<SystemTime> last_read_at, bool ends_shown) const {
  std::vector<RunId> ids;
  if (!before_) return ids;
  const auto hour = [](SystemTime time) { return time.time_since_epoch() / kNewestAgainEvery; };
  const bool read_this_hour = last_read_at && hour(*last_read_at) == hour(collected_at_);
  for (const UnsettledRun& run : before_->unsettled) {
    if (run.missing || find(run.id)->vanished || !worth_asking(run)) continue;
    if (read_this_hour && run.failures == 0 && asked_only_hourly(run, ends_shown)) continue;
    ids.push_back(run.id);
  }
  return ids;
}

// Also where a clock was ahead when it failed.
bool RunLedger::worth_asking(const UnsettledRun& run) const {
  return run.failures < kUnreadableAfter || collected_at_ < run.failed_at ||
         collected_at_ - run.failed_at >= kUnreadableAgainAfter;
}

// A run that is old, or decided, as far as can be told.
bool RunLedger::asked_only_hourly(const UnsettledRun& unsettled, bool ends_shown) const {
  if (unsettled.unchanged_since == SystemTime{}) return false;  // never read as it is now, or doubted
  if (is_old(unsettled.started_at, unsettled.first_seen)) return true;
  if (collected_at_ - unsettled.unchanged_since < kEqualReadingsApart) return false;
  const Rows rows = remembered_rows(*find(unsettled.id));
  const auto end = rows.tallies + rows.count;
  const bool final = rows.count > 0 &&
                     std::all_of(rows.tallies, end, [](const RunTally& tally) { return tally.other == 0; });
  const bool failed = std::any_of(rows.tallies, end, [](const RunTally& tally) { return tally.failed > 0; });
  return decided_without_an_end(final, failed, ends_shown);
}

// A run without a start that is believed is as old as what is known of it.
bool RunLedger::is_old(EpochMs started_at, SystemTime first_seen) const {
  const double now = EpochMs(collected_at_).milliseconds();
  const double start = started_at.milliseconds();
  const double since = start <= now + kBelievedAheadMs ? start : EpochMs(first_seen).milliseconds();
  return now - since > static_cast<double>(kSettledAfter.count());
}

EpochMs RunLedger::newest_start() const {
  const double believed_until = EpochMs(collected_at_).milliseconds() + kBelievedAheadMs;
  EpochMs newest;
  for (const Run& run : runs_) {
    if (vanished_now(run) || (run.reading == kNone && !run.known)) continue;
    const EpochMs start = start_of(run);
    if (start.milliseconds() <= believed_until && !(start.milliseconds() <= newest.milliseconds())) {
      newest = start;
    }
  }
  return newest;
}

void RunLedger::read(RunId id, const RunDetails& details, SystemTime now) {
  Run& run = insert(id);
  Reading reading;
  reading.started_at = details.started_at;
  reading.first_row = static_cast<std::uint32_t>(tallies_.size());
  reading.first_outcome = static_cast<std::uint32_t>(outcomes_.size());
  for (const BackupType type :
       kBackupTypes) {  // always in the same order, so that two readings can be compared
    const RunTally* tally = details.tallies.find(type);
    if (!tally) continue;
    tallies_.push_back(*tally);
    const RunExtent* extent = details.extents.find(type);
    extents_.push_back(extent ? *extent : RunExtent{});
  }
  reading.rows = static_cast<std::uint32_t>(tallies_.size()) - reading.first_row;
  for (const DatabaseOutcome& outcome : details.databases) {
    PackedOutcome packed;
    for (std::uint32_t i = 0; i < reading.rows; ++i) {
      if (tallies_[reading.first_row + i].type == outcome.type) packed.tally = reading.first_row + i;
    }
    packed.database = database_of(outcome.database) & ((1u << 30) - 1);
    packed.status = static_cast<std::uint32_t>(outcome.status) & 3u;
    outcomes_.push_back(packed);
  }
  reading.outcomes = static_cast<std::uint32_t>(outcomes_.size()) - reading.first_outcome;
  std::sort(outcomes_.begin() + reading.first_outcome, outcomes_.end(), in_order);

  const UnsettledRun* const before = unsettled_before(run);
  const bool was_settled = run.known && !before;
  const bool known_as_this =
      run.known && (was_settled || before->read) && same(remembered_rows(run), read_rows(reading));
  reading.old = is_old(details.started_at, before ? before->first_seen : collected_at_);
  reading.shows_end = details.finished_at.has_value();
  reading.final = details.entries > 0 && details.all_final;
  reading.failed = std::any_of(tallies_.begin() + reading.first_row, tallies_.end(),
                               [](const RunTally& tally) { return tally.failed > 0; });
  reading.unchanged_since = known_as_this && before ? before->unchanged_since : now;
  reading.quiet = known_as_this && (was_settled || now - reading.unchanged_since >= kEqualReadingsApart);
  run.reading = static_cast<std::uint32_t>(readings_.size());
  run.failure.reset();
  readings_.push_back(reading);
}

void RunLedger::gone(RunId id) {
  insert(id).gone = true;
}

void RunLedger::unreadable(RunId id, FailureReason reason) {
  insert(id).failure = reason;
}

RunLedger::Rows RunLedger::remembered_rows(const Run& run) const {
  Rows rows;
  if (!before_ || run.first_row == kNone) return rows;
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

RunLedger::Rows RunLedger::read_rows(const Reading& reading) const {
  Rows rows;
  rows.first = reading.first_row;
  rows.tallies = tallies_.data() + reading.first_row;
  rows.extents = extents_.data() + reading.first_row;
  rows.count = reading.rows;
  rows.outcomes = outcomes_.data() + reading.first_outcome;
  rows.outcome_count = reading.outcomes;
  return rows;
}

// But for files that were deleted since.
bool RunLedger::same(const Rows& remembered, const Rows& read) const {
  if (remembered.count != read.count || remembered.outcome_count != read.outcome_count) return false;
  for (std::uint32_t i = 0; i < read.count; ++i) {
    RunTally was = remembered.tallies[i];
    const RunTally& is = read.tallies[i];
    if (is.undeleted && !was.undeleted) return false;
    was.undeleted = is.undeleted;
    was.open = is.open;
    was.vanished = is.vanished;
    if (was != is) return false;
  }
  for (std::uint32_t i = 0; i < read.outcome_count; ++i) {
    const PackedOutcome& was = remembered.outcomes[i];
    const PackedOutcome& is = read.outcomes[i];
    if (was.tally - remembered.first != is.tally - read.first || was.database != is.database ||
        was.status != is.status) {
      return false;
    }
  }
  return true;
}

bool RunLedger::contradicts_memory(RunId id) const {
  const Run* run = find(id);
  return run && run->known && run->reading != kNone &&
         !same(remembered_rows(*run), read_rows(readings_[run->reading]));
}

void RunLedger::begin_listing() {
  listed_ = 0;
  for (Run& run : runs_) run.listed = false;
}

RunLedger::Listed RunLedger::list(const std::vector<RunId>& page, std::vector<RunId>& to_ask) {
  std::vector<Run> unknown;
  for (const RunId id : page) {
    if (!find(id)) unknown.emplace_back().id = id;
  }
  std::sort(unknown.begin(), unknown.end(), by_id);
  merge(unknown);
  Listed result;
  for (const RunId id : page) {
    Run& run = *find(id);
    if (run.listed) {
      result.repeats = true;
      continue;
    }
    run.listed = true;
    run.seen = true;
    ++listed_;
    result.anything_new = true;
    if (needs_details(run) && !run.asked) to_ask.push_back(id);
  }
  return result;
}

// Of a run that is listed.
bool RunLedger::needs_details(const Run& run) const {
  if (!run.known || run.doubted) return true;
  if (run.missing) return worth_asking(*unsettled_before(run));
  if (run.idle) return !run.empty && run.started_at.milliseconds() >= kept_from_ms_;
  return run.vanished && run.unsettled != kNone;  // it might still have changed, and is back
}

// Whether the run is part of what is published.
bool RunLedger::counts(const Run& run) const {
  if (vanished_now(run) || (run.reading == kNone && (!run.known || run.idle))) return false;
  const EpochMs start = start_of(run);
  return !start.has_value() || start.milliseconds() >= kept_from_ms_;
}

bool RunLedger::listing_overlaps() const {
  double oldest_listed = std::numeric_limits<double>::infinity();
  double newest_unlisted = -oldest_listed;
  for (const Run& run : runs_) {
    if (run.first_row == kNone || vanished_now(run) || !run.started_at.has_value()) continue;
    const double start = run.started_at.milliseconds();
    if (run.listed) {
      oldest_listed = std::min(oldest_listed, start);
    } else {
      newest_unlisted = std::max(newest_unlisted, start);
    }
  }
  return std::isfinite(oldest_listed) && newest_unlisted <= oldest_listed;
}

std::vector<RunId> RunLedger::unlisted() const {
  std::vector<RunId> ids;
  for (const Run& run : runs_) {
    if (run.known && !run.seen && counts(run)) ids.push_back(run.id);
  }
  return ids;
}

bool RunLedger::lost_all() const {
  bool any = false;
  for (const Run& run : runs_) {
    if (!run.known || !counts(run)) continue;
    if (run.seen) return false;
    any = true;
  }
  return any;
}

void RunLedger::drop_unlisted() {
  for (Run& run : runs_) {
    if (run.known && !run.seen && counts(run)) run.gone = true;
  }
}

std::vector<RunId> RunLedger::next_witnesses(BackupType type, double from_ms, double to_ms,
                                             std::size_t at_most) const {
  std::vector<RunId> witnesses;
  if (!before_) return witnesses;
  const auto stands = [&](const RunTally& tally) {
    return tally.type == type && tally.succeeded > 0 && tally.undeleted;
  };
  const auto oldest_read_that_stands = [&] {
    double oldest = std::numeric_limits<double>::infinity();
    for (const Run& run : runs_) {
      if (run.reading == kNone || !counts(run)) continue;
      const Rows rows = read_rows(readings_[run.reading]);
      for (const RunTally* tally = rows.tallies; tally != rows.tallies + rows.count; ++tally) {
        const double start = tally->started_at.milliseconds();
        if (stands(*tally) && start >= from_ms) oldest = std::min(oldest, start);
      }
    }
    return oldest;
  };
  std::optional<double> standing;  // found out when there is a candidate
  // What is not kept any longer bears no witness.
  const std::vector<RunTally>& tallies = before_->runs.tallies;
  auto tally = std::partition_point(tallies.begin(), tallies.end(), [&](const RunTally& earlier) {
    return earlier.started_at.milliseconds() < std::max(from_ms, kept_from_ms_);
  });
  for (; tally != tallies.end() && witnesses.size() < at_most; ++tally) {
    const double start = tally->started_at.milliseconds();
    if (!(start <= to_ms)) break;
    if (!stands(*tally)) continue;
    const Run& run = *find(before_->ids[static_cast<std::size_t>(tally - tallies.begin())]);
    if (vanished_now(run) || run.reading != kNone) continue;  // readings are above
    // It could not be read, now or in the collections before: what is known of it stands.
    const UnsettledRun* const before = unsettled_before(run);
    if (run.asked || (before && before->failures > 0)) break;
    if (!standing) standing = oldest_read_that_stands();
    if (*standing <= start) break;  // an older one is known, from this collection, to stand
    witnesses.push_back(run.id);
  }
  return witnesses;
}

}  // namespace sqlbak_gateway::sqlbak
