// Generation: what one configuration comes to: accounts and access rules. Immutable once made, replaced as a
// whole by a reload.
#pragma once

#include "gateway/access.h"
#include "sqlbak_gateway/config/config.h"
#include "sqlbak_gateway/gateway/configured_account.h"

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sqlbak_gateway::gateway {

struct Generation {
  config::Config config;
  std::size_t files_rejected = 0;
  std::map<std::string, ConfiguredAccount, std::less<>> accounts;
  std::unique_ptr<Access> access;
  std::optional<ConfiguredAccount> single;  // the account of the single-account mode

  // Null if there is none of that name.
  const ConfiguredAccount* find(std::string_view name) const {
    const auto found = accounts.find(name);
    return found == accounts.end() ? nullptr : &found->second;
  }
  std::vector<AccountOnPage> visible_to(const Caller& caller) const {
    std::vector<AccountOnPage> visible;
    for (const auto& [name, account] : accounts) {
      if (caller.may_see(name)) visible.push_back(account.on_page());
    }
    return visible;
  }
};

}  // namespace sqlbak_gateway::gateway
