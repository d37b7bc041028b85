// What an account's configuration comes to for the layers below.
#pragma once

#include "sqlbak_gateway/base/clock.h"
#include "sqlbak_gateway/config/config.h"
#include "sqlbak_gateway/evaluation/policy.h"
#include "sqlbak_gateway/exposition/render.h"
#include "sqlbak_gateway/upstream/transport.h"

#include <memory>

namespace sqlbak_gateway::gateway {

std::shared_ptr<const upstream::Peer> peer_of(const config::AccountConfig& config);
evaluation::Policy policy_of(const config::AccountConfig& config);
exposition::Format format_of(const config::AccountConfig& config);
// A first reading goes back twice the largest configured max_age, so that a late job is known to be late at
// once. It holds for every job: overrides are matched by evaluation, and reading a little more of a few jobs
// once costs little.
Duration first_reach_of(const config::AccountConfig& config);

}  // namespace sqlbak_gateway::gateway
