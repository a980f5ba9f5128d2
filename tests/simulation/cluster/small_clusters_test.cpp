// Clusters of a few nodes, one thing at a time, with what it takes in virtual time.
#include <gtest/gtest.h>

#include "tests/simulation/cluster/three.h"

namespace troupe::sim {
namespace {

using namespace std::chrono_literals;

TEST(OneNode, FoundsAClusterAloneAndServes) {
  World world(1, {.machines = 1, .expect = 1});
  world.start(0);
  ASSERT_TRUE(world.run_until(5s, [&] { return world.ready(0); }))
      << world.node(0)->cluster().status();
  const auto added = ask(world, world.call(0, "ledger", "a", "add", 7, 5s));
  ASSERT_TRUE(added->ok());
  EXPECT_EQ(added->value<int>(), 1);
  RecordProperty("first_answer_ms", std::to_string(milliseconds(world.now() - Time(1h))));
  EXPECT_TRUE(world.violations().empty()) << world.violations().front();
}

TEST(OneNode, HasEverythingAcknowledgedAfterAPowerLoss) {
  World world(2, {.machines = 1, .expect = 1});
  world.start(0);
  ASSERT_TRUE(world.run_until(5s, [&] { return world.ready(0); }));
  for (int i = 0; i < 5; ++i) ask(world, world.call(0, "ledger", "a", "add", i, 5s));
  world.crash(0);
  world.start(0);
  ASSERT_TRUE(world.run_until(5s, [&] { return world.ready(0); }))
      << world.node(0)->cluster().status();
  const auto read = ask(world, world.call(0, "ledger", "a", "entries", 5s));
  ASSERT_TRUE(read->ok());
  EXPECT_EQ(read->value<std::vector<int>>(), (std::vector<int>{0, 1, 2, 3, 4}));
}

TEST_F(Three, AnswerCallsFromEveryNode) {
  for (std::size_t i = 0; i < 3; ++i) add_everywhere(i, static_cast<int>(i));
  expect_everywhere(0, {0, 1, 2});
  expect_equal_replicas();
}

TEST_F(Three, GoOnWhenTheLeaderOfAShardIsKilled) {
  add_everywhere(0, 1);
  const auto leader = world.leader(world.shard_of("ledger", "0"));
  ASSERT_TRUE(leader);
  const std::size_t other = (*leader + 1) % 3;
  world.run(3s);  // it has renewed leases, and been heard of, until now
  world.crash(*leader);
  expect_answers_within(1500ms, other, 2);
  expect_everywhere(other, {1, 2});
  world.start(*leader);
  ASSERT_TRUE(world.run_until(10s, [&] { return world.ready(*leader); })) << statuses();
  expect_everywhere(*leader, {1, 2});
  expect_equal_replicas();
}

// Two see that its host refuses connections: nobody waits for its leases.
struct ThreeThatGoByEvidence : Three {
  ThreeThatGoByEvidence() : Three({.takeover = cluster::Takeover::kEvidence}) {}
};

TEST_F(ThreeThatGoByEvidence, GoOnAtOnceWhenTheLeaderOfAShardIsKilled) {
  add_everywhere(0, 1);
  const auto leader = world.leader(world.shard_of("ledger", "0"));
  ASSERT_TRUE(leader);
  const std::size_t other = (*leader + 1) % 3;
  world.run(3s);
  world.crash(*leader);
  expect_answers_within(500ms, other, 2);
  expect_everywhere(other, {1, 2});
  world.start(*leader);
  ASSERT_TRUE(world.run_until(10s, [&] { return world.ready(*leader); })) << statuses();
  expect_everywhere(*leader, {1, 2});
  expect_equal_replicas();
}

TEST_F(ThreeThatGoByEvidence, WaitForTheLeasesOfANodeThatIsOnlyCutOff) {
  add_everywhere(0, 1);
  const auto leader = world.leader(world.shard_of("ledger", "0"));
  ASSERT_TRUE(leader);
  const std::size_t other = (*leader + 1) % 3;
  world.run(3s);
  for (const std::size_t each : {other, (*leader + 2) % 3}) {
    world.fabric().reset(world.id(*leader), world.id(each));
    world.fabric().block(world.id(*leader), world.id(each));
    world.fabric().block(world.id(each), world.id(*leader));
  }
  const auto answer = world.call(other, "ledger", "0", "add", 2, 10s);
  EXPECT_FALSE(world.run_until(500ms, [&] { return answer->outcome.has_value(); }));
  ask(world, answer);
  world.fabric().heal();
  ASSERT_TRUE(world.run_until(10s, [&] { return world.all_ready(); })) << statuses();
}

// Its connections hold until keepalive gives them up: calls do not wait for that.
TEST_F(Three, GoOnBesideANodeThatFallsSilent) {
  add_everywhere(0, 1);
  const auto leader = world.leader(world.shard_of("ledger", "0"));
  ASSERT_TRUE(leader);
  const std::size_t other = (*leader + 1) % 3;
  world.fabric().options.keepalive = 60s;
  world.run(3s);
  world.pause(*leader);
  expect_answers_within(2s, other, 2);
  expect_everywhere(other, {1, 2});
  world.resume(*leader);
  ASSERT_TRUE(world.run_until(10s, [&] { return world.ready(*leader); })) << statuses();
  expect_everywhere(*leader, {1, 2});
  expect_equal_replicas();
}

TEST_F(Three, TakeOverFromANodeThatStopsInOrder) {
  add_everywhere(0, 1);
  world.stop(1);
  ASSERT_TRUE(world.run_until(20s, [&] { return world.node(1) == nullptr; }));
  RecordProperty("stop_ms", std::to_string(milliseconds(world.now() - begun)));
  add_everywhere(0, 2);
  world.start(1);
  ASSERT_TRUE(world.run_until(10s, [&] { return world.ready(1); })) << statuses();
  expect_everywhere(1, {1, 2});
  expect_equal_replicas();
}

TEST_F(Three, LetActorsWaitOnlyBrieflyForANodeThatStopsInOrder) {
  std::vector<std::string> ledgers;
  for (int i = 0; i < 20; ++i) ledgers.push_back(std::to_string(i));
  Callers callers(world, 0, ledgers);
  callers.go_on(1s);
  callers.measure_anew();
  world.stop(1);
  callers.go_on(2s);
  EXPECT_EQ(world.node(1), nullptr);
  EXPECT_LT(callers.longest_silence(), 100ms);
  RecordProperty("longest_ms", std::to_string(milliseconds(callers.longest_silence())));
}

TEST_F(Three, GiveANewNodeItsShare) {
  add_everywhere(0, 1);
  const std::size_t fourth = world.add_machine();
  world.start(fourth);
  ASSERT_TRUE(world.run_until(10s, [&] { return world.ready(fourth); })) << statuses();
  expect_everywhere(fourth, {1});
  ASSERT_TRUE(
      world.run_until(60s, [&] { return world.node(fourth)->cluster().replicas().count() >= 4; }));
  add_everywhere(fourth, 2);
  expect_everywhere(1, {1, 2});
  expect_equal_replicas();
}

struct ThreeOfManyShards : Three {
  ThreeOfManyShards() : Three({.shards = 64}) {}
};

// Each replica takes three steps, two copies at a time: none waits for gossip or an interval.
TEST_F(ThreeOfManyShards, GiveANewNodeItsShareStepAfterStep) {
  const std::size_t fourth = world.add_machine();
  world.start(fourth);
  ASSERT_TRUE(world.run_until(10s, [&] { return world.ready(fourth); })) << statuses();
  const Time joined = world.now();
  ASSERT_TRUE(
      world.run_until(60s, [&] { return world.node(fourth)->cluster().replicas().count() >= 43; }));
  EXPECT_LT(world.now() - joined, 6s);
  RecordProperty("balanced_ms", std::to_string(milliseconds(world.now() - joined)));
}

TEST_F(Three, ReplaceADeadNodeAtOnceIfItIsDrained) {
  add_everywhere(0, 1);
  const std::size_t fourth = world.add_machine();
  world.start(fourth);
  ASSERT_TRUE(world.run_until(10s, [&] { return world.ready(fourth); })) << statuses();
  world.crash(2);
  const auto has_all = [&] { return world.node(fourth)->cluster().replicas().count() == 9; };
  EXPECT_FALSE(world.run_until(30s, has_all)) << "it may come back, for five minutes";
  world.drain(0, 2, true);
  EXPECT_TRUE(world.run_until(30s, has_all)) << world.node(fourth)->cluster().replicas().count();
  expect_equal_replicas();
  world.run(5s);  // the last ones vote, and the dead one's are removed
  world.crash(0);
  expect_everywhere(fourth, {1});
}

TEST_F(Three, ComeBackAfterAllLostPower) {
  add_everywhere(0, 1);
  for (std::size_t i = 0; i < 3; ++i) world.crash(i);
  start_all(world);
  ASSERT_TRUE(world.run_until(10s, [&] { return world.all_ready(); })) << statuses();
  expect_everywhere(0, {1});
  expect_equal_replicas();
}

}  // namespace
}  // namespace troupe::sim
