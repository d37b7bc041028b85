#include "sqlbak/past_runs.h"

#include <vector>

namespace sqlbak_gateway::sqlbak {
namespace {

EpochMs later(EpochMs a, EpochMs b) {
  return a.milliseconds() > b.milliseconds() || !b.has_value() ? a : b;
}

void add_success(std::vector<EpochMs>& successes, EpochMs start) {
  if (!successes.empty() && !(successes.back().milliseconds() < start.milliseconds())) return;
  if (successes.size() == RememberedType::kSuccesses) successes.erase(successes.begin());
  successes.push_back(start);
}

}  // namespace

void add_past_run(Remembered& remembered, const RunTally& tally, bool open) {
  const EpochMs start = tally.started_at;
  if (tally.total() == 0 || !start.has_value()) return;
  if (!(remembered.oldest_run.milliseconds() <= start.milliseconds())) remembered.oldest_run = start;
  RememberedType& type = remembered.of(tally.type);
  type.last_attempt = later(type.last_attempt, start);
  if (tally.succeeded > 0) {
    type.last_success = later(type.last_success, start);
    add_success(type.successes, start);
  }
  if (open || type.last_finished.milliseconds() > start.milliseconds()) return;
  const bool succeeded = tally.failed == 0 && tally.other == 0;
  // Runs that started together are one attempt, which succeeded only if all of them did.
  if (type.last_finished == start && (succeeded || !type.last_finished_succeeded)) return;
  type.last_finished = start;
  type.last_finished_succeeded = succeeded;
  type.consecutive_failures = succeeded ? 0 : type.consecutive_failures + 1;
}

}  // namespace sqlbak_gateway::sqlbak
