#include "gateway/response_cache.h"

#include <utility>

namespace sqlbak_gateway::gateway {

ResponseCache::Cached ResponseCache::find(const Key& key, SystemTime now) {
  MutexLock lock(mutex_);
  enter_second(now);
  const auto found = bodies_.find(key);
  return found == bodies_.end() ? Cached() : found->second;
}

void ResponseCache::keep(const Key& key, SystemTime now, Cached cached) {
  MutexLock lock(mutex_);
  enter_second(now);
  bodies_.insert_or_assign(key, std::move(cached));
}

void ResponseCache::expire(SystemTime now) {
  MutexLock lock(mutex_);
  enter_second(now);
}

void ResponseCache::enter_second(SystemTime now) {
  const auto second = std::chrono::floor<std::chrono::seconds>(now);
  if (second == second_) return;
  bodies_.clear();
  second_ = second;
}

}  // namespace sqlbak_gateway::gateway
