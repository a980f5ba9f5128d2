#include "runtime/blocks/state/sqlite.h"

#include <algorithm>
#include <utility>

#include "actors/schedule/time_text.h"
#include "runtime/blocks/state/base64.h"
#include "runtime/blocks/state/uuid.h"
#include "runtime/blocks/state/worker.h"
#include "runtime/clients/sqlite/database.h"

namespace troupe::blocks::state {
namespace {

using clients::SqliteDatabase;
using clients::SqliteRow;
using clients::SqliteValue;

bool identifier(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

// The statements, with the names of the tables.
struct Statements {
  std::string metadata_table;
  std::string create_metadata;
  std::string create;
  std::string level;
  std::string set_level;
  std::string get;
  std::string upsert;
  std::string insert_first;
  std::string update;
  std::string remove;
  std::string remove_if;
  std::string clean;
};

Statements statements_for(const std::string& table, const std::string& metadata) {
  const std::string alive = "(expiration_time IS NULL OR expiration_time > CURRENT_TIMESTAMP)";
  const std::string expiry =
      "CASE WHEN ?5 IS NULL THEN NULL ELSE datetime(CURRENT_TIMESTAMP, '+' || ?5 || ' seconds') "
      "END";
  const std::string values =
      " (key, value, is_binary, etag, expiration_time, update_time) VALUES "
      "(?1, ?2, ?3, ?4, " +
      expiry + ", CURRENT_TIMESTAMP)";
  return {
      .metadata_table = metadata,
      .create_metadata = "CREATE TABLE IF NOT EXISTS " + metadata +
                         " (key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL)",
      .create = "CREATE TABLE IF NOT EXISTS " + table +
                " (key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL, is_binary BOOLEAN NOT NULL, "
                "etag TEXT NOT NULL, expiration_time TIMESTAMP DEFAULT NULL, update_time TIMESTAMP "
                "NOT NULL DEFAULT CURRENT_TIMESTAMP)",
      .level = "SELECT value FROM " + metadata + " WHERE key = 'migrations'",
      .set_level = "REPLACE INTO " + metadata + " (key, value) VALUES ('migrations', '1')",
      .get =
          "SELECT value, is_binary, etag, strftime('%Y-%m-%dT%H:%M:%SZ', expiration_time) FROM " +
          table + " WHERE key = ?1 AND " + alive,
      .upsert = "INSERT OR REPLACE INTO " + table + values,
      .insert_first = "INSERT OR REPLACE INTO " + table +
                      " (key, value, is_binary, etag, expiration_time, update_time) SELECT ?1, ?2, "
                      "?3, ?4, " +
                      expiry + ", CURRENT_TIMESTAMP WHERE NOT EXISTS (SELECT 1 FROM " + table +
                      " WHERE key = ?1 AND " + alive + ")",
      .update = "UPDATE " + table +
                " SET value = ?2, is_binary = ?3, etag = ?4, expiration_time = " + expiry +
                ", update_time = CURRENT_TIMESTAMP WHERE key = ?1 AND etag = ?6 AND " + alive,
      .remove = "DELETE FROM " + table + " WHERE key = ?1",
      .remove_if = "DELETE FROM " + table + " WHERE key = ?1 AND etag = ?2 AND " + alive,
      .clean = "DELETE FROM " + table +
               " WHERE expiration_time IS NOT NULL AND expiration_time <= CURRENT_TIMESTAMP"};
}

Found value_of(const std::vector<SqliteRow>& rows) {
  if (rows.empty()) return std::optional<Value>();
  const SqliteRow& row = rows.front();
  Value value{.data = Payload(row[0].value_or("")), .etag = row[2].value_or(""), .expires = {}};
  if (row[1] && *row[1] == "1") {
    std::optional<std::string> bytes = from_base64(row[0].value_or(""));
    if (!bytes) return fail(Code::kDataLoss, "a value is said to be base64, and is not");
    value.data = Payload(*std::move(bytes));
  }
  if (row[3]) {
    const Result<WallTime> expires = parse_rfc3339(*row[3]);
    if (expires) value.expires = *expires;
  }
  return std::optional(std::move(value));
}

}  // namespace

struct SqliteStore::State {
  explicit State(Clock& the_clock) : clock(the_clock) {}

  Result<void> prepare() {
    for (const std::string& each : {sql.create_metadata, sql.create}) {
      if (auto done = database->run(each); !done) return fail(done.error());
    }
    const auto level = database->run(sql.level);
    if (!level) return fail(level.error());
    if (level->empty()) {
      if (auto done = database->run(sql.set_level); !done) return fail(done.error());
    } else if (level->front()[0].value_or("") > "1") {
      return fail(Code::kUnimplemented, "the tables are of a newer version, " +
                                            level->front()[0].value_or("") + ", of Dapr");
    }
    return {};
  }

  Result<void> change(const Change& change) {
    const Set* set = std::get_if<Set>(&change);
    const auto& etag = etag_of(change);
    Result<std::vector<SqliteRow>> done = set != nullptr ? write(*set) : erase(change);
    if (!done) return fail(done.error());
    const bool conditional = etag.has_value() || (set != nullptr && set->creates());
    if (conditional && database->changes() == 0) return mismatch();
    return {};
  }

