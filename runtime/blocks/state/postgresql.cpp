#include "runtime/blocks/state/postgresql.h"

#include <algorithm>
#include <map>
#include <utility>

#include "runtime/base/guarded.h"
#include "runtime/blocks/state/merged.h"
#include "runtime/blocks/state/postgresql_tables.h"
#include "runtime/blocks/state/worker.h"

namespace troupe::blocks::state {
namespace {

using clients::PostgresqlConnection;
using clients::PostgresqlResult;

constexpr std::int64_t kConnections = 4;
constexpr std::int64_t kConnectionsMax = 64;
constexpr std::size_t kKeysOfARead = 1'000;
constexpr Duration kTimeout = std::chrono::seconds(20);

// Errors of the server are no etags' errors.
Error plain(Error error) {
  if (error.code == Code::kConflict || error.code == Code::kInvalid)
    error.code = Code::kUnavailable;
  return error;
}

// A value in libpq's own form of words.
std::string quoted(const std::string& value) {
  std::string text = "'";
  for (const char c : value) {
    if (c == '\'' || c == '\\') text += '\\';
    text += c;
  }
  return text + "'";
}

Result<std::string> connection_string(components::Properties& properties) {
  for (const std::string_view name : {"useAzureAD", "useAWSIAM"}) {
    if (properties.truth({name})) {
      return fail(Code::kUnimplemented, "metadata '" + std::string(name) + "': not served");
    }
  }
  for (const std::string_view name :
       {"connectionMaxIdleTime", "connMaxIdleTime", "queryExecMode"}) {
    static_cast<void>(properties.text({name}));  // of another client's pool
  }
  const std::string whole = properties.text_or({"connectionString", "url"}, "");
  const std::map<std::string, std::string> parts{
      {"host", properties.text_or({"host"}, "")},
      {"hostaddr", properties.text_or({"hostaddr"}, "")},
      {"port", properties.text_or({"port"}, "")},
      {"dbname", properties.text_or({"database"}, "")},
      {"user", properties.text_or({"user"}, "")},
      {"password", properties.text_or({"password"}, "")},
      {"sslrootcert", properties.text_or({"sslRootCert"}, "")}};
  if (!whole.empty()) return whole;
  std::string text;
  for (const auto& [name, value] : parts) {
    if (!value.empty()) text += name + "=" + quoted(value) + " ";
  }
  if (text.empty()) return fail(Code::kInvalid, "metadata 'connectionString' is missing");
  return text;
}

Result<PostgresqlTables> tables_of(components::Properties& properties, PostgresqlLayout layout) {
  PostgresqlTables tables{.layout = layout};
  tables.metadata = properties.text_or({"metadataTableName"}, tables.metadata);
  if (layout == PostgresqlLayout::kVersion1) {
    tables.state = properties.text_or({"tableName"}, tables.state);
  } else {
    tables.prefix = properties.text_or({"tablePrefix"}, "");
    tables.state = tables.prefix + "state";
  }
  for (const std::string& each : {tables.state, tables.metadata}) {
    if (!table_name(each)) {
      return fail(Code::kInvalid,
                  "'" + each + "' is no name of a table: letters, digits and _, perhaps a schema");
    }
  }
  return tables;
}

}  // namespace

struct PostgresqlStore::State {
  State(Clock& the_clock, PostgresqlTables the_tables, clients::PostgresqlOptions the_options,
        std::size_t connections)
      : clock(the_clock),
        tables(std::move(the_tables)),
        worker(the_clock, connections, "postgresql") {
    for (std::size_t i = 0; i < connections; ++i) {
      free.with([&](auto& all) {
        all.push_back(std::make_unique<PostgresqlConnection>(clock, the_options));
      });
    }
  }

  // Gives `work` a connection: there are as many as threads.
  template <class Work>
  auto with_connection(Work work) {
    std::unique_ptr<PostgresqlConnection> connection = free.with([](auto& all) {
      auto last = std::move(all.back());
      all.pop_back();
      return last;
    });
    auto result = work(*connection);
    free.with([&](auto& all) { all.push_back(std::move(connection)); });
    return result;
  }

  Time latest(Time deadline) const { return std::min(deadline, clock.now() + timeout); }

  Result<void> change(PostgresqlConnection& connection, const Change& change, Time deadline) {
    const Result<PostgresqlStatement> statement = change_statement(tables, change);
    if (!statement) return fail(statement.error());
    const Result<PostgresqlResult> result =
        connection.run(statement->sql, statement->values, deadline);
    if (!result) return fail(plain(result.error()));
    const Set* set = std::get_if<Set>(&change);
    const bool conditional = etag_of(change) || (set != nullptr && set->creates());
    if (conditional && result->changed == 0)
      return mismatch(set != nullptr && set->creates() ? "no item was updated" : "");
    return {};
  }

