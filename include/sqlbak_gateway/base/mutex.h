// std::mutex with clang's thread-safety annotations. `clang++ -Wthread-safety` (presets asan and tidy) checks
// that guarded members are used only under their lock. g++ ignores the annotations.
#pragma once

#include "sqlbak_gateway/base/clock.h"

#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define SQLBAK_GATEWAY_ATTRIBUTE(x) __attribute__((x))
#else
#define SQLBAK_GATEWAY_ATTRIBUTE(x)
#endif

// The member is used only while `mutex` is held.
#define GUARDED_BY(mutex) SQLBAK_GATEWAY_ATTRIBUTE(guarded_by(mutex))
// The function is called only while `...` is held.
#define REQUIRES(...) SQLBAK_GATEWAY_ATTRIBUTE(requires_capability(__VA_ARGS__))
// The function takes `...` itself, so the caller must not hold it.
#define EXCLUDES(...) SQLBAK_GATEWAY_ATTRIBUTE(locks_excluded(__VA_ARGS__))

namespace sqlbak_gateway {

class SQLBAK_GATEWAY_ATTRIBUTE(capability("mutex")) Mutex {
 public:
  void lock() SQLBAK_GATEWAY_ATTRIBUTE(acquire_capability()) { mutex_.lock(); }
  void unlock() SQLBAK_GATEWAY_ATTRIBUTE(release_capability()) { mutex_.unlock(); }

 private:
  std::mutex mutex_;
};

// Holds a Mutex for a scope.
class SQLBAK_GATEWAY_ATTRIBUTE(scoped_lockable) MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) SQLBAK_GATEWAY_ATTRIBUTE(acquire_capability(mutex)) : mutex_(mutex) {
    mutex_.lock();
  }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;
  ~MutexLock() SQLBAK_GATEWAY_ATTRIBUTE(release_capability()) { mutex_.unlock(); }

 private:
  Mutex& mutex_;
};

// A condition variable for Mutex. Wait in a loop that tests the condition:
//   MutexLock lock(mutex_); while (!ready_) changed_.wait(mutex_);
class Condition {
 public:
  void wait(Mutex& mutex) REQUIRES(mutex) { condition_.wait(mutex); }
  // Takes a duration rather than an instant, so that the caller's Clock stays the only one.
  std::cv_status wait_for(Mutex& mutex, Duration at_most) REQUIRES(mutex) {
    return condition_.wait_for(mutex, at_most);
  }
  void notify_one() { condition_.notify_one(); }
  void notify_all() { condition_.notify_all(); }

 private:
  std::condition_variable_any condition_;
};

}  // namespace sqlbak_gateway
