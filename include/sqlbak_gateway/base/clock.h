// The two clocks, and the only place that asks the operating system for the time.
//
// System time is for data (when a run started, how old it is). It may jump. Steady time is for deadlines,
// freshness and rates. It never goes back. Both count in milliseconds or finer inside; a wire format converts
// at the edge.
#pragma once

#include <chrono>

namespace sqlbak_gateway {

using Duration = std::chrono::steady_clock::duration;  // nanoseconds
using SteadyTime = std::chrono::steady_clock::time_point;
using SystemTime = std::chrono::sys_time<std::chrono::milliseconds>;  // since the Unix epoch, UTC

// Resource type, owned by main or a test. It must outlive whatever holds a reference. Safe to call from any
// thread.
class Clock {
 public:
  Clock() = default;
  Clock(const Clock&) = delete;
  Clock& operator=(const Clock&) = delete;
  virtual ~Clock() = default;

  virtual SystemTime system_now() const = 0;
  virtual SteadyTime steady_now() const = 0;
};

// The machine's clocks.
class RealClock final : public Clock {
 public:
  SystemTime system_now() const override;
  SteadyTime steady_now() const override;
};

// Unix time in seconds, as Prometheus wants it.
inline double unix_seconds(SystemTime time) {
  return static_cast<double>(time.time_since_epoch().count()) / 1e3;
}

// Seconds, as Prometheus wants them.
inline double to_seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace sqlbak_gateway
