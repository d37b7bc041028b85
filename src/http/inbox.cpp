#include "http/inbox.h"

#include <cstdint>
#include <sys/eventfd.h>
#include <unistd.h>

#include <Poco/Net/StreamSocketImpl.h>

namespace sqlbak_gateway::http {

Inbox::Inbox() : wake_(new Poco::Net::StreamSocketImpl(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC))) {}

void Inbox::wake() {
  if (woken_.exchange(true)) return;
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto bytes = ::write(wake_.impl()->sockfd(), &one, sizeof one);
}

void Inbox::clear_wake_up() {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto bytes = ::read(wake_.impl()->sockfd(), &count, sizeof count);
  // Not before the read: it would take away a wake-up in between too, and no later one would be written.
  woken_ = false;
}

void Inbox::give_back(const std::shared_ptr<Connection>& connection, Connection::Wants wants) {
  {
    MutexLock lock(mutex_);
    returned_.emplace_back(connection, wants);
  }
  wake();
}

std::vector<Inbox::Returned> Inbox::take_returned() {
  MutexLock lock(mutex_);
  return std::exchange(returned_, {});
}

bool Inbox::run(const Task& task) {
  Waiting waiting{task};
  MutexLock lock(mutex_);
  if (closed_) return false;
  tasks_.push_back(&waiting);
  wake();
  while (!waiting.done && !closed_) changed_.wait(mutex_);
  return waiting.done;
}

void Inbox::run_tasks() {
  std::vector<Waiting*> tasks;
  {
    MutexLock lock(mutex_);
    tasks.swap(tasks_);
  }
  for (Waiting* const waiting : tasks) {
    waiting->task();
    MutexLock lock(mutex_);
    waiting->done = true;
    changed_.notify_all();
  }
}

void Inbox::close() {
  MutexLock lock(mutex_);
  closed_ = true;
  tasks_.clear();
  returned_.clear();
  changed_.notify_all();
}

}  // namespace sqlbak_gateway::http
