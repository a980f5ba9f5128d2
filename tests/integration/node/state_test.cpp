// The building block of state on real nodes.
#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/node_cluster.h"

namespace troupe {
namespace {

using testing::HasSubstr;

TEST(State, OfTheEmbeddedStoreSurvivesTheLossOfANode) {
  NodeCluster cluster(TROUPE_COUNTER, 3);
  cluster.start_all();
  ASSERT_TRUE(cluster.all_ready());
  const std::string target = "/v1.0/state/statestore";
  for (int i = 0; i < 20; ++i) {
    const std::string n = std::to_string(i);
    ASSERT_EQ(cluster
                  .post(static_cast<std::size_t>(i % 3), target,
                        R"([{"key":"k)" + n + R"(","value":)" + n + "}]")
                  .status,
              204);
  }
  ASSERT_EQ(
      cluster
          .post(
              0, target + "/transaction",
              R"({"operations":[{"operation":"upsert","request":{"key":"a","value":1}},)"
              R"({"operation":"upsert","request":{"key":"b","value":2}},{"operation":"delete","request":{"key":"k0"}}]})")
          .status,
      204);
  cluster.process(0).kill();
  for (int i = 1; i < 20; ++i) {
    const std::string n = std::to_string(i);
    EXPECT_TRUE(eventually([&] { return cluster.get(1, target + "/k" + n).body == n; })) << n;
  }
  EXPECT_EQ(cluster.get(2, target + "/a").body + cluster.get(1, target + "/b").body, "12");
  EXPECT_EQ(cluster.get(2, target + "/k0").status, 204);
}

void write_store(const std::string& folder, const std::string& name, const std::string& metadata) {
  std::ofstream(folder + "/" + name + ".yaml")
      << "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: " << name
      << "}\nspec:\n  type: state.sqlite\n  version: v1\n  metadata: " << metadata << "\n";
}

TEST(Resources, AreLoadedShownAndFollowed) {
  NodeCluster cluster(TROUPE_COUNTER, 1);
  const std::string folder = cluster.directory();
  write_store(folder, "orders",
              "[{name: connectionString, value: '" + folder +
                  "/orders.db'}, {name: keyPrefix, value: none}]");
  std::ofstream(folder + "/broken.yaml")
      << "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: [\n";
  cluster.start(0, {"--resources-path", folder});
  ASSERT_TRUE(cluster.ready(0));
  EXPECT_THAT(
      cluster.get(0, "/v1.0/metadata").body,
      HasSubstr(
          R"("components":[{"name":"orders","type":"state.sqlite","version":"v1","capabilities":["ETAG","TRANSACTIONAL","TTL","ACTOR"]}])"));
  EXPECT_THAT(cluster.log(0), HasSubstr("broken.yaml:1"));
  EXPECT_EQ(cluster.post(0, "/v1.0/state/orders", R"([{"key":"a","value":1}])").status, 204);
  EXPECT_EQ(cluster.get(0, "/v1.0/state/statestore/a").status, 400)
      << "files say which stores there are";
  write_store(folder, "carts",
              "[{name: connectionString, value: '" + folder +
                  "/orders.db'}, {name: keyPrefix, value: none}]");
  EXPECT_TRUE(eventually([&] { return cluster.get(0, "/v1.0/state/carts/a").body == "1"; }));
  std::filesystem::remove(folder + "/orders.yaml");
  EXPECT_TRUE(eventually([&] { return cluster.get(0, "/v1.0/state/orders/a").status == 400; }));
  EXPECT_EQ(cluster.get(0, "/v1.0/state/carts/a").body, "1");
}

TEST(Resources, AComponentThatCannotBeLoadedEndsTheStartUnlessItMayFail) {
  NodeCluster cluster(TROUPE_COUNTER, 1);
  const std::string folder = cluster.directory();
  write_store(folder, "bad", "[]");
  cluster.start(0, {"--resources-path", folder});
  EXPECT_EQ(cluster.process(0).wait(kPatience), 1);
  EXPECT_THAT(cluster.log(0),
              HasSubstr("bad.yaml:1 cannot be loaded: metadata 'connectionString' is missing"));
}

}  // namespace
}  // namespace troupe
