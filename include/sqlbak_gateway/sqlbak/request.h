// The six API endpoints that a collection asks, its requests and their answers. Value types; no HTTP library
// is involved.
#pragma once

#include "sqlbak_gateway/base/clock.h"
#include "sqlbak_gateway/base/failure.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sqlbak_gateway::sqlbak {

enum class Endpoint : std::uint8_t { me, servers, jobs, settings, jobruns, jobrun_details };

inline constexpr std::array kEndpoints = {Endpoint::me,       Endpoint::servers, Endpoint::jobs,
                                          Endpoint::settings, Endpoint::jobruns, Endpoint::jobrun_details};

// The value of the label `endpoint`.
constexpr std::string_view name(Endpoint endpoint) {
  constexpr std::array<std::string_view, 6> names = {"me",       "servers", "jobs",
                                                     "settings", "jobruns", "jobrun_details"};
  return names[static_cast<std::size_t>(endpoint)];
}

// One GET. `target` is appended to the account's api_url: it starts with '/', and ids in it are
// percent-encoded.
struct Request {
  std::uint64_t id = 0;  // unique within its collection; the answer carries it back
  Endpoint endpoint = Endpoint::me;
  std::string target;
};

// What came back, after any retries.
struct Answer {
  int status = 0;    // of the last attempt; 0 if there was no answer at all
  std::string body;  // complete and inflated; bounded by upstream.max_response_bytes
  // Set if there is no usable answer. A 404 is an answer (status 404, no failure): only the collection
  // knows whether it means "gone". Everything else that is not 200 arrives as a failure.
  struct Failure {
    FailureReason reason = FailureReason::connection;
    std::string message;  // for an operator; no secret
  };
  std::optional<Failure> failure;
  std::optional<SystemTime> server_date{};  // by the API's clock, when it answered
};

}  // namespace sqlbak_gateway::sqlbak
