#include "sqlbak_gateway/gateway/configured_account.h"

#include "gateway/account.h"

#include <utility>

namespace sqlbak_gateway::gateway {

ConfiguredAccount::ConfiguredAccount(std::shared_ptr<Account> account,
                                     std::shared_ptr<const AccountSettings> settings)
    : account_(std::move(account)), settings_(std::move(settings)) {}

const config::AccountConfig& ConfiguredAccount::config() const {
  return settings_->config;
}

ProbeAnswer ConfiguredAccount::probe(SteadyTime arrived, Deadline deadline) const {
  return account_->probe(settings_, arrived, deadline);
}

AccountView ConfiguredAccount::view() const {
  return account_->view(settings_);
}

AccountOnPage ConfiguredAccount::on_page() const {
  return {&config(), view()};
}

}  // namespace sqlbak_gateway::gateway
