// What the end of a call means: an answer, something worth another attempt, or a failure. Pure functions and
// plain data.
//
//   - 200, 404: an answer; only the collection knows what a 404 means.
//   - 5xx but 501, no answer in time, a connection or an answer that broke off: transient, asked again a
//     little, after a jittered pause.
//   - 429, and 503 with a usable Retry-After: refused; the whole limit group pauses, then it is asked again.
//   - 401, and 403 with a JSON object: failed (auth). Any other 403 is a firewall's: failed (upstream_error).
//   - 3xx: failed (upstream_error); the token is not carried elsewhere.
//   - Any other status: failed (upstream_error).
//   - What another attempt would not change, such as an answer that is too large or not HTTP: failed.
#pragma once

#include "sqlbak_gateway/base/clock.h"
#include "sqlbak_gateway/base/failure.h"
#include "sqlbak_gateway/upstream/transport.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sqlbak_gateway::upstream {

// Nobody is made to wait longer by one Retry-After, whatever it asks for: a server that says "tomorrow" is
// asked again after this, so that an operator sees recovery within the quarter of an hour.
inline constexpr Duration kLongestRetryAfter = std::chrono::minutes(15);

struct Outcome {
  enum class Kind : std::uint8_t {
    answered,   // status 200 or 404
    transient,  // may well succeed when asked again
    refused,    // the API asks to be asked less
    failed,     // asking again would not help
  };
  Kind kind = Kind::answered;
  bool timed_out = false;  // transient only: the time went by without an answer
  // Refused only: how long the API wants to be left alone; nothing: it does not say.
  std::optional<Duration> retry_after;
  // Unless answered: what to report should this have been the last attempt.
  FailureReason reason = FailureReason::connection;
  std::string message;  // for an operator: what happened, and where it helps, what to do; no secret
};

// `now` stands in for the server's clock when a Retry-After is a date and the answer carries no Date.
Outcome judge(const Completion& completion, SystemTime now);

// Retry-After as RFC 9110 has it: seconds, or an HTTP date, which counts from `server_now`. Never below zero,
// never above kLongestRetryAfter; nothing for garbage.
std::optional<Duration> parse_retry_after(std::string_view text, SystemTime server_now);

// An HTTP date ("Wed, 14 Jan 2026 12:00:00 GMT", and the two obsolete forms RFC 9110 wants read); nothing for
// garbage.
std::optional<SystemTime> parse_http_date(std::string_view text);

// Exponential backoff with full jitter: `fraction` (in [0, 1)) of 500 ms for the first retry, of twice as
// much for each further one, of 30 s at most. `retry` counts from 0.
Duration backoff(std::uint32_t retry, double fraction);

}  // namespace sqlbak_gateway::upstream
