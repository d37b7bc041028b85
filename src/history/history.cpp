#include "sqlbak_gateway/history/history.h"

#include "history/codec.h"
#include "history/sqlite.h"
#include "sqlbak_gateway/base/mutex.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <exception>
#include <fcntl.h>
#include <map>
#include <set>
#include <sys/stat.h>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <utility>

namespace sqlbak_gateway::history {
namespace {

constexpr std::int64_t kApplicationId = 0x53714277;  // "SqBw": this file is ours
constexpr std::int64_t kVersion = 1;

constexpr const char* kSchema = R"(
  CREATE TABLE account (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, configured_at INTEGER NOT NULL,
                        header BLOB NOT NULL, lists BLOB NOT NULL);
  CREATE TABLE job (account INTEGER NOT NULL, id TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (account, id));
  CREATE TABLE chunk (account INTEGER NOT NULL, job TEXT NOT NULL, day INTEGER NOT NULL, body BLOB NOT NULL,
                      PRIMARY KEY (account, job, day));
)";

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

// Only the owner may read the file, from the moment it exists, because it tells who a customer is and how
// they back up.
Result<void> create_private(const std::string& path) {
  const int file = ::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  if (file < 0) {
    return Error{std::string(std::generic_category().message(errno)) +
                 " (the file and its folder have to be writable)"};
  }
  struct stat info {};
  const bool too_open = ::fstat(file, &info) == 0 && (info.st_mode & 077) != 0;
  if (too_open) static_cast<void>(::fchmod(file, 0600));
  ::close(file);
  return {};
}

Result<Database> open_database(const std::string& path) {
  if (const Result<void> created = create_private(path); !created) return created.error();
  Result<Database> database = Database::open(path);
  if (!database) return database;
  // The first access takes an exclusive lock and keeps it, so that a second gateway fails at once.
  for (const char* setting :
       {"PRAGMA locking_mode = EXCLUSIVE", "PRAGMA journal_mode = WAL", "PRAGMA synchronous = NORMAL",
        "PRAGMA journal_size_limit = 1048576", "BEGIN IMMEDIATE", "COMMIT"}) {
    if (const Result<void> set = database->execute(setting); !set) return set.error();
  }
  const Result<std::int64_t> tables = database->integer("SELECT count(*) FROM sqlite_schema");
  const Result<std::int64_t> owner = database->integer("PRAGMA application_id");
  const Result<std::int64_t> version = database->integer("PRAGMA user_version");
  if (!tables) return tables.error();
  if (!owner) return owner.error();
  if (!version) return version.error();
  if (*tables == 0) {
    const Result<void> made =
        database->execute("BEGIN; PRAGMA application_id = " + std::to_string(kApplicationId) +
                          "; PRAGMA user_version = " + std::to_string(kVersion) + ";" + kSchema + "COMMIT");
    if (!made) return made.error();
    return database;
  }
  if (*owner != kApplicationId) {
    return Error{"it is a database, but not a history of sqlbak-gateway (set history.path to another file)"};
  }
  if (*version > kVersion) {
    return Error{
        "it was written by a newer version of sqlbak-gateway (use that version, or another history.path)"};
  }
  Result<Statement> check = database->prepare("PRAGMA quick_check(1)");
  if (!check) return check.error();
  const Result<bool> row = check->step();
  if (!row) return row.error();
  if (check->text(0) != "ok") {
    return Error{"it is damaged: " + std::string(check->text(0)) +
                 " (move it out of the way; a new one is made at the next start)"};
  }
  return database;
}

std::uint64_t file_size(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
}

// The file and its accounts. Not thread-safe.
class Store {
 public:
  explicit Store(Database database) : database_(std::move(database)) {}

