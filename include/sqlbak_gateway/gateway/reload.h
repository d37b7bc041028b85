// A reload of the configuration, step by step: all or nothing.
#pragma once

#include "sqlbak_gateway/base/result.h"
#include "sqlbak_gateway/config/config.h"
#include "sqlbak_gateway/config/load.h"
#include "sqlbak_gateway/gateway/gateway.h"

#include <functional>

namespace sqlbak_gateway::gateway {

struct ReloadSteps {
  // Reads the configuration. `running` is what is in force.
  std::function<config::LoadOutcome(const config::Config& running)> load;
  // Makes the listeners those of `next`. From then on nothing is accepted until `resume`, so that no new
  // address is served under the old access rules and no old one under the new. An Error leaves them as they
  // were. Empty: nothing listens.
  std::function<Result<void>(const config::ServerConfig& next)> rebind;
  // Accepts again, with the limits of `now`, which is in force.
  std::function<void(const config::ServerConfig& now)> resume;
};

// Reads the configuration and puts it in force, or leaves everything as it is and returns why. Blocks while
// files are read. One reload at a time.
Result<void> reload(Gateway& gateway, const ReloadSteps& steps);

}  // namespace sqlbak_gateway::gateway
