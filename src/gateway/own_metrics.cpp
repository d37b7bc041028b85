#include "sqlbak_gateway/gateway/own_metrics.h"

#include "gateway/latencies.h"
#include "gateway/process_metrics.h"
#include "gateway/published.h"
#include "sqlbak_gateway/exposition/catalogue.h"

#include <initializer_list>
#include <utility>

#include <prometheus/histogram.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

namespace sqlbak_gateway::gateway {
namespace {

using exposition::metric;
using prometheus::ClientMetric;
using prometheus::Histogram;
using prometheus::MetricFamily;

prometheus::MetricType type_of(exposition::MetricType type) {
  switch (type) {
    case exposition::MetricType::gauge:
      return prometheus::MetricType::Gauge;
    case exposition::MetricType::counter:
      return prometheus::MetricType::Counter;
    case exposition::MetricType::histogram:
      return prometheus::MetricType::Histogram;
  }
  return prometheus::MetricType::Untyped;
}

// One family of the catalogue, filled sample by sample.
class Family {
 public:
  explicit Family(const exposition::Metric& metric) : metric_(metric) {
    family_.name = metric.name;
    family_.help = metric.help;
    family_.type = type_of(metric.type);
  }

  // `labels` are the values of the catalogue's label names, in their order.
  void add(double value, std::initializer_list<std::string_view> labels = {}) {
    ClientMetric sample = labelled(labels);
    sample.gauge.value = value;
    sample.counter.value = value;
    family_.metric.push_back(std::move(sample));
  }
  void add(const Histogram& histogram, std::initializer_list<std::string_view> labels = {}) {
    ClientMetric sample = labelled(labels);
    sample.histogram = histogram.Collect().histogram;
    family_.metric.push_back(std::move(sample));
  }

  MetricFamily take() { return std::move(family_); }

 private:
  ClientMetric labelled(std::initializer_list<std::string_view> values) const {
    ClientMetric sample;
    const std::string_view* name = metric_.labels.begin();
    for (const std::string_view value : values)
      sample.label.push_back({std::string(*name++), std::string(value)});
    return sample;
  }

  const exposition::Metric& metric_;
  MetricFamily family_;
};

// All families of one answer, in the order they are added.
class Page {
 public:
  explicit Page(const std::vector<GatewayState::Account>& accounts) : accounts_(accounts) {}

  template <typename Fill>
  void family(std::string_view name, Fill fill) {
    Family made(metric(name));
    fill(made);
    families_.push_back(made.take());
  }
  void single(std::string_view name, std::optional<double> value) {
    if (value) family(name, [&](Family& made) { made.add(*value); });
  }
  // `add` puts the samples of one account into the family.
  template <typename Add>
  void per_account(std::string_view name, Add add) {
    family(name, [&](Family& made) {
      for (const GatewayState::Account& account : accounts_) add(made, account.name, account.figures);
    });
  }
  // The account's number by `value`; an account without one has no series.
  template <typename Value>
  void each(std::string_view name, Value value) {
    per_account(name, [&](Family& made, const std::string& account, const AccountFigures& figures) {
      if (const std::optional<double> number = value(figures)) made.add(*number, {account});
    });
  }
  std::string text() const { return prometheus::TextSerializer().Serialize(families_); }

