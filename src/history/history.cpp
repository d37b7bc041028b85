#include "sqlbak_gateway/history/history.h"

#include "history/history_file.h"
#include "sqlbak_gateway/base/mutex.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <map>
#include <set>
#include <thread>
#include <utility>

namespace sqlbak_gateway::history {
namespace {

class MemoryHistory final : public History {
 public:
  Result<std::shared_ptr<const AccountMemory>> load(const std::string&, Deadline) override {
    return std::shared_ptr<const AccountMemory>();
  }
  void store(const std::string&, std::shared_ptr<const AccountMemory>) override {}
  void configured(std::vector<std::string>) override {}
  bool drain(Deadline) override { return true; }
  HistoryStatus status() const override { return {}; }
};

// A file and the thread that uses it. Its members are of three kinds: set once, shared under the mutex, and
// the thread's own.
class SqliteHistory final : public History {
 public:
  SqliteHistory(const std::string& path, const Clock& clock, const Logger& log)
      : path_(path), clock_(clock), log_(log) {
    Result<HistoryFile> file = HistoryFile::open(path);
    if (!file) {
      ++errors_;
      log_.warn(
          "the history cannot be used; what is remembered is kept in memory, and lost at the next restart",
          {{"path", path}, {"error", file.error().message}});
      return;
    }
    file_.emplace(std::move(*file));
    measure();
    durable_ = true;
    thread_ = std::thread([this] { run(); });
  }

