// A file of recorded API answers goes in, and exactly the published exporter's metrics come out, without a
// thread, socket or clock. Each account is NAME.json beside this file. The expected metrics are NAME.prom,
// which was computed by hand. UPDATE_GOLDEN=1 writes it again.
//
//   {"collected_at_ms": T, "answered_at_ms": t, "answers": {"/servers?page=1&page_size=100": {"status": 200,
//   "body": …}}}
//
// `body` is the answer as JSON. Where the spelling matters, `text` has it as a list of lines. A request that
// is not recorded gets a 404.
#include "sqlbak_gateway/evaluation/findings.h"
#include "sqlbak_gateway/exposition/render.h"
#include "sqlbak_gateway/sqlbak/collection.h"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace sqlbak_gateway {
namespace {

const std::string kFolder = SQLBAK_GATEWAY_SOURCE_DIR "/tests/recorded/";

std::string read(const std::string& path) {
  std::ifstream file(path);
  EXPECT_TRUE(file.is_open()) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

SystemTime instant(const nlohmann::json& milliseconds) {
  return SystemTime{std::chrono::milliseconds(milliseconds.get<std::int64_t>())};
}

sqlbak::Answer recorded(const nlohmann::json& answers, const std::string& target) {
  sqlbak::Answer answer;
  const auto found = answers.find(target);
  if (found == answers.end()) {
    answer.status = 404;
    return answer;
  }
  answer.status = found->value("status", 200);
  if (answer.status >= 400 && answer.status != 404) {
    answer.failure = {FailureReason::upstream_error, "as recorded"};
  } else if (found->contains("text")) {
    for (const auto& line : found->at("text")) answer.body += line.get<std::string>() + "\n";
  } else {
    answer.body = found->at("body").dump();
  }
  return answer;
}

class RecordedAccount : public ::testing::TestWithParam<const char*> {};

TEST_P(RecordedAccount, ComesOutAsThePublishedMetrics) {
  const nlohmann::json recording = nlohmann::json::parse(read(kFolder + GetParam() + ".json"));
  sqlbak::CollectionPlan plan;
  plan.started_at = instant(recording["collected_at_ms"]);
  plan.token_fingerprint = "fingerprint";
  sqlbak::Collection collection(plan, nullptr);
  while (!collection.done()) {
    const std::optional<sqlbak::Request> request = collection.next();
    ASSERT_TRUE(request) << "it waits, but nothing is on its way";
    collection.on(request->id, recorded(recording["answers"], request->target), plan.started_at);
  }
  sqlbak::CollectionOutcome outcome = collection.finish();
  ASSERT_FALSE(outcome.failure) << outcome.failure->message;

  const auto account = std::make_shared<const evaluation::PreparedAccount>(
      evaluation::prepare(outcome.snapshot, evaluation::Policy()));
  evaluation::CollectionStatus status;
  status.succeeded = true;
  status.last_success = plan.started_at;
  status.jobruns_available = outcome.snapshot->jobruns_available;
  status.jobsettings_available = outcome.snapshot->jobsettings_available;
  const exposition::Layout layout(account, exposition::Format());
  std::string everything;
  render(layout, evaluation::answer(account, instant(recording["answered_at_ms"])), status, everything);

  // The published exporter's families only; the others have their own golden files.
  std::string published;
  std::istringstream lines(everything);
  for (std::string line; std::getline(lines, line);) {
    for (const char* name :
         {"sqlbak_server_online", "sqlbak_offline_servers_total", "sqlbak_jobruns_available",
          "sqlbak_jobsettings_available", "sqlbak_last_check_timestamp", "sqlbak_job_retention_days",
          "sqlbak_job_has_backups_older_than_policy", "sqlbak_job_last_success_age_hours",
          "sqlbak_job_backups_succeeded_total", "sqlbak_job_backups_failed_total", "sqlbak_job_backups_total",
          "sqlbak_job_summary"}) {
      const std::string wanted = name;
      if (line.starts_with(wanted + " ") || line.starts_with(wanted + "{")) published += line + "\n";
    }
  }
  const std::string golden = kFolder + GetParam() + ".prom";
  if (std::getenv("UPDATE_GOLDEN")) std::ofstream(golden) << published;
  EXPECT_EQ(published, read(golden));
}

INSTANTIATE_TEST_SUITE_P(Files, RecordedAccount, ::testing::Values("two_servers", "dynamic_types"),
                         [](const auto& tested) { return std::string(tested.param); });

}  // namespace
}  // namespace sqlbak_gateway