 private:
  const std::vector<GatewayState::Account>& accounts_;
  std::vector<MetricFamily> families_;
};

double seconds_or_zero(const std::optional<SystemTime>& time) {
  return time ? unix_seconds(*time) : 0.0;
}

void add_configuration(Page& page, const GatewayState& state) {
  const BuildInfo build = build_info();
  page.family("sqlbak_gateway_build_info", [&](Family& family) {
    family.add(1, {build.version, build.revision, build.compiler});
  });
  page.single("sqlbak_gateway_config_last_reload_successful", state.last_reload_succeeded ? 1 : 0);
  page.single("sqlbak_gateway_config_last_reload_success_timestamp_seconds",
              unix_seconds(state.last_reload_success));
  page.single("sqlbak_gateway_config_files_rejected", static_cast<double>(state.config_files_rejected));
  page.each("sqlbak_gateway_config_overrides_unmatched", [](const AccountFigures& account) {
    // Not known before every job is listed.
    const bool known = account.data && !account.backfilling;
    return known ? std::optional(static_cast<double>(account.data->account->ambiguous_overrides.size()))
                 : std::nullopt;
  });
  page.single("sqlbak_gateway_accounts", static_cast<double>(state.accounts.size()));
}

void add_probes(Page& page, const Latencies& latencies, std::uint64_t unknown_accounts) {
  page.per_account("sqlbak_gateway_probes_total",
                   [](Family& family, const std::string& account, const AccountFigures& figures) {
                     for (const ProbeResult result : kProbeResults) {
                       const std::uint64_t count = figures.counters.probes[static_cast<std::size_t>(result)];
                       family.add(static_cast<double>(count), {account, name(result)});
                     }
                   });
  page.family("sqlbak_gateway_probe_duration_seconds",
              [&](Family& family) { family.add(latencies.probes()); });
  page.each("sqlbak_gateway_account_last_probe_timestamp_seconds",
            [](const AccountFigures& account) { return seconds_or_zero(account.counters.last_probe); });
  page.each("sqlbak_gateway_account_last_success_timestamp_seconds",
            [](const AccountFigures& account) { return seconds_or_zero(account.record.last_success); });
  page.single("sqlbak_gateway_unknown_account_probes_total", static_cast<double>(unknown_accounts));
}

void add_collections(Page& page) {
  page.per_account("sqlbak_gateway_collections_total",
                   [](Family& family, const std::string& account, const AccountFigures& figures) {
                     for (const auto& [result, count] : figures.counters.collections) {
                       family.add(static_cast<double>(count), {account, result});
                     }
                   });
  page.each("sqlbak_gateway_collection_duration_seconds", [](const AccountFigures& account) {
    const CollectionRecord& record = account.record;
    return record.completed_any ? std::optional(to_seconds(record.last_duration)) : std::nullopt;
  });
}

void add_api(Page& page, const Latencies& latencies, double requests_per_second) {
  page.per_account("sqlbak_gateway_api_requests_total",
                   [](Family& family, const std::string& account, const AccountFigures& figures) {
                     for (const auto& [key, count] : figures.counters.api_requests) {
                       const auto& [endpoint, status] = key;
                       const std::string code = status == kOtherStatus ? "other" : std::to_string(status);
                       family.add(static_cast<double>(count), {account, name(endpoint), code});
                     }
                   });
  if (requests_per_second > 0) {
    page.single("sqlbak_gateway_api_requests_limit_per_second", requests_per_second);
  }
  page.family("sqlbak_gateway_api_request_duration_seconds", [&](Family& family) {
    for (const sqlbak::Endpoint endpoint : sqlbak::kEndpoints) {
      family.add(latencies.api_requests(endpoint), {name(endpoint)});
    }
  });
  page.each("sqlbak_gateway_api_retries_total",
            [](const AccountFigures& account) { return static_cast<double>(account.counters.api_retries); });
  page.each("sqlbak_gateway_api_throttled_seconds_total",
            [](const AccountFigures& account) { return to_seconds(account.counters.api_throttled); });
  page.each("sqlbak_gateway_api_clock_offset_seconds", [](const AccountFigures& account) {
    const auto& ahead = account.record.api_clock_ahead;
    return ahead ? std::optional(std::chrono::duration<double>(*ahead).count()) : std::nullopt;
  });
  page.per_account("sqlbak_gateway_unrecognised_values_total",
                   [](Family& family, const std::string& account, const AccountFigures& figures) {
                     for (const auto& [field, count] : figures.counters.unrecognised) {
                       family.add(static_cast<double>(count), {account, name(field)});
                     }
                   });
}

void add_history(Page& page, const history::HistoryStatus& history) {
  page.family("sqlbak_gateway_history_info",
              [&](Family& family) { family.add(1, {history.durable ? "sqlite" : "memory"}); });
  page.single("sqlbak_gateway_history_errors_total", static_cast<double>(history.errors));
  if (history.size_bytes) {
    page.single("sqlbak_gateway_history_size_bytes", static_cast<double>(*history.size_bytes));
  }
}

void add_process(Page& page) {
  const ProcessFacts process = process_facts();
  page.single("process_cpu_seconds_total", process.cpu_seconds);
  page.single("process_open_fds", process.open_fds);
  page.single("process_max_fds", process.max_fds);
  page.single("process_virtual_memory_bytes", process.virtual_memory_bytes);
  page.single("process_resident_memory_bytes", process.resident_memory_bytes);
  page.single("process_start_time_seconds", process.start_time_seconds);
  page.single("process_threads", process.threads);
}

}  // namespace

BuildInfo build_info() {
  return {SQLBAK_GATEWAY_VERSION, SQLBAK_GATEWAY_REVISION, __VERSION__};
}

OwnMetrics::OwnMetrics() : latencies_(std::make_unique<Latencies>()) {}

OwnMetrics::~OwnMetrics() = default;

void OwnMetrics::unknown_account() {
  MutexLock lock(mutex_);
  ++unknown_accounts_;
}

void OwnMetrics::http_answered(std::string_view path, int status) {
  MutexLock lock(mutex_);
  ++http_answers_[{std::string(path), status}];
}

void OwnMetrics::http_rejected(std::string_view reason) {
  MutexLock lock(mutex_);
  ++http_rejections_[std::string(reason)];
}

std::string OwnMetrics::render(const GatewayState& state) const {
  std::uint64_t unknown_accounts = 0;
  decltype(http_answers_) answers;
  decltype(http_rejections_) rejections;
  {
    MutexLock lock(mutex_);
    unknown_accounts = unknown_accounts_;
    answers = http_answers_;
    rejections = http_rejections_;
  }

  Page page(state.accounts);
  add_configuration(page, state);
  add_probes(page, *latencies_, unknown_accounts);
  add_collections(page);
  add_api(page, *latencies_, state.requests_per_second);
  add_history(page, state.history);
  if (state.certificate_expiry) {
    page.single("sqlbak_gateway_tls_certificate_expiry_timestamp_seconds",
                unix_seconds(*state.certificate_expiry));
  }
  page.family("sqlbak_gateway_http_requests_total", [&](Family& family) {
    for (const auto& [key, count] : answers) {
      family.add(static_cast<double>(count), {key.first, std::to_string(key.second)});
    }
  });
  page.family("sqlbak_gateway_http_rejected_total", [&](Family& family) {
    for (const auto& [reason, count] : rejections) family.add(static_cast<double>(count), {reason});
  });
  add_process(page);
  return page.text();
}

}  // namespace sqlbak_gateway::gateway
