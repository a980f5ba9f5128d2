// A node that is a cluster of its own.
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sdk/examples/counter/counter.h"
#include "tests/support/node_cluster.h"

namespace troupe {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

int add(const Client& client, const std::string& id, int amount) {
  return client.actor<Counter>(id).call<&Counter::add>(amount).get();
}

TEST(OneNode, KeepsWhatItAcknowledgedWhenItIsKilled) {
  NodeCluster cluster(TROUPE_COUNTER, 1);
  cluster.start_all();
  ASSERT_TRUE(cluster.all_ready());
  for (int i = 1; i <= 20; ++i) ASSERT_EQ(add(cluster.client(), "c" + std::to_string(i), i), i);
  cluster.process(0).kill();
  cluster.start(0);
  ASSERT_TRUE(cluster.ready(0));
  for (int i = 1; i <= 20; ++i) EXPECT_EQ(add(cluster.client(), "c" + std::to_string(i), 1), i + 1);
}

TEST(OneNode, EndsInOrderAtSigterm) {
  NodeCluster cluster(TROUPE_COUNTER, 1);
  cluster.start_all();
  ASSERT_TRUE(cluster.all_ready());
  ASSERT_EQ(add(cluster.client(), "a", 3), 3);
  for (int round = 1; round <= 2; ++round) {
    cluster.process(0).signal(SIGTERM);
    ASSERT_EQ(cluster.process(0).wait(kPatience), 0);
    cluster.start(0);
    ASSERT_TRUE(cluster.ready(0));
    EXPECT_EQ(add(cluster.client(), "a", 1), 3 + round);
  }
}

TEST(OneNode, EndsAtSigtermBeforeItIsAMember) {
  NodeCluster cluster(TROUPE_COUNTER, 2);
  cluster.start(0);
  ASSERT_TRUE(eventually([&] { return cluster.log(0).find("listens") != std::string::npos; }));
  EXPECT_NE(cluster.get(0, "/v1.0/healthz").status, 204);
  cluster.process(0).signal(SIGTERM);
  EXPECT_EQ(cluster.process(0).wait(kPatience), 0);
}

// Starts node 1 with `flags`, which cannot go well, and gives what it says.
std::string refusal(NodeCluster& cluster, std::vector<std::string> flags) {
  Process refused;
  std::vector<std::string> arguments{TROUPE_COUNTER, "--no-discovery"};
  arguments.insert(arguments.end(), flags.begin(), flags.end());
  refused.start(arguments, cluster.directory() + "/refused.log");
  const auto code = refused.wait(kPatience);
  EXPECT_TRUE(code && *code > 0) << code.value_or(0);
  return refused.output();
}

TEST(OneNode, RefusesADirectoryThatAnotherProcessHas) {
  NodeCluster cluster(TROUPE_COUNTER, 1);
  cluster.start_all();
  ASSERT_TRUE(cluster.all_ready());
  const std::string said = refusal(
      cluster, {"--data-dir", cluster.data(0), "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"});
  EXPECT_THAT(said, HasSubstr(cluster.data(0)));
  EXPECT_THAT(said, HasSubstr("another process uses"));
  EXPECT_EQ(add(cluster.client(), "a", 1), 1);
}

TEST(OneNode, RefusesADirectoryThatIsNotIts) {
  NodeCluster cluster(TROUPE_COUNTER, 1);
  const std::string foreign = cluster.directory() + "/foreign";
  std::filesystem::create_directory(foreign);
  std::ofstream(foreign + "/thesis.txt") << "years of work";
  const std::string said =
      refusal(cluster, {"--data-dir", foreign, "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"});
  EXPECT_THAT(said, HasSubstr(foreign));
  EXPECT_THAT(said, HasSubstr("thesis.txt"));
  EXPECT_TRUE(std::filesystem::exists(foreign + "/thesis.txt"));
}

TEST(OneNode, NamesThePortThatIsTaken) {
  NodeCluster cluster(TROUPE_COUNTER, 1);
  const TakenPort taken;
  const std::string address = "127.0.0.1:" + std::to_string(taken.port());
  for (const char* flag : {"--http", "--listen"}) {
    const std::string other = flag == std::string("--http") ? "--listen" : "--http";
    const std::string said = refusal(cluster, {"--data-dir", cluster.directory() + "/" + (flag + 2),
                                               flag, address, other, "127.0.0.1:0"});
    EXPECT_THAT(said, HasSubstr(address)) << flag;
    EXPECT_THAT(said, HasSubstr("in use")) << flag;
  }
}

TEST(OneNode, NamesTheFlagThatIsWrong) {
  NodeCluster cluster(TROUPE_COUNTER, 1);
  const std::string unknown = refusal(cluster, {"--data-dri", "x"});
  EXPECT_THAT(unknown, HasSubstr("--data-dri"));
  EXPECT_THAT(unknown, HasSubstr("--help"));
  EXPECT_THAT(refusal(cluster, {"--shards", "5"}), HasSubstr("no power of two"));
  EXPECT_THAT(refusal(cluster, {"--in-memory", "--http", "nonsense", "--listen", "127.0.0.1:0"}),
              HasSubstr("--http 'nonsense' is not host:port"));
  EXPECT_THAT(refusal(cluster, {"--in-memory", "--listen", "0.0.0.0:0"}), HasSubstr("--insecure"));
}

TEST(OneNode, ExplainsItsFlags) {
  NodeCluster cluster(TROUPE_COUNTER, 1);
  Process help;
  help.start({TROUPE_COUNTER, "--help"}, cluster.directory() + "/help.log");
  EXPECT_EQ(help.wait(kPatience), 0);
  EXPECT_THAT(help.output(), HasSubstr("--bootstrap-expect"));
}

}  // namespace
}  // namespace troupe