  // Runs `work` inside a transaction, undone if it fails.
  template <class Work>
  Result<void> inside(PostgresqlConnection& connection, Time deadline, Work work) {
    if (auto begun = connection.run("BEGIN", {}, deadline); !begun)
      return fail(plain(begun.error()));
    Result<void> done = work();
    auto ended = connection.run(done ? "COMMIT" : "ROLLBACK", {}, deadline);
    if (done && !ended) return fail(plain(ended.error()));
    return done;
  }

  Result<std::vector<Found>> read(PostgresqlConnection& connection, const std::vector<Read>& reads,
                                  Time deadline) {
    std::map<std::string, Found, std::less<>> by_key;
    for (std::size_t begin = 0; begin < reads.size(); begin += kKeysOfARead) {
      std::vector<std::string> keys;
      for (std::size_t i = begin; i < std::min(reads.size(), begin + kKeysOfARead); ++i) {
        keys.push_back(reads[i].key);
      }
      const PostgresqlStatement statement = read_statement(tables, keys);
      Result<PostgresqlResult> result = connection.run(statement.sql, statement.values, deadline);
      if (!result && result.error().code == Code::kUnknownOutcome) {  // it changes nothing
        result = connection.run(statement.sql, statement.values, deadline);
      }
      if (!result) return fail(plain(result.error()));
      for (const clients::PostgresqlRow& row : result->rows) {
        Result<Value> value = value_of(tables, row);
        by_key.insert_or_assign(row[0].value_or(""), value ? Found(std::optional(*std::move(value)))
                                                           : Found(fail(value.error())));
      }
    }
    std::vector<Found> found;
    found.reserve(reads.size());
    for (const Read& each : reads) {
      const auto place = by_key.find(each.key);
      found.push_back(place == by_key.end() ? Found(std::optional<Value>()) : place->second);
    }
    return found;
  }

  // Rows that have expired go now and then; of several nodes, one does it.
  void clean_up(PostgresqlConnection& connection, Time deadline) {
    if (clean_interval <= Duration::zero()) return;
    const Time now = clock.now();
    const bool mine = clean_next.with([&](Time& next) {
      if (now < next) return false;
      next = now + clean_interval;
      return true;
    });
    if (!mine) return;
    const std::string ms = std::to_string(clean_interval / std::chrono::milliseconds(1));
    const auto first =
        connection.run("INSERT INTO " + tables.metadata +
                           " AS m (key, value) VALUES ($1, CURRENT_TIMESTAMP::text) "
                           "ON CONFLICT (key) DO UPDATE SET value = CURRENT_TIMESTAMP::text WHERE "
                           "(EXTRACT(epoch FROM "
                           "CURRENT_TIMESTAMP - m.value::timestamptz) * 1000)::bigint > $2::bigint",
                       {tables.metadata_key("last-cleanup"), ms}, deadline);
    if (!first || first->changed == 0) return;
    const std::string column =
        tables.layout == PostgresqlLayout::kVersion1 ? "expiredate" : "expires_at";
    static_cast<void>(connection.run("DELETE FROM " + tables.state + " WHERE " + column +
                                         " IS NOT NULL AND " + column + " < CURRENT_TIMESTAMP",
                                     {}, deadline));
  }