  ~SqliteHistory() override {
    if (!durable_) return;
    {
      MutexLock lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

  Result<std::shared_ptr<const AccountMemory>> load(const std::string& account, Deadline deadline) override {
    if (!durable_) return std::shared_ptr<const AccountMemory>();
    std::shared_ptr<Reading> reading;
    {
      MutexLock lock(mutex_);
      if (const auto newest = waiting_.memories.find(account); newest != waiting_.memories.end())
        return newest->second;
      if (writing_ && writing_->first == account) return writing_->second;
      if (const auto failed = failed_.memories.find(account); failed != failed_.memories.end())
        return failed->second;
      reading = readings_.try_emplace(account, std::make_shared<Reading>()).first->second;
      changed_.notify_all();
      while (!reading->found) {
        const SteadyTime now = clock_.steady_now();
        if (deadline.passed(now)) break;
        changed_.wait_for(mutex_, std::min<Duration>(deadline.remaining(now), kLongestWait));
      }
      if (reading->found) return *reading->found;
    }
    ++errors_;
    if (!hangs_.exchange(true)) {
      log_.warn("the history does not answer; accounts that are not read yet are collected without it",
                {{"path", path_}});
    }
    return Error{"the disk did not answer in time"};
  }

  void store(const std::string& account, std::shared_ptr<const AccountMemory> memory) override {
    if (!durable_) return;
    {
      MutexLock lock(mutex_);
      waiting_.memories.insert_or_assign(account, std::move(memory));
      failed_.memories.erase(account);
    }
    changed_.notify_all();
  }

  void configured(std::vector<std::string> accounts) override {
    if (!durable_) return;
    {
      MutexLock lock(mutex_);
      waiting_.configured = std::move(accounts);
      failed_.configured.reset();
    }
    changed_.notify_all();
  }

  bool drain(Deadline deadline) override {
    if (!durable_) return true;
    MutexLock lock(mutex_);
    try_failed_again();
    changed_.notify_all();
    while (!idle()) {
      const SteadyTime now = clock_.steady_now();
      if (deadline.passed(now)) return false;
      changed_.wait_for(mutex_, std::min<Duration>(deadline.remaining(now), kLongestWait));
    }
    return failed_.empty();
  }

  HistoryStatus status() const override {
    HistoryStatus status;
    status.durable = durable_;
    status.errors = errors_;
    if (durable_) status.size_bytes = size_.load();
    return status;
  }

 private:
  // The longest single wait on the condition, so that a deadline far away needs no special case.
  static constexpr Duration kLongestWait = std::chrono::seconds(1);

  // A load of one account. Used under mutex_.
  struct Reading {
    std::optional<Result<std::shared_ptr<const AccountMemory>>> found;
  };

  // What is to be written: the newest memories, and the list of configured accounts.
  struct Work {
    std::map<std::string, std::shared_ptr<const AccountMemory>> memories;
    std::optional<std::vector<std::string>> configured;
    bool empty() const { return memories.empty() && !configured; }
  };

  bool idle() const REQUIRES(mutex_) { return waiting_.empty() && !busy_; }

  void try_failed_again() REQUIRES(mutex_) {
    waiting_.memories.merge(failed_.memories);  // keeps what is newer
    if (!waiting_.configured) waiting_.configured = std::move(failed_.configured);
    failed_ = {};
  }

  void run() {
    std::string last;  // accounts take turns by name
    while (true) {
      std::optional<std::vector<std::string>> configured;
      std::optional<std::string> wanted;
      std::shared_ptr<const AccountMemory> memory;
      {
        MutexLock lock(mutex_);
        busy_ = false;
        writing_.reset();
        changed_.notify_all();
        while (waiting_.empty() && readings_.empty() && !stopping_) changed_.wait(mutex_);
        if (stopping_) return;
        busy_ = true;
        if (waiting_.configured) {
          configured = std::exchange(waiting_.configured, std::nullopt);
        } else if (!readings_.empty()) {  // a caller of load() waits
          wanted = readings_.begin()->first;
        } else {
          auto next = waiting_.memories.upper_bound(last);
          if (next == waiting_.memories.end()) next = waiting_.memories.begin();
          last = next->first;
          memory = std::move(next->second);
          waiting_.memories.erase(next);
          writing_.emplace(last, memory);
        }
      }
      if (wanted) {
        auto found = read(*wanted);
        hangs_ = false;
        MutexLock lock(mutex_);
        readings_.extract(*wanted).mapped()->found = std::move(found);
        continue;
      }
      const SystemTime now = clock_.system_now();
      const Result<void> written =
          configured ? file_->configured(*configured, now) : file_->write(last, memory, now);
      report(configured ? std::string() : last, written);
      measure();
      MutexLock lock(mutex_);
      if (written) {
        try_failed_again();
      } else if (configured) {
        if (!waiting_.configured) failed_.configured = std::move(configured);
      } else if (!waiting_.memories.contains(last)) {
        failed_.memories.insert_or_assign(last, std::move(memory));
      }
    }
  }

  Result<std::shared_ptr<const AccountMemory>> read(const std::string& account) {
    Result<HistoryFile::Loaded> loaded = Error{};
    try {
      loaded = file_->load(account);
    } catch (const std::exception& exception) {  // probably out of memory
      loaded = Error{exception.what()};
    }
    if (loaded && !loaded->damaged) {
      unreadable_.erase(account);
      return std::move(loaded->memory);
    }
    ++errors_;
    const Error error =
        loaded ? Error{"what is remembered of it is damaged; it is read afresh"} : loaded.error();
    if (unreadable_.insert(account).second) {
      log_.warn("the history of an account cannot be read",
                {{"account", account}, {"path", path_}, {"error", error.message}});
    }
    if (!loaded) return error;
    return std::shared_ptr<const AccountMemory>();
  }

  // Measured on this thread and not in status(), because the file system may hang.
  void measure() { size_ = file_->size(); }

  // Logs trouble once, and its end once nothing is left that could not be written.
  void report(const std::string& what, const Result<void>& written) {
    const bool failed_before = !failing_.empty();
    if (written) {
      failing_.erase(what);
    } else {
      ++errors_;
      failing_.insert(what);
    }
    if (failing_.empty() == !failed_before) return;
    if (!failed_before) {
      log_.warn("the history cannot be written; what is remembered is kept in memory meanwhile",
                {{"path", path_}, {"error", written.error().message}});
    } else {
      log_.info("the history is written again", {{"path", path_}});
    }
  }

  const std::string path_;
  const Clock& clock_;
  const Logger& log_;
  bool durable_ = false;
  std::atomic<std::uint64_t> errors_{0};
  std::atomic<std::uint64_t> size_{0};
  std::atomic<bool> hangs_{false};  // a hanging disk has been logged

  mutable Mutex mutex_;
  Condition changed_;
  Work waiting_ GUARDED_BY(mutex_);
  // Could not be written. Tried again after another write has succeeded; nothing newer waits.
  Work failed_ GUARDED_BY(mutex_);
  std::map<std::string, std::shared_ptr<Reading>> readings_ GUARDED_BY(mutex_);  // wanted or in progress
  std::optional<std::pair<std::string, std::shared_ptr<const AccountMemory>>> writing_ GUARDED_BY(mutex_);
  bool busy_ GUARDED_BY(mutex_) = false;
  bool stopping_ GUARDED_BY(mutex_) = false;

  // Only the thread uses these, once it runs.
  std::optional<HistoryFile> file_;
  std::set<std::string> unreadable_;  // accounts for which this has been logged
  std::set<std::string> failing_;  // accounts that could not be written; "" for the list of configured ones
  std::thread thread_;
};

}  // namespace

std::unique_ptr<History> make_memory_history() {
  return std::make_unique<MemoryHistory>();
}

std::unique_ptr<History> open_history(const std::string& path, const Clock& clock, const Logger& log) {
  return std::make_unique<SqliteHistory>(path, clock, log);
}

}  // namespace sqlbak_gateway::history
