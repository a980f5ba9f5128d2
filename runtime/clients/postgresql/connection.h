#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/clock.h"
#include <troupe/result.h>
#include <troupe/time.h>

namespace troupe::clients {

/// A parameter of a statement, or a value of a row, as text; nothing: NULL. Bytes go as `\x...`.
using PostgresqlValue = std::optional<std::string>;
using PostgresqlRow = std::vector<PostgresqlValue>;

struct PostgresqlResult {
  std::vector<PostgresqlRow> rows = {};
  std::uint64_t changed = 0;
};

struct PostgresqlOptions {
  std::string connection_string = {};  // libpq's: words or a URL
  Duration connect_timeout = std::chrono::seconds(10);
  Duration pause_min = std::chrono::milliseconds(50);  // before another attempt to connect
  Duration pause_max = std::chrono::seconds(2);
};

/// One connection to a PostgreSQL server, made when it is needed and anew when it broke. Blocks,
/// but never beyond the deadline of a call. For one thread at a time.
class PostgresqlConnection {
 public:
  /// `clock` outlives it.
  PostgresqlConnection(Clock& clock, PostgresqlOptions options);
  ~PostgresqlConnection();
  PostgresqlConnection(const PostgresqlConnection&) = delete;
  PostgresqlConnection& operator=(const PostgresqlConnection&) = delete;

  /// Runs one statement with its $1, $2 ... Errors: kUnavailable (no connection; nothing was run),
  /// kUnknownOutcome (the connection broke, or the deadline passed, while it ran), kConflict
  /// (SQLSTATE of class 40, or 23505: somebody else was first), kInternal (the statement is wrong).
  Result<PostgresqlResult> run(const std::string& sql, const std::vector<PostgresqlValue>& values,
                               Time deadline);

  /// What the last error was, by its five characters; empty: none, or no answer.
  const std::string& sqlstate() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// `\x...`, and back.
std::string to_bytea(std::string_view bytes);
std::optional<std::string> from_bytea(std::string_view text);

}  // namespace troupe::clients
