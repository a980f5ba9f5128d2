// Writes to a database outside the cluster, by an owner that has been replaced without knowing it.
#include "sdk/examples/warehouse/warehouse.h"

#include <csignal>
#include <cstdlib>
#include <future>
#include <memory>
#include <optional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include "tests/support/node_cluster.h"

namespace troupe {
namespace {

using testing::HasSubstr;

// The shop's connection to the table.
class Shop {
 public:
  explicit Shop(const std::string& file) {
    sqlite3* opened = nullptr;
    EXPECT_EQ(sqlite3_open(file.c_str(), &opened), SQLITE_OK);
    database_.reset(opened);
    sqlite3_busy_timeout(opened, 5000);
  }

  void run(const char* sql) {
    EXPECT_EQ(sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr), SQLITE_OK)
        << sql << ": " << sqlite3_errmsg(database_.get());
  }
  // The row of a product that is there.
  Stock stock(const std::string& product) {
    sqlite3_stmt* query = nullptr;
    EXPECT_EQ(
        sqlite3_prepare_v2(database_.get(), "SELECT count, token FROM stock WHERE product = ?", -1,
                           &query, nullptr),
        SQLITE_OK);
    sqlite3_bind_text(query, 1, product.c_str(), -1, SQLITE_TRANSIENT);
    EXPECT_EQ(sqlite3_step(query), SQLITE_ROW);
    const Stock row{.product = product,
                    .count = sqlite3_column_int(query, 0),
                    .token = static_cast<std::uint64_t>(sqlite3_column_int64(query, 1))};
    sqlite3_finalize(query);
    return row;
  }

 private:
  struct Close {
    void operator()(sqlite3* database) const { sqlite3_close(database); }
  };

  std::unique_ptr<sqlite3, Close> database_;
};

class Warehouse : public testing::Test {
 protected:
  void SetUp() override {
    setenv("WAREHOUSE_DATABASE", file_.c_str(), 1);
    cluster_.start_all();
    ASSERT_TRUE(cluster_.all_ready());
    ASSERT_EQ(cluster_.client().actor<Shelf>("tea").call<&Shelf::put>(10).get(), 10);
  }
  void TearDown() override { unsetenv("WAREHOUSE_DATABASE"); }

  // What is left, or why none was taken.
  static std::string take(const Client& client, int count) {
    const Result<int> left = client.actor<Shelf>("tea").call<&Shelf::take>(count).result();
    return left ? std::to_string(*left) : left.error().message;
  }
  // The node of the shelf's activation.
  std::size_t owner() {
    for (std::size_t node = 0; node < cluster_.size(); ++node) {
      const std::string here = cluster_.get(node, "/troupe/v1/actors?type=Shelf").body;
      if (here.find(R"("id":"tea")") != std::string::npos) return node;
    }
    ADD_FAILURE() << "no node has the shelf";
    return 0;
  }

  NodeCluster cluster_{TROUPE_WAREHOUSE, 3};
  const std::string file_ = cluster_.directory() + "/stock.db";
};

TEST_F(Warehouse, AWriterThatStoodStillWhileItsActorMovedChangesNoRow) {
  Shop shop(file_);
  const std::size_t stale = owner();
  const std::uint64_t first_token = shop.stock("tea").token;

  shop.run("BEGIN IMMEDIATE");
  auto late = std::async(std::launch::async,
                         [asked = cluster_.client_of(stale)] { return take(asked, 3); });
  ASSERT_TRUE(eventually([&] { return cluster_.process(stale).has_open(file_); }));
  cluster_.process(stale).signal(SIGSTOP);
  shop.run("ROLLBACK");

  const Client others = cluster_.client((stale + 1) % cluster_.size());
  EXPECT_EQ(take(others, 2), "8");
  const Stock written = shop.stock("tea");
  EXPECT_EQ(written.count, 8);
  EXPECT_GT(written.token, first_token);

  cluster_.process(stale).signal(SIGCONT);
  EXPECT_THAT(late.get(), HasSubstr("the row of tea belongs to a newer owner than that of token " +
                                    std::to_string(first_token)));
  EXPECT_EQ(shop.stock("tea").count, 8);
  EXPECT_EQ(others.actor<Shelf>("tea").call<&Shelf::count>().get(), 8);
  EXPECT_EQ(take(cluster_.client(stale), 1), "7");
  EXPECT_EQ(shop.stock("tea").count, 7);
}

}  // namespace
}  // namespace troupe
