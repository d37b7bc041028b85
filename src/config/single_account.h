// Single-account mode: the published exporter's environment variables as an account.
#pragma once

#include "sqlbak_gateway/config/config.h"
#include "sqlbak_gateway/config/environment.h"
#include "sqlbak_gateway/config/load.h"

#include <optional>
#include <string>
#include <vector>

namespace sqlbak_gateway::config {

inline constexpr const char* kTokenVariable = "SQLBAK_API_TOKEN";
inline constexpr const char* kTokenFileVariable = "SQLBAK_API_TOKEN_FILE";

// The variable that asks for this mode; nothing where none is set.
std::optional<std::string> single_account_variable(const Environment& environment);

struct SingleAccount {
  AccountConfig account;
  std::optional<ListenAddress> listen;  // from EXPORTER_PORT, where it is set
  std::vector<Diagnostic> errors;       // each names the variable that is malformed
  std::vector<Diagnostic> warnings;     // each names the variable that is ignored
};

// The account `default`: `defaults` with what the environment says on top. Where CHECK_INTERVAL is not set,
// cache_ttl is left as it is in `defaults`.
SingleAccount single_account_from(const Environment& environment, const AccountConfig& defaults);

}  // namespace sqlbak_gateway::config
