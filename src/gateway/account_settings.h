// AccountSettings: an account's configuration and what follows from it for the layers below. Immutable,
// shared by whoever works with it; a reload makes new ones.
#pragma once

#include "sqlbak_gateway/base/clock.h"
#include "sqlbak_gateway/base/secret.h"
#include "sqlbak_gateway/config/config.h"
#include "sqlbak_gateway/evaluation/policy.h"
#include "sqlbak_gateway/exposition/render.h"
#include "sqlbak_gateway/gateway/collector.h"
#include "sqlbak_gateway/upstream/transport.h"

#include <memory>

namespace sqlbak_gateway::gateway {

struct AccountSettings {
  explicit AccountSettings(config::AccountConfig configuration);

  const config::AccountConfig config;
  const std::shared_ptr<const upstream::Peer> peer;
  const evaluation::Policy policy;
  const exposition::Format format;
};

exposition::Format format_of(const config::AccountConfig& config);

// The order of a collection that starts at `now` and reads with `token`; its account, sink and limit of
// answers are left to be set.
CollectionOrder order_of(const AccountSettings& settings, Secret token, SystemTime now);

}  // namespace sqlbak_gateway::gateway
