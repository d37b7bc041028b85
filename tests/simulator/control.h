// The control endpoint: what a test or a demo script changes in, and asks of, a simulator that runs as a
// program. Its paths begin with /_simulator; GET /_simulator/ lists them. It needs no token, and tells
// everything.
#pragma once

#include "simulator/simulator.h"

#include <string_view>

namespace sqlbak_gateway::simulator {

inline constexpr std::string_view kControlPrefix = "/_simulator";

// 400 with a sentence for what it cannot do, 404 for an unknown path, account, server or job.
Reply answer_control(Simulator& simulator, const Request& request);
// One line of help for each path.
std::string_view control_help();

}  // namespace sqlbak_gateway::simulator
