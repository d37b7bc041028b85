// JSON for scripts: durations are in seconds, to the millisecond; instants are RFC 3339 in UTC; what is not
// known is null. Pure functions.
#pragma once

#include "sqlbak_gateway/base/clock.h"
#include "sqlbak_gateway/base/text.h"

#include <cmath>
#include <optional>

#include <nlohmann/json.hpp>

namespace sqlbak_gateway::gateway {

using Json = nlohmann::ordered_json;

inline Json json_of(SystemTime instant) {
  return format_time(instant);
}

inline Json json_of(Duration duration) {
  return std::round(to_seconds(duration) * 1e3) / 1e3;
}

template <typename Value>
Json json_of(const std::optional<Value>& known) {
  if (!known) return {};
  if constexpr (requires { json_of(*known); }) {
    return json_of(*known);
  } else {
    return *known;
  }
}

}  // namespace sqlbak_gateway::gateway
