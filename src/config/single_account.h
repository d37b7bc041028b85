// Single-account mode: the published exporter's environment variables as an account.
#pragma once

#include "sqlbak_gateway/config/config.h"
#include "sqlbak_gateway/config/environment.h"
#include "sqlbak_gateway/config/load.h"

#include <optional>
#include <vector>

namespace sqlbak_gateway::config {

inline constexpr const char* kTokenVariable = "SQLBAK_API_TOKEN";

struct SingleAccount {
  AccountConfig account;
  std::optional<ListenAddress> listen;  // from EXPORTER_PORT, where it is set
  std::vector<Diagnostic> errors;       // each names the variable that is malformed
};

// The account `default`: `defaults` with what the environment says on top. Where CHECK_INTERVAL is not set,
// cache_ttl is left as it is in `defaults`.
SingleAccount single_account_from(const Environment& environment, const AccountConfig& defaults);

}  // namespace sqlbak_gateway::config
