// Hand-written accounts whose whole expositions are kept as golden files and given to promtool.
#pragma once

#include "sqlbak_gateway/exposition/render.h"

#include <string>
#include <vector>

namespace sqlbak_gateway::testing {

struct NamedAccount {
  std::string name;
  std::shared_ptr<const evaluation::PreparedAccount> account;  // null: there are no data
  evaluation::CollectionStatus status;
  SystemTime answered_at{};
  std::size_t max_series = 50000;
};

std::vector<NamedAccount> hand_written_accounts();

std::string exposition_of(const NamedAccount& account, exposition::NameMode mode);

}  // namespace sqlbak_gateway::testing
