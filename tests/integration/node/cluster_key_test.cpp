// Nodes that know and encrypt to one another by a secret.

#include <csignal>
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/node_cluster.h"

namespace troupe {
namespace {

using ::testing::HasSubstr;

class ClusterKey : public testing::Test {
 protected:
  // Flags that name a file with these secrets.
  std::vector<std::string> keys(const std::string& name, const std::string& secrets) {
    const std::string path = cluster.directory() + "/" + name + ".key";
    std::ofstream(path) << secrets;
    return {"--cluster-key-file", path};
  }
  std::string add(std::size_t node, const std::string& id) {
    return cluster.post(node, "/v1.0/actors/Counter/" + id + "/method/add", "1").body;
  }

  const std::string old_secret = std::string(64, 'a');
  const std::string new_secret = std::string(64, 'b');
  NodeCluster cluster{TROUPE_COUNTER, 3};
};

TEST_F(ClusterKey, NodesOfOneSecretAreACluster) {
  for (std::size_t node = 0; node < 3; ++node) cluster.start(node, keys("all", old_secret));
  ASSERT_TRUE(cluster.all_ready()) << cluster.log(0);
  for (std::size_t node = 0; node < 3; ++node) {
    EXPECT_EQ(add(node, "a"), std::to_string(node + 1));
    EXPECT_EQ(add(node, "b"), std::to_string(node + 1));
  }
  EXPECT_THAT(cluster.get(0, "/metrics").body,
              HasSubstr("troupe_datagrams_refused_total{app_id=\"\"} 0"));
}

TEST_F(ClusterKey, ANodeWithoutTheSecretStaysOutside) {
  for (std::size_t node = 0; node < 3; ++node) cluster.start(node, keys("all", old_secret));
  ASSERT_TRUE(cluster.all_ready()) << cluster.log(0);
  const std::size_t stranger = cluster.add(keys("other", new_secret));
  const std::size_t in_clear = cluster.add();
  for (const std::size_t outside : {stranger, in_clear}) {
    EXPECT_TRUE(eventually([&] {
      return cluster.log(outside).find("no answer from 127.0.0.1") != std::string::npos;
    })) << cluster.log(outside);
    EXPECT_NE(cluster.get(outside, "/v1.0/healthz").status, 204);
  }
  EXPECT_EQ(add(0, "a"), "1");
}

TEST_F(ClusterKey, TheSecretIsChangedNodeByNode) {
  const auto both = keys("both", old_secret + "\n" + new_secret);
  const auto swapped = keys("swapped", new_secret + "\n" + old_secret);
  for (std::size_t node = 0; node < 3; ++node) cluster.start(node, keys("old", old_secret));
  ASSERT_TRUE(cluster.all_ready()) << cluster.log(0);
  int times = 0;
  for (const auto& flags : {both, swapped, keys("new", new_secret)}) {
    for (std::size_t node = 0; node < 3; ++node) {
      cluster.process(node).signal(SIGTERM);
      EXPECT_EQ(cluster.process(node).wait(kPatience), 0);
      cluster.start(node, flags);
      ASSERT_TRUE(cluster.ready(node)) << cluster.log(node);
      const std::string expected = std::to_string(++times);
      std::string said;
      EXPECT_TRUE(eventually([&] {
        said = add(node, "a");
        return !said.empty();
      }));
      EXPECT_EQ(said, expected);
    }
  }
}

}  // namespace
}  // namespace troupe
