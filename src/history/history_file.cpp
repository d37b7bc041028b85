#include "history/history_file.h"

#include "sqlbak_gateway/history/history.h"

#include <cerrno>
#include <fcntl.h>
#include <string_view>
#include <sys/stat.h>
#include <system_error>
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

Result<void> make_tables(Database& database) {
  return database.execute("BEGIN; PRAGMA application_id = " + std::to_string(kApplicationId) +
                          "; PRAGMA user_version = " + std::to_string(kVersion) + ";" + kSchema + "COMMIT");
}

// An Error if the database is not a history, is a newer version's, or is damaged.
Result<void> check(Database& database) {
  const Result<std::int64_t> owner = database.integer("PRAGMA application_id");
  const Result<std::int64_t> version = database.integer("PRAGMA user_version");
  if (!owner) return owner.error();
  if (!version) return version.error();
  if (*owner != kApplicationId) {
    return Error{"it is a database, but not a history of sqlbak-gateway (set history.path to another file)"};
  }
  if (*version > kVersion) {
    return Error{
        "it was written by a newer version of sqlbak-gateway (use that version, or another history.path)"};
  }
  Result<Statement> quick_check = database.prepare("PRAGMA quick_check(1)");
  if (!quick_check) return quick_check.error();
  const Result<bool> row = quick_check->step();
  if (!row) return row.error();
  if (quick_check->text(0) != "ok") {
    return Error{"it is damaged: " + std::string(quick_check->text(0)) +
                 " (move it out of the way; a new one is made at the next start)"};
  }
  return {};
}

std::uint64_t file_size(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
}

}  // namespace

HistoryFile::HistoryFile(std::string path, Database database)
    : path_(std::move(path)), database_(std::move(database)) {}

Result<HistoryFile> HistoryFile::open(const std::string& path) {
  if (const Result<void> created = create_private(path); !created) return created.error();
  Result<Database> database = Database::open(path);
  if (!database) return database.error();
  // The first access takes an exclusive lock and keeps it, so that a second gateway fails at once.
  for (const char* setting :
       {"PRAGMA locking_mode = EXCLUSIVE", "PRAGMA journal_mode = WAL", "PRAGMA synchronous = NORMAL",
        "PRAGMA journal_size_limit = 1048576", "BEGIN IMMEDIATE", "COMMIT"}) {
    if (const Result<void> set = database->execute(setting); !set) return set.error();
  }
  const Result<std::int64_t> tables = database->integer("SELECT count(*) FROM sqlite_schema");
  if (!tables) return tables.error();
  const Result<void> ready = *tables == 0 ? make_tables(*database) : check(*database);
  if (!ready) return ready.error();
  return HistoryFile(path, std::move(*database));
}

Result<HistoryFile::Loaded> HistoryFile::load(const std::string& account) {
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

Result<void> HistoryFile::write(const std::string& account,
                                const std::shared_ptr<const AccountMemory>& memory, SystemTime now) {
  return transaction([&] { return write_account(account, *memory, now); }, [&] { keep(account, memory); });
}

Result<void> HistoryFile::configured(const std::vector<std::string>& accounts, SystemTime now) {
  // Accounts that were configured until now count as seen now.
  std::set<std::string> seen(accounts.begin(), accounts.end());
  if (configured_) seen.insert(configured_->begin(), configured_->end());
  return transaction(
      [&]() -> Result<void> {
        for (const std::string& account : seen) {
          const Result<void> done = database_.run("UPDATE account SET configured_at = ? WHERE name = ?",
                                                  now.time_since_epoch().count(), account);
          if (!done) return done;
        }
        return remove_stale(now);
      },
      [&] {
        configured_.emplace(accounts.begin(), accounts.end());
        std::erase_if(written_, [&](const auto& entry) { return !configured_->contains(entry.first); });
      });
}

std::uint64_t HistoryFile::size() const {
  return file_size(path_) + file_size(path_ + "-wal");
}

// Keeps nothing of accounts that are no longer configured; if stored again, they are written as a whole.
void HistoryFile::keep(const std::string& account, const std::shared_ptr<const AccountMemory>& memory) {
  if (!configured_ || configured_->contains(account)) written_[account] = memory;
}

template <typename Body, typename Committed>
Result<void> HistoryFile::transaction(Body body, Committed committed) {
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

Result<std::optional<std::int64_t>> HistoryFile::key_of(const std::string& account) {
  Result<Statement> found = database_.prepare("SELECT id FROM account WHERE name = ?");
  if (!found) return found.error();
  const Result<bool> row = found->bind(std::string_view(account)).step();
  if (!row) return row.error();
  return *row ? std::optional(found->integer(0)) : std::nullopt;
}

Result<void> HistoryFile::write_account(const std::string& account, const AccountMemory& memory,
                                        SystemTime now) {
  Result<std::optional<std::int64_t>> key = key_of(account);
  if (!key) return key.error();
  const auto found = written_.find(account);
  const AccountMemory* before = *key && found != written_.end() ? found->second.get() : nullptr;
  if (*key && !before) {
    // The stored rows are damaged, or nobody has loaded them, or the account is no longer configured.
    if (Result<void> removed = remove(**key); !removed) return removed;
    *key = std::nullopt;
  }
  const Changes changed = changes(before, memory);
  const std::int64_t seen = now.time_since_epoch().count();
  const Result<void> done =
      !*key ? database_.run("INSERT INTO account (name, configured_at, header, lists) VALUES (?, ?, ?, ?)",
                            account, seen, Blob{changed.header}, Blob{*changed.lists})
      : changed.lists
          ? database_.run("UPDATE account SET configured_at = ?, header = ?, lists = ? WHERE id = ?", seen,
                          Blob{changed.header}, Blob{*changed.lists}, **key)
          : database_.run("UPDATE account SET configured_at = ?, header = ? WHERE id = ?", seen,
                          Blob{changed.header}, **key);
  if (!done) return done;
  if (!*key) key = key_of(account);
  if (!key) return key.error();
  return write_jobs(**key, changed);
}

Result<void> HistoryFile::write_jobs(std::int64_t key, const Changes& changes) {
  for (const auto& [id, body] : changes.jobs) {
    const Result<void> done =
        database_.run("INSERT OR REPLACE INTO job (account, id, body) VALUES (?, ?, ?)", key, id, Blob{body});
    if (!done) return done;
  }
  for (const auto& [job, day, body] : changes.chunks) {
    const Result<void> done =
        body ? database_.run("INSERT OR REPLACE INTO chunk (account, job, day, body) VALUES (?, ?, ?, ?)",
                             key, job, day, Blob{*body})
             : database_.run("DELETE FROM chunk WHERE account = ? AND job = ? AND day = ?", key, job, day);
    if (!done) return done;
  }
  for (const std::string& id : changes.removed_jobs) {
    for (const char* sql : {"DELETE FROM job WHERE account = ? AND id = ?",
                            "DELETE FROM chunk WHERE account = ? AND job = ?"}) {
      if (Result<void> done = database_.run(sql, key, id); !done) return done;
    }
  }
  return {};
}

Result<void> HistoryFile::remove(std::int64_t key) {
  for (const char* sql : {"DELETE FROM chunk WHERE account = ?", "DELETE FROM job WHERE account = ?",
                          "DELETE FROM account WHERE id = ?"}) {
    if (Result<void> done = database_.run(sql, key); !done) return done;
  }
  return {};
}

Result<void> HistoryFile::remove_stale(SystemTime now) {
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

}  // namespace sqlbak_gateway::history
