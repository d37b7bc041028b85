// How a probe's answer follows from the state of its account. Pure.
#pragma once

#include "gateway/account_state.h"
#include "sqlbak_gateway/gateway/account_view.h"

namespace sqlbak_gateway::gateway {

// When a probe arrived and is answered, and what came of its waiting.
struct ProbeMoment {
  SteadyTime arrived;
  SteadyTime now;
  SystemTime at;           // t: `now` as system time
  bool collected = false;  // a collection that it waited for has succeeded
};

// Data older than `max_stale` are left out.
ProbeAnswer answer_of(const AccountState& state, const ProbeMoment& moment, Duration max_stale);

}  // namespace sqlbak_gateway::gateway
