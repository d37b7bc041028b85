// Numbers, durations and names as people read them. Pure functions.
#pragma once

#include "sqlbak_gateway/base/clock.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sqlbak_gateway::gateway {

// "12 s", "3 min", "2 h 5 min", "4 d 7 h"; below a second "350 ms". A negative duration is "0 ms".
std::string duration_in_words(Duration duration);
// The same in whole seconds: "0 s", "12 s".
std::string age_in_words(Duration age);
// "1,234"
std::string grouped(std::uint64_t number);
// "1 job", "2 jobs"
std::string counted(std::uint64_t number, std::string_view singular, std::string_view plural);

// Text from outside, cut to a length that a page can show, with an ellipsis if something is missing.
inline constexpr std::size_t kLongestName = 120;  // bytes
std::string shortened(std::string_view text, std::size_t bytes = kLongestName);
// The same, and "(no name)" for an empty one.
std::string display_name(std::string_view name);

}  // namespace sqlbak_gateway::gateway
