// The catalogue: every metric of the gateway, once. Answers, the gateway's own metrics, docs/metrics.md and
// the tests are made from it, so a new metric starts as a row here. Compile-time data.
#pragma once

#include <array>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace sqlbak_gateway::exposition {

enum class MetricType : std::uint8_t { gauge, counter, histogram };

constexpr std::string_view name(MetricType type) {
  constexpr std::array<std::string_view, 3> names = {"gauge", "counter", "histogram"};
  return names[static_cast<std::size_t>(type)];
}

// What a series is about. docs/metrics.md is divided in the same way.
enum class Scope : std::uint8_t {
  collection,  // the probe and its collections; present with or without data
  account,     // one series for each account, or a few with a fixed label
  server,
  job,
  job_type,  // one series for each job and backup type
  gateway,   // the gateway's own /metrics
};

// The setting of `names` with which a metric is present.
enum class Offered : std::uint8_t { always, seed, clean };

// The label names of a metric, in the order in which they are written.
struct LabelNames {
  std::array<std::string_view, 8> names{};
  std::size_t count = 0;

  constexpr LabelNames() = default;
  template <typename... Name>
  constexpr explicit LabelNames(Name... name) : names{std::string_view(name)...}, count(sizeof...(name)) {}
  constexpr const std::string_view* begin() const { return names.data(); }
  constexpr const std::string_view* end() const { return names.data() + count; }
};

struct Metric {
  std::string_view name;
  MetricType type = MetricType::gauge;
  Scope scope = Scope::collection;
  Offered offered = Offered::always;
  LabelNames labels;
  std::string_view help;  // one line, without a backslash
  std::string_view since = "0.1.0";
};

