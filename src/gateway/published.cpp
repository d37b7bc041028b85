#include "gateway/published.h"

#include <utility>

namespace sqlbak_gateway::gateway {

std::shared_ptr<const Published> publish(std::shared_ptr<const Snapshot> snapshot,
                                         const evaluation::Policy& policy, const exposition::Format& format,
                                         const Published* previous) {
  auto account = std::make_shared<const evaluation::PreparedAccount>(
      evaluation::prepare(std::move(snapshot), policy, previous ? previous->account.get() : nullptr));
  auto layout = std::make_shared<const exposition::Layout>(account, format);
  return std::make_shared<const Published>(Published{std::move(account), std::move(layout)});
}

}  // namespace sqlbak_gateway::gateway
