#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <troupe/result.h>
#include <troupe/time.h>

namespace troupe::clients {

struct SqliteOptions {
  std::string file = {};  // a path, `file:...` or `:memory:`
  Duration busy_timeout = std::chrono::seconds(2);
  bool wal = true;
};

/// A value of a statement or a row: text or nothing. SQLite turns text into what a column is of.
using SqliteValue = std::optional<std::string>;
using SqliteRow = std::vector<SqliteValue>;

/// One connection to an SQLite database. Blocks; for one thread at a time.
class SqliteDatabase {
 public:
  /// kUnavailable, with SQLite's text, if it cannot be opened.
  static Result<std::unique_ptr<SqliteDatabase>> open(const SqliteOptions& options);
  ~SqliteDatabase();
  SqliteDatabase(const SqliteDatabase&) = delete;
  SqliteDatabase& operator=(const SqliteDatabase&) = delete;

  /// The rows that `sql`, with its ?1, ?2 ..., gives. Statements are kept ready. kTimeout if
  /// another held the database for longer than the busy time-out; else kUnavailable.
  Result<std::vector<SqliteRow>> run(std::string_view sql,
                                     const std::vector<SqliteValue>& values = {});
  /// Rows that the last run() changed.
  std::int64_t changes() const;

  /// From any thread: what runs now ends with an error.
  void interrupt();

 private:
  struct State;
  explicit SqliteDatabase(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace troupe::clients
