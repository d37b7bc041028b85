#include "evaluation/naive_evaluation.h"

#include <algorithm>
#include <chrono>
#include <set>

namespace sqlbak_gateway::testing {
namespace {

using Labels = std::map<std::string, std::string>;

double days(double milliseconds) {
  return milliseconds / kMillisecondsPerDay;
}

double window_wanted_days(const JobSnapshot& job, Duration lookback) {
  double window = std::chrono::duration<double>(lookback).count() / 86400;
  if (!job.settings) return window;
  for (const BackupType type : kBackupTypes) {
    if (!job.settings->enabled_types.contains(type)) continue;
    window = std::max(window, static_cast<double>(job.settings->retention_days(type)) + 7);
  }
  return window;
}

double window_days(const JobSnapshot& job, Duration lookback) {
  return std::min(window_wanted_days(job, lookback), days(static_cast<double>(job.runs_reach.count())));
}

struct Row {
  double succeeded = 0;
  double failed = 0;
  double total = 0;
  double last_success = -1;
  bool older = false;
};

}  // namespace

std::map<NaiveSample, double> naive_published_metrics(const Snapshot& snapshot, Duration lookback,
                                                      SystemTime at) {
  std::map<NaiveSample, double> samples;
  const double now = EpochMs(snapshot.collected_at).milliseconds();
  const auto put = [&](const std::string& name, const Labels& labels, double value) {
    samples[{name, labels}] = value;
  };

  double offline = 0;
  for (const Server& server : snapshot.servers) {
    const bool online = server.status == "online";
    if (!online) ++offline;
    put("sqlbak_server_online",
        {{"server_id", server.id}, {"server_name", server.name}, {"app_type", server.app_type}}, online);
  }
  put("sqlbak_offline_servers_total", {}, offline);

  for (const auto& job : snapshot.jobs) {
    const double window = window_days(*job, lookback);
    std::map<std::string, Row> rows;
    for (const BackupType type : kBackupTypes) {
      if (job->settings && job->settings->enabled_types.contains(type)) rows[std::string(name(type))];
    }
    if (job->runs) {
      for (const RunTally& run : job->runs->tallies) {
        const double start = run.started_at.milliseconds();
        if (run.type == BackupType::folder || run.vanished) continue;
        if (run.started_at.has_value() && days(now - start) > window) continue;
        Row& row = rows[std::string(name(run.type))];
        row.succeeded += run.succeeded;
        row.failed += run.failed;
        row.total += run.succeeded + run.failed + run.other;
        if (run.succeeded == 0 || !run.started_at.has_value()) continue;
        row.last_success = std::max(row.last_success, start);
        const double retention =
            job->settings ? static_cast<double>(job->settings->retention_days(run.type)) : 0;
        if (retention > 0 && days(now - start) > retention && run.undeleted) row.older = true;
      }
    }
    for (const auto& entry : rows) {
      const std::string& type = entry.first;
      const Row& row = entry.second;
      const Labels labels = {{"server_name", job->job.server_name},
                             {"job_name", job->job.name},
                             {"job_id", job->job.id},
                             {"server_id", job->job.server_id},
                             {"backup_type", type}};
      const auto summary = [&](const std::string& metric, double value) {
        Labels with_key = labels;
        with_key["row_key"] = job->job.server_name + "|" + job->job.name + "|" + type;
        with_key["metric"] = metric;
        put("sqlbak_job_summary", with_key, value);
      };
      if (job->settings) {
        BackupType of = BackupType::unknown;
        for (const BackupType candidate : kBackupTypes) {
          if (name(candidate) == type) of = candidate;
        }
        const double retention = static_cast<double>(job->settings->retention_days(of));
        put("sqlbak_job_retention_days", labels, retention);
        summary("retention_days", retention);
      }
      if (!job->runs) continue;
      const double age =
          row.last_success < 0
              ? -1
              : std::max(0.0, (EpochMs(at).milliseconds() - row.last_success) / kMillisecondsPerHour);
      put("sqlbak_job_last_success_age_hours", labels, age);
      summary("last_success_age_hours", age);
      put("sqlbak_job_backups_succeeded_total", labels, row.succeeded);
      put("sqlbak_job_backups_failed_total", labels, row.failed);
      put("sqlbak_job_backups_total", labels, row.total);
      if (!job->settings) continue;
      put("sqlbak_job_has_backups_older_than_policy", labels, row.older);
      summary("old_backups", row.older);
    }
  }
  return samples;
}

}  // namespace sqlbak_gateway::testing
