#include "evaluation/judge.h"

#include "evaluation/rhythm.h"
#include "sqlbak_gateway/account/window.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace sqlbak_gateway::evaluation {
namespace {

double milliseconds(std::chrono::duration<double, std::milli> duration) {
  return duration.count();
}
double milliseconds(SystemTime time) {
  return static_cast<double>(time.time_since_epoch().count());
}

// A window that has grown counts only once a collection has read that far.
double window_ms(Duration lookback, const JobSnapshot& source) {
  const auto window = window_of(lookback, source.settings.get());
  return std::min(milliseconds(window), milliseconds(source.runs_reach));
}

std::optional<bool> enabled(const JobSnapshot& source) {
  std::optional<bool> enabled = source.job.enabled;
  if (source.settings && source.settings->enabled)
    enabled = enabled.value_or(true) && *source.settings->enabled;
  return enabled;
}

// The number of databases whose latest decided entry failed. An entry is decided unless it is still running.
template <typename Believed>
std::optional<std::uint64_t> databases_failing(const JobRuns& runs, Believed believed) {
  if (runs.databases.empty()) return std::nullopt;
  using Open = std::pair<double, BackupType>;
  std::vector<Open> open;  // ascending
  for (const RunTally& tally : runs.tallies) {
    if (tally.open && tally.started_at.has_value())
      open.emplace_back(tally.started_at.milliseconds(), tally.type);
  }
  std::sort(open.begin(), open.end());
  const auto still_running = [&](const DatabaseOutcome& outcome) {
    return outcome.status == EntryStatus::other && outcome.started_at.has_value() &&
           std::binary_search(open.begin(), open.end(),
                              Open(outcome.started_at.milliseconds(), outcome.type));
  };
  struct Latest {
    double start = -kNever;
    bool failed = false;
  };
  std::unordered_map<std::string_view, Latest> latest;
  for (const DatabaseOutcome& outcome : runs.databases) {
    const double start = outcome.started_at.has_value() ? outcome.started_at.milliseconds() : -kNever;
    Latest& known = latest[outcome.database];
    if (start < known.start || still_running(outcome) || !believed(start)) continue;
    const bool failed = outcome.status == EntryStatus::failed;
    known.failed = failed || (known.failed && start == known.start);
    known.start = start;
  }
  return static_cast<std::uint64_t>(std::count_if(
      latest.begin(), latest.end(), [](const auto& database) { return database.second.failed; }));
}

struct LatestExtent {
  double duration_start = -kNever;
  double size_start = -kNever;
};

template <typename Believed>
void note_extents(const JobRuns& runs, Believed believed, std::array<PreparedRow*, kBackupTypeCount>& rows) {
  std::array<LatestExtent, kBackupTypeCount> latest;
  for (const RunExtent& extent : runs.extents) {
    PreparedRow* row = rows[index(extent.type)];
    if (!row || !extent.started_at.has_value()) continue;
    const double start = extent.started_at.milliseconds();
    if (!believed(start)) continue;
    const double duration = extent.finished_at.milliseconds() - start;
    LatestExtent& of_type = latest[index(extent.type)];
    if (duration >= 0 && start >= of_type.duration_start) {
      // Runs that started together count with the longest and the largest, so that their order does not
      // matter.
      const bool same = start == of_type.duration_start && row->last_duration_seconds;
      row->last_duration_seconds = std::max(duration / 1e3, same ? *row->last_duration_seconds : 0.0);
      of_type.duration_start = start;
    }
    if (std::isfinite(extent.size_bytes) && start >= of_type.size_start) {
      const bool same = start == of_type.size_start && row->last_size_bytes;
      row->last_size_bytes = same ? std::max(extent.size_bytes, *row->last_size_bytes) : extent.size_bytes;
      of_type.size_start = start;
    }
  }
}

class Judgement {
 public:
  Judgement(std::shared_ptr<const JobSnapshot> source, const JobPolicy& policy, SystemTime collected_at,
            FactsByType& facts)
      : now_(milliseconds(collected_at)), believed_until_(now_ + kBelievedAheadMs), facts_(facts) {
    job_.source = std::move(source);
    job_.policy = policy;
    job_.judged_at = collected_at;
    job_.enabled = enabled(*job_.source);
  }

