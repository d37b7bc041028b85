#include "sqlbak_gateway/gateway/shared_bodies.h"

#include <utility>

namespace sqlbak_gateway::gateway {

SharedBodies::Shared SharedBodies::find(const Key& key, SystemTime now) {
  MutexLock lock(mutex_);
  enter_second(now);
  const auto found = bodies_.find(key);
  return found == bodies_.end() ? Shared() : found->second;
}

void SharedBodies::keep(const Key& key, SystemTime now, Shared shared) {
  MutexLock lock(mutex_);
  enter_second(now);
  bodies_.insert_or_assign(key, std::move(shared));
}

void SharedBodies::expire(SystemTime now) {
  MutexLock lock(mutex_);
  enter_second(now);
}

void SharedBodies::enter_second(SystemTime now) {
  const auto second = std::chrono::floor<std::chrono::seconds>(now);
  if (second == second_) return;
  bodies_.clear();
  second_ = second;
}

}  // namespace sqlbak_gateway::gateway
