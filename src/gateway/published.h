// Published: a snapshot made ready for answering, once, when its collection ends: judged at its T, and laid
// out for text. Value type of shared immutable parts; safe to read from any thread.
#pragma once

#include "sqlbak_gateway/account/snapshot.h"
#include "sqlbak_gateway/evaluation/policy.h"
#include "sqlbak_gateway/evaluation/prepared.h"
#include "sqlbak_gateway/exposition/render.h"

#include <memory>

namespace sqlbak_gateway::gateway {

struct Published {
  std::shared_ptr<const evaluation::PreparedAccount> account;  // never null
  std::shared_ptr<const exposition::Layout> layout;            // never null

  const Snapshot& snapshot() const { return *account->snapshot; }
  SystemTime collected_at() const { return snapshot().collected_at; }
};

// `previous` (null: none) lends the parts that have not changed.
std::shared_ptr<const Published> publish(std::shared_ptr<const Snapshot> snapshot,
                                         const evaluation::Policy& policy, const exposition::Format& format,
                                         const Published* previous);

}  // namespace sqlbak_gateway::gateway
