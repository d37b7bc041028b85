// CollectionStatus: the state of collecting an account, which an answer reports with or without data. Plain
// data; whoever runs collections fills it.
#pragma once

#include "sqlbak_gateway/base/clock.h"
#include "sqlbak_gateway/base/failure.h"

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace sqlbak_gateway::evaluation {

struct EndpointStatus {
  std::string_view endpoint;  // "me", "servers", …: static text
  bool up = false;            // the latest answer in the latest collection was usable
};

struct CollectionStatus {
  bool succeeded = false;     // the latest completed collection succeeded: probe_success
  Duration probe_duration{};  // of this probe, waiting included

  // The instants T of the last successful collection and of the last collection. Empty before the first.
  std::optional<SystemTime> last_success;
  std::optional<SystemTime> last_attempt;
  std::optional<Duration> duration;           // of the last collection that ended
  std::optional<std::uint64_t> api_requests;  // of the last collection that ended
  bool in_progress = false;
  std::uint32_t jobs_pending = 0;
  std::uint32_t jobs_unreadable = 0;
  std::optional<FailureReason> failure;   // of the latest completed collection, if it failed
  std::vector<EndpointStatus> endpoints;  // those that have been asked, each once

  // The published exporter's gauges. If data are missing or too old, they are still there, and 0.
  bool jobruns_available = false;
  bool jobsettings_available = false;
};

}  // namespace sqlbak_gateway::evaluation
