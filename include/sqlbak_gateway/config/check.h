// Looking at a Config from outside: what --config.check says, and what /config shows.
#pragma once

#include "sqlbak_gateway/config/bounded_tokens.h"
#include "sqlbak_gateway/config/config.h"
#include "sqlbak_gateway/config/load.h"

#include <string>
#include <vector>

namespace sqlbak_gateway::config {

// The running configuration as TOML, every key with the value in force ([defaults] already merged into the
// accounts), and secrets replaced by "<masked>". Reads back as the same configuration but for those. For
// /config.
std::string masked(const Config& config);

// What the configuration amounts to, for people: accounts, listeners, and which accounts each access entry's
// globs match (a glob without a match is said to have none). For --config.check.
std::string check_report(const Config& config);

// What the files and variables that a configuration names come to. Value type.
struct CheckedFiles {
  std::vector<Diagnostic> errors;  // a file that the gateway could not use
  // A variable or a systemd credential that is not there (it may be where the gateway runs), and accounts
  // that share a token (they share its rate limits too).
  std::vector<Diagnostic> warnings;
};
// Reads every token, and looks at every certificate, key and CA file, as the running gateway would. Nothing
// of it keeps the gateway from starting but the server's own certificate and key. Blocks on the file system,
// but for all tokens together no longer than BoundedTokens::kPatience.
CheckedFiles check_files(const Config& config, const BoundedTokens& tokens);

// The accounts that hold the same token, as sets of two or more names: ascending, and the sets ascending by
// their first name. `tokens` holds what each account's token was read as.
std::vector<std::vector<std::string>> accounts_sharing_a_token(const std::map<std::string, Secret>& tokens);

}  // namespace sqlbak_gateway::config
