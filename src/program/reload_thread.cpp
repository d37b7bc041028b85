#include "program/reload_thread.h"

#include <utility>

namespace sqlbak_gateway {

ReloadThread::ReloadThread(Reload reload) : thread_([this, reload = std::move(reload)] { run(reload); }) {}

ReloadThread::~ReloadThread() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void ReloadThread::request() {
  {
    MutexLock lock(mutex_);
    ++requested_;
  }
  changed_.notify_all();
}

Result<void> ReloadThread::reload() {
  MutexLock lock(mutex_);
  const std::uint64_t mine = ++requested_;
  changed_.notify_all();
  while (done_ < mine && !stopping_) changed_.wait(mutex_);
  if (done_ < mine) return Error{"the gateway is stopping"};
  return outcome_;
}

std::uint64_t ReloadThread::wanted() {
  MutexLock lock(mutex_);
  while (requested_ == done_ && !stopping_) changed_.wait(mutex_);
  return stopping_ ? 0 : requested_;
}

void ReloadThread::run(const Reload& reload) {
  while (const std::uint64_t served = wanted()) {
    Result<void> outcome = reload();
    MutexLock lock(mutex_);
    done_ = served;
    outcome_ = std::move(outcome);
    changed_.notify_all();
  }
}

}  // namespace sqlbak_gateway
