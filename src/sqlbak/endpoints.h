// The targets of API requests, which are appended to an account's api_url. Pure functions.
//
// Ids come from the API's answers and are not trusted. Each is percent-encoded into one path segment or query
// value, so that no id can add a segment, a parameter or a header. The dots of the ids "." and ".." are
// encoded too, because a client would resolve such segments away.
#pragma once

#include "sqlbak_gateway/base/clock.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace sqlbak_gateway::sqlbak {

// The largest page that the API gives.
inline constexpr std::uint32_t kPageSize = 100;

std::string me_target();
// Pages are counted from 1.
std::string servers_target(std::uint32_t page);
std::string jobs_target(std::uint32_t page);
std::string settings_target(std::string_view job_id);
// A page of a job's runs. `started_after` is sent as epoch milliseconds, and an instant before 1970 as 0.
std::string runs_target(std::string_view job_id, SystemTime started_after, std::uint32_t page);
std::string run_target(std::string_view run_id);

}  // namespace sqlbak_gateway::sqlbak
