// A token bucket: `rate` tokens a second, of which up to `burst` are saved up. It starts full. Value type.
#pragma once

#include "sqlbak_gateway/base/clock.h"

#include <algorithm>
#include <cmath>

namespace sqlbak_gateway::upstream {

class TokenBucket {
 public:
  // A rate of 0 is no limit.
  TokenBucket(double rate, double burst) : rate_(rate), burst_(burst), tokens_(burst) {}

  // Changes the limits from `now` on; what was saved up stays, as far as the new burst allows. Without a
  // limit before, everything was.
  void set(double rate, double burst, SteadyTime now) {
    refill(now);
    tokens_ = limited() ? std::min(tokens_, burst) : burst;
    rate_ = rate;
    burst_ = burst;
  }

  bool limited() const { return rate_ > 0; }
  // When `tokens` will be there: `now`, or later.
  SteadyTime next(SteadyTime now, double tokens = 1) const {
    const double missing = tokens - tokens_at(now);
    if (!limited() || missing <= kNearlyNothing) return now;
    return now + std::chrono::ceil<Duration>(std::chrono::duration<double>(missing / rate_));
  }
  // Whole tokens that are there.
  double available(SteadyTime now) const { return std::floor(tokens_at(now) + kNearlyNothing); }
  bool full(SteadyTime now) const { return !limited() || tokens_at(now) >= burst_; }
  // Spends one token that is there.
  void spend(SteadyTime now) {
    refill(now);
    if (limited()) tokens_ = std::max(0.0, tokens_ - 1);
  }

 private:
  // A token that is there but for rounding is there.
  static constexpr double kNearlyNothing = 1e-6;

  double tokens_at(SteadyTime now) const {
    return limited() ? std::min(burst_,
                                tokens_ + rate_ * to_seconds(std::max(Duration::zero(), now - refilled_at_)))
                     : burst_;
  }
  void refill(SteadyTime now) {
    tokens_ = tokens_at(now);
    refilled_at_ = std::max(refilled_at_, now);
  }

  double rate_;
  double burst_;
  double tokens_;
  SteadyTime refilled_at_{};
};

}  // namespace sqlbak_gateway::upstream
