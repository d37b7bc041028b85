// The debug page of an account: plain text for people in trouble, on a terminal or in a browser.
#pragma once

#include "sqlbak_gateway/gateway/account_view.h"

#include <string>

namespace sqlbak_gateway::gateway {

// `debug=true` and `--probe`: what the last collections did, as far into steps as `detail` says, then
// `exposition`, if any. Pure.
std::string debug_page(const AccountOnPage& account, SystemTime now, TraceDetail detail,
                       const std::string& exposition);

}  // namespace sqlbak_gateway::gateway
