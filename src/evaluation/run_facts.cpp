#include "evaluation/run_facts.h"

#include <algorithm>
#include <cmath>

namespace sqlbak_gateway::evaluation {
namespace {

// Runs without a start come last.
std::vector<RunTally>::const_iterator dated_end(const std::vector<RunTally>& tallies) {
  auto end = tallies.end();
  while (end != tallies.begin() && !(end - 1)->started_at.has_value()) --end;
  return end;
}

using Tally = std::vector<RunTally>::const_iterator;

bool succeeded_whole(const RunTally& tally) {
  return tally.failed == 0 && tally.other == 0;
}

// An attempt succeeded if all entries of all runs that started at its instant did. The first of these runs
// stands for all.
inline void note_finished(TypeFacts& facts, double start, Tally tally, Tally end) {
  if (start == facts.last_finished) return;
  bool succeeded = succeeded_whole(*tally);
  for (Tally same = tally + 1; same != end && same->started_at.milliseconds() == start; ++same) {
    if (same->type == tally->type && !same->open && !succeeded_whole(*same)) succeeded = false;
  }
  facts.last_finished = start;
  facts.finished_succeeded = succeeded;
  if (succeeded) {
    facts.any_finished_succeeded = true;
    facts.failures = 0;
  } else {
    ++facts.failures;
    if (start > facts.remembered_until) ++facts.failures_since_remembered;
  }
}

inline void note_success(TypeFacts& facts, double start, bool undeleted) {
  const double gap = start - facts.last_success;
  if (gap > 0) {
    facts.gaps.push_back(gap);
  } else if (std::isnan(gap)) {
    facts.first_success = start;
  }
  facts.last_success = start;
  if (undeleted && start < facts.first_undeleted) facts.first_undeleted = start;
}

EpochMs later(EpochMs a, EpochMs b) {
  return a.has_value() && !(b.milliseconds() > a.milliseconds()) ? a : b;
}
EpochMs earlier(EpochMs a, EpochMs b) {
  return a.has_value() && !(b.milliseconds() < a.milliseconds()) ? a : b;
}

void merge(RememberedType& type, const TypeFacts& facts) {
  type.last_success = later(type.last_success, EpochMs(facts.last_success));
  type.last_attempt = later(type.last_attempt, EpochMs(facts.last_attempt));
  const EpochMs finished(facts.last_finished);
  if (!finished.has_value() || type.last_finished.milliseconds() > finished.milliseconds()) return;
  type.consecutive_failures =
      facts.any_finished_succeeded
          ? facts.failures
          : std::max(facts.failures, type.consecutive_failures + facts.failures_since_remembered);
  type.last_finished = finished;
  type.last_finished_succeeded = facts.finished_succeeded;
}

}  // namespace

double collect_facts(const JobRuns& runs, const Remembered* remembered, Limits limits, FactsByType& facts) {
  for (const BackupType type : kBackupTypes) {
    TypeFacts fresh;
    fresh.gaps.swap(facts[index(type)].gaps);
    fresh.gaps.clear();
    const EpochMs until = remembered ? remembered->of(type).last_finished : EpochMs();
    if (until.has_value()) fresh.remembered_until = until.milliseconds();
    facts[index(type)] = std::move(fresh);
  }
  const auto dated = dated_end(runs.tallies);
  const auto first_after = [&](Tally until, double instant) {
    return std::partition_point(runs.tallies.begin(), until, [&](const RunTally& tally) {
      return tally.started_at.milliseconds() <= instant;
    });
  };
  const auto end = first_after(dated, limits.believed_until);
  const auto unsettled = first_after(end, limits.settled_until);
  const auto note_until = [&](Tally from, Tally until) {
    for (Tally tally = from; tally != until; ++tally) {
      if (tally->total() == 0) continue;
      TypeFacts& type = facts[index(tally->type)];
      const double start = tally->started_at.milliseconds();
      type.last_attempt = start;
      if (!tally->open) note_finished(type, start, tally, end);
      // It is not known whether the files of a vanished run still exist.
      if (tally->succeeded > 0) note_success(type, start, tally->undeleted && !tally->vanished);
    }
  };
  note_until(runs.tallies.begin(), unsettled);
  for (TypeFacts& type : facts) type.last_settled_success = type.last_success;
  note_until(unsettled, end);
  for (Tally tally = unsettled; tally != end; ++tally) {
    if (tally->succeeded == 0) continue;
    TypeFacts& type = facts[index(tally->type)];
    type.first_unsettled_success = std::min(type.first_unsettled_success, tally->started_at.milliseconds());
  }
  return end == dated ? kUnknown : end->started_at.milliseconds();
}

Window count_window(const JobRuns& runs, double window_start) {
  Window window;
  // Runs without a start compare as not before anything, and come last.
  const auto first = std::partition_point(
      runs.tallies.begin(), runs.tallies.end(),
      [&](const RunTally& tally) { return tally.started_at.milliseconds() < window_start; });
  if (first != runs.tallies.end()) window.first_start = first->started_at.milliseconds();
  for (auto tally = first; tally != runs.tallies.end(); ++tally) {
    if (tally->vanished) continue;
    WindowFacts& type = window.by_type[index(tally->type)];
    type.counts.succeeded += tally->succeeded;
    type.counts.failed += tally->failed;
    type.counts.other += tally->other;
    if (tally->succeeded == 0 || !tally->started_at.has_value()) continue;
    type.last_success = tally->started_at.milliseconds();
    if (tally->undeleted) type.first_undeleted = std::min(type.first_undeleted, type.last_success);
  }
  return window;
}

Remembered merge(const Remembered* before, const JobRuns* runs, const FactsByType& facts,
                 SystemTime collected_at) {
  Remembered remembered = before ? *before : Remembered{};
  remembered.first_seen = earlier(remembered.first_seen, EpochMs(collected_at));
  if (!runs) return remembered;
  if (dated_end(runs->tallies) != runs->tallies.begin()) {
    remembered.oldest_run = earlier(remembered.oldest_run, runs->tallies.front().started_at);
  }
  for (const BackupType type : kBackupTypes) merge(remembered.of(type), facts[index(type)]);
  return remembered;
}

}  // namespace sqlbak_gateway::evaluation
