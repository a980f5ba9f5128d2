#pragma once

#include <cstdint>
#include <memory>
#include <string>

struct sqlite3;

/// A row of the table: how many of a product there are, and the token of who said so.
struct Stock {
  std::string product;
  int count = 0;
  std::uint64_t token = 0;
};

/// The table `stock` of a SQL database, which a shop reads.
///
/// Nobody who writes it locks a row for longer than a statement, and yet a writer that was replaced
/// cannot undo what its successor wrote: each write carries a fencing token, and changes nothing
/// where a larger one has been.
///
/// Used by one thread.
class StockTable {
 public:
  /// Opens the SQLite database in `file`, and makes it if there is none. Throws ActorError.
  explicit StockTable(const std::string& file);

  /// Writes the row of `stock.product`. Throws ActorError, and has changed nothing, if the row
  /// carries a larger token, or if others keep the database locked for five seconds.
  void set(const Stock& stock);

 private:
  struct Close {
    void operator()(sqlite3* database) const;
  };

  void run(const char* sql);

  std::unique_ptr<sqlite3, Close> database_;
};
