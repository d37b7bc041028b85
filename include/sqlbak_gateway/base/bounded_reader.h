// BoundedReader: reads in bounded time, whatever the file system does that is read from.
//
// Each read has a thread of its own, one at a time for each key, and callers wait for it for a limited time.
// A thread that a hanging file system holds up ends when the file system answers again; until then nobody
// waits for that key any more.
#pragma once

#include "sqlbak_gateway/base/clock.h"
#include "sqlbak_gateway/base/deadline.h"
#include "sqlbak_gateway/base/mutex.h"
#include "sqlbak_gateway/base/result.h"

#include <algorithm>
#include <cstddef>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace sqlbak_gateway {

// Resource type, safe from any thread. Threads that are held up outlive it. `Value` can be copied.
template <typename Value>
class BoundedReader {
 public:
  // So many reads of one call run together, so that not every file on a file system that hangs takes a
  // thread.
  static constexpr std::size_t kTogether = 64;

  struct Item {
    std::string key;              // reads with the same key are the same
    std::function<Value()> read;  // may block for ever, and must stay valid as long as it does
  };

  // A file system that has not answered for `patience` hangs. `clock` outlives it.
  BoundedReader(const Clock& clock, Duration patience) : clock_(clock), patience_(patience) {}
  BoundedReader(const BoundedReader&) = delete;
  BoundedReader& operator=(const BoundedReader&) = delete;

  // What was read, in the order of the items, or an Error that says why it was not, as the end of a sentence.
  // Waits no longer than `deadline`, and no longer than the patience.
  std::vector<Result<Value>> read(const std::vector<Item>& items, Deadline deadline) const;

 private:
  struct Read {
    SteadyTime since;
    std::optional<Result<Value>> answer;  // under the mutex of Shared
  };
  using Reads = std::vector<std::shared_ptr<Read>>;
  struct Shared {  // with the threads
    Mutex mutex;
    Condition changed;  // a read has ended
    std::map<std::string, std::shared_ptr<Read>> running GUARDED_BY(mutex);
  };

  std::shared_ptr<Read> begin(const Item& item) const;
  // Begins reads and waits for them. Returns those begun, one for each of the first items.
  Reads begin_and_wait(const std::vector<Item>& items, Deadline limit) const;

  const Clock& clock_;
  const Duration patience_;
  const std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
};

// Joins the read that runs, if one does.
template <typename Value>
auto BoundedReader<Value>::begin(const Item& item) const -> std::shared_ptr<Read> {
  auto read = std::make_shared<Read>(Read{clock_.steady_now(), {}});
  MutexLock lock(shared_->mutex);
  const auto [entry, first] = shared_->running.try_emplace(item.key, read);
  if (!first) return entry->second;
  try {
    std::thread([shared = shared_, item, read] {
      std::optional<Result<Value>> answer;
      try {
        answer.emplace(item.read());
      } catch (const std::exception& exception) {
        answer.emplace(Error{exception.what()});
      }
      MutexLock ended(shared->mutex);
      read->answer = std::move(answer);
      shared->running.erase(item.key);
      shared->changed.notify_all();
    }).detach();
  } catch (const std::exception& exception) {
    read->answer.emplace(Error{std::string("cannot be read: no thread for it: ") + exception.what()});
    shared_->running.erase(entry);
  }
  return read;
}

template <typename Value>
auto BoundedReader<Value>::begin_and_wait(const std::vector<Item>& items, Deadline limit) const -> Reads {
  Reads reads;
  for (std::size_t unanswered = 0;;) {
    for (; reads.size() < items.size() && unanswered < kTogether; ++unanswered) {
      reads.push_back(begin(items[reads.size()]));
    }
    MutexLock lock(shared_->mutex);
    const SteadyTime now = clock_.steady_now();
    if (limit.passed(now)) return reads;
    Deadline next = limit;
    bool waits = false;
    unanswered = 0;
    for (const std::shared_ptr<Read>& read : reads) {
      if (read->answer) continue;
      ++unanswered;
      const Deadline hangs = Deadline::after(read->since, patience_);
      if (hangs.passed(now)) continue;
      waits = true;
      next = std::min(next, hangs);
    }
    if (reads.size() < items.size() && unanswered < kTogether) continue;
    if (!waits) return reads;
    const auto waited = shared_->changed.wait_for(shared_->mutex, next.remaining(now));
    // Otherwise only the patience for a read that somebody else began is over.
    if (waited == std::cv_status::timeout && next == limit) return reads;
  }
}

template <typename Value>
std::vector<Result<Value>> BoundedReader<Value>::read(const std::vector<Item>& items,
                                                      Deadline deadline) const {
  const Deadline limit = std::min(deadline, Deadline::after(clock_.steady_now(), patience_));
  const Reads reads = begin_and_wait(items, limit);
  std::vector<Result<Value>> answers;
  answers.reserve(items.size());
  MutexLock lock(shared_->mutex);
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i >= reads.size()) {
      answers.push_back(Error{"was not looked at: too many others do not answer"});
    } else if (!reads[i]->answer) {
      answers.push_back(Error{"could not be read in time: its file system does not answer"});
    } else {
      answers.push_back(*reads[i]->answer);
    }
  }
  return answers;
}

}  // namespace sqlbak_gateway
