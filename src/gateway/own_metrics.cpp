#include "sqlbak_gateway/gateway/own_metrics.h"

#include "process_metrics.h"
#include "sqlbak_gateway/base/mutex.h"
#include "sqlbak_gateway/exposition/catalogue.h"

#include <algorithm>
#include <array>
#include <map>
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
  template <typename Fill>
  void family(const exposition::Metric& metric, Fill fill) {
    Family made(metric);
    fill(made);
    families_.push_back(made.take());
  }
  void single(const exposition::Metric& metric, std::optional<double> value) {
    if (value) family(metric, [&](Family& made) { made.add(*value); });
  }
  std::string text() const { return prometheus::TextSerializer().Serialize(families_); }

 private:
  std::vector<MetricFamily> families_;
};

double seconds_or_zero(const std::optional<SystemTime>& time) {
  return time ? unix_seconds(*time) : 0.0;
}

const Histogram::BucketBoundaries kProbeBuckets = {0.001, 0.01, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120};
const Histogram::BucketBoundaries kApiBuckets = {0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30};

}  // namespace

BuildInfo build_info() {
  return {SQLBAK_GATEWAY_VERSION, SQLBAK_GATEWAY_REVISION, __VERSION__};
}

struct OwnMetrics::Impl {
  Impl() {
    for (std::size_t i = 0; i < sqlbak::kEndpoints.size(); ++i) {
      api_durations[i] = std::make_unique<Histogram>(kApiBuckets);
    }
  }

  Histogram probe_durations{kProbeBuckets};
  std::array<std::unique_ptr<Histogram>, sqlbak::kEndpoints.size()> api_durations;

  mutable Mutex mutex;
  std::uint64_t unknown_accounts GUARDED_BY(mutex) = 0;
  std::map<std::pair<std::string, int>, std::uint64_t> http_answers GUARDED_BY(mutex);
  std::map<std::string, std::uint64_t, std::less<>> http_rejections GUARDED_BY(mutex);
};

OwnMetrics::OwnMetrics() : impl_(std::make_unique<Impl>()) {}
OwnMetrics::~OwnMetrics() = default;

void OwnMetrics::api_request(sqlbak::Endpoint endpoint, Duration elapsed) {
  impl_->api_durations[static_cast<std::size_t>(endpoint)]->Observe(to_seconds(elapsed));
}

void OwnMetrics::probe(Duration elapsed) {
  impl_->probe_durations.Observe(to_seconds(elapsed));
}

void OwnMetrics::unknown_account() {
  MutexLock lock(impl_->mutex);
  ++impl_->unknown_accounts;
}

void OwnMetrics::http_answered(std::string_view path, int status) {
  MutexLock lock(impl_->mutex);
  ++impl_->http_answers[{std::string(path), status}];
}

void OwnMetrics::http_rejected(std::string_view reason) {
  MutexLock lock(impl_->mutex);
  ++impl_->http_rejections[std::string(reason)];
}

