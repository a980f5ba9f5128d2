// A cluster of three nodes, and what is done to them.
#include <chrono>
#include <csignal>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sdk/examples/counter/counter.h"
#include "tests/support/load.h"
#include "tests/support/node_cluster.h"

namespace troupe {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr int kCounters = 30;

bool contains(const std::string& all, const std::string& part) {
  return all.find(part) != std::string::npos;
}

class ThreeNodes : public testing::Test {
 protected:
  void SetUp() override {
    cluster_.start_all();
    ASSERT_TRUE(cluster_.all_ready());
    // The first owners of all shards, so that what follows is what a test is about.
    for (int i = 0; i < kCounters; ++i) {
      ASSERT_EQ(add(cluster_.client(), "c" + std::to_string(i), 1), 1);
    }
  }

  static int add(const Client& client, const std::string& id, int amount) {
    return client.actor<Counter>(id).call<&Counter::add>(amount).get();
  }
  static int value(const Client& client, const std::string& id) {
    return client.actor<Counter>(id).call<&Counter::value>().get();
  }
  void expect_counters(int expected) {
    for (int i = 0; i < kCounters; ++i) {
      EXPECT_EQ(value(cluster_.client(), "c" + std::to_string(i)), expected) << i;
    }
  }

  NodeCluster cluster_{TROUPE_COUNTER, 3};
};

TEST_F(ThreeNodes, EachAnswersForAllActors) {
  for (std::size_t node = 0; node < 3; ++node) {
    for (int i = 0; i < kCounters; ++i) {
      EXPECT_EQ(add(cluster_.client_of(node), "c" + std::to_string(i), 1),
                static_cast<int>(node) + 2);
    }
  }
}

TEST_F(ThreeNodes, KeepTheReplicasThatTheyFoundedTheClusterWith) {
  EXPECT_TRUE(eventually([&] {
    return cluster_.get(0, "/troupe/v1/status").body.find("\"shards_under_replicated\":0,") !=
           std::string::npos;
  }));
  for (std::size_t node = 0; node < 3; ++node) {
    EXPECT_THAT(cluster_.log(node), testing::Not(HasSubstr("drops a replica"))) << node;
  }
}

TEST_F(ThreeNodes, NothingAcknowledgedIsLostWhenOneIsKilledUnderLoad) {
  Load load(cluster_, 6, {0, 1, 2});
  ASSERT_TRUE(load.goes_on());
  cluster_.process(2).kill();
  ASSERT_TRUE(load.goes_on()) << load.acknowledged();
  cluster_.start(2);
  ASSERT_TRUE(cluster_.ready(2));
  ASSERT_TRUE(load.goes_on());
  load.stop();
  EXPECT_EQ(load.wrong(cluster_.client(2)), "") << load.errors();
  EXPECT_EQ(load.failed() + load.unknown(), 0) << load.errors();
  expect_counters(1);
}

TEST_F(ThreeNodes, TellWhatIsMissingWhenOneIsGoneAndThatItIsBack) {
  const auto shows = [&](const std::string& target, const std::string& text) {
    return eventually([&] { return contains(cluster_.get(0, target).body, text); });
  };
  EXPECT_TRUE(shows("/metrics", R"(status="alive"} 3)"));
  EXPECT_TRUE(shows("/metrics", R"(troupe_shards_under_replicated{app_id=""} 0)"));
  cluster_.process(2).kill();
  EXPECT_TRUE(shows("/metrics", R"(status="dead"} 1)"));
  EXPECT_TRUE(shows("/troupe/v1/status", R"("shards_without_leader":0,)"));
  EXPECT_FALSE(
      contains(cluster_.get(0, "/troupe/v1/status").body, R"("shards_under_replicated":0,)"));
  EXPECT_TRUE(shows("/troupe/v1/status", R"("gone":[{"node":)"));
  EXPECT_TRUE(shows("/troupe/v1/shards/0", R"("role":"silent")"));
  EXPECT_TRUE(shows("/troupe/v1/shards/0", R"("role":"leader")"));
  cluster_.start(2);
  ASSERT_TRUE(cluster_.ready(2));
  EXPECT_TRUE(shows("/troupe/v1/status", R"("gone":[])"));
  EXPECT_TRUE(shows("/troupe/v1/status", R"("shards_under_replicated":0,)"));
  EXPECT_TRUE(eventually([&] {
    const std::string replicas = cluster_.get(0, "/troupe/v1/shards/0").body;
    return contains(replicas, R"("role":"leader")") && !contains(replicas, "silent");
  }));
}

TEST_F(ThreeNodes, StateAndRemindersOutliveAllProcesses) {
  ASSERT_EQ(
      cluster_.post(1, "/v1.0/actors/Counter/later/reminders/add", R"({"dueTime":"4s","data":7})")
          .status,
      204);
  ASSERT_EQ(
      cluster_
          .post(1, "/v1.0/actors/Counter/much-later/reminders/add", R"({"dueTime":"24h","data":7})")
          .status,
      204);
  for (std::size_t node = 0; node < 3; ++node) cluster_.process(node).kill();
  cluster_.start_all();
  ASSERT_TRUE(cluster_.all_ready());
  expect_counters(1);
  EXPECT_TRUE(eventually([&] { return value(cluster_.client(), "later") == 7; }));
  const Answer waits = cluster_.get(2, "/v1.0/actors/Counter/much-later/reminders/add");
  EXPECT_EQ(waits.status, 200) << waits.body;
  EXPECT_THAT(waits.body, HasSubstr("24h"));
  EXPECT_EQ(value(cluster_.client(), "later"), 7);
}

TEST_F(ThreeNodes, CountersStayExactWhenOneStandsStillForAWhile) {
  Load load(cluster_, 6, {0, 1, 2});
  ASSERT_TRUE(load.goes_on());
  cluster_.process(1).signal(SIGSTOP);
  pause(3s);
  cluster_.process(1).signal(SIGCONT);
  ASSERT_TRUE(load.goes_on()) << load.acknowledged();
  load.stop();
  EXPECT_EQ(load.wrong(cluster_.client(1)), "") << load.errors();
  EXPECT_TRUE(cluster_.process(1).runs());
  expect_counters(1);
}

TEST_F(ThreeNodes, CallsGoOnThroughTheOthersWhileOneStandsStill) {
  cluster_.process(1).signal(SIGSTOP);
  Load load(cluster_, 6, {0, 2});
  EXPECT_TRUE(load.goes_on()) << load.acknowledged();
  load.stop();
  EXPECT_EQ(load.wrong(cluster_.client(0)), "") << load.errors();
  cluster_.process(1).signal(SIGCONT);
  EXPECT_TRUE(cluster_.ready(1));
}

TEST_F(ThreeNodes, ItsCallersGoElsewhereWithinTheirTimeOutWhenTheirEntryNodeStandsStill) {
  Load load(cluster_, 6, {1}, 6s);
  ASSERT_TRUE(load.goes_on());
  cluster_.process(1).signal(SIGSTOP);
  pause(10s);
  cluster_.process(1).signal(SIGCONT);
  ASSERT_TRUE(load.goes_on());
  load.stop();
  EXPECT_EQ(load.failed() + load.unknown(), 0) << load.errors();
  EXPECT_EQ(load.wrong(cluster_.client(0)), "") << load.errors();
  RecordProperty("longest_ms", static_cast<int>(load.longest() / 1ms));
  expect_counters(1);
}

// Replicas that `node` has, as `through` says.
int replicas_of(NodeCluster& cluster, std::size_t node, std::size_t through) {
  const std::string address = "127.0.0.1:" + std::to_string(cluster.peer_port(node));
  const Answer nodes = cluster.get(through, "/troupe/v1/nodes");
  const std::size_t at = nodes.body.find(address);
  if (at == std::string::npos) return -1;
  const std::size_t replicas = nodes.body.find("\"replicas\":", at);
  return replicas == std::string::npos ? -1 : std::stoi(nodes.body.substr(replicas + 11));
}

TEST_F(ThreeNodes, AFourthGetsItsShareAndADrainedOneGivesItAway) {
  Load load(cluster_, 4, {0, 1});
  const std::size_t fourth = cluster_.add();
  ASSERT_TRUE(cluster_.ready(fourth));
  EXPECT_TRUE(eventually([&] { return replicas_of(cluster_, fourth, 0) > 16; }))
      << cluster_.get(0, "/troupe/v1/nodes").body;
  EXPECT_EQ(value(cluster_.client_of(fourth), "c3"), 1);
  Process drain;
  drain.start({TROUPE_COMMAND, "drain", cluster_.id(2), "--address",
               "127.0.0.1:" + std::to_string(cluster_.http_port(0))},
              cluster_.directory() + "/drain.log");
  EXPECT_EQ(drain.wait(kPatience), 0) << drain.output();
  EXPECT_TRUE(eventually([&] { return replicas_of(cluster_, 2, 0) == 0; }))
      << cluster_.get(0, "/troupe/v1/nodes").body;
  ASSERT_TRUE(load.goes_on());
  load.stop();
  EXPECT_EQ(load.wrong(cluster_.client(0)), "") << load.errors();
  EXPECT_EQ(load.failed(), 0) << load.errors();
  expect_counters(1);
}

TEST_F(ThreeNodes, NoCallFailsWhenOneEndsInOrderUnderLoad) {
  Load load(cluster_, 6, {0, 1, 2});
  ASSERT_TRUE(load.goes_on());
  cluster_.process(0).signal(SIGTERM);
  EXPECT_EQ(cluster_.process(0).wait(kPatience), 0);
  ASSERT_TRUE(load.goes_on()) << load.acknowledged();
  load.stop();
  EXPECT_EQ(load.failed() + load.unknown(), 0) << load.errors();
  EXPECT_EQ(load.wrong(cluster_.client(1)), "") << load.errors();
  expect_counters(1);
}

}  // namespace
}  // namespace troupe
