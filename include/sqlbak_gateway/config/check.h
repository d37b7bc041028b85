// What --config.check says and /config shows of a Config.
#pragma once

#include "sqlbak_gateway/config/bounded_tokens.h"
#include "sqlbak_gateway/config/config.h"
#include "sqlbak_gateway/config/load.h"

#include <string>
#include <vector>

namespace sqlbak_gateway::config {

// The running configuration as TOML, every key with the value in force ([defaults] already merged into the
// accounts), and secrets replaced by "<masked>". Apart from these it reads back as the same configuration.
// For /config.
std::string masked(const Config& config);

// A summary of the configuration for people: accounts, listeners, and which accounts the globs of each access
// entry match. For --config.check.
std::string check_report(const Config& config);

// The result of reading the files and variables that a configuration names. Value type.
struct CheckedFiles {
  std::vector<Diagnostic> errors;  // a file that the gateway could not use
  // A variable or a systemd credential that does not exist here (it may exist where the gateway runs), and
  // accounts that share a token (and so its rate limits).
  std::vector<Diagnostic> warnings;
};
// Reads every token, certificate, key and CA file, as the running gateway would. Only errors in the server's
// own certificate and key would prevent a start. Blocks on the file system, for all tokens together no longer
// than BoundedTokens::kPatience.
CheckedFiles check_files(const Config& config, const BoundedTokens& tokens);

// The sets of two or more accounts that have the same token. Names are ascending, sets ascend by their first
// name. `tokens` has the result of reading each account's token.
std::vector<std::vector<std::string>> accounts_sharing_a_token(const std::map<std::string, Secret>& tokens);

}  // namespace sqlbak_gateway::config