  // The result of reading an account's rows. Reading itself may fail with an Error.
  struct Loaded {
    std::shared_ptr<const AccountMemory> memory;  // null if nothing is remembered
    bool damaged = false;                         // there are rows, but they are not valid
  };
  Result<Loaded> load(const std::string& account) {
    const Result<std::optional<std::int64_t>> key = key_of(account);
    if (!key) return key.error();
    if (!*key) return Loaded{};
    const Loaded damaged{nullptr, true};
    AccountDecoder decoder;
    for (const auto& [sql, part] :
         {std::pair{"SELECT header, lists FROM account WHERE id = ?", 0},
          std::pair{"SELECT body FROM job WHERE account = ?", 1},
          std::pair{"SELECT job, body FROM chunk WHERE account = ? ORDER BY job, day", 2}}) {
      Result<Statement> statement = database_.prepare(sql);
      if (!statement) return statement.error();
      statement->bind(**key);
      while (true) {
        const Result<bool> row = statement->step();
        if (!row) return row.error();
        if (!*row) break;
        const bool sound = part == 0   ? decoder.account(statement->blob(0), statement->blob(1))
                           : part == 1 ? decoder.job(statement->blob(0))
                                       : decoder.chunk(statement->text(0), statement->blob(1));
        if (!sound) return damaged;
      }
    }
    std::shared_ptr<const AccountMemory> memory = std::move(decoder).finish();
    if (!memory) return damaged;
    keep(account, memory);
    return Loaded{std::move(memory)};
  }

  // Writes what changed since the account was last written or loaded, in one transaction.
  Result<void> write(const std::string& account, const std::shared_ptr<const AccountMemory>& memory,
                     SystemTime now) {
    return transaction([&] { return write_account(account, *memory, now); }, [&] { keep(account, memory); });
  }

  Result<void> configured(const std::vector<std::string>& accounts, SystemTime now) {
    // Accounts that were configured until now count as seen now.
    std::set<std::string> seen(accounts.begin(), accounts.end());
    if (configured_) seen.insert(configured_->begin(), configured_->end());
    return transaction(
        [&] { return forget_unconfigured(seen, now); },
        [&] {
          configured_.emplace(accounts.begin(), accounts.end());
          std::erase_if(written_, [&](const auto& entry) { return !configured_->contains(entry.first); });
        });
  }

 private:
  // Keeps nothing of accounts that are no longer configured; if stored again, they are written as a whole.
  void keep(const std::string& account, const std::shared_ptr<const AccountMemory>& memory) {
    if (!configured_ || configured_->contains(account)) written_[account] = memory;
  }

  template <typename Body, typename Commit>
  Result<void> transaction(Body body, Commit committed) {
    if (Result<void> begun = database_.execute("BEGIN IMMEDIATE"); !begun) return begun;
    Result<void> done = body();
    if (done) done = database_.execute("COMMIT");
    if (done) {
      committed();
    } else {
      static_cast<void>(database_.execute("ROLLBACK"));  // SQLite may have rolled back already
    }
    return done;
  }

  Result<std::optional<std::int64_t>> key_of(const std::string& account) {
    Result<Statement> found = database_.prepare("SELECT id FROM account WHERE name = ?");
    if (!found) return found.error();
    const Result<bool> row = found->bind(std::string_view(account)).step();
    if (!row) return row.error();
    return *row ? std::optional(found->integer(0)) : std::nullopt;
  }

  Result<void> write_account(const std::string& account, const AccountMemory& memory, SystemTime now) {
    const auto found = written_.find(account);
    const AccountMemory* before = found == written_.end() ? nullptr : found->second.get();
    Result<std::optional<std::int64_t>> key = key_of(account);
    if (!key) return key.error();
    if (*key && !before) {
      // The stored rows are damaged, or nobody has loaded them, or the account is no longer configured.
      if (Result<void> removed = remove(**key); !removed) return removed;
      *key = std::nullopt;
    }
    const EncodedAccount encoded = encode_account(memory);
    if (!*key) {
      Result<Statement> insert =
          database_.prepare("INSERT INTO account (name, configured_at, header, lists) VALUES (?, ?, ?, ?)");
      if (!insert) return insert.error();
      insert->bind(std::string_view(account)).bind(now.time_since_epoch().count());
      if (Result<void> done = insert->bind_blob(encoded.header).bind_blob(encoded.lists).run(); !done)
        return done;
      key = key_of(account);
      if (!key) return key.error();
    } else {
      const bool same_lists = encode_account(*before).lists == encoded.lists;
      Result<Statement> update = database_.prepare(
          same_lists ? "UPDATE account SET configured_at = ?, header = ? WHERE id = ?"
                     : "UPDATE account SET configured_at = ?, header = ?, lists = ? WHERE id = ?");
      if (!update) return update.error();
      update->bind(now.time_since_epoch().count()).bind_blob(encoded.header);
      if (!same_lists) update->bind_blob(encoded.lists);
      if (Result<void> done = update->bind(**key).run(); !done) return done;
    }
    return write_jobs(**key, before, memory);
  }

