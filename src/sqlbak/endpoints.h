// The request targets of the API: what is appended to an account's api_url. Pure functions.
//
// Ids come from the API's answers and are not trusted: each is percent-encoded into one path segment or query
// value, so that no id can add a segment, a parameter or a header. The ids "." and ".." get their dots
// encoded too, because as plain segments a client would resolve them away.
#pragma once

#include "sqlbak_gateway/base/clock.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace sqlbak_gateway::sqlbak {

// The API's largest page, and its default.
inline constexpr std::uint32_t kPageSize = 100;

std::string me_target();
// Pages are counted from 1.
std::string servers_target(std::uint32_t page);
std::string jobs_target(std::uint32_t page);
std::string settings_target(std::string_view job_id);
// A page of a job's runs. `started_after` goes out as epoch milliseconds, an instant before 1970 as 0.
std::string runs_target(std::string_view job_id, SystemTime started_after, std::uint32_t page);
std::string run_target(std::string_view run_id);

}  // namespace sqlbak_gateway::sqlbak
