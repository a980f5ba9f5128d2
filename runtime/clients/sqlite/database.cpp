#include "runtime/clients/sqlite/database.h"

#include <map>
#include <utility>

#include <sqlite3.h>

namespace troupe::clients {
namespace {

struct Finalize {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;

struct Close {
  void operator()(sqlite3* database) const { sqlite3_close(database); }
};

constexpr std::size_t kStatementsMax = 64;

Failure failed(sqlite3* database, int code) {
  const std::string text = database != nullptr ? sqlite3_errmsg(database) : sqlite3_errstr(code);
  const bool busy = code == SQLITE_BUSY || code == SQLITE_LOCKED || code == SQLITE_INTERRUPT;
  return fail(busy ? Code::kTimeout : Code::kUnavailable, "sqlite: " + text);
}

SqliteRow row_of(sqlite3_stmt* statement) {
  SqliteRow row;
  const int columns = sqlite3_column_count(statement);
  row.reserve(static_cast<std::size_t>(columns));
  for (int i = 0; i < columns; ++i) {
    if (sqlite3_column_type(statement, i) == SQLITE_NULL) {
      row.emplace_back();
      continue;
    }
    const void* bytes = sqlite3_column_blob(statement, i);
    const int size = sqlite3_column_bytes(statement, i);
    row.emplace_back(std::string(static_cast<const char*>(bytes), static_cast<std::size_t>(size)));
  }
  return row;
}

}  // namespace

struct SqliteDatabase::State {
  std::unique_ptr<sqlite3, Close> database;
  std::map<std::string, Statement, std::less<>> statements;  // before the database closes
};

SqliteDatabase::SqliteDatabase(std::unique_ptr<State> state) : state_(std::move(state)) {}
SqliteDatabase::~SqliteDatabase() {
  if (state_) state_->statements.clear();
}

Result<std::unique_ptr<SqliteDatabase>> SqliteDatabase::open(const SqliteOptions& options) {
  auto state = std::make_unique<State>();
  sqlite3* opened = nullptr;
  const int code = sqlite3_open_v2(
      options.file.c_str(), &opened,
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI | SQLITE_OPEN_FULLMUTEX,
      nullptr);
  state->database.reset(opened);
  if (code != SQLITE_OK)
    return fail(failed(opened, code).error.code,
                "sqlite: '" + options.file + "': " + sqlite3_errstr(code));
  sqlite3_busy_timeout(opened,
                       static_cast<int>(options.busy_timeout / std::chrono::milliseconds(1)));
  std::unique_ptr<SqliteDatabase> database(new SqliteDatabase(std::move(state)));
  for (const std::string_view each :
       {options.wal ? std::string_view("PRAGMA journal_mode = WAL")
                    : std::string_view("PRAGMA journal_mode = DELETE"),
        std::string_view("PRAGMA foreign_keys = ON")}) {
    if (auto done = database->run(each); !done) return fail(done.error());
  }
  return database;
}

Result<std::vector<SqliteRow>> SqliteDatabase::run(std::string_view sql,
                                                   const std::vector<SqliteValue>& values) {
  sqlite3* const database = state_->database.get();
  auto found = state_->statements.find(sql);
  if (found == state_->statements.end()) {
    if (state_->statements.size() >= kStatementsMax) state_->statements.clear();
    sqlite3_stmt* prepared = nullptr;
    const int code =
        sqlite3_prepare_v2(database, sql.data(), static_cast<int>(sql.size()), &prepared, nullptr);
    if (code != SQLITE_OK) return failed(database, code);
    found = state_->statements.emplace(std::string(sql), Statement(prepared)).first;
  }
  sqlite3_stmt* const statement = found->second.get();
  for (std::size_t i = 0; i < values.size(); ++i) {
    const int place = static_cast<int>(i) + 1;
    if (values[i]) {
      sqlite3_bind_text64(statement, place, values[i]->data(), values[i]->size(), SQLITE_STATIC,
                          SQLITE_UTF8);
    } else {
      sqlite3_bind_null(statement, place);
    }
  }
  std::vector<SqliteRow> rows;
  int code = sqlite3_step(statement);
  for (; code == SQLITE_ROW; code = sqlite3_step(statement)) rows.push_back(row_of(statement));
  Failure failure = failed(database, code);
  sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);
  if (code != SQLITE_DONE) return failure;
  return rows;
}

std::int64_t SqliteDatabase::changes() const { return sqlite3_changes64(state_->database.get()); }

void SqliteDatabase::interrupt() { sqlite3_interrupt(state_->database.get()); }

}  // namespace troupe::clients
