// A thin skin over SQLite: connections and statements close themselves, and codes become Errors. Not
// thread-safe.
#pragma once

#include "sqlbak_gateway/base/result.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace sqlbak_gateway::history {

class Database;

struct Blob {
  std::string_view bytes;
};

// A prepared statement. Lives no longer than its database. Parameters and columns are counted from 0.
class Statement {
 public:
  Statement& bind(std::int64_t value);
  // `value` is not copied, and must live as long as the statement runs.
  Statement& bind(std::string_view value);
  Statement& bind(Blob value);
  // Returns whether there is a row, or another one.
  Result<bool> step();

  std::int64_t integer(int column) const;
  std::string_view text(int column) const;  // until the next step()
  std::string_view blob(int column) const;

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  int bound_ = 0;
};

class Database {
 public:
  // Opens an existing file for reading and writing.
  static Result<Database> open(const std::string& path);

  Result<void> execute(const std::string& sql);
  Result<Statement> prepare(std::string_view sql);
  // Runs one statement with these parameters to its end.
  template <typename... Parameters>
  Result<void> run(std::string_view sql, const Parameters&... parameters) {
    Result<Statement> statement = prepare(sql);
    if (!statement) return statement.error();
    (statement->bind(parameters), ...);
    const Result<bool> row = statement->step();
    return row ? Result<void>() : row.error();
  }
  // The single value of a query.
  Result<std::int64_t> integer(std::string_view sql);

 private:
  struct Close {
    void operator()(sqlite3* database) const;
  };
  explicit Database(sqlite3* database) : database_(database) {}
  std::unique_ptr<sqlite3, Close> database_;
};

}  // namespace sqlbak_gateway::history
