// ConfiguredAccount: an account under the settings of one configuration. This is what a request works with: a
// reload gives later requests others. Value type; all methods may be called from any thread.
#pragma once

#include "sqlbak_gateway/base/clock.h"
#include "sqlbak_gateway/base/deadline.h"
#include "sqlbak_gateway/config/config.h"
#include "sqlbak_gateway/gateway/account_view.h"

#include <memory>

namespace sqlbak_gateway::gateway {

class Account;
struct AccountSettings;

class ConfiguredAccount {
 public:
  // Neither may be null.
  ConfiguredAccount(std::shared_ptr<Account> account, std::shared_ptr<const AccountSettings> settings);

  const config::AccountConfig& config() const;
  // Answers a probe that arrived at `arrived`, waiting no longer than `deadline`. Blocks.
  ProbeAnswer probe(SteadyTime arrived, Deadline deadline) const;
  AccountView view() const;
  // Valid as long as this object is.
  AccountOnPage on_page() const;

  const std::shared_ptr<Account>& account() const { return account_; }
  const std::shared_ptr<const AccountSettings>& settings() const { return settings_; }

 private:
  std::shared_ptr<Account> account_;
  std::shared_ptr<const AccountSettings> settings_;
};

}  // namespace sqlbak_gateway::gateway