  Result<void> write_jobs(std::int64_t key, const AccountMemory* before, const AccountMemory& memory) {
    std::map<std::string_view, const RememberedJob*> old;
    if (before) {
      for (const auto& job : before->jobs) old[job->id] = job.get();
    }
    Result<Statement> put =
        database_.prepare("INSERT OR REPLACE INTO job (account, id, body) VALUES (?, ?, ?)");
    Result<Statement> put_chunk =
        database_.prepare("INSERT OR REPLACE INTO chunk (account, job, day, body) VALUES (?, ?, ?, ?)");
    Result<Statement> drop_chunk =
        database_.prepare("DELETE FROM chunk WHERE account = ? AND job = ? AND day = ?");
    for (const auto* statement : {&put, &put_chunk, &drop_chunk}) {
      if (!*statement) return statement->error();
    }
    for (const auto& job : memory.jobs) {
      const auto found = old.find(job->id);
      const RememberedJob* was = found == old.end() ? nullptr : found->second;
      if (was) old.erase(found);
      const std::string body = encode_job(*job);
      if (!was || encode_job(*was) != body) {
        if (Result<void> done = put->bind(key).bind(std::string_view(job->id)).bind_blob(body).run(); !done)
          return done;
      }
      if (was && was->runs == job->runs) continue;
      Chunks stale = was && was->runs ? encode_chunks(*was->runs) : Chunks{};
      for (const auto& [day, chunk] : job->runs ? encode_chunks(*job->runs) : Chunks{}) {
        const auto same = stale.find(day);
        const bool changed = same == stale.end() || same->second != chunk;
        if (same != stale.end()) stale.erase(same);
        if (!changed) continue;
        put_chunk->bind(key).bind(std::string_view(job->id)).bind(day);
        if (Result<void> done = put_chunk->bind_blob(chunk).run(); !done) return done;
      }
      for (const auto& [day, chunk] : stale) {
        if (Result<void> done = drop_chunk->bind(key).bind(std::string_view(job->id)).bind(day).run(); !done)
          return done;
      }
    }
    for (const auto& [id, job] : old) {
      for (const char* sql : {"DELETE FROM job WHERE account = ? AND id = ?",
                              "DELETE FROM chunk WHERE account = ? AND job = ?"}) {
        Result<Statement> removal = database_.prepare(sql);
        if (!removal) return removal.error();
        if (Result<void> done = removal->bind(key).bind(id).run(); !done) return done;
      }
    }
    return {};
  }

  Result<void> remove(std::int64_t key) {
    for (const char* sql : {"DELETE FROM chunk WHERE account = ?", "DELETE FROM job WHERE account = ?",
                            "DELETE FROM account WHERE id = ?"}) {
      Result<Statement> removal = database_.prepare(sql);
      if (!removal) return removal.error();
      if (Result<void> done = removal->bind(key).run(); !done) return done;
    }
    return {};
  }

  Result<void> forget_unconfigured(const std::set<std::string>& accounts, SystemTime now) {
    Result<Statement> touch = database_.prepare("UPDATE account SET configured_at = ? WHERE name = ?");
    if (!touch) return touch.error();
    for (const std::string& account : accounts) {
      touch->bind(now.time_since_epoch().count()).bind(std::string_view(account));
      if (Result<void> done = touch->run(); !done) return done;
    }
    Result<Statement> stale = database_.prepare("SELECT id FROM account WHERE configured_at < ?");
    if (!stale) return stale.error();
    stale->bind((now - kUnconfiguredKept).time_since_epoch().count());
    std::vector<std::int64_t> keys;
    while (true) {
      const Result<bool> row = stale->step();
      if (!row) return row.error();
      if (!*row) break;
      keys.push_back(stale->integer(0));
    }
    for (const std::int64_t key : keys) {
      if (Result<void> done = remove(key); !done) return done;
    }
    return {};
  }