  PreparedJob run() && {
    const double window = window_ms(job_.policy.lookback, *job_.source);
    job_.window_seconds = window / 1e3;
    if (runs()) {
      const double ahead = collect_facts(*runs(), job_.source->remembered.get(),
                                         {now_ - kMillisecondsPerHour, believed_until_}, facts_);
      changes_after(ahead - kBelievedAheadMs);
      window_ = count_window(*runs(), now_ - window);
      changes_after(window_.first_start + window);
      if (!job_.policy.ignored) {
        job_.databases_failing = databases_failing(*runs(), [this](double start) { return believed(start); });
      }
    }
    remembered_ = merge(job_.source->remembered.get(), runs(), facts_, job_.judged_at);
    make_rows();
    job_.state = state();
    job_.unchanged_until = unchanged_until();
    return std::move(job_);
  }

 private:
  const JobSettings* settings() const { return job_.source->settings.get(); }
  const JobRuns* runs() const { return job_.source->runs.get(); }
  bool paused() const {
    return job_.policy.ignored || !job_.enabled.value_or(true) || !is_backup_job(job_.source->job);
  }
  // Then a run that could not be read may be the one that succeeded.
  bool never_read_completely() const { return !job_.source->runs_current && !job_.source->runs_read_at; }
  bool is_enabled(BackupType type) const { return settings() && settings()->enabled_types.contains(type); }

  // Whether a run with this start counts, because it does not lie too far ahead of T.
  bool believed(double start) {
    if (start <= believed_until_) return true;
    changes_after(start - kBelievedAheadMs);
    return false;
  }

  // The result may change after this instant. NaN has no effect.
  void changes_after(double instant) {
    if (instant < until_) until_ = instant;
  }

  void make_rows() {
    job_.rows.reserve(kBackupTypeCount);
    for (const BackupType type : kBackupTypes) {
      const bool seen =
          runs() && type != BackupType::folder && window_.by_type[index(type)].counts.total() > 0;
      const bool published = seen || is_enabled(type);
      const bool remembered = runs() && remembered_.of(type).last_attempt.has_value();
      if (!published && !remembered) continue;
      PreparedRow& row = job_.rows.emplace_back();
      row.type = type;
      if (published) judge_window(row);
      if (runs()) judge_history(row);
      judge_lateness(row);
    }
    std::array<PreparedRow*, kBackupTypeCount> by_type{};
    for (PreparedRow& row : job_.rows) by_type[index(row.type)] = &row;
    if (runs())
      note_extents(
          *runs(), [this](double start) { return believed(start); }, by_type);
  }

  void judge_window(PreparedRow& row) {
    if (settings()) row.retention_days = settings()->retention_days(row.type);
    if (!runs()) return;
    // Entries of folders are not counted, but a type `folder` that is enabled has its row.
    const WindowFacts window =
        row.type == BackupType::folder ? WindowFacts{} : window_.by_type[index(row.type)];
    row.window = window.counts;
    row.last_success_in_window = EpochMs(window.last_success);
    if (!settings()) return;
    const double retention = static_cast<double>(*row.retention_days);
    const double first = window.first_undeleted;
    row.older_than_policy = retention > 0 && (now_ - first) / kMillisecondsPerDay > retention;
    if (retention > 0 && !*row.older_than_policy) changes_after(first + retention * kMillisecondsPerDay);
  }

