#include "sqlbak/job_reading.h"

#include "sqlbak_gateway/sqlbak/endpoints.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <utility>

namespace sqlbak_gateway::sqlbak {
namespace {

using std::chrono::milliseconds;

// What the API filters by started_after is cut a little finer or coarser than asked for, and by another
// clock.
constexpr milliseconds kPrefilterReserve = std::chrono::hours(24);
constexpr milliseconds kRetentionReserve = std::chrono::hours(7 * 24);
// Windows of so many pages are listed as a whole each time; it costs one request more at most.
constexpr std::size_t kPagesAlwaysWhole = 2;

milliseconds ceil_ms(Duration duration) {
  return std::chrono::ceil<milliseconds>(duration);
}

// Runs that say something else each time they are read cost a job all of its details this often at most.
constexpr milliseconds kDoubtedAgainAfter = std::chrono::hours(24);

// The same for the same job on every machine (FNV-1a).
std::uint64_t hash(std::string_view text) {
  std::uint64_t value = 0xcbf29ce484222325u;
  for (const char c : text) value = (value ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return value;
}

std::int64_t floor_div(std::int64_t a, std::int64_t b) {
  return a / b - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0);
}

double ms(SystemTime time) {
  return static_cast<double>(time.time_since_epoch().count());
}

// False where runs are known to be there, and not one could be read: that is unknown, not "no backups".
bool says_something(const RememberedRuns& runs) {
  return runs.unsettled.empty() || !runs.idle.empty() ||
         std::any_of(runs.runs.tallies.begin(), runs.runs.tallies.end(),
                     [](const RunTally& tally) { return !tally.vanished; }) ||
         std::any_of(runs.unsettled.begin(), runs.unsettled.end(),
                     [](const UnsettledRun& run) { return run.read || run.missing; });
}

}  // namespace

JobReading::JobReading(CollectionContext& context, Job job, std::shared_ptr<const RememberedJob> before,
                       std::shared_ptr<const JobSnapshot> last_good, std::optional<RunId> audited)
    : context_(context),
      job_(std::move(job)),
      before_(std::move(before)),
      last_good_(std::move(last_good)),
      audited_(audited),
      ledger_(before_ ? before_->runs : nullptr, context.plan.started_at) {
  if (before_) {
    settings_ = before_->settings;
    settings_read_at_ = before_->settings_read_at;
  }
  if (settings_due()) settings_step_ = Step::due;
  if (audited_) ask(*audited_);
  advance();
}

// Each job has its own instants, settings_ttl apart, from which its settings are read again: jobs are spread
// over the collections, and what is kept is never older than settings_ttl.
bool JobReading::settings_due() const {
  const std::int64_t ttl = ceil_ms(context_.plan.settings_ttl).count();
  if (!settings_ || !settings_read_at_ || ttl <= 0) return true;
  const auto phase = static_cast<std::int64_t>(hash(job_.id) % static_cast<std::uint64_t>(ttl));
  const auto period = [&](SystemTime time) {
    return floor_div(time.time_since_epoch().count() - phase, ttl);
  };
  return period(now()) != period(*settings_read_at_);
}

milliseconds JobReading::window() const {
  const milliseconds lookback = ceil_ms(context_.plan.lookback);
  if (!settings_) return lookback;
  std::int64_t days = 0;
  for (const BackupType type : kBackupTypes) {
    if (settings_->enabled_types.contains(type)) days = std::max(days, settings_->retention_days(type));
  }
  return std::max<milliseconds>(lookback, std::chrono::hours(24) * days + kRetentionReserve);
}

milliseconds JobReading::reach() const {
  const milliseconds first =
      context_.plan.first_reach ? ceil_ms(context_.plan.first_reach(job_)) : milliseconds::zero();
  return std::max(window(), first);
}

// Not where that was by a clock that was ahead.
bool JobReading::doubted_lately() const {
  return before_->doubted_at && *before_->doubted_at <= now() &&
         now() - *before_->doubted_at < kDoubtedAgainAfter;
}

void JobReading::ask(RunId run) {
  if (ledger_.ask(run)) to_ask_.push_back(run);
}

bool JobReading::has_next() const {
  return settings_step_ == Step::due || page_step_ == Step::due || asked_ < to_ask_.size();
}

JobRequest JobReading::next() {
  assert(has_next());
  if (settings_step_ == Step::due) {
    settings_step_ = Step::asked;
    return {Endpoint::settings, {}, settings_target(job_.id)};
  }
  // The next page before details, so that both keep going.
  if (page_step_ == Step::due) {
    page_step_ = Step::asked;
    return {Endpoint::jobruns, {}, runs_target(job_.id, started_after_, page_)};
  }
  const RunId run = to_ask_[asked_++];
  ++in_flight_;
  return {Endpoint::jobrun_details, run, run_target(ledger_.text(run))};
}

bool JobReading::on(const JobRequest& request, const Answer& answer, SystemTime now) {
  bool usable = false;
  if (request.endpoint == Endpoint::settings) {
    usable = on_settings(answer);
  } else if (request.endpoint == Endpoint::jobruns) {
    usable = on_page(answer);
  } else {
    --in_flight_;
    usable = on_details(request.run, answer, now);
  }
  advance();
  return usable;
}

bool JobReading::on_settings(const Answer& answer) {
  settings_step_ = Step::none;
  settings_failed_ = true;
  if (answer.failure || answer.status != 200) return false;
  const Result<JobSettings> settings = decode_settings(answer.body, context_.notes);
  if (!settings) return false;
  settings_failed_ = false;
  settings_read_at_ = now();
  if (!settings_ || !(*settings_ == *settings)) settings_ = std::make_shared<const JobSettings>(*settings);
  return true;
}

bool JobReading::on_page(const Answer& answer) {
  page_step_ = Step::none;
  const auto fail = [&] {
    listing_failed_ = true;
    to_ask_.clear();
    asked_ = 0;
    return false;
  };
  if (answer.failure || answer.status != 200) return fail();
  Result<Page<RunRow>> page = decode_runs(answer.body, context_.notes);
  if (!page) return fail();
  if (page_ > 1 && page->total != total_) shifted_ = true;
  total_ = page->total;
  std::vector<RunId> ids;
  ids.reserve(page->rows.size());
  for (const RunRow& row : page->rows) {
    if (row.id.size() > kMaxIdBytes) {
      context_.notes.unrecognised.note(NotedField::run_id, row.id);
    } else {
      ids.push_back(ledger_.id_of(row.id));
    }
  }
  std::vector<RunId> unknown;
  const RunLedger::Listed listed = ledger_.list(ids, unknown);
  for (const RunId id : unknown) ask(id);
  context_.runs_known += unknown.size();
  shifted_ = shifted_ || listed.repeats;
  if (page->has_more && listed.anything_new) {
    ++page_;
    if (page_ > kMaxPages || ledger_.listed() > kMaxRunsOfJob || context_.runs_known > kMaxRunsOfAccount) {
      return fail();
    }
    page_step_ = Step::due;
  }
  return true;
}

bool JobReading::on_details(RunId run, const Answer& answer, SystemTime now) {
  if (answer.failure) {
    ledger_.unreadable(run, answer.failure->reason);
    return false;
  }
  if (answer.status == 404) {
    ledger_.gone(run);
    return true;
  }
  if (answer.status != 200) {
    ledger_.unreadable(run, FailureReason::upstream_error);
    return false;
  }
  const Result<RunDetails> details = decode_run(answer.body, context_.notes);
  if (!details) {
    ledger_.unreadable(run, FailureReason::bad_response);
    return false;
  }
  ++context_.details_read;
  context_.runs_show_end = context_.runs_show_end || details->finished_at.has_value();
  ledger_.read(run, *details, now);
  if (run == audited_ && stage_ == Stage::opening && ledger_.contradicts_memory(run)) {
    contradicted_ = true;
    if (!doubted_lately()) {
      doubted_ = true;
      ledger_.doubt();
    }
  }
  return true;
}

void JobReading::advance() {
  if (stage_ == Stage::opening && settings_step_ == Step::none && !waits_for_details()) open_listing();
  if (stage_ == Stage::listing && page_step_ == Step::none && !waits_for_details()) close_listing();
  if (stage_ == Stage::unlisted && !waits_for_details()) {
    // What is there, but not in the list, may have slipped from one page to another while they were read:
    // look twice.
    if (ledger_.unlisted().empty()) {
      stage_ = Stage::witnesses;
    } else {
      list_again();
    }
  }
  if (stage_ == Stage::witnesses && !waits_for_details() && !ask_for_witnesses()) stage_ = Stage::done;
}

void JobReading::open_listing() {
  stage_ = Stage::listing;
  ledger_.keep_from(now() - reach());
  const std::optional<SystemTime> last_read_at = before_ ? before_->runs_read_at : std::nullopt;
  for (const RunId run : ledger_.unsettled(last_read_at, context_.runs_show_end)) ask(run);
  if (const std::optional<SystemTime> start = start_of_overlap()) {
    whole_ = false;
    list_from(*start);
  } else {
    list_whole();
  }
}

void JobReading::list_whole() {
  whole_ = true;
  list_from(now() - reach() - kPrefilterReserve);
}

void JobReading::list_again() {
  listed_again_ = true;
  list_whole();
}

void JobReading::list_from(SystemTime started_after) {
  stage_ = Stage::listing;
  started_after_ = started_after;
  page_ = 1;
  page_step_ = Step::due;
  shifted_ = false;
  ledger_.begin_listing();
}

// A window of many pages is listed back to one full page of known runs, and as a whole only every so often.
// Nothing: it has to be listed as a whole now.
std::optional<SystemTime> JobReading::start_of_overlap() const {
  const std::size_t pages = (ledger_.known() + kPageSize - 1) / kPageSize;
  if (pages <= kPagesAlwaysWhole || doubted_ || ledger_.knows_undated()) return std::nullopt;
  if (!before_->covered_from || now() - reach() < *before_->covered_from) return std::nullopt;
  if (before_->collections_since_whole + 1 >= pages) return std::nullopt;
  const double start = ledger_.nth_newest_start(kPageSize).milliseconds();
  if (!(std::abs(start) < 1e15)) return std::nullopt;
  return SystemTime(milliseconds(static_cast<std::int64_t>(std::floor(start))));
}

void JobReading::close_listing() {
  if (listing_failed_) {
    stage_ = Stage::done;
  } else if (!whole_) {
    if (shifted_ || !ledger_.listing_overlaps()) {
      list_whole();
    } else {
      stage_ = Stage::witnesses;
    }
  } else if (shifted_ || ledger_.unlisted().empty()) {
    stage_ = Stage::witnesses;
  } else if (listed_again_ || (page_ == 1 && !ledger_.lost_all())) {
    ledger_.drop_unlisted();
    doubtful_ = listed_again_;  // they are there, but not in the list: that is worth another look next time
    stage_ = Stage::witnesses;
  } else if (page_ == 1) {
    list_again();
  } else {
    stage_ = Stage::unlisted;
    for (const RunId run : ledger_.unlisted()) ask(run);
  }
}

// One undeleted backup past its retention, and the oldest at that, says all there is to say of its type; two,
// where runs are kept for longer than the window. Where the files of many were deleted at once, each round
// asks for twice as many.
bool JobReading::ask_for_witnesses() {
  if (!settings_) return false;
  const double window_start = ms(now() - window());
  for (const BackupType type : kBackupTypes) {
    const std::int64_t retention = settings_->retention_days(type);
    if (retention <= 0) continue;
    const double expired = ms(now()) - static_cast<double>(retention) * kMillisecondsPerDay;
    const double never = -std::numeric_limits<double>::infinity();
    const double before_window = std::min(window_start, expired);
    for (const RunId run : ledger_.next_witnesses(type, never, before_window, witnesses_at_once_)) ask(run);
    for (const RunId run : ledger_.next_witnesses(type, window_start, expired, witnesses_at_once_)) ask(run);
  }
  witnesses_at_once_ *= 2;
  return waits_for_details();
}

JobResult JobReading::result() const {
  const bool complete = done() && !listing_failed_;
  JobResult result;
  result.settings_read = !settings_failed_;
  result.runs_listed = !listing_failed_;
  result.contradicted = contradicted_;

  auto memory = std::make_shared<RememberedJob>();
  if (before_) {
    *memory = *before_;
  } else {
    auto first = std::make_shared<Remembered>();
    first->first_seen = EpochMs(now());
    memory->remembered = std::move(first);
  }
  memory->id = job_.id;
  memory->unlisted_since.reset();
  memory->settings = settings_;
  memory->settings_read_at = settings_read_at_;
  if (doubted_) memory->doubted_at = now();
  const bool listed_whole = complete && whole_ && !shifted_;
  const RunLedger::Packed packed =
      ledger_.pack(memory->remembered, {listed_whole, context_.details_read > 0, context_.runs_show_end});
  result.runs_failed = packed.failed;
  result.runs_left_out = packed.left_out;
  result.runs_newly_left_out = packed.newly_left_out;
  const bool nothing_read =
      packed.runs->ids.empty() && packed.runs->unsettled.empty() && packed.runs->idle.empty();
  if (complete) {
    memory->runs = packed.runs;
    memory->remembered = packed.remembered;
    memory->runs_complete = true;
    if (listed_whole) {
      memory->covered_from = now() - reach();
      memory->collections_since_whole = 0;
    } else {
      // What started before the reach is not kept any more.
      if (memory->covered_from) memory->covered_from = std::max(*memory->covered_from, now() - reach());
      ++memory->collections_since_whole;
    }
    if (shifted_ || doubtful_) memory->covered_from.reset();  // the next listing is a whole one again
  } else if (packed.runs != memory->runs && !(nothing_read && !memory->runs)) {
    memory->runs = packed.runs;
    memory->remembered = packed.remembered;
    memory->runs_complete = false;
    memory->covered_from.reset();
  }

  // Else not one of the runs that are there could be read, in this collection or before.
  const bool runs_known = complete && says_something(*packed.runs);
  result.runs_listed = result.runs_listed && (runs_known || !complete);
  const bool runs_current = runs_known && packed.failed == 0;
  if (runs_current) memory->runs_read_at = now();

  if (done()) {
    auto snapshot = std::make_shared<JobSnapshot>();
    snapshot->job = job_;
    snapshot->settings = settings_;
    snapshot->settings_current = !settings_failed_;
    snapshot->runs_current = runs_current;
    if (!runs_current) snapshot->runs_read_at = memory->runs_read_at;
    const bool kept = !complete && before_ && before_->runs_complete;
    const std::shared_ptr<const RememberedRuns> runs = complete ? memory->runs
                                                       : kept   ? before_->runs
                                                                : nullptr;
    if (last_good_) snapshot->runs_reach = last_good_->runs_reach;
    if (runs && says_something(*runs)) {
      snapshot->runs = std::shared_ptr<const JobRuns>(runs, &runs->runs);
      snapshot->remembered = complete ? memory->remembered : before_->remembered;
      if (complete) snapshot->runs_reach = reach();
    } else if (last_good_) {
      snapshot->runs = last_good_->runs;
      snapshot->remembered = last_good_->remembered;
    }
    if (!snapshot->remembered) snapshot->remembered = memory->remembered;
    const bool as_published =
        last_good_ && last_good_->job == snapshot->job && last_good_->settings == snapshot->settings &&
        last_good_->runs == snapshot->runs && last_good_->remembered == snapshot->remembered &&
        last_good_->settings_current == snapshot->settings_current &&
        last_good_->runs_current == snapshot->runs_current &&
        last_good_->runs_reach == snapshot->runs_reach && last_good_->runs_read_at == snapshot->runs_read_at;
    result.snapshot = as_published ? last_good_ : std::move(snapshot);
  }
  result.memory = std::move(memory);
  return result;
}

}  // namespace sqlbak_gateway::sqlbak
