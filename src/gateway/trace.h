// Traces: what a collection did, step by step, for `debug=true`, `--probe` and people in trouble.
//
// Bounded: of each collection the totals and the last kTracedSteps steps; of an account the last
// kTracedCollections collections and, apart, the last kTracedFailures failed ones, so that a failure of last
// night is still there in the morning. Steps hold targets and messages of the transport, neither of which can
// hold a token. Finished traces are packed, because five hundred accounts keep twenty of them each.
#pragma once

#include "sqlbak_gateway/base/clock.h"
#include "sqlbak_gateway/base/failure.h"
#include "sqlbak_gateway/gateway/account_view.h"
#include "sqlbak_gateway/sqlbak/request.h"

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sqlbak_gateway::gateway {

inline constexpr std::size_t kTracedSteps = 200;
inline constexpr std::size_t kTracedCollections = 20;
inline constexpr std::size_t kTracedFailures = 5;
inline constexpr std::size_t kMaxNoteBytes = 300;

// One attempt at one request. Value type; the views point into the trace.
struct TraceStep {
  Duration at{};  // since the start of the collection, when the attempt ended
  Duration elapsed{};
  sqlbak::Endpoint endpoint = sqlbak::Endpoint::me;
  int status = 0;  // 0: no answer
  std::string_view target;
  std::string_view note;  // what went wrong; empty: nothing did
};

struct EndpointTotals {
  std::uint64_t attempts = 0;
  std::uint64_t failures = 0;  // attempts without a usable answer
  std::uint64_t bytes = 0;
  Duration time{};  // summed over the attempts
};

// A finished trace. Value type, immutable once shared.
class Trace {
 public:
  SystemTime started_at{};
  Duration duration{};
  std::string result;   // "success", "partial", or a failure's reason
  std::string message;  // of a failure
  std::array<EndpointTotals, sqlbak::kEndpoints.size()> totals{};
  std::uint64_t retries = 0;
  Duration throttled{};              // summed time in which rate limits or Retry-After held requests back
  std::uint64_t steps_dropped = 0;   // earlier than the steps kept
  std::vector<std::string> remarks;  // values not recognised, plausible fields found, audit findings

  std::vector<TraceStep> steps() const;
  bool failed() const { return !message.empty(); }

 private:
  friend class TraceRecorder;
  struct Packed {
    std::uint32_t at = 0;  // at and elapsed count in tenths of a millisecond
    std::uint32_t elapsed = 0;
    std::uint16_t status = 0;
    std::uint16_t target_size = 0;
    std::uint16_t note_size = 0;
    sqlbak::Endpoint endpoint = sqlbak::Endpoint::me;
  };
  std::vector<Packed> packed_;
  std::string text_;  // targets and notes, one after the other
};

// Writes down a running collection. Not thread-safe: lives on the upstream thread.
class TraceRecorder {
 public:
  explicit TraceRecorder(SystemTime started_at) : started_at_(started_at) {}

  void step(const TraceStep& step, std::size_t bytes);
  void retried() { ++retries_; }
  void remark(std::string text) { remarks_.push_back(std::move(text)); }

  // What was recorded; the recorder is empty afterwards.
  std::shared_ptr<const Trace> finish(Duration duration, Duration throttled, std::string result,
                                      std::string message);

 private:
  struct Kept {
    TraceStep step;
    std::string target;
    std::string note;
  };
  SystemTime started_at_;
  std::array<EndpointTotals, sqlbak::kEndpoints.size()> totals_{};
  std::deque<Kept> kept_;
  std::uint64_t dropped_ = 0;
  std::uint64_t retries_ = 0;
  std::vector<std::string> remarks_;
};

// The traces of one account. Not thread-safe; Account guards it.
class TraceBook {
 public:
  void add(std::shared_ptr<const Trace> trace);
  // Newest first.
  const std::deque<std::shared_ptr<const Trace>>& latest() const { return latest_; }
  const std::deque<std::shared_ptr<const Trace>>& failures() const { return failures_; }

 private:
  std::deque<std::shared_ptr<const Trace>> latest_;
  std::deque<std::shared_ptr<const Trace>> failures_;
};

// How many steps TraceDetail::overview shows, and before them as many that failed.
inline constexpr std::size_t kStepsInOverview = 5;

// For people: totals, then the steps.
std::string to_text(const Trace& trace, TraceDetail detail);
// One line: when, how long, how it ended.
std::string summary_line(const Trace& trace);

}  // namespace sqlbak_gateway::gateway