  void judge_history(PreparedRow& row) {
    TypeFacts& facts = facts_[index(row.type)];
    const RememberedType& remembered = remembered_.of(row.type);
    row.last_success = remembered.last_success;
    row.last_attempt = remembered.last_attempt;
    if (remembered.last_finished.has_value()) row.last_attempt_succeeded = remembered.last_finished_succeeded;
    rhythm_ = rhythm(facts.gaps, facts.first_success, facts.last_success, remembered.successes);
    if (rhythm_) row.expected_interval_seconds = rhythm_->interval_ms / 1e3;
    if (job_.policy.ignored) return;  // never counted against the customer
    row.consecutive_failures = remembered.consecutive_failures;
    if (settings()) row.retention_violation = violates_retention(row.type, facts);
  }

  // SqlBak deletes expired files at the next successful upload. Files that are there after that are a fault.
  bool violates_retention(BackupType type, const TypeFacts& facts) {
    const double retention = static_cast<double>(settings()->retention_days(type)) * kMillisecondsPerDay;
    if (retention <= 0) return false;
    if (facts.first_undeleted + retention < facts.last_settled_success) return true;
    changes_after(facts.first_unsettled_success + kMillisecondsPerHour);
    return false;
  }

  void judge_lateness(PreparedRow& row) {
    if (const auto& configured = job_.policy.max_age.of(row.type)) {
      row.max_age = MaxAge{milliseconds(*configured) / 1e3, true};
    } else if (runs() && rhythm_) {
      row.max_age = MaxAge{rhythm_->max_age_ms / 1e3, false};
    }
    if (!row.max_age || !runs() || !is_enabled(row.type) || never_read_completely()) return;
    if (paused()) {
      row.overdue = false;
      return;
    }
    const EpochMs since = row.last_success.has_value() ? row.last_success : beginning();
    const double limit = row.max_age->seconds * 1e3;
    const double due =
        since.milliseconds() + limit - milliseconds(job_.policy.api_clock_ahead);  // by our clock
    row.overdue = now_ > due;
    if (!*row.overdue) changes_after(due);
  }

  // The instant from which on a success is expected of a type that never succeeded.
  EpochMs beginning() const {
    const EpochMs oldest = remembered_.oldest_run;
    return oldest.milliseconds() < remembered_.first_seen.milliseconds() ? oldest : remembered_.first_seen;
  }

  JobState state() const {
    if (paused()) return JobState::paused;
    bool all_in_time = settings() && runs();
    bool failing = job_.databases_failing.value_or(0) > 0;
    for (const PreparedRow& row : job_.rows) {
      if (row.overdue.value_or(false)) return JobState::late;
      const bool current = is_enabled(row.type) || window_.by_type[index(row.type)].counts.total() > 0;
      failing = failing || (current && !row.last_attempt_succeeded.value_or(true));
      if (is_enabled(row.type) && !row.overdue) all_in_time = false;
    }
    if (failing) return JobState::failing;
    return all_in_time ? JobState::protected_ : JobState::unknown;
  }

  SystemTime unchanged_until() const {
    // One millisecond less because of rounding. Instants far ahead count as never.
    const double limit = milliseconds(SystemTime::max()) / 4;
    if (!(until_ < limit)) return SystemTime::max();
    return SystemTime(
        std::chrono::milliseconds(static_cast<std::int64_t>(std::floor(std::max(until_, -limit))) - 1));
  }

  const double now_;
  const double believed_until_;
  FactsByType& facts_;
  Window window_;
  Remembered remembered_;
  std::optional<Rhythm> rhythm_;  // of the row in progress
  double until_ = kNever;
  PreparedJob job_;
};

}  // namespace

bool is_backup_job(const Job& job) {
  return job.type.value_or("backup") != "maintenance";
}

PreparedJob judge(std::shared_ptr<const JobSnapshot> source, const JobPolicy& policy, SystemTime collected_at,
                  FactsByType& facts) {
  return Judgement(std::move(source), policy, collected_at, facts).run();
}

}  // namespace sqlbak_gateway::evaluation
