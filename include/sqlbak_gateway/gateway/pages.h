// Pages: what people read. Pure functions from views to text; nothing here locks, waits or asks the time.
#pragma once

#include "sqlbak_gateway/gateway/account.h"

#include <memory>
#include <string>
#include <vector>

namespace sqlbak_gateway::gateway {

// One account on a page.
struct AccountOnPage {
  const config::AccountConfig* config = nullptr;
  AccountView view;
};

// `debug=true`: what the last collections did, step by step, then `exposition`. Plain text.
std::string debug_page(const AccountOnPage& account, SystemTime now, const std::string& exposition);

// `/`: the accounts that the caller may see. HTML.
std::string overview_page(const std::vector<AccountOnPage>& accounts, SystemTime now);

}  // namespace sqlbak_gateway::gateway
