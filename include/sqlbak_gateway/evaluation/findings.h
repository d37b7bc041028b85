// Findings: a prepared account as it stands at the instant t of an answer. Only ages depend on t: they never
// freeze between collections, never fall as t moves on, and are never below zero. Nothing becomes late
// because t moves.
#pragma once

#include "sqlbak_gateway/evaluation/prepared.h"

#include <memory>
#include <vector>

namespace sqlbak_gateway::evaluation {

struct Findings {
  std::shared_ptr<const PreparedAccount> account;  // never null
  SystemTime at{};
  // Hours since the start of the last success in the window, one a row: jobs in their order, each with its
  // rows in theirs. -1 where the window holds none (the published exporter's sentinel); NaN where it is not
  // known.
  std::vector<double> last_success_age_hours;
};

// Pure; one allocation.
Findings answer(std::shared_ptr<const PreparedAccount> account, SystemTime at);

// The same for one row.
double last_success_age_hours(const PreparedRow& row, SystemTime at);

}  // namespace sqlbak_gateway::evaluation
