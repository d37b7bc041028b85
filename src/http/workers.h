// Workers: a bounded pool of threads that grows when work waits and shrinks when it does not. std::thread
// under it: Poco's ThreadPool throws when it is full, and its size and its dispatcher's disagree.
//
// A job goes straight to the thread that fell idle last, by a semaphore of its own: one wake-up a job, the
// warmest caches, and the threads at the bottom of the stack are those that are not needed. (A shared
// condition variable cost eight futex calls a request.)
#pragma once

#include "sqlbak_gateway/base/mutex.h"

#include <cstddef>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <semaphore>
#include <thread>
#include <vector>

namespace sqlbak_gateway::http {

// Resource type, held by shared pointers only: its threads share it, so that those left behind by stop() stay
// safe. Every member may be called from any thread but the pool's own.
class Workers : public std::enable_shared_from_this<Workers> {
 public:
  using Job = std::function<void()>;

  explicit Workers(std::size_t max_threads) : max_threads_(max_threads) {}
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;
  // stop() must have been called.
  ~Workers() = default;

  // False when there is no thread and the system gives none: the job was not taken.
  bool submit(Job job) EXCLUDES(mutex_);
  void set_max_threads(std::size_t threads) EXCLUDES(mutex_);
  // Lets the threads go that were not needed since the last call.
  void trim() EXCLUDES(mutex_);
  std::size_t threads() const EXCLUDES(mutex_);

  // Drops the jobs that wait and ends the threads. `stuck` of them are in jobs that do not end: they are left
  // behind.
  void stop(std::size_t stuck) EXCLUDES(mutex_);

 private:
  struct Worker {
    std::thread thread;
    Job job;  // given before `called` is released; none: end
    std::binary_semaphore called{0};
    bool ended = false;
  };
  bool grow(Job& job) REQUIRES(mutex_);
  void dismiss(std::size_t threads) REQUIRES(mutex_);
  void run(Worker& self) EXCLUDES(mutex_);
  std::list<Worker> ended() REQUIRES(mutex_);

  mutable Mutex mutex_;
  Condition changed_;
  std::deque<Job> waiting_ GUARDED_BY(mutex_);  // only while no thread is idle
  std::list<Worker> workers_ GUARDED_BY(mutex_);
  std::vector<Worker*> idle_ GUARDED_BY(mutex_);  // the last to fall idle at the back
  std::size_t max_threads_ GUARDED_BY(mutex_);
  std::size_t alive_ GUARDED_BY(mutex_) = 0;
  std::size_t least_idle_ GUARDED_BY(mutex_) = 0;  // since the last trim()
  bool stopping_ GUARDED_BY(mutex_) = false;
};

}  // namespace sqlbak_gateway::http
