// Truth: the metrics that an account must show, computed from the world by slow and obvious code that shares
// nothing with the gateway. Other tests use it as their oracle.
//
// It answers for a perfect reader who sees everything that the API honestly shows at the world's present.
// Knobs count (what is not shown is not known, a skewed clock shows skewed times); faults do not.
//
// It covers all published metrics, except sqlbak_last_check_timestamp, which is about the reader.
// It covers of ours: sqlbak_job_last_success_timestamp_seconds, _last_attempt_timestamp_seconds,
// _last_attempt_success,
//   _consecutive_failures, _window_seconds, _max_age_seconds and _overdue (configured maxima only),
//   _retention_violation, _databases_failing, _info, _last_duration_seconds, _last_size_bytes;
//   sqlbak_servers, sqlbak_servers_without_jobs, sqlbak_account_suspended.
//   Where the contract leaves room: an attempt is finished when the world says that its run is; a job that
//   the API calls disabled, or a maintenance job, is never overdue; duration and size are of the last run
//   that shows them.
// It does not cover probe and collection metrics (about the reader), inferred intervals and maxima (a
// judgement, not a fact), and
//   sqlbak_jobs by state, which rests on them.
#pragma once

#include "simulator/knobs.h"
#include "simulator/world.h"
#include "sqlbak_gateway/base/clock.h"
#include "sqlbak_gateway/base/result.h"

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace sqlbak_gateway::simulator {

// name{label="value",…} with labels in alphabetical order, values escaped as in the exposition format.
using Series = std::map<std::string, double>;

struct Question {
  SystemTime collected_at;  // T, by the reader's clock
  SystemTime answered_at;   // t, by the reader's clock
  std::chrono::milliseconds lookback{Hours(168)};
  std::map<std::string, std::chrono::milliseconds> max_age{};  // by "full", "diff", "inc", "log", "folder"
  // When the reader began. If empty, the reader has always been there and remembers every run of a job. Else
  // it knows runs back to the larger of the window and twice max_age before this instant, and first saw a job
  // then or when it was created.
  std::optional<SystemTime> first_collected_at{};
};

// The account has been advanced to the instant it is asked about (Simulator::with does that).
Series published_truth(const Account& account, const Knobs& knobs, const Question& question);
Series own_truth(const Account& account, const Knobs& knobs, const Question& question);

// The series whose name matches a shell-style pattern.
Series family(const Series& series, std::string_view name_pattern);
// Parses an exposition in the text format. An Error names the line that is malformed.
Result<Series> parse_exposition(std::string_view text);
// The text format without HELP and TYPE.
std::string to_text(const Series& series);
// The differences, one on each line: "only expected", "only seen", or both values. Empty if all values are
// equal within 1e-9 relative.
std::string difference(const Series& expected, const Series& seen);

}  // namespace sqlbak_gateway::simulator