  Clock& clock;
  const PostgresqlTables tables;
  Duration timeout = kTimeout;
  Duration clean_interval = std::chrono::hours(1);
  Guarded<Time> clean_next;
  Guarded<std::vector<std::unique_ptr<PostgresqlConnection>>> free;
  Worker worker;
};

PostgresqlStore::PostgresqlStore(std::unique_ptr<State> state) : state_(std::move(state)) {}
PostgresqlStore::~PostgresqlStore() { stop(); }

Result<std::unique_ptr<Component>> PostgresqlStore::open(components::Properties& properties,
                                                         Clock& clock, PostgresqlLayout layout,
                                                         Duration init_timeout) {
  Result<std::string> string = connection_string(properties);
  if (!string) return fail(string.error());
  Result<PostgresqlTables> tables = tables_of(properties, layout);
  if (!tables) return fail(tables.error());
  const auto timeout = properties.duration({"timeout", "timeoutInSeconds"}, kTimeout);
  const auto clean =
      properties.duration({"cleanupInterval", "cleanupIntervalInSeconds"}, std::chrono::hours(1));
  const auto connections = properties.number({"maxConns"}, kConnections, 1, kConnectionsMax);
  if (!timeout) return fail(timeout.error());
  if (!clean) return fail(clean.error());
  if (!connections) return fail(connections.error());
  auto state =
      std::make_unique<State>(clock, *std::move(tables),
                              clients::PostgresqlOptions{.connection_string = *std::move(string)},
                              static_cast<std::size_t>(*connections));
  state->timeout = std::max<Duration>(*timeout, std::chrono::seconds(1));
  state->clean_interval = *clean;
  state->clean_next.with([&](Time& next) { next = clock.now() + *clean; });
  const Result<void> prepared = state->with_connection([&](PostgresqlConnection& connection) {
    return prepare_tables(connection, state->tables, clock.now() + init_timeout);
  });
  if (!prepared) return fail(plain(prepared.error()));
  return std::unique_ptr<Component>(new PostgresqlStore(std::move(state)));
}

Features PostgresqlStore::features() const {
  Features features;
  features.query = state_->tables.layout == PostgresqlLayout::kVersion1;
  return features;
}

void PostgresqlStore::read(std::vector<Read> reads, Time deadline, Done<std::vector<Found>> done) {
  State& state = *state_;
  state.worker.run<std::vector<Found>>(
      deadline, std::move(done), [&state, reads = std::move(reads), deadline] {
        return state.with_connection([&](PostgresqlConnection& connection) {
          return state.read(connection, reads, state.latest(deadline));
        });
      });
}

void PostgresqlStore::write(std::vector<Change> changes, Time deadline,
                            Done<std::vector<Result<void>>> done) {
  State& state = *state_;
  state.worker.run<std::vector<Result<void>>>(
      deadline, std::move(done),
      [&state, changes = std::move(changes), deadline]() -> Result<std::vector<Result<void>>> {
        return state.with_connection([&](PostgresqlConnection& connection) {
          const Time latest = state.latest(deadline);
          state.clean_up(connection, latest);
          std::vector<Result<void>> outcomes;
          outcomes.reserve(changes.size());
          if (changes.size() == 1) {
            outcomes.push_back(state.change(connection, changes.front(), latest));
            return outcomes;
          }
          // One sync of the server's disk for all.
          const Result<void> all = state.inside(connection, latest, [&]() -> Result<void> {
            for (const Change& each : changes) {
              outcomes.push_back(state.change(connection, each, latest));
              const Result<void>& last = outcomes.back();
              if (!last && last.error().code != Code::kConflict &&
                  last.error().code != Code::kInvalid) {
                return last;
              }
            }
            return {};
          });
          if (!all) outcomes.assign(changes.size(), all);
          return outcomes;
        });
      });
}

void PostgresqlStore::transact(std::vector<Change> changes, Time deadline, Done<void> done) {
  State& state = *state_;
  state.worker.run<void>(
      deadline, std::move(done),
      [&state, changes = merged(std::move(changes)), deadline]() -> Result<void> {
        return state.with_connection([&](PostgresqlConnection& connection) {
          const Time latest = state.latest(deadline);
          return state.inside(connection, latest, [&]() -> Result<void> {
            for (const Change& each : changes) {
              if (Result<void> changed = state.change(connection, each, latest); !changed) {
                return changed;
              }
            }
            return {};
          });
        });
      });
}

void PostgresqlStore::query(std::string query, std::string_view key_prefix, Time deadline,
                            Done<QueryResult> done) {
  State& state = *state_;
  if (state.tables.layout != PostgresqlLayout::kVersion1) {
    return Component::query(std::move(query), key_prefix, deadline, std::move(done));
  }
  Result<PostgresqlQuery> made = query_statement(state.tables, query, key_prefix);
  if (!made) return done(fail(made.error()));
  state.worker.run<QueryResult>(
      deadline, std::move(done),
      [&state, made = *std::move(made), deadline]() -> Result<QueryResult> {
        return state.with_connection([&](PostgresqlConnection& connection) -> Result<QueryResult> {
          const Result<PostgresqlResult> found =
              connection.run(made.statement.sql, made.statement.values, state.latest(deadline));
          if (!found) return fail(plain(found.error()));
          QueryResult result;
          for (const clients::PostgresqlRow& row : found->rows) {
            Result<Value> value = value_of(state.tables, row);
            if (!value) return fail(value.error());
            result.items.push_back({.key = row[0].value_or(""), .value = *std::move(value)});
          }
          if (made.limit > 0 && result.items.size() == made.limit) {
            result.token = std::to_string(made.offset + made.limit);
          }
          return result;
        });
      });
}

void PostgresqlStore::stop() { state_->worker.stop(); }

}  // namespace troupe::blocks::state
