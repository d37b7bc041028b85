// Answers that a soak must not accept.
#include "soak/reading.h"

#include <gtest/gtest.h>

namespace sqlbak_gateway::soak {
namespace {

constexpr std::string_view kAnswer =
    "# HELP probe_success The latest completed collection succeeded.\n"
    "# TYPE probe_success gauge\n"
    "probe_success 1\n"
    "sqlbak_last_check_timestamp 1768392000.5\n"
    "sqlbak_job_last_success_age_hours{job_name=\"a \\\"b\\\" \\\\ c\",backup_type=\"full\"} 2.5\n"
    "sqlbak_job_last_success_age_hours{job_name=\"never\",backup_type=\"full\"} -1\n"
    "sqlbak_job_summary{row_key=\"s|never|full\",metric=\"last_success_age_hours\"} -1\n"
    "sqlbak_job_retention_days{job_name=\"never\",backup_type=\"full\"} 7\n";

std::string with(std::string_view line) {
  return std::string(kAnswer).append(line).append("\n");
}

TEST(Reading, SeesWhatTheChecksNeed) {
  const Reading reading = read_answer(kAnswer);
  EXPECT_EQ(reading.wrong, "");
  EXPECT_EQ(reading.series, 6u);
  EXPECT_EQ(reading.data_series, 4u);
  EXPECT_EQ(reading.ages, 1u);
  EXPECT_EQ(reading.age_hours, 2.5);
  EXPECT_EQ(reading.probe_success, 1);
  EXPECT_EQ(reading.last_check, 1768392000.5);
  EXPECT_EQ(reading.last_attempt, std::nullopt);
}

TEST(Reading, RefusesWhatPrometheusWouldRefuse) {
  for (const std::string_view line :
       {"", "sqlbak_jobs", "sqlbak_jobs ", "sqlbak_jobs x", "sqlbak_jobs 1 2", "9jobs 1", "sqlbak_jobs{} 1",
        "sqlbak_jobs{state} 1", "sqlbak_jobs{state=\"a} 1", "sqlbak_jobs{state=\"a\\t\"} 1",
        "sqlbak_jobs{state=\"a\"", "sqlbak_jobs{state=\"a\";b=\"c\"} 1", "# a remark"}) {
    EXPECT_NE(read_answer(with(line)).wrong, "") << line;
  }
  EXPECT_NE(read_answer("probe_success 1").wrong, "") << "the line does not end";
}

TEST(Reading, RefusesWhatCannotBe) {
  for (const std::string_view line :
       {"sqlbak_job_last_success_age_hours{job_name=\"a\"} -0.5",
        "sqlbak_job_retention_days{job_name=\"a\"} -1", "sqlbak_job_summary{metric=\"old_backups\"} -1",
        "sqlbak_collection_duration_seconds -1", "sqlbak_jobs{state=\"late\"} nan",
        "sqlbak_jobs{state=\"late\"} inf"}) {
    EXPECT_NE(read_answer(with(line)).wrong, "") << line;
  }
}

TEST(Reading, WhatIsJudgedHasAFingerprintAndAgesAreNoneOfIt) {
  const auto judged = [](std::string_view line) { return read_answer(with(line)).judged; };
  EXPECT_EQ(judged("sqlbak_job_last_success_age_hours{job_name=\"x\"} 3"),
            judged("sqlbak_job_last_success_age_hours{job_name=\"x\"} 4"));
  EXPECT_NE(judged("sqlbak_job_last_success_age_hours{job_name=\"x\"} 3"),
            judged("sqlbak_job_last_success_age_hours{job_name=\"y\"} 3"));
  EXPECT_NE(judged("sqlbak_job_overdue{job_name=\"x\"} 0"), judged("sqlbak_job_overdue{job_name=\"x\"} 1"));
  EXPECT_EQ(judged("probe_duration_seconds 0.1"), judged("probe_duration_seconds 0.2"));
}

}  // namespace
}  // namespace sqlbak_gateway::soak
