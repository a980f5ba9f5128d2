// What the kit does not ask: Dapr's layouts, queries, and servers that are slow or die.
#include "runtime/blocks/state/postgresql.h"

#include <csignal>
#include <future>
#include <thread>

#include <gtest/gtest.h>

#include "runtime/blocks/state/postgresql_tables.h"
#include "tests/support/servers.h"

namespace troupe::testing {
namespace {

using namespace std::chrono_literals;
using namespace blocks::state;

class PostgresqlState : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const std::string missing = PostgresqlServer::missing(); !missing.empty()) {
      GTEST_SKIP() << missing;
    }
    server.emplace();
    connection.emplace(
        clock, clients::PostgresqlOptions{.connection_string = server->connection_string()});
    store = open(PostgresqlLayout::kVersion1);
    ASSERT_TRUE(store);
  }

  std::unique_ptr<Component> open(PostgresqlLayout layout) {
    components::Properties properties(
        {{"connectionString", server->connection_string()}, {"maxConns", "2"}});
    auto opened = PostgresqlStore::open(properties, clock, layout, 20s);
    EXPECT_TRUE(opened) << opened.error().message;
    return opened ? *std::move(opened) : nullptr;
  }
  // The rows, `|` between values.
  std::string rows(const std::string& sql) {
    const auto result = connection->run(sql, {}, clock.now() + 20s);
    if (!result) return result.error().message;
    std::string text;
    for (const auto& row : result->rows) {
      for (const auto& each : row) text += each.value_or("NULL") + "|";
      text += "\n";
    }
    return text;
  }
  Result<void> write(Component& to, Change change, Duration patience = 20s) {
    auto answer = std::make_shared<std::promise<Result<void>>>();
    std::vector<Change> changes;
    changes.push_back(std::move(change));
    to.write(
        std::move(changes), clock.now() + patience,
        [answer](Result<std::vector<Result<void>>> outcomes) {
          answer->set_value(outcomes ? outcomes->front() : Result<void>(fail(outcomes.error())));
        });
    return answer->get_future().get();
  }
  static Set json(const std::string& key, const std::string& value) {
    return {.key = key, .value = Payload(value), .json = true};
  }
  std::string ask(const std::string& query) {
    auto answer = std::make_shared<std::promise<Result<QueryResult>>>();
    store->query(query, "app||", clock.now() + 20s,
                 [answer](Result<QueryResult> result) { answer->set_value(std::move(result)); });
    const Result<QueryResult> result = answer->get_future().get();
    if (!result) return result.error().message;
    std::string keys;
    for (const auto& each : result->items) keys += each.key.substr(5) + " ";
    return keys + result->token;
  }

  SystemClock clock;
  std::optional<PostgresqlServer> server;
  std::optional<clients::PostgresqlConnection> connection;
  std::unique_ptr<Component> store;
};

TEST_F(PostgresqlState, KeepsDaprsLayouts) {
  ASSERT_TRUE(write(*store, json("app||a", R"({"b":1})")));
  ASSERT_TRUE(write(*store, Set{.key = "app||b", .value = Payload(std::string("\x01\xff"))}));
  EXPECT_EQ(
      rows("SELECT key, value, isbinary, updatedate, expiredate, row_id FROM state ORDER BY key"),
      "app||a|{\"b\": 1}|f|NULL|NULL|1|\napp||b|\"Af8=\"|t|NULL|NULL|2|\n");
  components::Properties properties(
      {{"connectionString", server->connection_string()}, {"tablePrefix", "v2_"}});
  auto opened = PostgresqlStore::open(properties, clock, PostgresqlLayout::kVersion2, 20s);
  ASSERT_TRUE(opened) << opened.error().message;
  ASSERT_TRUE(write(**opened, json("app||a", "1")));
  EXPECT_EQ(rows("SELECT key, value, updated_at, expires_at, row_id FROM v2_state"),
            "app||a|\\x31|NULL|NULL|1|\n");
  EXPECT_EQ(rows("SELECT key, value FROM dapr_metadata WHERE key LIKE '%migrations%' ORDER BY key"),
            "migrations|3|\nmigrations-state-v2-v2_|2|\n");
}

TEST_F(PostgresqlState, BringsTablesOfOlderVersionsUpToDate) {
  store.reset();
  ASSERT_EQ(rows("DROP TABLE state"), "");
  ASSERT_EQ(
      rows("CREATE TABLE state (key text NOT NULL PRIMARY KEY, value jsonb NOT NULL, isbinary "
           "boolean "
           "NOT NULL, insertdate timestamptz NOT NULL DEFAULT now(), updatedate timestamptz NULL)"),
      "");
  ASSERT_EQ(rows("INSERT INTO state VALUES ('app||old', '7', false)"), "");
  ASSERT_EQ(rows("UPDATE dapr_metadata SET value = '1' WHERE key = 'migrations'"), "");
  store = open(PostgresqlLayout::kVersion1);
  ASSERT_TRUE(write(*store, json("app||new", "8")));
  EXPECT_EQ(rows("SELECT key, value, row_id FROM state ORDER BY key"),
            "app||new|8|2|\napp||old|7|1|\n");
}

