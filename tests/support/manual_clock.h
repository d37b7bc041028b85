// A clock that tests move by hand. Its system and steady clocks advance together; the system clock can also
// jump alone.
#pragma once

#include "sqlbak_gateway/base/clock.h"
#include "sqlbak_gateway/base/mutex.h"

namespace sqlbak_gateway::testing {

class ManualClock final : public Clock {
 public:
  // A Wednesday at noon, UTC: 2026-01-14T12:00:00Z.
  static constexpr SystemTime kStart{std::chrono::milliseconds{1'768'392'000'000}};

  explicit ManualClock(SystemTime start = kStart) : system_(start) {}

  SystemTime system_now() const override {
    MutexLock lock(mutex_);
    return system_;
  }
  SteadyTime steady_now() const override {
    MutexLock lock(mutex_);
    return steady_;
  }

  void advance(Duration by) {
    MutexLock lock(mutex_);
    steady_ += by;
    system_ += std::chrono::floor<std::chrono::milliseconds>(by);
  }
  // Sets the system clock, as an administrator or NTP does. The steady clock goes on.
  void jump_to(SystemTime time) {
    MutexLock lock(mutex_);
    system_ = time;
  }

 private:
  mutable Mutex mutex_;
  SystemTime system_ GUARDED_BY(mutex_);
  SteadyTime steady_ GUARDED_BY(mutex_){std::chrono::hours(1)};
};

}  // namespace sqlbak_gateway::testing
