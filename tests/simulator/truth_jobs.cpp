// The metrics beyond the published ones (truth.h says which).
#include "simulator/truth_reading.h"

#include <algorithm>
#include <limits>

namespace sqlbak_gateway::simulator {
namespace truth {
namespace {

// A run as far as one backup type is concerned.
struct Attempt {
  double started_ms = 0;
  std::optional<double> finished_ms;
  bool finished = false;
  bool all_succeeded = true;
  bool any_succeeded = false;
  bool undeleted = false;  // a succeeded entry still has files
  std::optional<double> size;
};

// In order of their starts; runs without one, or without an entry of the type, are none.
std::vector<Attempt> attempts_of(const std::vector<const Run*>& runs, const std::string& type) {
  std::vector<Attempt> attempts;
  for (const Run* run : runs) {
    Attempt attempt;
    bool any = false;
    for (const Entry& entry : run->entries) {
      if (entry.type != type) continue;
      any = true;
      if (entry.status == "succeeded") {
        attempt.any_succeeded = true;
        attempt.undeleted = attempt.undeleted || entry.undeleted;
      } else {
        attempt.all_succeeded = false;
      }
      if (entry.size && entry.status == "succeeded") attempt.size = attempt.size.value_or(0) + *entry.size;
    }
    if (!any || !run->started_ms) continue;
    attempt.started_ms = *run->started_ms;
    attempt.finished_ms = run->finished_ms;
    attempt.finished = run->finished;
    attempts.push_back(attempt);
  }
  std::ranges::stable_sort(attempts, {}, &Attempt::started_ms);
  return attempts;
}

bool violates_retention(const std::vector<Attempt>& attempts, double retention_days, double now_ms) {
  if (retention_days <= 0) return false;
  for (const Attempt& old : attempts) {
    if (!old.any_succeeded || !old.undeleted) continue;
    const double expired_ms = old.started_ms + retention_days * kDayMs;
    for (const Attempt& later : attempts) {
      if (later.any_succeeded && later.started_ms > expired_ms && later.started_ms <= now_ms - kHourMs)
        return true;
    }
  }
  return false;
}

struct Knowledge {
  std::vector<const Run*> runs;
  double first_seen_ms = 0;
  std::optional<double> oldest_run_ms;
};

Knowledge what_is_known(const Job& job, const Question& question) {
  Knowledge known;
  known.first_seen_ms = job.first_there_ms;
  std::optional<double> horizon;
  if (question.first_collected_at) {
    known.first_seen_ms = std::max(known.first_seen_ms, ms(*question.first_collected_at));
    double reach = job.window_ms(question);
    for (const auto& [type, age] : question.max_age)
      reach = std::max(reach, 2 * static_cast<double>(age.count()));
    horizon = known.first_seen_ms - reach;
  }
  for (const Run& run : job.runs) {
    if (run.started_ms && horizon && *run.started_ms < *horizon) continue;
    known.runs.push_back(&run);
    if (run.started_ms) {
      known.oldest_run_ms = std::min(known.oldest_run_ms.value_or(*run.started_ms), *run.started_ms);
    }
  }
  return known;
}

void add_row(Series& series, const Job& job, const std::string& type, const Knowledge& known,
             const Question& question) {
  const Labels labels = row_labels(job, type);
  const auto put = [&](const std::string& name, double value) { series[series_name(name, labels)] = value; };
  const std::vector<Attempt> attempts = attempts_of(known.runs, type);
  const double now_ms = ms(question.collected_at);

  std::optional<double> last_success_ms;
  std::optional<bool> last_finished_succeeded;
  double failures_in_a_row = 0;
  for (const Attempt& attempt : attempts) {
    if (attempt.any_succeeded) last_success_ms = attempt.started_ms;
    if (attempt.finished_ms) {
      put("sqlbak_job_last_duration_seconds", (*attempt.finished_ms - attempt.started_ms) / 1e3);
    }
    if (attempt.size) put("sqlbak_job_last_size_bytes", *attempt.size);
    if (!attempt.finished) continue;
    last_finished_succeeded = attempt.all_succeeded;
    failures_in_a_row = attempt.all_succeeded ? 0 : failures_in_a_row + 1;
  }
  if (last_success_ms) put("sqlbak_job_last_success_timestamp_seconds", *last_success_ms / 1e3);
  if (!attempts.empty()) put("sqlbak_job_last_attempt_timestamp_seconds", attempts.back().started_ms / 1e3);
  if (last_finished_succeeded) put("sqlbak_job_last_attempt_success", *last_finished_succeeded ? 1 : 0);
  put("sqlbak_job_consecutive_failures", failures_in_a_row);
  put("sqlbak_job_window_seconds", job.window_ms(question) / 1e3);
  const auto retention = static_cast<double>(job.retention(type));
  put("sqlbak_job_retention_violation", violates_retention(attempts, retention, now_ms) ? 1 : 0);

  const auto max_age = question.max_age.find(type);
  if (max_age == question.max_age.end()) return;
  Labels with_source = labels;
  with_source.emplace_back("source", "config");
  const auto max_age_ms = static_cast<double>(max_age->second.count());
  series[series_name("sqlbak_job_max_age_seconds", with_source)] = max_age_ms / 1e3;
  if (!job.enabled_types.contains(type)) return;
  const double since = last_success_ms.value_or(
      std::min(known.first_seen_ms, known.oldest_run_ms.value_or(known.first_seen_ms)));
  const bool paused = !job.enabled.value_or(true) || job.type == "maintenance";
  put("sqlbak_job_overdue", !paused && now_ms - since > max_age_ms ? 1 : 0);
}

// Databases whose latest entry, of whatever type, failed; of several in runs that started together, one that
// failed counts. An entry that is neither succeeded nor failed decides nothing while its run goes on.
std::optional<double> failing_databases(const std::vector<const Run*>& runs) {
  struct Latest {
    double started_ms = -std::numeric_limits<double>::infinity();
    bool failed = false;
  };
  std::map<std::string, Latest> latest;
  for (const Run* run : runs) {
    for (const Entry& entry : run->entries) {
      if (entry.database.empty()) continue;
      Latest& known = latest[entry.database];
      const bool failed = entry.status == "failed";
      const bool decided = failed || entry.status == "succeeded" || run->finished;
      const double started_ms = run->started_ms.value_or(-std::numeric_limits<double>::infinity());
      if (!decided || started_ms < known.started_ms) continue;
      known.failed = failed || (known.failed && started_ms == known.started_ms);
      known.started_ms = started_ms;
    }
  }
  if (latest.empty()) return std::nullopt;
  return static_cast<double>(
      std::ranges::count_if(latest, [](const auto& database) { return database.second.failed; }));
}

std::string text_of(const std::optional<bool>& value) {
  return !value ? "" : *value ? "true" : "false";
}

void add_job(Series& series, const Job& job, const Question& question) {
  const Knowledge known = what_is_known(job, question);
  std::set<std::string> types = job.enabled_types;
  for (const Run* run : known.runs) {
    for (const Entry& entry : run->entries) {
      if (run->started_ms || entry.type != "folder") types.insert(entry.type);
    }
  }
  for (const std::string& type : types) add_row(series, job, type, known, question);

  Labels labels = {{"server_name", job.server_name},
                   {"job_name", job.name},
                   {"job_id", job.id},
                   {"server_id", job.server_id}};
  if (const std::optional<double> failing = failing_databases(known.runs)) {
    series[series_name("sqlbak_job_databases_failing", labels)] = *failing;
  }
  labels.emplace_back("job_type", job.type.value_or(""));
  labels.emplace_back("enabled", text_of(job.enabled));
  series[series_name("sqlbak_job_info", labels)] = 1;
}

}  // namespace
}  // namespace truth

Series own_truth(const Account& account, const Knobs& knobs, const Question& question) {
  const truth::Reading reading = truth::read(account, knobs);
  Series series;
  for (const char* status : {"online", "offline", "disconnected"}) {
    series[truth::series_name("sqlbak_servers", {{"status", status}})] = 0;
  }
  double without_jobs = 0;
  for (const truth::Server& server : reading.servers) {
    ++series[truth::series_name("sqlbak_servers", {{"status", server.status}})];
    const bool covered = std::ranges::any_of(reading.jobs, [&](const truth::Job& job) {
      return !server.id.empty() && job.server_id == server.id && job.type != "maintenance";
    });
    if (!covered) ++without_jobs;
  }
  series["sqlbak_servers_without_jobs"] = without_jobs;
  if (knobs.me) series["sqlbak_account_suspended"] = account.suspended ? 1 : 0;
  for (const truth::Job& job : reading.jobs) truth::add_job(series, job, question);
  return series;
}

}  // namespace sqlbak_gateway::simulator
