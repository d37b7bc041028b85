#include "sqlbak/job_reading.h"

#include "sqlbak/endpoints.h"
#include "sqlbak/witnesses.h"
#include "sqlbak_gateway/account/window.h"
#include "sqlbak_gateway/base/hash.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <utility>

namespace sqlbak_gateway::sqlbak {
namespace {

using std::chrono::milliseconds;

// The API may cut the list at another instant than it is asked to, and its clock may be off.
constexpr milliseconds kPrefilterReserve = std::chrono::hours(24);
// Windows of this many pages are listed as a whole each time, which costs one request more at most.
constexpr std::size_t kPagesAlwaysWhole = 2;
// Runs that say something else each time they are read cost a job all of its details this often at most.
constexpr milliseconds kDoubtedAgainAfter = std::chrono::hours(24);

milliseconds ceil_ms(auto duration) {
  return std::chrono::ceil<milliseconds>(duration);
}

std::int64_t floor_div(std::int64_t a, std::int64_t b) {
  return a / b - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0);
}

// False if runs are known, but none of them could be read: that is unknown, not "no backups".
bool says_something(const RememberedRuns& runs) {
  return runs.unsettled.empty() || !runs.idle.empty() ||
         std::any_of(runs.runs.tallies.begin(), runs.runs.tallies.end(),
                     [](const RunTally& tally) { return !tally.vanished; }) ||
         std::any_of(runs.unsettled.begin(), runs.unsettled.end(),
                     [](const UnsettledRun& run) { return run.read || run.missing; });
}

bool is_empty(const RememberedRuns& runs) {
  return runs.ids.empty() && runs.unsettled.empty() && runs.idle.empty();
}

bool same_as_published(const JobSnapshot& a, const JobSnapshot& b) {
  return a.job == b.job && a.settings == b.settings && a.runs == b.runs && a.remembered == b.remembered &&
         a.settings_current == b.settings_current && a.runs_current == b.runs_current &&
         a.runs_reach == b.runs_reach && a.runs_read_at == b.runs_read_at;
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
  if (settings_due()) settings_step_ = SettingsStep::due;
  if (audited_) ask(*audited_);
  advance();
}

// Each job has its own instants, settings_ttl apart, at which its settings become due. So jobs are spread
// over the collections, and what is kept is never older than settings_ttl.
bool JobReading::settings_due() const {
  const std::int64_t ttl = ceil_ms(context_.plan.settings_ttl).count();
  if (!settings_ || !settings_read_at_ || ttl <= 0) return true;
  const auto phase = static_cast<std::int64_t>(stable_hash(job_.id) % static_cast<std::uint64_t>(ttl));
  const auto period = [&](SystemTime time) {
    return floor_div(time.time_since_epoch().count() - phase, ttl);
  };
  return period(now()) != period(*settings_read_at_);
}

milliseconds JobReading::window() const {
  return ceil_ms(window_of(context_.plan.lookback, settings_.get()));
}

milliseconds JobReading::reach() const {
  const milliseconds first =
      context_.plan.first_reach ? ceil_ms(context_.plan.first_reach(job_)) : milliseconds::zero();
  return std::max(window(), first);
}

// False if a clock was ahead when the runs were doubted.
bool JobReading::doubted_lately() const {
  return before_->doubted_at && *before_->doubted_at <= now() &&
         now() - *before_->doubted_at < kDoubtedAgainAfter;
}

void JobReading::ask(RunId run) {
  if (ledger_.ask(run)) details_.add(run);
}

bool JobReading::has_next() const {
  const auto* const listing = std::get_if<RunListing>(&stage_);
  return settings_step_ == SettingsStep::due || (listing && listing->step == RunListing::Step::due) ||
         details_.has_next();
}

JobRequest JobReading::next() {
  assert(has_next());
  if (settings_step_ == SettingsStep::due) {
    settings_step_ = SettingsStep::asked;
    return {Endpoint::settings, {}, settings_target(job_.id)};
  }
  // The next page goes before details, so that both keep going.
  auto* const listing = std::get_if<RunListing>(&stage_);
  if (listing && listing->step == RunListing::Step::due) {
    listing->step = RunListing::Step::asked;
    return {Endpoint::jobruns, {}, runs_target(job_.id, listing->started_after, listing->page)};
  }
  const RunId run = details_.next();
  return {Endpoint::jobrun_details, run, run_target(ledger_.text(run))};
}

bool JobReading::on(const JobRequest& request, const Answer& answer, SystemTime now) {
  bool usable = false;
  if (request.endpoint == Endpoint::settings) {
    usable = on_settings(answer);
  } else if (request.endpoint == Endpoint::jobruns) {
    usable = on_page(answer);
  } else {
    details_.answered();
    usable = on_details(request.run, answer, now);
  }
  advance();
  return usable;
}

bool JobReading::on_settings(const Answer& answer) {
  settings_step_ = SettingsStep::failed;
  if (answer.failure || answer.status != 200) return false;
  const Result<JobSettings> settings = decode_settings(answer.body, context_.notes);
  if (!settings) return false;
  settings_step_ = SettingsStep::read;
  settings_read_at_ = now();
  if (!settings_ || !(*settings_ == *settings)) settings_ = std::make_shared<const JobSettings>(*settings);
  return true;
}

bool JobReading::on_page(const Answer& answer) {
  RunListing& listing = std::get<RunListing>(stage_);
  listing.step = RunListing::Step::failed;
  if (!answer.failure && answer.status == 200) {
    const Result<Page<RunRow>> page = decode_runs(answer.body, context_.notes);
    if (page) {
      if (listing.page > 1 && page->total != listing.total) listing.moved = true;
      listing.total = page->total;
      add_rows(listing, page->rows, page->has_more);
    }
  }
  if (listing.step != RunListing::Step::failed) return true;
  details_.clear();
  return false;
}

void JobReading::add_rows(RunListing& listing, const std::vector<RunRow>& rows, bool has_more) {
  std::vector<RunId> ids;
  ids.reserve(rows.size());
  for (const RunRow& row : rows) {
    if (row.id.size() > kMaxIdBytes) {
      context_.notes.unrecognised.note(NotedField::run_id, row.id);
    } else {
      ids.push_back(ledger_.id_of(row.id));
    }
  }
  std::vector<RunId> unknown;
  const RunLedger::PageRows listed = ledger_.list(ids, unknown);
  for (const RunId id : unknown) ask(id);
  context_.runs_known += unknown.size();
  listing.moved = listing.moved || listed.repeats;
  if (!has_more || !listed.anything_new) {
    listing.step = RunListing::Step::complete;
    return;
  }
  ++listing.page;
  const bool too_long =
      listing.page > kMaxPages || ledger_.listed() > kMaxRunsOfJob || context_.runs_known > kMaxRunsOfAccount;
  listing.step = too_long ? RunListing::Step::failed : RunListing::Step::due;
}

bool JobReading::on_details(RunId run, const Answer& answer, SystemTime now) {
  if (answer.failure) {
    ledger_.unreadable(run, answer.failure->reason);
    return false;
  }
  if (answer.status == 404) {
    ledger_.not_found(run);
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
  if (run == audited_) audit();
  return true;
}

void JobReading::audit() {
  if (!std::holds_alternative<Opening>(stage_) || !ledger_.contradicts_memory(*audited_)) return;
  audit_ = Audit::contradicted;
  if (doubted_lately()) return;
  audit_ = Audit::doubted;
  ledger_.doubt();
}

void JobReading::advance() {
  const bool settings_awaited = settings_step_ == SettingsStep::due || settings_step_ == SettingsStep::asked;
  if (std::holds_alternative<Opening>(stage_) && !settings_awaited && details_.is_idle()) open_listing();
  if (const auto* listing = std::get_if<RunListing>(&stage_);
      listing && listing->has_ended() && details_.is_idle()) {
    close_listing(*listing);
  }
  if (std::holds_alternative<LookingUp>(stage_) && details_.is_idle()) {
    // A run that exists, but is not in the list, may have slipped from one page to another meanwhile.
    if (ledger_.unlisted().empty()) {
      stage_ = Witnesses{Coverage::whole};
    } else {
      list_whole(RunListing::Extent::again);
    }
  }
  if (auto* round = std::get_if<Witnesses>(&stage_);
      round && details_.is_idle() && !ask_for_witnesses(*round)) {
    stage_ = Done{round->coverage};
  }
}

void JobReading::open_listing() {
  ledger_.keep_from(now() - reach());
  const std::optional<SystemTime> last_read_at = before_ ? before_->runs_read_at : std::nullopt;
  for (const RunId run : ledger_.due_again(last_read_at, context_.runs_show_end)) ask(run);
  if (const std::optional<SystemTime> start = start_of_overlap()) {
    list(RunListing::Extent::overlap, *start);
  } else {
    list_whole(RunListing::Extent::whole);
  }
}

void JobReading::list_whole(RunListing::Extent extent) {
  list(extent, now() - reach() - kPrefilterReserve);
}

void JobReading::list(RunListing::Extent extent, SystemTime started_after) {
  stage_ = RunListing{.extent = extent, .started_after = started_after};
  ledger_.begin_list();
}

// A window of many pages is listed back to one full page of known runs, and as a whole only every so often.
// Empty if it has to be listed as a whole now.
std::optional<SystemTime> JobReading::start_of_overlap() const {
  const std::size_t pages = (ledger_.known() + kPageSize - 1) / kPageSize;
  if (pages <= kPagesAlwaysWhole || audit_ == Audit::doubted || ledger_.knows_undated()) return std::nullopt;
  if (!before_->covered_from || now() - reach() < *before_->covered_from) return std::nullopt;
  if (before_->collections_since_whole + 1 >= pages) return std::nullopt;
  const double start = ledger_.nth_newest_start(kPageSize).milliseconds();
  if (!(std::abs(start) < 1e15)) return std::nullopt;
  return SystemTime(milliseconds(static_cast<std::int64_t>(std::floor(start))));
}

// Ends the present stage: `listing` is not valid any more afterwards.
void JobReading::close_listing(const RunListing& listing) {
  using Extent = RunListing::Extent;
  if (listing.step == RunListing::Step::failed) {
    stage_ = Done{};
  } else if (listing.extent == Extent::overlap) {
    if (listing.moved || !ledger_.list_overlaps()) return list_whole(Extent::whole);
    stage_ = Witnesses{Coverage::overlap};
  } else if (listing.moved) {
    stage_ = Witnesses{Coverage::moved};
  } else if (ledger_.unlisted().empty()) {
    stage_ = Witnesses{Coverage::whole};
  } else if (listing.extent == Extent::again) {
    ledger_.drop_unlisted();
    stage_ = Witnesses{Coverage::doubtful};
  } else if (listing.page > 1) {
    for (const RunId run : ledger_.unlisted()) ask(run);
    stage_ = LookingUp{};
  } else if (ledger_.lost_all()) {
    list_whole(Extent::again);
  } else {
    ledger_.drop_unlisted();
    stage_ = Witnesses{Coverage::whole};
  }
}

// The oldest backup past its retention whose files are still there speaks for all of its type. There is one
// witness for the window, and one for what is kept beyond it. If many were deleted at once, each round asks
// for twice as many. Returns whether anything was asked.
bool JobReading::ask_for_witnesses(Witnesses& round) {
  if (!settings_) return false;
  const double window_start = EpochMs(now() - window()).milliseconds();
  for (const BackupType type : kBackupTypes) {
    const std::int64_t retention = settings_->retention_days(type);
    if (retention <= 0) continue;
    const double expired =
        EpochMs(now()).milliseconds() - static_cast<double>(retention) * kMillisecondsPerDay;
    const double never = -std::numeric_limits<double>::infinity();
    const double before_window = std::min(window_start, expired);
    for (const RunId run : next_witnesses(ledger_, type, never, before_window, round.at_once)) ask(run);
    for (const RunId run : next_witnesses(ledger_, type, window_start, expired, round.at_once)) ask(run);
  }
  round.at_once *= 2;
  return !details_.is_idle();
}

// Empty if the runs could not be listed, or the reading is not done.
std::optional<Coverage> JobReading::coverage() const {
  const auto* const done = std::get_if<Done>(&stage_);
  return done ? done->coverage : std::nullopt;
}

JobResult JobReading::result() const {
  JobResult result;
  const std::shared_ptr<RememberedJob> memory = memory_without_runs();
  const std::optional<Coverage> covered = coverage();
  const bool listed_whole = covered == Coverage::whole || covered == Coverage::doubtful;
  const PackedJob packed = pack_runs(ledger_, memory->remembered,
                                     {listed_whole, context_.details_read > 0, context_.runs_show_end});
  remember_runs(*memory, packed);

  // If not one of the existing runs could be read, now or before, it is as if they could not be listed.
  const bool runs_known = covered && says_something(*packed.runs);
  const bool runs_current = runs_known && packed.failed == 0;
  if (runs_current) memory->runs_read_at = now();
  if (done()) result.snapshot = published(*memory, runs_current);
  result.settings_read = settings_step_ != SettingsStep::failed;
  result.runs_listed = runs_known || !done();
  result.runs_failed = packed.failed;
  result.runs_left_out = packed.left_out;
  result.runs_newly_left_out = packed.newly_left_out;
  result.contradicted = audit_ != Audit::agrees;
  result.memory = memory;
  return result;
}

std::shared_ptr<RememberedJob> JobReading::memory_without_runs() const {
  auto memory = before_ ? std::make_shared<RememberedJob>(*before_) : std::make_shared<RememberedJob>();
  if (!before_) {
    auto first = std::make_shared<Remembered>();
    first->first_seen = EpochMs(now());
    memory->remembered = std::move(first);
  }
  memory->id = job_.id;
  memory->unlisted_since.reset();
  memory->settings = settings_;
  memory->settings_read_at = settings_read_at_;
  if (audit_ == Audit::doubted) memory->doubted_at = now();
  return memory;
}

void JobReading::remember_runs(RememberedJob& memory, const PackedJob& packed) const {
  const std::optional<Coverage> covered = coverage();
  if (!covered) {
    // What was read so far is kept, but a whole list is due.
    const bool nothing_new = packed.runs == memory.runs || (!memory.runs && is_empty(*packed.runs));
    if (nothing_new) return;
    memory.runs = packed.runs;
    memory.remembered = packed.remembered;
    memory.runs_complete = false;
    memory.covered_from.reset();
    return;
  }
  memory.runs = packed.runs;
  memory.remembered = packed.remembered;
  memory.runs_complete = true;
  const SystemTime kept_from = now() - reach();
  switch (*covered) {
    case Coverage::whole:
      memory.covered_from = kept_from;
      memory.collections_since_whole = 0;
      break;
    case Coverage::doubtful:
      memory.covered_from.reset();
      memory.collections_since_whole = 0;
      break;
    case Coverage::overlap:
      if (memory.covered_from) memory.covered_from = std::max(*memory.covered_from, kept_from);
      ++memory.collections_since_whole;
      break;
    case Coverage::moved:
      memory.covered_from.reset();
      ++memory.collections_since_whole;
      break;
  }
}

std::shared_ptr<const JobSnapshot> JobReading::published(const RememberedJob& memory,
                                                         bool runs_current) const {
  auto snapshot = std::make_shared<JobSnapshot>();
  snapshot->job = job_;
  snapshot->settings = settings_;
  snapshot->settings_current = settings_step_ != SettingsStep::failed;
  snapshot->runs_current = runs_current;
  if (!runs_current) snapshot->runs_read_at = memory.runs_read_at;
  if (last_good_) snapshot->runs_reach = last_good_->runs_reach;

  // If the runs could not be listed, the complete ones from before are published.
  const bool listed = coverage().has_value();
  const RememberedJob* const source = listed                              ? &memory
                                      : before_ && before_->runs_complete ? before_.get()
                                                                          : nullptr;
  if (source && source->runs && says_something(*source->runs)) {
    snapshot->runs = std::shared_ptr<const JobRuns>(source->runs, &source->runs->runs);
    snapshot->remembered = source->remembered;
    if (listed) snapshot->runs_reach = reach();
  } else if (last_good_) {
    snapshot->runs = last_good_->runs;
    snapshot->remembered = last_good_->remembered;
  }
  if (!snapshot->remembered) snapshot->remembered = memory.remembered;
  if (last_good_ && same_as_published(*last_good_, *snapshot)) return last_good_;
  return snapshot;
}

}  // namespace sqlbak_gateway::sqlbak
