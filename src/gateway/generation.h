// Generation: what one configuration comes to: accounts and access rules. Immutable once made, replaced as a
// whole by a reload.
#pragma once

#include "sqlbak_gateway/config/config.h"
#include "sqlbak_gateway/gateway/access.h"
#include "sqlbak_gateway/gateway/account.h"

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace sqlbak_gateway::gateway {

struct Generation {
  config::Config config;
  std::size_t files_rejected = 0;
  std::map<std::string, std::shared_ptr<Account>, std::less<>> accounts;
  std::unique_ptr<Access> access;
  std::shared_ptr<Account> single;  // the account of the single-account mode, else null

  std::vector<AccountOnPage> visible_to(const Caller& caller) const {
    std::vector<AccountOnPage> visible;
    for (const auto& [name, account] : accounts) {
      if (caller.may_see(name)) visible.push_back({&account->config(), account->view()});
    }
    return visible;
  }
};

}  // namespace sqlbak_gateway::gateway
