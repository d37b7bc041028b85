// RowSeries: the series of a job and backup type, and where their values come from. A new one is a row here.
#pragma once

#include "exposition/sample_writer.h"
#include "sqlbak_gateway/evaluation/prepared.h"
#include "sqlbak_gateway/exposition/catalogue.h"

#include <string_view>

namespace sqlbak_gateway::exposition {

struct RowSeries {
  const Metric* metric;
  std::string_view labels_after;  // after those of the job and type; escaped, and with a comma before them
  // NaN if it is not known.
  double (*value)(const evaluation::PreparedJob& job, const evaluation::PreparedRow& row, double age_hours);
};

namespace row_values {

using Job = const evaluation::PreparedJob&;
using Row = const evaluation::PreparedRow&;

inline double retention_days(Job, Row row, double) {
  return or_no_sample(row.retention_days);
}
inline double older_than_policy(Job, Row row, double) {
  return or_no_sample(row.older_than_policy);
}
inline double age_hours(Job, Row, double age_hours) {
  return age_hours;
}
inline double succeeded(Job, Row row, double) {
  return row.window ? static_cast<double>(row.window->succeeded) : kNoSample;
}
inline double failed(Job, Row row, double) {
  return row.window ? static_cast<double>(row.window->failed) : kNoSample;
}

// In the order of the catalogue.
inline constexpr RowSeries kAll[] = {
    {&metric("sqlbak_job_retention_days"), "", retention_days},
    {&metric("sqlbak_job_has_backups_older_than_policy"), "", older_than_policy},
    {&metric("sqlbak_job_last_success_age_hours"), "", age_hours},
    {&metric("sqlbak_job_backups_succeeded_total"), "", succeeded},
    {&metric("sqlbak_job_backups_failed_total"), "", failed},
    {&metric("sqlbak_job_backups_total"), "",
     [](Job, Row row, double) { return row.window ? static_cast<double>(row.window->total()) : kNoSample; }},
    {&metric("sqlbak_job_summary"), ",metric=\"retention_days\"", retention_days},
    {&metric("sqlbak_job_summary"), ",metric=\"last_success_age_hours\"", age_hours},
    {&metric("sqlbak_job_summary"), ",metric=\"old_backups\"", older_than_policy},
    {&metric("sqlbak_job_retention_seconds"), "",
     [](Job, Row row, double) { return or_no_sample(row.retention_days) * 86400; }},
    {&metric("sqlbak_job_older_than_policy"), "", older_than_policy},
    {&metric("sqlbak_job_window_backups"), ",status=\"succeeded\"", succeeded},
    {&metric("sqlbak_job_window_backups"), ",status=\"failed\"", failed},
    {&metric("sqlbak_job_window_backups"), ",status=\"other\"",
     [](Job, Row row, double) { return row.window ? static_cast<double>(row.window->other) : kNoSample; }},
    {&metric("sqlbak_job_window_seconds"), "", [](Job job, Row, double) { return job.window_seconds; }},
    {&metric("sqlbak_job_last_success_timestamp_seconds"), "",
     [](Job, Row row, double) { return row.last_success.seconds(); }},
    {&metric("sqlbak_job_last_attempt_timestamp_seconds"), "",
     [](Job, Row row, double) { return row.last_attempt.seconds(); }},
    {&metric("sqlbak_job_last_attempt_success"), "",
     [](Job, Row row, double) { return or_no_sample(row.last_attempt_succeeded); }},
    {&metric("sqlbak_job_consecutive_failures"), "",
     [](Job, Row row, double) { return or_no_sample(row.consecutive_failures); }},
    {&metric("sqlbak_job_last_duration_seconds"), "",
     [](Job, Row row, double) { return or_no_sample(row.last_duration_seconds); }},
    {&metric("sqlbak_job_last_size_bytes"), "",
     [](Job, Row row, double) { return or_no_sample(row.last_size_bytes); }},
    {&metric("sqlbak_job_expected_interval_seconds"), "",
     [](Job, Row row, double) { return or_no_sample(row.expected_interval_seconds); }},
    {&metric("sqlbak_job_max_age_seconds"), ",source=\"config\"",
     [](Job, Row row, double) {
       return row.max_age && row.max_age->configured ? row.max_age->seconds : kNoSample;
     }},
    {&metric("sqlbak_job_max_age_seconds"), ",source=\"inferred\"",
     [](Job, Row row, double) {
       return row.max_age && !row.max_age->configured ? row.max_age->seconds : kNoSample;
     }},
    {&metric("sqlbak_job_overdue"), "", [](Job, Row row, double) { return or_no_sample(row.overdue); }},
    {&metric("sqlbak_job_retention_violation"), "",
     [](Job, Row row, double) { return or_no_sample(row.retention_violation); }},
};

}  // namespace row_values

}  // namespace sqlbak_gateway::exposition
