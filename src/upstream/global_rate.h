// The rate of all accounts together, and how long it has held requests up.
#pragma once

#include "sqlbak_gateway/base/clock.h"
#include "upstream/token_bucket.h"

#include <algorithm>
#include <optional>

namespace sqlbak_gateway::upstream {

class GlobalRate {
 public:
  explicit GlobalRate(double requests_per_second)
      : bucket_(requests_per_second, burst_of(requests_per_second)) {}

  void set(double requests_per_second, SteadyTime now) {
    bucket_.set(requests_per_second, burst_of(requests_per_second), now);
  }
  bool allows_one(SteadyTime now) const { return bucket_.available(now) >= 1; }
  SteadyTime next(SteadyTime now) const { return bucket_.next(now); }
  void spend(SteadyTime now) { bucket_.spend(now); }

  // From now on, whether a request is ready and a slot is free, and only this rate holds it up.
  void throttle(bool throttles, SteadyTime now) {
    throttled_ = throttled(now);
    since_ = throttles ? std::optional(now) : std::nullopt;
  }
  // The time in which it did.
  Duration throttled(SteadyTime now) const {
    return throttled_ + (since_ ? now - *since_ : Duration::zero());
  }

 private:
  // One second's worth.
  static double burst_of(double requests_per_second) { return std::max(1.0, requests_per_second); }

  TokenBucket bucket_;
  Duration throttled_{};
  std::optional<SteadyTime> since_;
};

}  // namespace sqlbak_gateway::upstream
