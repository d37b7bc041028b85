// What the flags, the files and the environment say.
#pragma once

#include "sqlbak_gateway/base/log.h"
#include "sqlbak_gateway/config/bounded_tokens.h"
#include "sqlbak_gateway/config/config.h"
#include "sqlbak_gateway/config/flags.h"
#include "sqlbak_gateway/config/load.h"
#include "sqlbak_gateway/http/listener.h"
#include "sqlbak_gateway/upstream/scheduler.h"

#include <optional>
#include <string>
#include <vector>

namespace sqlbak_gateway {

// The value of an environment variable; empty if it is not set.
std::optional<std::string> environment(const std::string& name);

// Reads the configuration files. `running` is what is in force, for a reload.
config::LoadOutcome load_files(const config::Flags& flags, config::LoadMode mode,
                               const config::Config* running = nullptr);
// load_files(), and as warnings what is wrong with the tokens and certificates that the files name: one
// customer's trouble with a token does not keep the others waiting.
config::LoadOutcome load(const config::Flags& flags, config::LoadMode mode,
                         const config::BoundedTokens& tokens, const config::Config* running = nullptr);
// Adds what is wrong with the files that the configuration names to `errors` and `warnings`.
void check_named_files(const config::Config& config, const config::BoundedTokens& tokens,
                       std::vector<config::Diagnostic>& errors, std::vector<config::Diagnostic>& warnings);
// Writes the warnings and errors of a start into the log.
void log_outcome(const config::LoadOutcome& loaded, const Logger& log);

// What other layers need of it.
std::string user_agent();
upstream::GlobalLimits limits_of(const config::UpstreamConfig& upstream);
std::optional<http::TlsFiles> tls_files_of(const config::ServerConfig& server);
std::vector<http::Listener> listeners_of(const config::ServerConfig& server);

}  // namespace sqlbak_gateway
