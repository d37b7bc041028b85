#include "exposition/layout.h"

#include "exposition/row_series.h"
#include "exposition/sample_writer.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace sqlbak_gateway::exposition {
namespace {

using evaluation::PreparedJob;
using evaluation::PreparedRow;

constexpr std::size_t kLongestName = 64;
constexpr std::size_t kSampleBytes =
    kLongestName + 40 + kLongestValue;    // without the labels of a job or server
constexpr std::size_t kFixedSeries = 40;  // at most: what no answer of the API makes more of

std::size_t family_bytes() {
  std::size_t bytes = 0;
  for (const Metric& metric : kCatalogue) bytes += 2 * metric.name.size() + metric.help.size() + 32;
  return bytes;
}

std::string job_labels(const Job& job, std::size_t max_bytes) {
  std::string labels;
  append_label(labels, "server_name", job.server_name, max_bytes);
  append_label(labels, "job_name", job.name, max_bytes);
  append_label(labels, "job_id", job.id, max_bytes);
  append_label(labels, "server_id", job.server_id, max_bytes);
  return labels;
}

std::string info_labels(const PreparedJob& job, const std::string& job_labels, std::size_t max_bytes) {
  std::string labels = job_labels;
  append_label(labels, "job_type", job.source->job.type.value_or(""), max_bytes);
  append_label(labels, "enabled", !job.enabled ? "" : *job.enabled ? "true" : "false");
  return labels;
}

// Adds server by server, status by status and job by job until an answer holds max_series. From the first
// series that has no room on, everything is left out, so that every answer has the same jobs.
class BoundedLayout {
 public:
  explicit BoundedLayout(Layout::Parts& parts) : parts_(parts) {
    const std::size_t most = parts.format.max_series;
    room_ = most > kFixedSeries ? most - kFixedSeries : 0;
    parts.most_bytes = family_bytes() + kFixedSeries * kSampleBytes;
  }

  void add(const Server& server) {
    if (!fits(1)) return;
    const std::size_t max_bytes = parts_.format.max_label_bytes;
    std::string& labels = parts_.servers.emplace_back();
    append_label(labels, "server_id", server.id, max_bytes);
    append_label(labels, "server_name", server.name, max_bytes);
    append_label(labels, "app_type", server.app_type, max_bytes);
    parts_.most_bytes += labels.size() + kSampleBytes;
  }

  void add(const evaluation::StatusCount& count) {
    if (!evaluation::is_known_status(count.status) && !fits(1)) return;
    std::string& labels = parts_.statuses.emplace_back(StatusLabels{&count, {}}).labels;
    append_label(labels, "status", count.status, parts_.format.max_label_bytes);
    parts_.most_bytes += labels.size() + kSampleBytes;
  }

  void add(const PreparedJob& job) {
    const std::size_t max_bytes = parts_.format.max_label_bytes;
    const std::string labels = job_labels(job.source->job, max_bytes);
    if (fits(job.databases_failing ? 2 : 1)) {
      JobLabels& shown =
          parts_.jobs.emplace_back(JobLabels{&job, labels, info_labels(job, labels, max_bytes)});
      parts_.most_bytes += 2 * (shown.info.size() + kSampleBytes);
    }
    for (const PreparedRow& row : job.rows) add(job, row, labels);
  }

 private:
  void add(const PreparedJob& job, const PreparedRow& row, const std::string& job_labels) {
    const std::size_t index = next_row_++;
    const double some_age = row.window ? 0 : kNoSample;
    std::size_t series = 0;
    for (const RowSeries& candidate : row_values::kAll) {
      if (!offered(*candidate.metric, parts_.format)) continue;
      if (!std::isnan(candidate.value(job, row, some_age))) ++series;
    }
    if (!fits(series)) return;
    const Job& known = job.source->job;
    std::string labels = job_labels;
    append_label(labels, "backup_type", name(row.type));
    std::string summary;
    if (offered(metric("sqlbak_job_summary"), parts_.format)) {
      append_label(summary, "row_key",
                   known.server_name + '|' + known.name + '|' + std::string(name(row.type)),
                   parts_.format.max_label_bytes);
      summary.append(",").append(labels);
    }
    parts_.most_bytes += series * (std::max(labels.size(), summary.size()) + kSampleBytes);
    parts_.rows.push_back({&job, &row, index, std::move(labels), std::move(summary)});
  }

  bool fits(std::size_t series) {
    full_ = full_ || series > room_;
    if (full_) {
      parts_.series_dropped += series;
    } else {
      room_ -= series;
    }
    return !full_;
  }

  Layout::Parts& parts_;
  std::size_t room_ = 0;
  std::size_t next_row_ = 0;
  bool full_ = false;
};

}  // namespace

bool offered(const Metric& metric, const Format& format) {
  if (metric.name == "sqlbak_job_summary" && !format.summary) return false;
  switch (metric.offered) {
    case Offered::always:
      return true;
    case Offered::seed:
      return format.names != NameMode::clean;
    case Offered::clean:
      return format.names != NameMode::seed;
  }
  return false;
}

Layout::Layout(std::shared_ptr<const evaluation::PreparedAccount> account, const Format& format) {
  auto parts = std::make_unique<Parts>();
  parts->format = format;
  BoundedLayout bounded(*parts);
  for (const Server* server : account->servers) bounded.add(*server);
  for (const evaluation::StatusCount& count : account->servers_by_status) bounded.add(count);
  for (const auto& job : account->jobs) bounded.add(*job);
  parts->account = std::move(account);
  parts_ = std::move(parts);
}

Layout::~Layout() = default;

const std::shared_ptr<const evaluation::PreparedAccount>& Layout::account() const {
  return parts_->account;
}
std::size_t Layout::series_dropped() const {
  return parts_->series_dropped;
}

}  // namespace sqlbak_gateway::exposition
