// Answers of a hostile API are decoded, collected, judged and rendered. Whatever they contain, the collection
// ends after a bounded number of requests, and Prometheus accepts the exposition.
//
// The input holds up to six documents, with lines "---" between them: servers, jobs, settings, runs, a run's
// details, /me. Every request of one kind gets the same document. A kind that is left out gets a 404.
#include "exposition/parsed_exposition.h"
#include "fuzz/fuzz.h"
#include "fuzz/snapshot_promises.h"
#include "sqlbak/decode.h"
#include "sqlbak_gateway/base/text.h"
#include "sqlbak_gateway/sqlbak/collection.h"
#include "support/collecting.h"
#include "support/manual_clock.h"

#include <set>

namespace sqlbak_gateway::fuzz {
namespace {

using sqlbak::Endpoint;

// The kinds of document, in the order of the input.
constexpr std::array kKinds = {Endpoint::servers, Endpoint::jobs,           Endpoint::settings,
                               Endpoint::jobruns, Endpoint::jobrun_details, Endpoint::me};

void require_notes_are_text(const sqlbak::Unrecognised& notes) {
  for (const sqlbak::Unrecognised::Entry& entry : notes.entries()) {
    require(is_valid_utf8(entry.sample), "samples of what was not recognised are valid UTF-8", entry.sample);
    require(entry.sample.size() <= sqlbak::Unrecognised::kMaxSampleBytes, "and bounded", entry.sample);
  }
}

// Gives every document to every decoder, because the API may answer any request with any document.
void decode_as_anything(std::string_view body) {
  sqlbak::Notes notes;
  const auto jobs = sqlbak::decode_jobs(body, notes);
  if (jobs.ok()) {
    std::set<std::string> ids;
    for (const Job& job : jobs->rows) {
      require(!job.id.empty() && ids.insert(job.id).second, "ids of a page are there and unique", job.id);
    }
  }
  const auto run = sqlbak::decode_run(body, notes);
  if (run.ok()) {
    std::uint64_t entries = 0;
    for (const RunTally& tally : run->tallies) entries += tally.total();
    require(entries <= run->entries, "no more is counted than there is");
  }
  if (const auto settings = sqlbak::decode_settings(body, notes); settings.ok()) {
    require(settings->full_retention_days <= kMaxRetentionDays &&
                settings->inc_retention_days <= kMaxRetentionDays,
            "retention is bounded");
  }
  (void)sqlbak::decode_servers(body, notes).ok();
  (void)sqlbak::decode_runs(body, notes).ok();
  (void)sqlbak::decode_account(body, notes).ok();
  require_notes_are_text(notes.unrecognised);
}

}  // namespace
}  // namespace sqlbak_gateway::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sqlbak_gateway;
  using namespace sqlbak_gateway::fuzz;
  const std::vector<std::string_view> bodies = documents(text_of(data, size));
  for (const std::string_view body : bodies) decode_as_anything(body);

  testing::ManualClock clock;
  std::uint64_t requests = 0;
  std::set<std::uint64_t> ids;
  const testing::Api api = [&](const sqlbak::Request& request) {
    require(ids.insert(request.id).second, "no request has the id of another");
    require(request.target.starts_with('/') && request.target.find_first_of(" \r\n#") == std::string::npos,
            "a target is one path with a query", request.target);
    ++requests;
    sqlbak::Answer answer;
    for (std::size_t i = 0; i < kKinds.size() && i < bodies.size(); ++i) {
      if (kKinds[i] != request.endpoint) continue;
      answer.status = 200;
      answer.body = bodies[i];
      return answer;
    }
    answer.status = 404;
    return answer;
  };
  std::shared_ptr<const AccountMemory> memory;
  for (int round = 0; round < 2; ++round) {
    ids.clear();
    sqlbak::CollectionPlan plan;
    plan.started_at = clock.system_now();
    plan.token_fingerprint = "fingerprint";
    sqlbak::Collection collection(plan, memory);
    testing::drive(collection, api, clock);
    const sqlbak::CollectionOutcome outcome = collection.finish();
    require_outcome(outcome, memory.get());
    if (outcome.snapshot) require_exposition(*outcome.snapshot, clock.system_now());
    require_notes_are_text(outcome.unrecognised);
    memory = outcome.memory;
    clock.advance(std::chrono::minutes(20));
  }
  // A row takes more than two bytes; a job is asked for settings, runs and each run's details.
  const std::uint64_t rows = size / 2 + 1;
  require(requests <= 16 + 2 * rows * (rows + 4), "requests are bounded by the rows the API showed");
  return 0;
}