  Result<std::vector<SqliteRow>> write(const Set& set) {
    const bool binary = !set.json;
    SqliteValue ttl;
    if (set.ttl_seconds && *set.ttl_seconds > 0) ttl = std::to_string(*set.ttl_seconds);
    std::vector<SqliteValue> values{
        set.key, binary ? to_base64(set.value.view()) : std::string(set.value.view()),
        binary ? "1" : "0", new_uuid(), std::move(ttl)};
    if (set.etag) {
      values.emplace_back(*set.etag);
      return database->run(sql.update, values);
    }
    return database->run(set.creates() ? sql.insert_first : sql.upsert, values);
  }

  Result<std::vector<SqliteRow>> erase(const Change& change) {
    const auto& etag = etag_of(change);
    if (etag) return database->run(sql.remove_if, {key_of(change), *etag});
    return database->run(sql.remove, {key_of(change)});
  }

  // Runs `work` inside a transaction, undone if it fails.
  template <class Work>
  Result<void> inside(Work work) {
    if (auto begun = database->run("BEGIN IMMEDIATE"); !begun) return fail(begun.error());
    Result<void> done = work();
    if (done) {
      if (auto committed = database->run("COMMIT"); !committed) done = fail(committed.error());
    }
    if (!done) static_cast<void>(database->run("ROLLBACK"));
    return done;
  }

  void clean_up() {
    if (clean_interval <= Duration::zero() || clock.now() < clean_next) return;
    clean_next = clock.now() + clean_interval;
    static_cast<void>(database->run(sql.clean));
  }

  Clock& clock;
  std::unique_ptr<SqliteDatabase> database;
  Statements sql;
  Duration clean_interval{0};
  Time clean_next;
  Worker worker{clock, 1, "sqlite"};
};

SqliteStore::SqliteStore(std::unique_ptr<State> state) : state_(std::move(state)) {}
SqliteStore::~SqliteStore() { stop(); }

Result<std::unique_ptr<Component>> SqliteStore::open(components::Properties& properties,
                                                     Clock& clock) {
  auto state = std::make_unique<State>(clock);
  clients::SqliteOptions options;
  options.file = properties.text_or({"connectionString", "url"}, "");
  if (options.file.empty()) return fail(Code::kInvalid, "metadata 'connectionString' is missing");
  const Result<Duration> busy = properties.duration({"busyTimeout"}, options.busy_timeout);
  const Result<Duration> clean =
      properties.duration({"cleanupInterval", "cleanupIntervalInSeconds"}, Duration::zero());
  static_cast<void>(properties.text({"timeout", "timeoutInSeconds"}));  // callers bring their own
  if (!busy) return fail(busy.error());
  if (!clean) return fail(clean.error());
  options.busy_timeout = *busy;
  options.wal =
      !properties.truth({"disableWAL"}) && options.file.find(":memory:") == std::string::npos;
  const std::string table = properties.text_or({"tableName"}, "state");
  const std::string metadata = properties.text_or({"metadataTableName"}, "metadata");
  for (const std::string& each : {table, metadata}) {
    if (!identifier(each)) {
      return fail(Code::kInvalid,
                  "'" + each + "' is no name of a table: letters, digits and _ only");
    }
  }
  auto database = SqliteDatabase::open(options);
  if (!database) return fail(database.error());
  state->database = *std::move(database);
  state->sql = statements_for(table, metadata);
  state->clean_interval = *clean;
  if (const Result<void> prepared = state->prepare(); !prepared) return fail(prepared.error());
  return std::unique_ptr<Component>(new SqliteStore(std::move(state)));
}

Features SqliteStore::features() const { return {}; }

void SqliteStore::read(std::vector<Read> reads, Time deadline, Done<std::vector<Found>> done) {
  state_->worker.run<std::vector<Found>>(
      deadline, std::move(done),
      [&state = *state_, reads = std::move(reads)]() -> Result<std::vector<Found>> {
        std::vector<Found> found;
        found.reserve(reads.size());
        for (const Read& each : reads) {
          const auto rows = state.database->run(state.sql.get, {each.key});
          found.push_back(rows ? value_of(*rows) : Found(fail(rows.error())));
        }
        return found;
      });
}

void SqliteStore::write(std::vector<Change> changes, Time deadline,
                        Done<std::vector<Result<void>>> done) {
  state_->worker.run<std::vector<Result<void>>>(
      deadline, std::move(done),
      [&state = *state_, changes = std::move(changes)]() -> Result<std::vector<Result<void>>> {
        state.clean_up();
        std::vector<Result<void>> outcomes;
        outcomes.reserve(changes.size());
        if (changes.size() == 1) {
          outcomes.push_back(state.change(changes.front()));
          return outcomes;
        }
        // One sync of the disk for all.
        const Result<void> all = state.inside([&]() -> Result<void> {
          for (const Change& each : changes) outcomes.push_back(state.change(each));
          return {};
        });
        if (!all) outcomes.assign(changes.size(), all);
        return outcomes;
      });
}

void SqliteStore::transact(std::vector<Change> changes, Time deadline, Done<void> done) {
  state_->worker.run<void>(deadline, std::move(done),
                           [&state = *state_, changes = std::move(changes)]() -> Result<void> {
                             state.clean_up();
                             return state.inside([&]() -> Result<void> {
                               for (const Change& each : changes) {
                                 if (Result<void> changed = state.change(each); !changed)
                                   return changed;
                               }
                               return {};
                             });
                           });
}

void SqliteStore::stop() {
  state_->database->interrupt();
  state_->worker.stop();
}

}  // namespace troupe::blocks::state
