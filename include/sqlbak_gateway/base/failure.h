// Why a collection, or one request of it, failed. The names are the values of the label `reason` of
// sqlbak_collection_failure (docs/metrics.md), so their spelling is fixed.
#pragma once

#include <array>
#include <string_view>

namespace sqlbak_gateway {

enum class FailureReason {
  config,          // the account cannot be collected as configured (its token is missing or malformed)
  auth,            // the API refused the token: 401, or 403 in its own words
  rate_limited,    // 429, or 503 with Retry-After, beyond patience
  timeout,         // no answer in time, or no progress in collection_timeout
  connection,      // no connection: DNS, refused, reset, TLS
  upstream_error,  // the API answered 5xx or another unexpected status
  bad_response,    // the answer could not be understood: not JSON, wrong shape, too large, cut off
};

inline constexpr std::array kFailureReasons = {FailureReason::config,       FailureReason::auth,
                                               FailureReason::rate_limited, FailureReason::timeout,
                                               FailureReason::connection,   FailureReason::upstream_error,
                                               FailureReason::bad_response};

constexpr std::string_view name(FailureReason reason) {
  switch (reason) {
    case FailureReason::config:
      return "config";
    case FailureReason::auth:
      return "auth";
    case FailureReason::rate_limited:
      return "rate_limited";
    case FailureReason::timeout:
      return "timeout";
    case FailureReason::connection:
      return "connection";
    case FailureReason::upstream_error:
      return "upstream_error";
    case FailureReason::bad_response:
      return "bad_response";
  }
  return "";
}

}  // namespace sqlbak_gateway
