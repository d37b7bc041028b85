// The window rule: which runs of a job the published metrics count.
#pragma once

#include "sqlbak_gateway/account/snapshot.h"
#include "sqlbak_gateway/base/clock.h"

#include <chrono>

namespace sqlbak_gateway {

// The window reaches this much further back than the largest retention.
inline constexpr std::chrono::hours kRetentionReserve{7 * 24};

// How far back from the start of a collection a job's window reaches: the larger of `lookback` and the
// largest retention of the job's enabled types plus kRetentionReserve. A negative retention counts as what it
// is and shortens the sum. `settings` may be null: without settings the window is `lookback`. Pure; in
// milliseconds, as a floating-point number, because the largest retentions do not fit into Duration.
std::chrono::duration<double, std::milli> window_of(Duration lookback, const JobSettings* settings);

}  // namespace sqlbak_gateway