// In the order in which families are written and documented.
inline constexpr auto kCatalogue = [] {
  using enum MetricType;
  using enum Scope;
  using enum Offered;
  constexpr LabelNames kNone;
  constexpr LabelNames kJobType("server_name", "job_name", "job_id", "server_id", "backup_type");
  // clang-format off
  return std::to_array<Metric>({
    {"probe_success", gauge, collection, always, kNone,
     "1 when the latest completed collection succeeded, else 0."},
    {"probe_duration_seconds", gauge, collection, always, kNone,
     "How long this probe took, waiting for a collection included."},
    {"sqlbak_last_check_timestamp", gauge, collection, seed, kNone,
     "Unix time of the last successful collection."},
    {"sqlbak_jobruns_available", gauge, collection, seed, kNone,
     "1, or 0 when any job's runs or any run's details could not be read."},
    {"sqlbak_jobsettings_available", gauge, collection, seed, kNone,
     "1, or 0 when any job's settings could not be read."},
    {"sqlbak_collection_last_success_timestamp_seconds", gauge, collection, always, kNone,
     "Unix time of the start of the last successful collection."},
    {"sqlbak_collection_last_attempt_timestamp_seconds", gauge, collection, always, kNone,
     "Unix time of the start of the last collection, whatever became of it."},
    {"sqlbak_collection_duration_seconds", gauge, collection, always, kNone,
     "How long the last completed collection took."},
    {"sqlbak_collection_api_requests", gauge, collection, always, kNone,
     "API requests of the last completed collection, retries included."},
    {"sqlbak_collection_in_progress", gauge, collection, always, kNone,
     "1 while a collection runs, else 0."},
    {"sqlbak_collection_jobs_pending", gauge, collection, always, kNone,
     "Jobs that an initial collection has listed but not read yet."},
    {"sqlbak_collection_jobs_unreadable", gauge, collection, always, kNone,
     "Jobs whose settings or runs the last collection could not read."},
    {"sqlbak_collection_series_dropped", gauge, collection, always, kNone,
     "Series left out of this answer because of max_series."},
    {"sqlbak_collection_failure", gauge, collection, always, LabelNames("reason"),
     "1 for the reason why the latest completed collection failed, 0 for the others."},
    {"sqlbak_endpoint_up", gauge, collection, always, LabelNames("endpoint"),
     "1 when the API endpoint answered usably in the latest collection that asked it, else 0."},
    {"sqlbak_server_online", gauge, server, always, LabelNames("server_id", "server_name", "app_type"),
     "1 when the status of the server is online, else 0."},
    {"sqlbak_offline_servers_total", gauge, account, seed, kNone,
     "Number of servers that are not online."},
    {"sqlbak_servers_offline", gauge, account, clean, kNone,
     "Number of servers that are not online."},
    {"sqlbak_servers", gauge, account, always, LabelNames("status"),
     "Number of servers by status."},
    {"sqlbak_servers_without_jobs", gauge, account, always, kNone,
     "Number of servers without any backup job."},
    {"sqlbak_jobs", gauge, account, always, LabelNames("state"),
     "Number of jobs by state; every job is in exactly one."},
    {"sqlbak_account_suspended", gauge, account, always, kNone,
     "1 when SqlBak says that the account is suspended, else 0."},
    {"sqlbak_job_info", gauge, job, always,
     LabelNames("server_name", "job_name", "job_id", "server_id", "job_type", "enabled"),
     "Always 1; the labels tell what the API says of the job, empty where it does not."},
    {"sqlbak_job_databases_failing", gauge, job, always,
     LabelNames("server_name", "job_name", "job_id", "server_id"),
     "Number of databases whose latest backup entry failed."},
    {"sqlbak_job_retention_days", gauge, job_type, seed, kJobType,
     "Days for which backups of the type are kept."},
    {"sqlbak_job_has_backups_older_than_policy", gauge, job_type, seed, kJobType,
     "1 when a succeeded backup past its retention still has files, else 0."},
    {"sqlbak_job_last_success_age_hours", gauge, job_type, seed, kJobType,
     "Hours since the start of the last run with a succeeded backup; -1 when the window holds none."},
    {"sqlbak_job_backups_succeeded_total", gauge, job_type, seed, kJobType,
     "Succeeded backups in the window."},
    {"sqlbak_job_backups_failed_total", gauge, job_type, seed, kJobType,
     "Failed backups in the window."},
    {"sqlbak_job_backups_total", gauge, job_type, seed, kJobType,
     "All backups in the window, whatever their status."},
    {"sqlbak_job_summary", gauge, job_type, seed,
     LabelNames("row_key", "server_name", "job_name", "job_id", "server_id", "backup_type", "metric"),
     "retention_days, last_success_age_hours and old_backups of a job and type, for tables."},
    {"sqlbak_job_retention_seconds", gauge, job_type, clean, kJobType,
     "Time for which backups of the type are kept."},
    {"sqlbak_job_older_than_policy", gauge, job_type, clean, kJobType,
     "1 when a succeeded backup past its retention still has files, else 0."},
    {"sqlbak_job_window_backups", gauge, job_type, clean,
     LabelNames("server_name", "job_name", "job_id", "server_id", "backup_type", "status"),
     "Backups in the window by status."},
    {"sqlbak_job_window_seconds", gauge, job_type, always, kJobType,
     "How far back from the start of the collection backups are counted."},
    {"sqlbak_job_last_success_timestamp_seconds", gauge, job_type, always, kJobType,
     "Unix time of the start of the last run with a succeeded backup."},
    {"sqlbak_job_last_attempt_timestamp_seconds", gauge, job_type, always, kJobType,
     "Unix time of the start of the last run with a backup of the type."},
    {"sqlbak_job_last_attempt_success", gauge, job_type, always, kJobType,
     "1 when all backups of the last finished run succeeded, else 0."},
    {"sqlbak_job_consecutive_failures", gauge, job_type, always, kJobType,
     "Finished runs since the last one whose backups all succeeded."},
    {"sqlbak_job_last_duration_seconds", gauge, job_type, always, kJobType,
     "Duration of the last run for which the API gives an end."},
    {"sqlbak_job_last_size_bytes", gauge, job_type, always, kJobType,
     "Size of the succeeded backups of the last run for which the API gives one."},
    {"sqlbak_job_expected_interval_seconds", gauge, job_type, always, kJobType,
     "Typical time between successes: the median of the latest gaps."},
    {"sqlbak_job_max_age_seconds", gauge, job_type, always,
     LabelNames("server_name", "job_name", "job_id", "server_id", "backup_type", "source"),
     "How old the last success may become before the job is late."},
    {"sqlbak_job_overdue", gauge, job_type, always, kJobType,
     "1 when the last success was older than sqlbak_job_max_age_seconds at the last collection, else 0."},
    {"sqlbak_job_retention_violation", gauge, job_type, always, kJobType,
     "1 when a backup still has files although a later success should have removed it, else 0."},
    {"sqlbak_gateway_build_info", gauge, gateway, always, LabelNames("version", "revision", "compiler"),
     "Always 1; the labels say what is running."},
    {"sqlbak_gateway_config_last_reload_successful", gauge, gateway, always, kNone,
     "1 when the last (re)load of the configuration succeeded, else 0."},
    {"sqlbak_gateway_config_last_reload_success_timestamp_seconds", gauge, gateway, always, kNone,
     "Unix time of the last successful (re)load of the configuration."},
    {"sqlbak_gateway_config_files_rejected", gauge, gateway, always, kNone,
     "Files of accounts_dir that were skipped because of errors."},
    {"sqlbak_gateway_config_overrides_unmatched", gauge, gateway, always, LabelNames("account"),
     "Overrides that match no job or server, or several."},
    {"sqlbak_gateway_accounts", gauge, gateway, always, kNone,
     "Configured accounts."},
    {"sqlbak_gateway_probes_total", counter, gateway, always, LabelNames("account", "result"),
     "Probes by result: fresh, collected, stale, pending or failed."},
    {"sqlbak_gateway_probe_duration_seconds", histogram, gateway, always, kNone,
     "How long probes took, waiting included."},
    {"sqlbak_gateway_account_last_probe_timestamp_seconds", gauge, gateway, always, LabelNames("account"),
     "Unix time of the last probe of the account; 0 when there was none."},
    {"sqlbak_gateway_account_last_success_timestamp_seconds", gauge, gateway, always, LabelNames("account"),
     "Unix time of the last successful collection of the account; 0 when there was none."},
    {"sqlbak_gateway_unknown_account_probes_total", counter, gateway, always, kNone,
     "Probes of accounts that are not configured or not permitted."},
    {"sqlbak_gateway_collections_total", counter, gateway, always, LabelNames("account", "result"),
     "Completed collections: success, partial, or the reason of a failure."},
    {"sqlbak_gateway_collection_duration_seconds", gauge, gateway, always, LabelNames("account"),
     "How long the last completed collection of the account took."},
    {"sqlbak_gateway_api_requests_total", counter, gateway, always, LabelNames("account", "endpoint", "code"),
     "Requests to the SqlBak API by endpoint and status code."},
    {"sqlbak_gateway_api_requests_limit_per_second", gauge, gateway, always, kNone,
     "Limit of requests to the SqlBak API per second, all accounts together; absent if there is none.", "0.2.0"},
    {"sqlbak_gateway_api_request_duration_seconds", histogram, gateway, always, LabelNames("endpoint"),
     "How long requests to the SqlBak API took."},
    {"sqlbak_gateway_api_retries_total", counter, gateway, always, LabelNames("account"),
     "Requests to the SqlBak API that were repeated."},
    {"sqlbak_gateway_api_throttled_seconds_total", counter, gateway, always, LabelNames("account"),
     "Time in which requests waited for a rate limit, the configured ones included, or for a Retry-After."},
    {"sqlbak_gateway_api_clock_offset_seconds", gauge, gateway, always, LabelNames("account"),
     "By how many seconds the API's clock is ahead of the gateway's; below 0 it is behind.", "0.2.0"},
    {"sqlbak_gateway_unrecognised_values_total", counter, gateway, always, LabelNames("account", "field"),
     "Values in API answers that the gateway does not know."},
    {"sqlbak_gateway_history_info", gauge, gateway, always, LabelNames("kind"),
     "Always 1; the label says where history is kept: sqlite or memory."},
    {"sqlbak_gateway_history_errors_total", counter, gateway, always, kNone,
     "Errors of the history file."},
    {"sqlbak_gateway_history_size_bytes", gauge, gateway, always, kNone,
     "Size of the history file."},
    {"sqlbak_gateway_tls_certificate_expiry_timestamp_seconds", gauge, gateway, always, kNone,
     "Unix time at which the server certificate expires."},
    {"sqlbak_gateway_http_requests_total", counter, gateway, always, LabelNames("path", "code"),
     "HTTP requests by path and status code."},
    {"sqlbak_gateway_http_rejected_total", counter, gateway, always, LabelNames("reason"),
     "HTTP requests and connections turned away before they were handled."},
    {"process_cpu_seconds_total", counter, gateway, always, kNone,
     "Total user and system CPU time spent in seconds."},
    {"process_open_fds", gauge, gateway, always, kNone,
     "Number of open file descriptors."},
    {"process_max_fds", gauge, gateway, always, kNone,
     "Maximum number of open file descriptors."},
    {"process_virtual_memory_bytes", gauge, gateway, always, kNone,
     "Virtual memory size in bytes."},
    {"process_resident_memory_bytes", gauge, gateway, always, kNone,
     "Resident memory size in bytes."},
    {"process_start_time_seconds", gauge, gateway, always, kNone,
     "Start time of the process since unix epoch in seconds."},
    {"process_threads", gauge, gateway, always, kNone,
     "Number of OS threads in the process."},
  });
  // clang-format on
}();

// The metric of that name; in a constant expression, an unknown name does not compile.
constexpr const Metric& metric(std::string_view name) {
  for (const Metric& candidate : kCatalogue) {
    if (candidate.name == name) return candidate;
  }
  std::abort();
}

}  // namespace sqlbak_gateway::exposition
