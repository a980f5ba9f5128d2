#include "runtime/blocks/state/stores.h"

#include <array>
#include <string_view>

#include "runtime/blocks/state/in_memory.h"
#include "runtime/blocks/state/postgresql.h"
#include "runtime/blocks/state/redis.h"
#include "runtime/blocks/state/sqlite.h"

namespace troupe::blocks::state {
namespace {

using Made = Result<std::unique_ptr<Component>>;

Made make_in_memory(StoreDescription& /*description*/, const StoreSurroundings& on) {
  return std::unique_ptr<Component>(std::make_unique<InMemoryStore>(on.clock));
}

Made make_embedded(StoreDescription& description, const StoreSurroundings& on) {
  return std::unique_ptr<Component>(std::make_unique<EmbeddedStore>(
      EmbeddedStore::Dependencies{.clock = on.clock, .timers = on.timers, .calls = on.calls},
      description.name));
}

Made make_sqlite(StoreDescription& description, const StoreSurroundings& on) {
  return SqliteStore::open(description.properties, on.clock);
}

Made make_redis(StoreDescription& description, const StoreSurroundings& on) {
  return RedisStore::open(description.properties, on.clock, description.init_timeout);
}

template <PostgresqlLayout kLayout>
Made make_postgresql(StoreDescription& description, const StoreSurroundings& on) {
  return PostgresqlStore::open(description.properties, on.clock, kLayout, description.init_timeout);
}

struct Maker {
  std::string_view type;
  std::string_view version;
  Made (*make)(StoreDescription& description, const StoreSurroundings& on);
};
constexpr std::array kMakers{
    Maker{"state.in-memory", "v1", make_in_memory},
    Maker{"state.embedded", "v1", make_embedded},
    Maker{"state.sqlite", "v1", make_sqlite},
    Maker{"state.sqlite3", "v1", make_sqlite},
    Maker{"state.redis", "v1", make_redis},
    Maker{"state.postgresql", "v1", make_postgresql<PostgresqlLayout::kVersion1>},
    Maker{"state.postgres", "v1", make_postgresql<PostgresqlLayout::kVersion1>},
    Maker{"state.postgresql", "v2", make_postgresql<PostgresqlLayout::kVersion2>},
    Maker{"state.postgres", "v2", make_postgresql<PostgresqlLayout::kVersion2>},
};

}  // namespace

Made make_store(StoreDescription& description, const StoreSurroundings& on) {
  for (const Maker& each : kMakers) {
    if (each.type == description.type && each.version == description.version) {
      return each.make(description, on);
    }
  }
  return fail(Code::kNotFound,
              "couldn't find state store " + description.type + "/" + description.version);
}

}  // namespace troupe::blocks::state
