// Deadline: the instant by which something must be done. It is passed down instead of a relative timeout, so
// that time spent on the way counts only once. Value type.
#pragma once

#include "sqlbak_gateway/base/clock.h"

#include <algorithm>

namespace sqlbak_gateway {

class Deadline {
 public:
  static Deadline at(SteadyTime instant) { return Deadline(instant); }
  // `budget` from `now`. A budget that is too large for the clock means never.
  static Deadline after(SteadyTime now, Duration budget) {
    return budget > SteadyTime::max() - now ? never() : Deadline(now + budget);
  }
  static Deadline never() { return Deadline(SteadyTime::max()); }

  SteadyTime instant() const { return instant_; }
  bool passed(SteadyTime now) const { return now >= instant_; }
  // The time left, never below zero.
  Duration remaining(SteadyTime now) const { return std::max(Duration::zero(), instant_ - now); }

  friend bool operator==(const Deadline&, const Deadline&) = default;
  friend auto operator<=>(const Deadline&, const Deadline&) = default;

 private:
  explicit Deadline(SteadyTime instant) : instant_(instant) {}
  SteadyTime instant_;
};

}  // namespace sqlbak_gateway
