#include "simulator/in_process_transport.h"

#include <algorithm>
#include <string>
#include <utility>

namespace sqlbak_gateway::simulator {
namespace {

using upstream::Call;
using upstream::Completion;

// The path of "https://host:port/path".
std::string_view path_of(std::string_view url) {
  const std::size_t authority = url.find("://");
  const std::size_t path = url.find('/', authority == url.npos ? 0 : authority + 3);
  return path == url.npos ? std::string_view() : url.substr(path);
}

void fail(Completion& completion, FailureReason reason, std::string message) {
  completion.status = 0;
  completion.body.clear();
  completion.retry_after.reset();
  completion.server_date.reset();
  completion.failure = {reason, std::move(message)};
}

}  // namespace

InProcessTransport::InProcessTransport(Simulator& simulator, testing::ManualClock& clock, Duration round_trip)
    : simulator_(simulator), clock_(clock), round_trip_(round_trip) {}

void InProcessTransport::start(Call call) {
  const std::string target = std::string(path_of(call.peer->api_url)) + call.target;
  Request request;
  request.target = target;
  if (call.token) request.token = call.token->reveal();
  Reply reply = simulator_.answer(request);
  const Script script = script_of(reply, true, false);
  const SteadyTime now = clock_.steady_now();

  Completion completion;
  completion.id = call.id;
  completion.elapsed = round_trip_ + script.length();
  const bool cut = reply.wire.stop != Wire::Stop::nowhere;
  const bool never = cut && reply.wire.ending == Wire::Ending::silence;
  const Deadline end = never ? Deadline::never() : Deadline::after(now, completion.elapsed);
  if (end.instant() >= call.deadline.instant()) {
    completion.elapsed = call.deadline.remaining(now);
    fail(completion, FailureReason::timeout, "no complete answer in time");
  } else if (cut &&
             (reply.wire.stop == Wire::Stop::before_answer || reply.wire.ending == Wire::Ending::reset)) {
    fail(completion, FailureReason::connection, "the connection ended before the answer did");
  } else if (cut) {
    fail(completion, FailureReason::bad_response, "the answer was cut off");
  } else if (reply.body.size() > call.max_body_bytes) {
    fail(completion, FailureReason::bad_response, "the answer is larger than allowed");
  } else {
    completion.status = reply.status;
    completion.body = std::move(reply.body);
    for (auto& [name, value] : reply.headers) {
      if (name == "Retry-After") completion.retry_after = std::move(value);
    }
    completion.server_date =
        std::chrono::floor<std::chrono::seconds>(simulator_.now() + simulator_.knobs().clock_skew);
  }
  const Place place{std::min(end.instant(), call.deadline.instant()), started_++};
  by_id_[call.id] = place;
  ending_.emplace(place, std::move(completion));
  most_in_flight_ = std::max(most_in_flight_, by_id_.size());
}

void InProcessTransport::cancel(std::uint64_t id) {
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return;
  ending_.erase(found->second);
  by_id_.erase(found);
}

std::optional<SteadyTime> InProcessTransport::next_completion() const {
  if (ending_.empty() || ending_.begin()->first.first == SteadyTime::max()) return std::nullopt;
  return ending_.begin()->first.first;
}

std::vector<Completion> InProcessTransport::poll(Deadline until) {
  const bool woken = woken_.exchange(false);
  const SteadyTime goal = std::min(next_completion().value_or(SteadyTime::max()), until.instant());
  const SteadyTime now = clock_.steady_now();
  if (!woken && goal > now && goal != SteadyTime::max()) clock_.advance(goal - now);

  std::vector<Completion> ended;
  while (!ending_.empty() && ending_.begin()->first.first <= clock_.steady_now()) {
    auto first = ending_.extract(ending_.begin());
    by_id_.erase(first.mapped().id);
    ended.push_back(std::move(first.mapped()));
  }
  return ended;
}

}  // namespace sqlbak_gateway::simulator
