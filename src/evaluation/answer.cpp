#include "sqlbak_gateway/evaluation/findings.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace sqlbak_gateway::evaluation {

double last_success_age_hours(const PreparedRow& row, SystemTime at) {
  if (!row.window) return std::numeric_limits<double>::quiet_NaN();
  if (!row.last_success_in_window.has_value()) return -1;
  const double now = static_cast<double>(at.time_since_epoch().count());
  return std::max(0.0, (now - row.last_success_in_window.milliseconds()) / kMillisecondsPerHour);
}

Findings answer(std::shared_ptr<const PreparedAccount> account, SystemTime at) {
  Findings findings;
  findings.at = at;
  findings.last_success_age_hours.reserve(account->row_count);
  for (const auto& job : account->jobs) {
    for (const PreparedRow& row : job->rows)
      findings.last_success_age_hours.push_back(last_success_age_hours(row, at));
  }
  findings.account = std::move(account);
  return findings;
}

}  // namespace sqlbak_gateway::evaluation