TEST_F(PostgresqlState, AnswersQueries) {
  ASSERT_TRUE(write(*store, json("app||1", R"({"person":{"org":"A","id":10},"city":"x"})")));
  ASSERT_TRUE(write(*store, json("app||2", R"({"person":{"org":"B","id":9},"city":"y"})")));
  ASSERT_TRUE(
      write(*store, json("app||3", R"({"person":{"org":"A","id":100},"city":"it's \"z\""})")));
  ASSERT_TRUE(write(*store, json("other||4", R"({"person":{"org":"A","id":1}})")));
  ASSERT_TRUE(write(*store, Set{.key = "app||bytes", .value = Payload(std::string("x"))}));
  EXPECT_EQ(ask("{}"), "1 2 3 ") << "of this app, what is JSON";
  EXPECT_EQ(ask(R"({"filter":{}})"), "1 2 3 ");
  EXPECT_EQ(ask(R"({"filter":{"EQ":{"person.org":"A"}}})"), "1 3 ");
  EXPECT_EQ(ask(R"({"filter":{"NEQ":{"person.org":"A"}}})"), "2 ");
  EXPECT_EQ(ask(R"({"filter":{"GT":{"person.id":9}}})"), "1 3 ") << "as numbers, not as texts";
  EXPECT_EQ(ask(R"({"filter":{"LTE":{"person.id":10}}})"), "1 2 ");
  EXPECT_EQ(ask(R"({"filter":{"GT":{"person.id":"9"}}})"), "") << "a text is no number";
  EXPECT_EQ(ask(R"({"filter":{"IN":{"city":["it's \"z\"","y"]}}})"), "2 3 ");
  EXPECT_EQ(
      ask(R"({"filter":{"OR":[{"EQ":{"city":"x"}},{"AND":[{"EQ":{"person.org":"B"}},{"EQ":{"city":"y"}}]}]}})"),
      "1 2 ");
  EXPECT_EQ(ask(R"({"sort":[{"key":"person.id","order":"DESC"}],"page":{"limit":2}})"), "3 1 2");
  EXPECT_EQ(ask(R"({"sort":[{"key":"person.id","order":"DESC"}],"page":{"limit":2,"token":"2"}})"),
            "2 ");
  for (const std::string bad :
       {"[", R"({"filter":{"LIKE":{"a":1}}})", R"({"filter":{"EQ":{"a":1,"b":2}}})",
        R"({"sort":[{"key":"a","order":"UP"}]})", R"({"page":{"token":"x"}})",
        R"({"filter":{"IN":{"a":[]}}})"}) {
    EXPECT_TRUE(ask(bad).starts_with("failed to parse JSON query body: "))
        << bad << " " << ask(bad);
  }
}

TEST_F(PostgresqlState, ASlowServerIsGivenUpAtTheDeadline) {
  ASSERT_EQ(rows("BEGIN"), "");
  ASSERT_EQ(rows("LOCK TABLE state IN ACCESS EXCLUSIVE MODE"), "");
  const Result<void> slow = write(*store, json("app||a", "1"), 300ms);
  ASSERT_FALSE(slow);
  EXPECT_EQ(slow.error().code, Code::kUnknownOutcome);
  EXPECT_EQ(slow.error().message,
            "postgresql 127.0.0.1:" + std::to_string(server->port()) + ": did not answer in time");
  ASSERT_EQ(rows("COMMIT"), "");
  EXPECT_TRUE(write(*store, json("app||a", "2")));
}

TEST_F(PostgresqlState, ADeadServerIsNamedAndFoundAgainWhenItIsBack) {
  ASSERT_TRUE(write(*store, json("app||a", "1")));
  server->process().signal(SIGQUIT);
  ASSERT_TRUE(server->process().wait(20s));
  const Result<void> dead = write(*store, json("app||a", "2"));
  ASSERT_FALSE(dead);
  EXPECT_NE(dead.error().message.find("127.0.0.1"), std::string::npos) << dead.error().message;
  server->start();
  Result<void> back = dead;
  for (int i = 0; i < 2'000 && !back; ++i) {
    std::this_thread::sleep_for(10ms);
    back = write(*store, json("app||a", "3"));
  }
  EXPECT_TRUE(back) << back.error().message;
}

TEST(PostgresqlNames, OfTablesAreChecked) {
  EXPECT_TRUE(table_name("a.b_1"));
  for (const std::string bad : {"", "a b", "a;", "a.b.c", ".a", "a.", "a\"b"})
    EXPECT_FALSE(table_name(bad)) << bad;
  EXPECT_EQ(array_of({"a\"b", "c\\d", ""}), R"({"a\"b","c\\d",""})");
}

}  // namespace
}  // namespace troupe::testing
