#include "sdk/examples/warehouse/stock_table.h"

#include <sqlite3.h>

#include <troupe/error.h>

namespace {

constexpr int kPatienceMs = 5000;  // shorter than a turn may take

constexpr const char* kCreate =
    "CREATE TABLE IF NOT EXISTS stock (product TEXT PRIMARY KEY, count INTEGER NOT NULL, "
    "token INTEGER NOT NULL)";

constexpr const char* kSet =
    "INSERT INTO stock (product, count, token) VALUES (?1, ?2, ?3) "
    "ON CONFLICT (product) DO UPDATE SET count = excluded.count, token = excluded.token "
    "WHERE stock.token <= excluded.token";

// Whoever asks again may have more luck.
[[noreturn]] void fail(sqlite3* database) {
  throw troupe::ActorError(troupe::Code::kUnavailable,
                           std::string("the stock table: ") + sqlite3_errmsg(database));
}

struct Finalize {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};

}  // namespace

void StockTable::Close::operator()(sqlite3* database) const { sqlite3_close(database); }

StockTable::StockTable(const std::string& file) {
  sqlite3* opened = nullptr;
  const int code = sqlite3_open(file.c_str(), &opened);
  database_.reset(opened);
  if (code != SQLITE_OK) fail(opened);
  sqlite3_busy_timeout(opened, kPatienceMs);
  run("PRAGMA journal_mode = WAL");  // readers hold up no writer
  run(kCreate);
}

void StockTable::set(const Stock& stock) {
  sqlite3* const database = database_.get();
  sqlite3_stmt* prepared = nullptr;
  if (sqlite3_prepare_v2(database, kSet, -1, &prepared, nullptr) != SQLITE_OK) fail(database);
  const std::unique_ptr<sqlite3_stmt, Finalize> statement(prepared);
  sqlite3_bind_text(prepared, 1, stock.product.data(), static_cast<int>(stock.product.size()),
                    SQLITE_STATIC);
  sqlite3_bind_int(prepared, 2, stock.count);
  sqlite3_bind_int64(prepared, 3, static_cast<sqlite3_int64>(stock.token));
  if (sqlite3_step(prepared) != SQLITE_DONE) fail(database);
  if (sqlite3_changes(database) == 0) {
    throw troupe::ActorError("the row of " + stock.product +
                             " belongs to a newer owner than that of token " +
                             std::to_string(stock.token));
  }
}

void StockTable::run(const char* sql) {
  if (sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) {
    fail(database_.get());
  }
}
