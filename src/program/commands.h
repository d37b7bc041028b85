// What the program can be asked to do. Each command returns the exit status.
#pragma once

#include "program/signals.h"
#include "sqlbak_gateway/base/clock.h"
#include "sqlbak_gateway/base/log.h"
#include "sqlbak_gateway/config/bounded_tokens.h"
#include "sqlbak_gateway/config/flags.h"
#include "sqlbak_gateway/config/load.h"

#include <cstdint>
#include <cstdio>
#include <optional>
#include <string_view>

namespace sqlbak_gateway {

inline constexpr int kFailed = 1;
inline constexpr int kWrongUsage = 2;

inline void print(std::FILE* out, std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), out);
}

// --config.check: prints what is wrong with the configuration, or what it comes to.
int check_command(const config::Flags& flags);

// What --probe and the service begin with.
struct Begun {
  const config::Flags& flags;
  const config::BoundedTokens& tokens;
  const Logger& log;
  const Clock& clock;
  std::uint64_t seed;  // of what is random
};

// --probe=ACCOUNT: collects one account and prints its metrics. `loaded` must hold a configuration.
int probe_command(config::LoadOutcome loaded, const Begun& begun);

// Serves until a signal says stop. `loaded` must hold a configuration; `stop_while_starting` is reset once
// signals are taken.
int serve_command(config::LoadOutcome loaded, const Begun& begun,
                  std::optional<StopWhileStarting>& stop_while_starting);

}  // namespace sqlbak_gateway
