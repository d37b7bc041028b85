// Findings: a prepared account at the instant t of an answer. Only ages depend on t. They grow with t between
// collections, never fall, and are never below zero. No job becomes late because t moves.
#pragma once

#include "sqlbak_gateway/evaluation/prepared.h"

#include <memory>
#include <vector>

namespace sqlbak_gateway::evaluation {

struct Findings {
  std::shared_ptr<const PreparedAccount> account;  // never null
  SystemTime at{};
  // Hours since the start of the last success in the window, one for each row, in the order of jobs and rows.
  // -1 if the window has no success (as in the published exporter), NaN if that is not known.
  std::vector<double> last_success_age_hours;
};

// Pure. Makes one allocation.
Findings answer(std::shared_ptr<const PreparedAccount> account, SystemTime at);

// The age of one row.
double last_success_age_hours(const PreparedRow& row, SystemTime at);

}  // namespace sqlbak_gateway::evaluation
