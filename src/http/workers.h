// Workers: a bounded pool of threads that grows when work waits and shrinks when it does not. std::thread
// under it: Poco's ThreadPool throws when it is full, and its size and its dispatcher's disagree.
//
// A job goes straight to the thread that fell idle last, by a semaphore of its own: one wake-up a job, the
// warmest caches, and the threads at the bottom of the stack are those that are not needed. (A shared
// condition variable cost eight futex calls a request.)
//
// Threads start one after the other, each by the one before it: whoever submits a burst of jobs starts one
// thread and goes on.
#pragma once

#include "sqlbak_gateway/base/mutex.h"

#include <cstddef>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <semaphore>
#include <thread>
#include <utility>
#include <vector>

namespace sqlbak_gateway::http {

// Resource type, held by shared pointers only: its threads share it, so that those left behind by stop() stay
// safe. Every member may be called from any thread but the pool's own.
class Workers : public std::enable_shared_from_this<Workers> {
 public:
  using Job = std::function<void()>;
  enum class Priority {
    normal,  // that of the thread that makes the pool
    low      // the program's other threads get a processor first, however many of these work
  };
  // Starts a thread; throws std::system_error if the system gives none.
  using StartThread = std::function<std::thread(std::function<void()> run)>;

  Workers(std::size_t max_threads, Priority priority, StartThread start = start_thread);
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;
  // stop() must have been called.
  ~Workers() = default;

  // False if there is no thread and the system gives none: the job was not taken.
  bool submit(Job job) EXCLUDES(mutex_);
  void set_max_threads(std::size_t threads) EXCLUDES(mutex_);
  // Ends the threads that were not needed since the last call.
  void trim() EXCLUDES(mutex_);
  std::size_t threads() const EXCLUDES(mutex_);

  // Drops the jobs that wait and ends the threads. `stuck` of them are in jobs that do not end: they are left
  // behind.
  void stop(std::size_t stuck) EXCLUDES(mutex_);

 private:
  struct Worker {
    std::thread thread;
    Job job;  // given before `called` is released; empty: end
    std::binary_semaphore called{0};
    bool fresh = true;  // it has not looked for a job yet
    bool ended = false;
  };
  // Starts a thread if jobs wait for one, none is being started, and there may be one more.
  void start_one() EXCLUDES(mutex_);
  void run(Worker& self) EXCLUDES(mutex_);
  // Waits for a job; false if there will be none.
  bool take_job(Worker& self) EXCLUDES(mutex_);
  void dismiss(std::size_t threads) REQUIRES(mutex_);
  std::list<Worker> ended() REQUIRES(mutex_);

  static std::thread start_thread(std::function<void()> run) { return std::thread(std::move(run)); }

  const int niceness_;  // of its threads
  const StartThread start_;
  mutable Mutex mutex_;
  Condition changed_;
  std::deque<Job> waiting_ GUARDED_BY(mutex_);  // only while no thread is idle
  std::list<Worker> workers_ GUARDED_BY(mutex_);
  std::vector<Worker*> idle_ GUARDED_BY(mutex_);  // the last to fall idle at the back
  std::size_t max_threads_ GUARDED_BY(mutex_);
  std::size_t alive_ GUARDED_BY(mutex_) = 0;
  bool starting_ GUARDED_BY(mutex_) = false;       // a thread is fresh
  std::size_t least_idle_ GUARDED_BY(mutex_) = 0;  // since the last trim()
  bool stopping_ GUARDED_BY(mutex_) = false;
};

}  // namespace sqlbak_gateway::http
