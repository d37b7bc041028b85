// The contents of a Layout: all text of an account in a format that is the same in every answer.
#pragma once

#include "sqlbak_gateway/exposition/catalogue.h"
#include "sqlbak_gateway/exposition/render.h"

#include <string>
#include <vector>

namespace sqlbak_gateway::exposition {

// Whether answers in the format have the metric.
bool offered(const Metric& metric, const Format& format);

// Labels are escaped and without braces.
struct JobLabels {
  const evaluation::PreparedJob* job;
  std::string labels;
  std::string info;  // of sqlbak_job_info
};

struct StatusLabels {
  const evaluation::StatusCount* count;
  std::string labels;
};

struct RowLabels {
  const evaluation::PreparedJob* job;
  const evaluation::PreparedRow* row;
  std::size_t index;    // of the row's age in the findings
  std::string labels;   // of the job, and the backup type
  std::string summary;  // labels of sqlbak_job_summary, if it is offered
};

struct Layout::Parts {
  std::shared_ptr<const evaluation::PreparedAccount> account;
  Format format;
  // Those that are shown.
  std::vector<std::string> servers;  // the account's first ones
  std::vector<StatusLabels> statuses;
  std::vector<JobLabels> jobs;
  std::vector<RowLabels> rows;
  std::size_t series_dropped = 0;
  std::size_t most_bytes = 0;  // no answer is longer
};

}  // namespace sqlbak_gateway::exposition
