// Inbox: what other threads leave for the event thread, and how they wake it.
//
// Resource type; safe from any thread unless said otherwise.
#pragma once

#include "http/connection.h"
#include "sqlbak_gateway/base/mutex.h"

#include <atomic>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include <Poco/Net/StreamSocket.h>

namespace sqlbak_gateway::http {

class Inbox {
 public:
  using Task = std::function<void()>;
  using Returned = std::pair<std::shared_ptr<Connection>, Connection::Wants>;

  Inbox();
  Inbox(const Inbox&) = delete;
  Inbox& operator=(const Inbox&) = delete;
  ~Inbox() = default;

  void wake();
  // A worker is done with its connection, which wants this next.
  void give_back(const std::shared_ptr<Connection>& connection, Connection::Wants wants) EXCLUDES(mutex_);
  // Has the event thread run `task`, and waits until it has. False if the event thread ends before.
  bool run(const Task& task) EXCLUDES(mutex_);

  // The rest is the event thread's.
  // For the poll set: readable after wake().
  const Poco::Net::StreamSocket& socket() const { return wake_; }
  // Takes the wake-up away. What it was for is looked for afterwards.
  void clear_wake_up();
  std::vector<Returned> take_returned() EXCLUDES(mutex_);
  void run_tasks() EXCLUDES(mutex_);
  // Nothing is taken any more: run() returns.
  void close() EXCLUDES(mutex_);

 private:
  struct Waiting {
    const Task& task;
    bool done = false;
  };

  const Poco::Net::StreamSocket wake_;  // an eventfd
  std::atomic<bool> woken_{false};
  Mutex mutex_;
  Condition changed_;
  std::vector<Returned> returned_ GUARDED_BY(mutex_);
  std::vector<Waiting*> tasks_ GUARDED_BY(mutex_);
  bool closed_ GUARDED_BY(mutex_) = false;
};

}  // namespace sqlbak_gateway::http
