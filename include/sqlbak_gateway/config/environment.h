// The environment variables of the process. main passes them in, so that nothing else asks the operating
// system.
#pragma once

#include <functional>
#include <optional>
#include <string>

namespace sqlbak_gateway::config {

// The value of a variable; empty if it is not set. Safe to call from any thread as long as nobody calls
// setenv.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

}  // namespace sqlbak_gateway::config
