// Ready-made accounts: the three sizes that figures are quoted for, and the demo's three customers.
#pragma once

#include "simulator/world.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace sqlbak_gateway::simulator {

// small: 2 servers, 10 jobs, 30 runs each. typical: 20, 40, 60. large: 50, 200, 700.
struct Size {
  std::size_t servers = 0;
  std::size_t jobs = 0;
  std::size_t runs = 0;  // of each job; all of them finished, and inside the job's window at the start
};
inline constexpr Size kSmall{2, 10, 30};
inline constexpr Size kTypical{20, 40, 60};
inline constexpr Size kLarge{50, 200, 700};
// Empty for any other name.
std::optional<Size> size_named(std::string_view name);

// An account whose history ends at `now` and goes on from there.
std::unique_ptr<Account> generated_account(std::string name, std::string token, Size size, SystemTime now,
                                           std::uint64_t seed, Evolution evolution = {true, true});

// account-0001 … with the tokens token-account-0001 …
World generated_world(std::size_t accounts, Size size, SystemTime now, std::uint64_t seed,
                      Evolution evolution = {true, true});

// acme (healthy, except for one offline server), globex (failed backups, one database that always fails) and
// initech (a job that stopped two weeks ago, files past their retention). Their tokens are not secret:
// demo-token-acme …
World demo_world(SystemTime now, std::uint64_t seed = 1);
inline constexpr std::string_view kDemoTokenPrefix = "demo-token-";

}  // namespace sqlbak_gateway::simulator