std::string OwnMetrics::render(const GatewayState& state) const {
  struct Seen {
    const std::string& name;
    AccountView view;
  };
  std::vector<Seen> accounts;
  accounts.reserve(state.accounts.size());
  for (const auto& account : state.accounts) accounts.push_back({account->config().name, account->view()});

  Page page;
  const auto per_account = [&](const exposition::Metric& row, auto add) {
    page.family(row, [&](Family& family) {
      for (const Seen& seen : accounts) add(family, seen);
    });
  };

  const BuildInfo build = build_info();
  page.family(metric("sqlbak_gateway_build_info"), [&](Family& family) {
    family.add(1, {build.version, build.revision, build.compiler});
  });
  page.single(metric("sqlbak_gateway_config_last_reload_successful"), state.last_reload_succeeded ? 1 : 0);
  page.single(metric("sqlbak_gateway_config_last_reload_success_timestamp_seconds"),
              unix_seconds(state.last_reload_success));
  page.single(metric("sqlbak_gateway_config_files_rejected"),
              static_cast<double>(state.config_files_rejected));
  per_account(metric("sqlbak_gateway_config_overrides_unmatched"), [](Family& family, const Seen& seen) {
    if (!seen.view.data || seen.view.backfilling) return;  // not known before every job is listed
    family.add(static_cast<double>(seen.view.data->account->ambiguous_overrides.size()), {seen.name});
  });
  page.single(metric("sqlbak_gateway_accounts"), static_cast<double>(accounts.size()));

  per_account(metric("sqlbak_gateway_probes_total"), [](Family& family, const Seen& seen) {
    for (const ProbeResult result : kProbeResults) {
      family.add(static_cast<double>(seen.view.counters.probes[static_cast<std::size_t>(result)]),
                 {seen.name, name(result)});
    }
  });
  page.family(metric("sqlbak_gateway_probe_duration_seconds"),
              [&](Family& family) { family.add(impl_->probe_durations); });
  per_account(metric("sqlbak_gateway_account_last_probe_timestamp_seconds"),
              [](Family& family, const Seen& seen) {
                family.add(seconds_or_zero(seen.view.counters.last_probe), {seen.name});
              });
  per_account(metric("sqlbak_gateway_account_last_success_timestamp_seconds"),
              [](Family& family, const Seen& seen) {
                family.add(seconds_or_zero(seen.view.record.last_success), {seen.name});
              });
  std::uint64_t unknown_accounts = 0;
  std::map<std::pair<std::string, int>, std::uint64_t> http_answers;
  std::map<std::string, std::uint64_t, std::less<>> http_rejections;
  {
    MutexLock lock(impl_->mutex);
    unknown_accounts = impl_->unknown_accounts;
    http_answers = impl_->http_answers;
    http_rejections = impl_->http_rejections;
  }
  page.single(metric("sqlbak_gateway_unknown_account_probes_total"), static_cast<double>(unknown_accounts));

  per_account(metric("sqlbak_gateway_collections_total"), [](Family& family, const Seen& seen) {
    for (const auto& [result, count] : seen.view.counters.collections) {
      family.add(static_cast<double>(count), {seen.name, result});
    }
  });
  per_account(metric("sqlbak_gateway_collection_duration_seconds"), [](Family& family, const Seen& seen) {
    if (seen.view.record.completed_any) family.add(to_seconds(seen.view.record.last_duration), {seen.name});
  });
  per_account(metric("sqlbak_gateway_api_requests_total"), [](Family& family, const Seen& seen) {
    for (const auto& [key, count] : seen.view.counters.api_requests) {
      const auto& [endpoint, status] = key;
      const std::string code = status == kOtherStatus ? "other" : std::to_string(status);
      family.add(static_cast<double>(count), {seen.name, name(endpoint), code});
    }
  });
  page.family(metric("sqlbak_gateway_api_request_duration_seconds"), [&](Family& family) {
    for (const sqlbak::Endpoint endpoint : sqlbak::kEndpoints) {
      family.add(*impl_->api_durations[static_cast<std::size_t>(endpoint)], {name(endpoint)});
    }
  });
  per_account(metric("sqlbak_gateway_api_retries_total"), [](Family& family, const Seen& seen) {
    family.add(static_cast<double>(seen.view.counters.api_retries), {seen.name});
  });
  per_account(metric("sqlbak_gateway_api_throttled_seconds_total"), [](Family& family, const Seen& seen) {
    family.add(to_seconds(seen.view.counters.api_throttled), {seen.name});
  });
  per_account(metric("sqlbak_gateway_unrecognised_values_total"), [](Family& family, const Seen& seen) {
    for (const auto& [field, count] : seen.view.counters.unrecognised) {
      family.add(static_cast<double>(count), {seen.name, name(field)});
    }
  });

  page.family(metric("sqlbak_gateway_history_info"),
              [&](Family& family) { family.add(1, {state.history.durable ? "sqlite" : "memory"}); });
  page.single(metric("sqlbak_gateway_history_errors_total"), static_cast<double>(state.history.errors));
  if (state.history.size_bytes) {
    page.single(metric("sqlbak_gateway_history_size_bytes"), static_cast<double>(*state.history.size_bytes));
  }
  if (state.certificate_expiry) {
    page.single(metric("sqlbak_gateway_tls_certificate_expiry_timestamp_seconds"),
                unix_seconds(*state.certificate_expiry));
  }
  page.family(metric("sqlbak_gateway_http_requests_total"), [&](Family& family) {
    for (const auto& [key, count] : http_answers) {
      family.add(static_cast<double>(count), {key.first, std::to_string(key.second)});
    }
  });
  page.family(metric("sqlbak_gateway_http_rejected_total"), [&](Family& family) {
    for (const auto& [reason, count] : http_rejections) family.add(static_cast<double>(count), {reason});
  });

  const ProcessFacts process = process_facts();
  page.single(metric("process_cpu_seconds_total"), process.cpu_seconds);
  page.single(metric("process_open_fds"), process.open_fds);
  page.single(metric("process_max_fds"), process.max_fds);
  page.single(metric("process_virtual_memory_bytes"), process.virtual_memory_bytes);
  page.single(metric("process_resident_memory_bytes"), process.resident_memory_bytes);
  page.single(metric("process_start_time_seconds"), process.start_time_seconds);
  page.single(metric("process_threads"), process.threads);
  return page.text();
}

}  // namespace sqlbak_gateway::gateway
