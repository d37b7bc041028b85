// The endpoints of the API. They make an honest reply to a path and its query, from the world and the knobs.
// Pure.
#pragma once

#include "simulator/knobs.h"
#include "simulator/wire.h"
#include "simulator/world.h"

#include <chrono>
#include <string>
#include <string_view>

namespace sqlbak_gateway::simulator {

// What a path below the API's prefix asks for.
struct Route {
  std::string_view endpoint = "other";
  std::string id;  // of the job or run in the path, decoded
};
Route route_of(std::string_view target);

// How faults make lists dishonest.
struct ListFaults {
  bool endless = false;
  int shift = 0;
  Duration late{};
};

Reply answer_endpoint(const Account& account, const Knobs& knobs, const ListFaults& faults,
                      const Route& route, std::string_view target);
// {"error":{"code":…,"message":…}}
Reply error_reply(int status, std::string_view message);

}  // namespace sqlbak_gateway::simulator
