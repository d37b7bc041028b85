#include "http/workers.h"

#include <algorithm>
#include <system_error>
#include <utility>

namespace sqlbak_gateway::http {

bool Workers::submit(Job job) {
  Worker* called = nullptr;
  {
    MutexLock lock(mutex_);
    if (stopping_) return false;
    if (!idle_.empty()) {
      called = idle_.back();
      idle_.pop_back();
      least_idle_ = std::min(least_idle_, idle_.size());
      called->job = std::move(job);
    } else if (alive_ >= max_threads_ || !grow(job)) {
      if (alive_ == 0) return false;
      waiting_.push_back(std::move(job));
    }
  }
  if (called != nullptr) called->called.release();  // outside the lock: it runs at once
  return true;
}

bool Workers::grow(Job& job) {
  Worker& worker = workers_.emplace_back();
  try {
    worker.thread = std::thread([self = shared_from_this(), &worker] { self->run(worker); });
  } catch (const std::system_error&) {
    workers_.pop_back();
    return false;
  }
  worker.job = std::move(job);
  worker.called.release();
  ++alive_;
  return true;
}

void Workers::run(Worker& self) {
  while (true) {
    self.called.acquire();
    if (!self.job) break;
    bool more = true;
    while (more) {
      self.job();
      self.job = nullptr;  // with what it holds, before the thread is seen to be idle
      MutexLock lock(mutex_);
      more = !waiting_.empty();
      if (more) {
        self.job = std::move(waiting_.front());
        waiting_.pop_front();
      } else {
        idle_.push_back(&self);
        if (stopping_) dismiss(1);
      }
    }
  }
  MutexLock lock(mutex_);
  --alive_;
  self.ended = true;
  changed_.notify_all();
}

void Workers::dismiss(std::size_t threads) {
  const auto end = idle_.begin() + static_cast<std::ptrdiff_t>(threads);
  std::for_each(idle_.begin(), end, [](Worker* worker) { worker->called.release(); });
  idle_.erase(idle_.begin(), end);
}

std::list<Workers::Worker> Workers::ended() {
  std::list<Worker> gone;
  for (auto worker = workers_.begin(); worker != workers_.end();) {
    const auto next = std::next(worker);
    if (worker->ended) gone.splice(gone.end(), workers_, worker);
    worker = next;
  }
  return gone;
}

void Workers::set_max_threads(std::size_t threads) {
  MutexLock lock(mutex_);
  max_threads_ = threads;
}

void Workers::trim() {
  std::list<Worker> gone;
  {
    MutexLock lock(mutex_);
    dismiss(std::min(least_idle_, idle_.size()));
    least_idle_ = idle_.size();
    gone = ended();
  }
  for (Worker& worker : gone) worker.thread.join();
}

std::size_t Workers::threads() const {
  MutexLock lock(mutex_);
  return alive_;
}

void Workers::stop(std::size_t stuck) {
  std::list<Worker> gone;
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    waiting_.clear();
    dismiss(idle_.size());
    while (alive_ > stuck) changed_.wait(mutex_);
    gone = ended();
    for (Worker& worker : workers_) worker.thread.detach();
  }
  for (Worker& worker : gone) worker.thread.join();
}

}  // namespace sqlbak_gateway::http
