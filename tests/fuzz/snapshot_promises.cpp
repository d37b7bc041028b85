#include "fuzz/snapshot_promises.h"

#include "exposition/parsed_exposition.h"
#include "fuzz/fuzz.h"
#include "sqlbak_gateway/base/text.h"
#include "sqlbak_gateway/exposition/render.h"

#include <cmath>
#include <set>
#include <string>

namespace sqlbak_gateway::fuzz {
namespace {

void require_runs(const JobRuns& runs) {
  double last = -std::numeric_limits<double>::infinity();
  bool undated = false;
  for (const RunTally& tally : runs.tallies) {
    if (!tally.started_at.has_value()) {
      undated = true;
      continue;
    }
    require(!undated && tally.started_at.milliseconds() >= last,
            "tallies ascend, those without a start last");
    last = tally.started_at.milliseconds();
  }
}

void require_snapshot(const Snapshot& snapshot) {
  std::set<std::string> ids;
  std::uint32_t unreadable = 0;
  bool runs = true;
  bool settings = true;
  for (const auto& job : snapshot.jobs) {
    require(job != nullptr, "every job is there");
    require(!job->job.id.empty() && ids.insert(job->job.id).second, "job ids are there and unique",
            job->job.id);
    for (const std::string* text :
         {&job->job.id, &job->job.name, &job->job.server_id, &job->job.server_name}) {
      require(is_valid_utf8(*text), "text is valid UTF-8", *text);
    }
    if (job->runs) require_runs(*job->runs);
    if (job->settings) require(!job->settings->enabled_types.empty(), "some type is always enabled");
    if (!job->runs_current || !job->settings_current) ++unreadable;
    runs = runs && job->runs_current;
    settings = settings && job->settings_current;
  }
  require(snapshot.jobs_pending > 0 || snapshot.jobruns_available <= runs,
          "a job whose runs could not be read is said to be so");
  require(snapshot.jobsettings_available <= settings,
          "a job whose settings could not be read is said to be so");
  require(snapshot.jobs_unreadable <= unreadable, "no job is called unreadable that was read");
}

}  // namespace

void require_outcome(const sqlbak::CollectionOutcome& outcome, const AccountMemory* before) {
  require(outcome.memory != nullptr, "something is always remembered");
  require(outcome.failure.has_value() == (outcome.snapshot == nullptr), "it failed, or there is a snapshot");
  if (outcome.failure) {
    require(is_valid_utf8(outcome.failure->message), "a failure's message is valid UTF-8");
    require(outcome.failure->message.size() < 2000, "and bounded", outcome.failure->message);
    if (before && before->last_good && outcome.memory->last_good) {
      require(outcome.memory->last_good->collected_at == before->last_good->collected_at,
              "a failed collection never replaces good data");
    }
  } else {
    require_snapshot(*outcome.snapshot);
    require(outcome.memory->complete, "after a success there is no backfill any more");
  }
  std::set<std::string> ids;
  for (const auto& job : outcome.memory->jobs) {
    require(job && job->remembered && ids.insert(job->id).second, "remembered jobs are whole and unique");
    if (!job->runs) continue;
    require(job->runs->ids.size() == job->runs->runs.tallies.size(), "every remembered tally has its run");
    require_runs(job->runs->runs);
  }
}

void require_exposition(const Snapshot& snapshot, SystemTime now) {
  evaluation::Policy policy;
  policy.max_age.of(BackupType::full) = std::chrono::hours(36);
  const auto shared = std::make_shared<const Snapshot>(snapshot);
  for (const exposition::NameMode names :
       {exposition::NameMode::seed, exposition::NameMode::clean, exposition::NameMode::both}) {
    exposition::Format format;
    format.names = names;
    format.max_series = 2000;
    const auto account =
        std::make_shared<const evaluation::PreparedAccount>(evaluation::prepare(shared, policy));
    const exposition::Layout layout(account, format);
    double age = -std::numeric_limits<double>::infinity();
    for (const SystemTime at :
         {now, SystemTime(now + std::chrono::hours(30)), SystemTime(now + std::chrono::hours(24 * 400))}) {
      std::string text;
      const evaluation::Findings findings = evaluation::answer(account, at);
      exposition::render(layout, findings, {}, text);
      require(is_valid_utf8(text), "the exposition is valid UTF-8");
      const testing::ParsedExposition parsed = testing::parse_exposition(text);
      require(parsed.fault.empty(), "the exposition is well-formed", parsed.fault);
      require(parsed.samples.size() <= format.max_series, "max_series bounds the answer");
      double largest = -std::numeric_limits<double>::infinity();
      for (const double hours : findings.last_success_age_hours) {
        require(std::isnan(hours) || hours == -1 || hours >= 0, "ages are never below zero");
        if (hours > largest) largest = hours;
      }
      require(largest >= age, "ages do not fall");
      age = largest;
    }
  }
}

}  // namespace sqlbak_gateway::fuzz
