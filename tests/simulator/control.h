// The control endpoint, by which tests and demo scripts change and query a simulator that runs as a program.
// Its paths begin with /_simulator; GET /_simulator/ lists them. It needs no token and hides nothing.
#pragma once

#include "simulator/simulator.h"

#include <string_view>

namespace sqlbak_gateway::simulator {

inline constexpr std::string_view kControlPrefix = "/_simulator";

// Answers 400 with a reason if it cannot do what is asked, 404 for an unknown path, account, server or job.
Reply answer_control(Simulator& simulator, const Request& request);
// One line of help for each path.
std::string_view control_help();

}  // namespace sqlbak_gateway::simulator
