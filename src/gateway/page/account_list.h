// The list of accounts and the list of an account's collections: their tables of columns, and those cells
// that the page of one account shows too. Pure.
#pragma once

#include "gateway/page/account_row.h"
#include "gateway/page/list.h"

namespace sqlbak_gateway::gateway {

const List<AccountRow>& account_list();

std::span<const Column<Trace>> collection_columns();

Html labels_of(const AccountRow& row);
Html reasons_of(const AccountRow& row);
// Why the latest collection failed, and what to do about it; empty if it did not fail.
Html failure_of(const AccountRow& row);
Html data_age_of(const AccountRow& row, SystemTime now);
Html last_collection_of(const AccountRow& row, SystemTime now);

}  // namespace sqlbak_gateway::gateway
