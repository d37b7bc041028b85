#include "gateway/token_watch.h"

#include <utility>

namespace sqlbak_gateway::gateway {
namespace {

// Lets one thread in, for a scope.
class OneAtATime {
 public:
  explicit OneAtATime(std::atomic_flag& taken) : taken_(taken), in_(!taken.test_and_set()) {}
  OneAtATime(const OneAtATime&) = delete;
  OneAtATime& operator=(const OneAtATime&) = delete;
  ~OneAtATime() {
    if (in_) taken_.clear();
  }
  explicit operator bool() const { return in_; }

 private:
  std::atomic_flag& taken_;
  const bool in_;
};

}  // namespace

Result<Secret> TokenWatch::read(const config::TokenSource& source, Deadline deadline) {
  config::TokenLook look = tokens_.look(source, deadline);
  MutexLock lock(mutex_);
  stamp_ = look.stamp;
  return std::move(look.token);
}

bool TokenWatch::changed(const config::TokenSource& source, Deadline deadline) {
  const OneAtATime turn(looking_);
  if (!turn) return false;
  const config::TokenLook look = tokens_.look(source, deadline);
  MutexLock lock(mutex_);
  if (!look.stamp || look.stamp == stamp_) return false;
  stamp_ = look.stamp;
  return true;
}

}  // namespace sqlbak_gateway::gateway
