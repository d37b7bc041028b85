// Drives a Collection over a simulated account without a network: what Scheduler and Transport do, in a few
// lines. As many requests are in flight as an account may have, and answers come back in random order.
#pragma once

#include "simulator/random.h"
#include "simulator/simulator.h"
#include "sqlbak_gateway/base/clock.h"
#include "sqlbak_gateway/sqlbak/collection.h"

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sqlbak_gateway::testing {

// One request, as the collection would see its answer after the scheduler's retries.
inline sqlbak::Answer answer_of(simulator::Simulator& simulator, const std::string& token,
                                const std::string& target) {
  const std::string path = std::string(simulator::kApiPrefix) + target;
  simulator::Request request;
  request.target = path;
  request.token = token;
  simulator::Reply reply = simulator.answer(request);
  sqlbak::Answer answer;
  if (reply.wire.stop != simulator::Wire::Stop::nowhere) {
    answer.failure = {FailureReason::connection, "the connection ended before the answer did"};
    return answer;
  }
  answer.status = reply.status;
  answer.body = std::move(reply.body);
  if (answer.status == 200 || answer.status == 404) return answer;
  const bool refuses_token = answer.status == 401 || (answer.status == 403 && answer.body.starts_with('{'));
  const FailureReason reason = refuses_token          ? FailureReason::auth
                               : answer.status == 429 ? FailureReason::rate_limited
                                                      : FailureReason::upstream_error;
  answer.failure = {reason, "the API answered " + std::to_string(answer.status)};
  return answer;
}

struct Drive {
  std::size_t max_in_flight = 8;
  std::uint64_t seed = 0;
  // Called before each answer. Returns false to give the collection up.
  std::function<bool(std::uint64_t answers)> before_answer;
};

using Api = std::function<sqlbak::Answer(const sqlbak::Request&)>;

// Drives a collection to its end. Returns the number of requests.
inline std::uint64_t drive(sqlbak::Collection& collection, const Api& api, const Clock& clock,
                           const Drive& how = {}) {
  simulator::Random random(how.seed);
  std::vector<sqlbak::Request> in_flight;
  std::uint64_t requests = 0;
  std::uint64_t answers = 0;
  while (!collection.done()) {
    while (in_flight.size() < how.max_in_flight) {
      std::optional<sqlbak::Request> request = collection.next();
      if (!request) break;
      in_flight.push_back(std::move(*request));
      ++requests;
    }
    if (in_flight.empty()) {
      // The collection neither asks nor ends. This is a programming error, and must not hang a test.
      collection.give_up({FailureReason::timeout, "the collection is stuck"});
      break;
    }
    if (how.before_answer && !how.before_answer(answers)) {
      collection.give_up({FailureReason::timeout, "given up"});
      break;
    }
    std::swap(in_flight[random.below(in_flight.size())], in_flight.back());
    const sqlbak::Request request = std::move(in_flight.back());
    in_flight.pop_back();
    collection.on(request.id, api(request), clock.system_now());
    ++answers;
  }
  return requests;
}

inline std::uint64_t drive(sqlbak::Collection& collection, simulator::Simulator& simulator,
                           const std::string& token, const Clock& clock, const Drive& how = {}) {
  const Api api = [&](const sqlbak::Request& request) { return answer_of(simulator, token, request.target); };
  return drive(collection, api, clock, how);
}

}  // namespace sqlbak_gateway::testing