  Database database_;
  std::map<std::string, std::shared_ptr<const AccountMemory>> written_;  // what the file has of each account
  std::optional<std::set<std::string>> configured_;                      // empty until configured() is called
};

class SqliteHistory final : public History {
 public:
  SqliteHistory(const std::string& path, const Clock& clock, const Logger& log)
      : path_(path), clock_(clock), log_(log) {
    Result<Database> database = open_database(path);
    if (!database) {
      ++errors_;
      log_.warn(
          "the history cannot be used; what is remembered is kept in memory, and lost at the next restart",
          {{"path", path}, {"error", database.error().message}});
      return;
    }
    store_.emplace(std::move(*database));
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
      if (const auto waiting = waiting_.find(account); waiting != waiting_.end()) return waiting->second;
      if (writing_ == account) return writing_memory_;
      if (const auto failed = failed_.find(account); failed != failed_.end()) return failed->second;
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
      waiting_.insert_or_assign(account, std::move(memory));
      failed_.erase(account);
    }
    changed_.notify_all();
  }

  void configured(std::vector<std::string> accounts) override {
    if (!durable_) return;
    {
      MutexLock lock(mutex_);
      configured_ = std::move(accounts);
      failed_configured_.reset();
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
    return failed_.empty() && !failed_configured_;
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

  bool idle() const REQUIRES(mutex_) { return waiting_.empty() && !configured_ && !busy_; }

  void try_failed_again() REQUIRES(mutex_) {
    waiting_.merge(failed_);  // keeps what is newer
    failed_.clear();
    if (!configured_) configured_ = std::move(failed_configured_);
    failed_configured_.reset();
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
        writing_memory_.reset();
        changed_.notify_all();
        while (waiting_.empty() && !configured_ && readings_.empty() && !stopping_) changed_.wait(mutex_);
        if (stopping_) return;
        busy_ = true;
        if (configured_) {
          configured = std::exchange(configured_, std::nullopt);
        } else if (!readings_.empty()) {  // a caller of load() waits
          wanted = readings_.begin()->first;
        } else {
          auto next = waiting_.upper_bound(last);
          if (next == waiting_.end()) next = waiting_.begin();
          last = next->first;
          memory = std::move(next->second);
          waiting_.erase(next);
          writing_ = last;
          writing_memory_ = memory;
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
          configured ? store_->configured(*configured, now) : store_->write(last, memory, now);
      report(configured ? std::string() : last, written);
      measure();
      MutexLock lock(mutex_);
      if (written) {
        try_failed_again();
      } else if (configured) {
        if (!configured_) failed_configured_ = std::move(configured);
      } else if (!waiting_.contains(last)) {
        failed_.insert_or_assign(last, std::move(memory));
      }
    }
  }

  Result<std::shared_ptr<const AccountMemory>> read(const std::string& account) {
    Result<Store::Loaded> loaded = Error{};
    try {
      loaded = store_->load(account);
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
  void measure() { size_ = file_size(path_) + file_size(path_ + "-wal"); }

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
  std::map<std::string, std::shared_ptr<const AccountMemory>> waiting_ GUARDED_BY(mutex_);
  // Could not be written. Tried again after another write has succeeded; no newer memories wait.
  std::map<std::string, std::shared_ptr<const AccountMemory>> failed_ GUARDED_BY(mutex_);
  std::map<std::string, std::shared_ptr<Reading>> readings_ GUARDED_BY(mutex_);  // wanted or in progress
  std::optional<std::vector<std::string>> configured_ GUARDED_BY(mutex_);
  std::optional<std::vector<std::string>> failed_configured_ GUARDED_BY(mutex_);  // likewise
  std::optional<std::string> writing_ GUARDED_BY(mutex_);
  std::shared_ptr<const AccountMemory> writing_memory_ GUARDED_BY(mutex_);
  bool busy_ GUARDED_BY(mutex_) = false;
  bool stopping_ GUARDED_BY(mutex_) = false;

  // Only the thread uses these, once it runs.
  std::optional<Store> store_;
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
