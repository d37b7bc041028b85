// The SQLite file of the history. Files are readable by every later version: the tables, and what the codec
// writes into them, only ever grow.
#pragma once

#include "history/codec.h"
#include "history/sqlite.h"
#include "sqlbak_gateway/account/memory.h"
#include "sqlbak_gateway/base/clock.h"
#include "sqlbak_gateway/base/result.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace sqlbak_gateway::history {

// Resource type. Not thread-safe; calls wait for the disk.
class HistoryFile {
 public:
  // Opens or creates the file, checks that it is sound, and locks it against other processes until the end.
  static Result<HistoryFile> open(const std::string& path);

  // The result of reading an account's rows. Reading itself may fail with an Error.
  struct Loaded {
    std::shared_ptr<const AccountMemory> memory;  // null if nothing is remembered
    bool damaged = false;                         // there are rows, but they are not valid
  };
  Result<Loaded> load(const std::string& account);
  // Writes what changed since the account was last written or loaded, in one transaction.
  Result<void> write(const std::string& account, const std::shared_ptr<const AccountMemory>& memory,
                     SystemTime now);
  // Marks these accounts as seen, and removes those that have not been seen for kUnconfiguredKept.
  Result<void> configured(const std::vector<std::string>& accounts, SystemTime now);
  // Of the file and its log, in bytes.
  std::uint64_t size() const;

 private:
  HistoryFile(std::string path, Database database);

  // Runs `body` in a transaction, and `committed` if it was committed.
  template <typename Body, typename Committed>
  Result<void> transaction(Body body, Committed committed);
  void keep(const std::string& account, const std::shared_ptr<const AccountMemory>& memory);
  Result<std::optional<std::int64_t>> key_of(const std::string& account);
  Result<void> write_account(const std::string& account, const AccountMemory& memory, SystemTime now);
  Result<void> write_jobs(std::int64_t key, const Changes& changes);
  Result<void> remove(std::int64_t key);
  Result<void> remove_stale(SystemTime now);

  std::string path_;
  Database database_;
  std::map<std::string, std::shared_ptr<const AccountMemory>> written_;  // what the file has of each account
  std::optional<std::set<std::string>> configured_;                      // empty until configured() is called
};

}  // namespace sqlbak_gateway::history
