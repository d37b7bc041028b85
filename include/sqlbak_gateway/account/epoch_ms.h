// EpochMs: an instant as the API writes it, in milliseconds since the Unix epoch, or empty.
//
// It is a double, because the API's numbers may be fractional, and a double is exact for every value that a
// clock can show. The empty value is NaN, so that a packed record needs eight bytes. Value type.
#pragma once

#include "sqlbak_gateway/base/clock.h"

#include <cmath>
#include <limits>

namespace sqlbak_gateway {

class EpochMs {
 public:
  constexpr EpochMs() = default;
  // NaN and infinities are empty.
  explicit EpochMs(double milliseconds)
      : milliseconds_(std::isfinite(milliseconds) ? milliseconds : std::numeric_limits<double>::quiet_NaN()) {
  }
  explicit EpochMs(SystemTime time) : milliseconds_(static_cast<double>(time.time_since_epoch().count())) {}

  bool has_value() const { return !std::isnan(milliseconds_); }
  // Milliseconds since the epoch. NaN if empty, so that every comparison with it is false.
  double milliseconds() const { return milliseconds_; }
  double seconds() const { return milliseconds_ / 1e3; }

  // Two empty instants are equal.
  friend bool operator==(EpochMs a, EpochMs b) {
    return a.milliseconds_ == b.milliseconds_ || (!a.has_value() && !b.has_value());
  }

 private:
  double milliseconds_ = std::numeric_limits<double>::quiet_NaN();
};

inline constexpr double kMillisecondsPerHour = 3'600'000.0;
inline constexpr double kMillisecondsPerDay = 86'400'000.0;

}  // namespace sqlbak_gateway
