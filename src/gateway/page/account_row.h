// AccountRow: what the page says about an account. It is for an operator who is called at night: which
// customers have a problem, and why. So accounts are sorted worst first, and every state comes with its
// reasons in words. Text from the API is cut to a length that a page can show. Pure functions.
#pragma once

#include "gateway/page/states.h"
#include "gateway/published.h"
#include "gateway/trace.h"
#include "sqlbak_gateway/gateway/account_view.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sqlbak_gateway::gateway {

// Cheap enough to be made for every account of a list. Refers to the account, which must outlive it.
struct AccountRow {
  const AccountOnPage* account;
  Standing standing = Standing::well;
  bool at_risk = false;
  bool not_collected = false;
  bool stale = false;
  Duration data_age = Duration::max();  // max if there are no data

  const config::AccountConfig& config() const { return *account->config; }
  const AccountView& view() const { return account->view; }
  const evaluation::PreparedAccount* data() const {  // null if nothing has been read
    return view().data ? view().data->account.get() : nullptr;
  }
};
AccountRow account_row(const AccountOnPage& account, SystemTime now);

// Data that are older are stale: three hours (as in the alert SqlBakDataStale), or twice cache_ttl if that is
// longer, or max_stale if that is shorter.
Duration stale_after(const config::AccountConfig& config);

// Whether the account counts as one of these. It may be at risk, not collected and stale at once; of the
// other states it has at most one.
bool counts_as(const AccountRow& row, Standing standing);
// The order in which an operator should look at accounts: by state, then by how many jobs are late or
// failing, …, at last by name. No two accounts are equal.
bool worse(const AccountRow& a, const AccountRow& b);

// Empty if nothing has been read.
std::optional<std::uint64_t> jobs_in(const AccountRow& row, evaluation::JobState state);
std::optional<std::uint64_t> servers(const AccountRow& row);
std::optional<std::uint64_t> servers_offline(const AccountRow& row);
std::optional<SystemTime> data_from(const AccountRow& row);

// Why the account is not well, worst first; of several jobs or servers the first few are named.
struct Reason {
  Standing weight = Standing::attention;  // the state that it gives the account
  std::string text;
};
std::vector<Reason> reasons(const AccountRow& row);
// What to do about the failure of the latest collection; empty if it did not fail.
std::string_view advice(const AccountRow& row);

}  // namespace sqlbak_gateway::gateway
