#include "http/workers.h"

#include <algorithm>
#include <sys/resource.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace sqlbak_gateway::http {
namespace {

constexpr int kNicer = 5;

int own_niceness() {
  return ::getpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()));  // Linux counts it by thread
}

}  // namespace

Workers::Workers(std::size_t max_threads, Priority priority, StartThread start)
    : niceness_(own_niceness() + (priority == Priority::low ? kNicer : 0)),
      start_(std::move(start)),
      max_threads_(max_threads) {}

bool Workers::submit(Job job) {
  Worker* called = nullptr;
  {
    MutexLock lock(mutex_);
    if (stopping_) return false;
    if (idle_.empty()) {
      waiting_.push_back(std::move(job));
    } else {
      called = idle_.back();
      idle_.pop_back();
      least_idle_ = std::min(least_idle_, idle_.size());
      called->job = std::move(job);
    }
  }
  if (called != nullptr) {
    called->called.release();  // outside the lock: it runs at once
    return true;
  }
  start_one();
  MutexLock lock(mutex_);
  if (alive_ > 0) return true;
  waiting_.clear();
  return false;
}

// Outside the lock, because a new thread can take the system long.
void Workers::start_one() {
  std::list<Worker>::iterator worker;
  {
    MutexLock lock(mutex_);
    if (starting_ || stopping_ || waiting_.empty() || alive_ >= max_threads_) return;
    worker = workers_.emplace(workers_.end());
    ++alive_;
    starting_ = true;
  }
  std::thread thread;
  try {
    thread = start_([self = shared_from_this(), worker] { self->run(*worker); });
  } catch (const std::system_error&) {
    MutexLock lock(mutex_);
    workers_.erase(worker);
    --alive_;
    starting_ = false;
    changed_.notify_all();
    return;
  }
  MutexLock lock(mutex_);
  if (stopping_) {
    thread.detach();
  } else {
    worker->thread = std::move(thread);
  }
}

void Workers::run(Worker& self) {
  // Otherwise each of hundreds that compress answers has the same share of a processor as the event thread,
  // and health checks wait for a second.
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), niceness_);
  for (bool first = true; take_job(self); first = false) {
    if (first) start_one();
    self.job();
    self.job = nullptr;  // with what it holds, before the thread is seen to be idle
  }
  {
    MutexLock lock(mutex_);
    --alive_;
    self.ended = true;
    changed_.notify_all();
  }
  start_one();  // a job may have come since this thread was dismissed
}

bool Workers::take_job(Worker& self) {
  {
    MutexLock lock(mutex_);
    if (std::exchange(self.fresh, false)) starting_ = false;
    if (!waiting_.empty()) {
      self.job = std::move(waiting_.front());
      waiting_.pop_front();
      return true;
    }
    if (stopping_) return false;
    idle_.push_back(&self);
  }
  self.called.acquire();
  return static_cast<bool>(self.job);
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
    if (worker->ended && worker->thread.joinable()) gone.splice(gone.end(), workers_, worker);
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
    for (Worker& worker : workers_) {
      if (worker.thread.joinable()) worker.thread.detach();
    }
  }
  for (Worker& worker : gone) worker.thread.join();
}

}  // namespace sqlbak_gateway::http
