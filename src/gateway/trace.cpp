#include "gateway/trace.h"

#include "sqlbak_gateway/base/text.h"

#include <algorithm>
#include <cstdio>
#include <utility>

namespace sqlbak_gateway::gateway {
namespace {

using Tenths = std::chrono::duration<std::uint32_t, std::ratio<1, 10'000>>;  // of a millisecond

std::uint32_t tenths(Duration duration) {
  return static_cast<std::uint32_t>(
      std::clamp<std::int64_t>(duration.count() / 100'000, 0, std::numeric_limits<std::uint32_t>::max()));
}

// "12.3 ms", "4.56 s"
std::string for_people(Duration duration) {
  const double ms = to_seconds(duration) * 1e3;
  char text[48];
  if (ms < 1000) {
    std::snprintf(text, sizeof text, "%.1f ms", ms);
  } else {
    std::snprintf(text, sizeof text, "%.2f s", ms / 1e3);
  }
  return text;
}

// The steps of an overview, in their order.
std::vector<TraceStep> telling(const std::vector<TraceStep>& steps) {
  std::vector<TraceStep> chosen;
  std::size_t failed = 0;
  for (std::size_t i = steps.size(); i-- > 0;) {
    const bool last = steps.size() - i <= kStepsInOverview;
    const bool failure = !last && !steps[i].note.empty() && failed < kStepsInOverview;
    if (failure) ++failed;
    if (last || failure) chosen.push_back(steps[i]);
  }
  std::reverse(chosen.begin(), chosen.end());
  return chosen;
}

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.insert(0, width - text.size(), ' ');
  return text;
}

}  // namespace

std::vector<TraceStep> Trace::steps() const {
  std::vector<TraceStep> steps;
  steps.reserve(packed_.size());
  std::string_view rest = text_;
  for (const Packed& packed : packed_) {
    TraceStep step;
    step.at = Tenths(packed.at);
    step.elapsed = Tenths(packed.elapsed);
    step.endpoint = packed.endpoint;
    step.status = packed.status;
    step.target = rest.substr(0, packed.target_size);
    rest.remove_prefix(packed.target_size);
    step.note = rest.substr(0, packed.note_size);
    rest.remove_prefix(packed.note_size);
    steps.push_back(step);
  }
  return steps;
}

void TraceRecorder::step(const TraceStep& step, std::size_t bytes) {
  EndpointTotals& totals = totals_[static_cast<std::size_t>(step.endpoint)];
  ++totals.attempts;
  if (!step.note.empty()) ++totals.failures;
  totals.bytes += bytes;
  totals.time += step.elapsed;
  if (kept_.size() == kTracedSteps) {
    kept_.pop_front();
    ++dropped_;
  }
  kept_.push_back({step, std::string(step.target.substr(0, kMaxNoteBytes)),
                   valid_utf8(step.note.substr(0, kMaxNoteBytes))});
}

std::shared_ptr<const Trace> TraceRecorder::finish(Duration duration, Duration throttled, std::string result,
                                                   std::string message) {
  auto trace = std::make_shared<Trace>();
  trace->started_at = started_at_;
  trace->duration = duration;
  trace->throttled = throttled;
  trace->result = std::move(result);
  trace->message = std::move(message);
  trace->totals = totals_;
  trace->retries = retries_;
  trace->steps_dropped = dropped_;
  trace->remarks = std::exchange(remarks_, {});
  trace->packed_.reserve(kept_.size());
  for (const Kept& kept : kept_) {
    trace->packed_.push_back({tenths(kept.step.at), tenths(kept.step.elapsed),
                              static_cast<std::uint16_t>(kept.step.status),
                              static_cast<std::uint16_t>(kept.target.size()),
                              static_cast<std::uint16_t>(kept.note.size()), kept.step.endpoint});
    trace->text_.append(kept.target).append(kept.note);
  }
  trace->text_.shrink_to_fit();
  kept_.clear();
  return trace;
}

void TraceBook::add(std::shared_ptr<const Trace> trace) {
  if (trace->failed()) {
    failures_.push_front(trace);
    if (failures_.size() > kTracedFailures) failures_.pop_back();
  }
  latest_.push_front(std::move(trace));
  if (latest_.size() > kTracedCollections) latest_.pop_back();
}

std::string summary_line(const Trace& trace) {
  std::uint64_t attempts = 0;
  for (const EndpointTotals& totals : trace.totals) attempts += totals.attempts;
  std::string line =
      format_time(trace.started_at) + "  " + trace.result + " after " + for_people(trace.duration);
  if (trace.throttled > Duration::zero())
    line += " (" + for_people(trace.throttled) + " of it waiting for rate limits)";
  line += ", " + std::to_string(attempts) + " API requests";
  if (trace.retries > 0) line += ", " + std::to_string(trace.retries) + " of them again";
  if (!trace.message.empty()) line += ": " + trace.message;
  return line;
}

std::string to_text(const Trace& trace, TraceDetail detail) {
  std::string text = summary_line(trace) + "\n";
  for (const sqlbak::Endpoint endpoint : sqlbak::kEndpoints) {
    const EndpointTotals& totals = trace.totals[static_cast<std::size_t>(endpoint)];
    if (totals.attempts == 0) continue;
    text.append("  ")
        .append(name(endpoint))
        .append(": ")
        .append(std::to_string(totals.attempts))
        .append(" requests");
    if (totals.failures > 0) text.append(", ").append(std::to_string(totals.failures)).append(" failed");
    text.append(", ").append(std::to_string(totals.bytes)).append(" bytes, ");
    text.append(for_people(totals.time / static_cast<std::int64_t>(totals.attempts))).append(" on average\n");
  }
  for (const std::string& remark : trace.remarks) text.append("  note: ").append(remark).append("\n");
  std::vector<TraceStep> steps = trace.steps();
  if (detail == TraceDetail::overview && steps.size() > kStepsInOverview) {
    const std::uint64_t all = steps.size() + trace.steps_dropped;
    steps = telling(steps);
    text.append("  of these ").append(std::to_string(all)).append(" requests the last ");
    text.append(std::to_string(kStepsInOverview));
    if (steps.size() > kStepsInOverview) text.append(", and before them the last that failed");
    text.append(" (--log.level=debug shows more):\n");
  } else if (trace.steps_dropped > 0) {
    text.append("  … ").append(std::to_string(trace.steps_dropped)).append(" earlier requests not kept\n");
  }
  for (const TraceStep& step : steps) {
    text.append("  +").append(padded(for_people(step.at), 10)).append("  ");
    text.append(step.status == 0 ? "---" : std::to_string(step.status)).append("  ");
    text.append(padded(for_people(step.elapsed), 10)).append("  GET ").append(step.target);
    if (!step.note.empty()) text.append("  ").append(step.note);
    text += '\n';
  }
  return text;
}

}  // namespace sqlbak_gateway::gateway
