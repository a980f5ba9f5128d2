#include "tests/unit/state/store_makers.h"

#include "runtime/base/executor.h"
#include "runtime/blocks/state/stores.h"
#include "tests/support/servers.h"
#include "tests/support/temporary_directory.h"
#include "tests/unit/state/fake_state_calls.h"

namespace troupe::testing {
namespace {

/// A store as its description makes it.
class Made : public StoreUnderTest {
 public:
  ~Made() override {
    if (store_) store_->stop();
  }
  state::Component& store() override { return *store_; }

  bool make(const std::string& type, const std::map<std::string, std::string>& metadata,
            MissingServer& missing, const std::string& version = "v1") {
    state::StoreDescription description{.name = "store",
                                        .type = type,
                                        .version = version,
                                        .properties = components::Properties(metadata),
                                        .init_timeout = std::chrono::seconds(20)};
    auto made = state::make_store(
        description,
        {.clock = clock_, .timers = timers_, .calls = calls_, .log = Log(silent_log(), "state")});
    if (!made) {
      missing.why = "FAILED: " + made.error().message;
      ADD_FAILURE() << made.error().message;
      return false;
    }
    store_ = *std::move(made);
    return true;
  }

 private:
  SystemClock clock_;
  Loop timers_{clock_, "timers"};
  FakeStateCalls calls_{clock_};
  std::unique_ptr<state::Component> store_;
};

std::unique_ptr<StoreUnderTest> in_memory(MissingServer& missing) {
  auto made = std::make_unique<Made>();
  return made->make("state.in-memory", {}, missing) ? std::move(made) : nullptr;
}

std::unique_ptr<StoreUnderTest> embedded(MissingServer& missing) {
  auto made = std::make_unique<Made>();
  return made->make("state.embedded", {}, missing) ? std::move(made) : nullptr;
}

class Sqlite final : public Made {
 public:
  TemporaryDirectory directory;
};

std::unique_ptr<StoreUnderTest> sqlite(MissingServer& missing) {
  auto made = std::make_unique<Sqlite>();
  const std::string file = made->directory.path() + "/state.db";
  return made->make("state.sqlite", {{"connectionString", file}}, missing) ? std::move(made)
                                                                           : nullptr;
}

std::unique_ptr<StoreUnderTest> sqlite_in_memory(MissingServer& missing) {
  auto made = std::make_unique<Made>();
  return made->make("state.sqlite", {{"connectionString", ":memory:"}, {"tableName", "other"}},
                    missing)
             ? std::move(made)
             : nullptr;
}

class Redis final : public Made {
 public:
  RedisServer server{"secret"};
};

std::unique_ptr<StoreUnderTest> redis(MissingServer& missing) {
  missing.why = RedisServer::missing();
  if (!missing.why.empty()) return nullptr;
  auto made = std::make_unique<Redis>();
  return made->make("state.redis",
                    {{"redisHost", "127.0.0.1:" + std::to_string(made->server.port())},
                     {"redisPassword", "secret"},
                     {"redisDB", "1"}},
                    missing)
             ? std::move(made)
             : nullptr;
}

class Postgresql final : public Made {
 public:
  PostgresqlServer server;
};

template <int kVersion>
std::unique_ptr<StoreUnderTest> postgresql(MissingServer& missing) {
  missing.why = PostgresqlServer::missing();
  if (!missing.why.empty()) return nullptr;
  auto made = std::make_unique<Postgresql>();
  return made->make("state.postgresql", {{"connectionString", made->server.connection_string()}},
                    missing, "v" + std::to_string(kVersion))
             ? std::move(made)
             : nullptr;
}

}  // namespace

std::vector<StoreMaker> store_makers() {
  return {{.name = "InMemory", .make = in_memory},
          {.name = "Embedded", .make = embedded},
          {.name = "Sqlite", .make = sqlite},
          {.name = "SqliteInMemory", .make = sqlite_in_memory},
          {.name = "Redis", .make = redis},
          {.name = "PostgresqlV1", .make = postgresql<1>},
          {.name = "PostgresqlV2", .make = postgresql<2>}};
}

std::vector<StoreMaker> atomic_store_makers() { return store_makers(); }

}  // namespace troupe::testing
