#include "sqlbak/run_readings.h"

#include <algorithm>

namespace sqlbak_gateway::sqlbak {

bool came_to_the_same(const RunRows& before, const RunRows& now) {
  if (before.count != now.count || before.outcome_count != now.outcome_count) return false;
  for (std::uint32_t i = 0; i < now.count; ++i) {
    RunTally was = before.tallies[i];
    const RunTally& is = now.tallies[i];
    if (is.undeleted && !was.undeleted) return false;
    was.undeleted = is.undeleted;
    was.open = is.open;
    was.vanished = is.vanished;
    if (was != is) return false;
  }
  for (std::uint32_t i = 0; i < now.outcome_count; ++i) {
    const PackedOutcome& was = before.outcomes[i];
    const PackedOutcome& is = now.outcomes[i];
    if (was.tally - before.first != is.tally - now.first || was.database != is.database ||
        was.status != is.status) {
      return false;
    }
  }
  return true;
}

std::uint32_t RunReadings::add(const RunDetails& details, NameTable& databases) {
  RunReading reading;
  reading.started_at = details.started_at;
  reading.first_row = static_cast<std::uint32_t>(tallies_.size());
  reading.first_outcome = static_cast<std::uint32_t>(outcomes_.size());
  // The types always come in the same order, so that two readings can be compared.
  for (const BackupType type : kBackupTypes) {
    const RunTally* tally = details.tallies.find(type);
    if (!tally) continue;
    tallies_.push_back(*tally);
    const RunExtent* extent = details.extents.find(type);
    extents_.push_back(extent ? *extent : RunExtent{});
    reading.failed = reading.failed || tally->failed > 0;
  }
  reading.rows = static_cast<std::uint32_t>(tallies_.size()) - reading.first_row;
  for (const DatabaseOutcome& outcome : details.databases) {
    PackedOutcome packed;
    for (std::uint32_t i = 0; i < reading.rows; ++i) {
      if (tallies_[reading.first_row + i].type == outcome.type) packed.tally = reading.first_row + i;
    }
    packed.database = databases.number_of(outcome.database) & ((1u << 30) - 1);
    packed.status = static_cast<std::uint32_t>(outcome.status) & 3u;
    outcomes_.push_back(packed);
  }
  reading.outcomes = static_cast<std::uint32_t>(outcomes_.size()) - reading.first_outcome;
  std::sort(outcomes_.begin() + reading.first_outcome, outcomes_.end(), in_order);
  reading.shows_end = details.finished_at.has_value();
  reading.final = details.entries > 0 && details.all_final;
  readings_.push_back(reading);
  return static_cast<std::uint32_t>(readings_.size()) - 1;
}

RunRows RunReadings::rows(const RunReading& reading) const {
  return {.tallies = tallies_.data() + reading.first_row,
          .extents = extents_.data() + reading.first_row,
          .count = reading.rows,
          .outcomes = outcomes_.data() + reading.first_outcome,
          .outcome_count = reading.outcomes,
          .first = reading.first_row};
}

}  // namespace sqlbak_gateway::sqlbak
