#include "sqlbak_gateway/exposition/render.h"

#include "exposition/layout.h"
#include "exposition/row_series.h"
#include "exposition/sample_writer.h"

#include <cassert>
#include <optional>

namespace sqlbak_gateway::exposition {
namespace {

using evaluation::CollectionStatus;
using evaluation::Findings;

void single(const Metric& metric, double value, const Format& format, SampleWriter& out) {
  if (!offered(metric, format)) return;
  out.family(metric);
  out.sample(value);
}

double seconds(const std::optional<SystemTime>& time) {
  return time ? unix_seconds(*time) : kNoSample;
}

template <typename Value>
void labelled(std::string_view label, std::string_view label_value, Value value, SampleWriter& out) {
  std::string labels;
  append_label(labels, label, label_value);
  out.sample(labels, {}, static_cast<double>(value));
}

void write_status(const CollectionStatus& status, std::size_t series_dropped, const Format& format,
                  SampleWriter& out) {
  const auto one = [&](const Metric& metric, double value) { single(metric, value, format, out); };
  one(metric("probe_success"), status.succeeded);
  one(metric("probe_duration_seconds"), to_seconds(status.probe_duration));
  one(metric("sqlbak_last_check_timestamp"), seconds(status.last_success));
  one(metric("sqlbak_jobruns_available"), status.jobruns_available);
  one(metric("sqlbak_jobsettings_available"), status.jobsettings_available);
  one(metric("sqlbak_collection_last_success_timestamp_seconds"), seconds(status.last_success));
  one(metric("sqlbak_collection_last_attempt_timestamp_seconds"), seconds(status.last_attempt));
  one(metric("sqlbak_collection_duration_seconds"),
      status.duration ? to_seconds(*status.duration) : kNoSample);
  one(metric("sqlbak_collection_api_requests"), or_no_sample(status.api_requests));
  one(metric("sqlbak_collection_in_progress"), status.in_progress);
  one(metric("sqlbak_collection_jobs_pending"), status.jobs_pending);
  one(metric("sqlbak_collection_jobs_unreadable"), status.jobs_unreadable);
  one(metric("sqlbak_collection_series_dropped"), static_cast<double>(series_dropped));
  out.family(metric("sqlbak_collection_failure"));
  for (const FailureReason reason : kFailureReasons)
    labelled("reason", name(reason), status.failure == reason, out);
  out.family(metric("sqlbak_endpoint_up"));
  for (const auto& endpoint : status.endpoints) labelled("endpoint", endpoint.endpoint, endpoint.up, out);
}

void write_account(const Layout::Parts& parts, SampleWriter& out) {
  const evaluation::PreparedAccount& account = *parts.account;
  const auto one = [&](const Metric& metric, double value) { single(metric, value, parts.format, out); };
  out.family(metric("sqlbak_server_online"));
  for (std::size_t i = 0; i < parts.servers.size(); ++i) {
    out.sample(parts.servers[i], {}, account.servers[i]->online());
  }
  one(metric("sqlbak_offline_servers_total"), static_cast<double>(account.servers_offline));
  one(metric("sqlbak_servers_offline"), static_cast<double>(account.servers_offline));
  out.family(metric("sqlbak_servers"));
  for (const StatusLabels& status : parts.statuses) {
    out.sample(status.labels, {}, static_cast<double>(status.count->servers));
  }
  one(metric("sqlbak_servers_without_jobs"), or_no_sample(account.servers_without_jobs));
  out.family(metric("sqlbak_jobs"));
  for (const evaluation::JobState state : evaluation::kJobStates) {
    labelled("state", name(state), account.jobs_by_state[static_cast<std::size_t>(state)], out);
  }
  const auto& info = account.snapshot->info;
  one(metric("sqlbak_account_suspended"), info ? or_no_sample(info->suspended) : kNoSample);
}

void write_jobs(const Layout::Parts& parts, SampleWriter& out) {
  out.family(metric("sqlbak_job_info"));
  for (const JobLabels& job : parts.jobs) out.sample(job.info, {}, 1);
  out.family(metric("sqlbak_job_databases_failing"));
  for (const JobLabels& job : parts.jobs)
    out.sample(job.labels, {}, or_no_sample(job.job->databases_failing));
}

void write_rows(const Layout::Parts& parts, const Findings& findings, SampleWriter& out) {
  const Metric* current = nullptr;
  for (const RowSeries& series : row_values::kAll) {
    if (!offered(*series.metric, parts.format)) continue;
    if (series.metric != current) out.family(*series.metric);
    current = series.metric;
    const bool summary = series.metric == &metric("sqlbak_job_summary");
    for (const RowLabels& row : parts.rows) {
      const double value = series.value(*row.job, *row.row, findings.last_success_age_hours[row.index]);
      out.sample(summary ? row.summary : row.labels, series.labels_after, value);
    }
  }
}

}  // namespace

void render(const Layout& layout, const Findings& findings, const CollectionStatus& status,
            std::string& out) {
  const Layout::Parts& parts = *layout.parts_;
  assert(findings.account == parts.account);
  out.reserve(out.size() + parts.most_bytes);
  SampleWriter writer(out);
  write_status(status, parts.series_dropped, parts.format, writer);
  write_account(parts, writer);
  write_jobs(parts, writer);
  write_rows(parts, findings, writer);
}

void render(const Format& format, const CollectionStatus& status, std::size_t series_dropped,
            std::string& out) {
  SampleWriter writer(out);
  write_status(status, series_dropped, format, writer);
}

}  // namespace sqlbak_gateway::exposition
