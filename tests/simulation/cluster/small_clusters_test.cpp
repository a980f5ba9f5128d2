// Clusters of a few nodes, one thing at a time, with what it takes in virtual time.
#include <gtest/gtest.h>

#include "tests/simulation/cluster/world.h"

namespace troupe::sim {
namespace {

using namespace std::chrono_literals;

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

void start_all(World& world) {
  for (std::size_t i = 0; i < world.size(); ++i) world.start(i);
}

World::AnswerPtr ask(World& world, const World::AnswerPtr& answer) {
  world.run_until(30s, [&] { return answer->outcome.has_value(); });
  EXPECT_TRUE(answer->ok()) << answer->problem();
  return answer;
}

TEST(OneNode, FoundsAClusterAloneAndServes) {
  World world(1, {.machines = 1, .expect = 1});
  world.start(0);
  ASSERT_TRUE(world.run_until(5s, [&] { return world.ready(0); }))
      << world.node(0)->cluster().status();
  const auto added = ask(world, world.call(0, "ledger", "a", "add", 7, 5s));
  ASSERT_TRUE(added->ok());
  EXPECT_EQ(added->value<int>(), 1);
  RecordProperty("first_answer_ms", std::to_string(seconds(world.now() - Time(1h)) * 1000));
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

// Three nodes, ready.
struct Three : testing::Test {
  explicit Three(WorldOptions options = {}) : world(3, options) {}

  void SetUp() override {
    start_all(world);
    ASSERT_TRUE(world.run_until(10s, [&] { return world.all_ready(); })) << statuses();
    RecordProperty("ready_ms", std::to_string(seconds(world.now() - begun) * 1000));
  }
  void TearDown() override {
    for (const std::string& each : world.violations()) ADD_FAILURE() << each;
  }
  std::string statuses() {
    std::string all;
    for (std::size_t i = 0; i < world.size(); ++i) {
      if (world.node(i) != nullptr) all += world.node(i)->cluster().status() + "; ";
    }
    return all;
  }
  // One call to each of 20 actors, by way of `machine`.
  void add_everywhere(std::size_t machine, int number) {
    for (int i = 0; i < 20; ++i) {
      ask(world, world.call(machine, "ledger", std::to_string(i), "add", number, 10s));
    }
  }
  void expect_everywhere(std::size_t machine, const std::vector<int>& entries) {
    for (int i = 0; i < 20; ++i) {
      const auto read =
          ask(world, world.call(machine, "ledger", std::to_string(i), "entries", 10s));
      ASSERT_TRUE(read->ok()) << read->problem();
      EXPECT_EQ(read->value<std::vector<int>>(), entries);
    }
  }
  // As add_everywhere(), all at once.
  void expect_answers_within(Duration limit, std::size_t machine, int number) {
    const Time asked = world.now();
    std::vector<World::AnswerPtr> answers;
    for (int i = 0; i < 20; ++i) {
      answers.push_back(world.call(machine, "ledger", std::to_string(i), "add", number, 10s));
    }
    const auto answered = [](const auto& each) { return each->outcome.has_value(); };
    EXPECT_TRUE(world.run_until(limit, [&] { return std::ranges::all_of(answers, answered); }));
    for (const auto& each : answers) EXPECT_TRUE(each->ok()) << each->problem();
    RecordProperty("answers_ms", std::to_string(seconds(world.now() - asked) * 1000));
  }
  void expect_equal_replicas() {
    std::string unequal;
    EXPECT_TRUE(world.run_until(10s, [&] { return (unequal = world.compare_replicas()).empty(); }))
        << unequal;
  }

  World world;
  Time begun = world.now();
};

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
  RecordProperty("stop_ms", std::to_string(seconds(world.now() - begun) * 1000));
  add_everywhere(0, 2);
  world.start(1);
  ASSERT_TRUE(world.run_until(10s, [&] { return world.ready(1); })) << statuses();
  expect_everywhere(1, {1, 2});
  expect_equal_replicas();
}

// A caller for each of 20 actors.
TEST_F(Three, LetActorsWaitOnlyBrieflyForANodeThatStopsInOrder) {
  struct Caller {
    World::AnswerPtr answer;
    Time answered;
    Duration longest{0};
  };
  std::vector<Caller> callers(20);
  const auto call = [&](std::size_t i) {
    callers[i].answer = world.call(0, "ledger", std::to_string(i), "add", 1, 10s);
  };
  const auto go_on = [&](Duration length) {
    for (const Time end = world.now() + length; world.now() < end; world.run(5ms)) {
      for (std::size_t i = 0; i < callers.size(); ++i) {
        Caller& caller = callers[i];
        if (!caller.answer->outcome) continue;
        EXPECT_TRUE(caller.answer->ok()) << caller.answer->problem();
        caller.longest = std::max(caller.longest, caller.answer->answered - caller.answered);
        caller.answered = caller.answer->answered;
        call(i);
      }
    }
  };
  for (std::size_t i = 0; i < callers.size(); ++i) call(i);
  go_on(3s);
  for (Caller& each : callers) each.longest = {};
  world.stop(1);
  go_on(2s);
  EXPECT_EQ(world.node(1), nullptr);
  Duration longest{0};
  for (const Caller& each : callers) longest = std::max(longest, each.longest);
  EXPECT_LT(longest, 100ms);
  RecordProperty("longest_ms", std::to_string(seconds(longest) * 1000));
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
