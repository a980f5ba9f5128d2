// What random rounds seldom meet, arranged: each of these fails when the guard it names is taken
// out.
#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/base/codec.h"
#include "tests/simulation/cluster/actors.h"
#include "tests/simulation/cluster/world.h"

namespace troupe::sim {
namespace {

using namespace std::chrono_literals;

void start_all(World& world) {
  for (std::size_t i = 0; i < world.size(); ++i) world.start(i);
}

void isolate(World& world, std::size_t machine) {
  for (std::size_t i = 0; i < world.size(); ++i) {
    if (i == machine) continue;
    world.fabric().block(world.id(machine), world.id(i));
    world.fabric().block(world.id(i), world.id(machine));
  }
}

World::AnswerPtr ask(World& world, const World::AnswerPtr& answer) {
  world.run_until(30s, [&] { return answer->outcome.has_value(); });
  EXPECT_TRUE(answer->ok()) << answer->problem();
  return answer;
}

std::string first(const std::vector<std::string>& violations) {
  return violations.empty() ? "" : violations.front();
}

// The wait for leases after an election. Those who elect have just started: nothing they remember
// stands in for the wait.
TEST(Guards, ANewLeaderWaitsForTheLeaseOfAnOwnerItHasNeverHeardOf) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    World world(seed, {.shards = 2});
    start_all(world);
    ASSERT_TRUE(world.run_until(10s, [&] { return world.all_ready(); }));
    ask(world, world.call(0, "ledger", "0", "add", 1, 5s));
    const auto leader = world.leader(world.shard_of("ledger", "0"));
    ASSERT_TRUE(leader);
    isolate(world, *leader);
    for (std::size_t i = 0; i < 3; ++i) {
      if (i == *leader) continue;
      world.crash(i, false);
      world.start(i);
    }
    std::size_t answered = 0;
    for (int i = 0; i < 400; ++i) {
      world.run(5ms);
      for (std::size_t machine = 0; machine < 3; ++machine) {
        if (!world.ready(machine)) continue;
        const auto read = world.call(machine, "ledger", "0", "entries", 200ms);
        world.run(2ms);
        if (read->ok() && machine != *leader) ++answered;
      }
    }
    EXPECT_GT(answered, 0U) << "seed " << seed;
    ASSERT_EQ(first(world.violations()), "") << "seed " << seed;
  }
}

// The output gate: the turn began with a right, and ends without.
TEST(Guards, AReplyOfAnOwnerThatWasReplacedMeanwhileDoesNotLeave) {
  World world(1, {.shards = 1});
  start_all(world);
  ASSERT_TRUE(world.run_until(10s, [&] { return world.all_ready(); }));
  ask(world, world.call(0, "ledger", "0", "add", 1, 5s));
  const auto leader = world.leader(ShardId{0});
  ASSERT_TRUE(leader);
  const std::size_t other = (*leader + 1) % 3;
  const auto read = world.call(*leader, "ledger", "0", "entries_later", Pause{.ms = 1500}, 20s);
  world.run(100ms);
  world.pause(*leader);
  ask(world, world.call(other, "ledger", "0", "add", 2, 10s));
  world.resume(*leader);
  ask(world, read);
  ASSERT_TRUE(read->ok());
  EXPECT_EQ(read->value<std::vector<int>>(), (std::vector<int>{1, 2}));
  EXPECT_EQ(first(world.violations()), "");
}

// The round of heartbeats before a leader speaks for its shard.
TEST(Guards, ALeaderThatIsCutOffConfirmsNobody) {
  World world(1, {.machines = 4, .shards = 1});
  start_all(world);
  ASSERT_TRUE(world.run_until(10s, [&] { return world.all_ready(); }));
  ask(world, world.call(0, "ledger", "0", "add", 1, 5s));
  const auto leader = world.leader(ShardId{0});
  ASSERT_TRUE(leader);
  const auto row = world.node(*leader)->cluster().table()->lookup(ShardId{0});
  const auto holds = [&](std::size_t machine) {
    return std::ranges::any_of(row->replicas,
                               [&](const auto& each) { return each.node == world.id(machine); });
  };
  std::size_t asker = 0;
  while (asker < 4 && holds(asker)) ++asker;
  ASSERT_LT(asker, 4U);
  Writer question;
  question.id(ShardId{0});
  question.bytes("ledger");
  question.id(row->owner("ledger")->epoch);
  question.bytes("");
  question.bytes("");
  int refused = 0;
  int confirmed = 0;
  const std::string body = question.take();
  const auto put = [&] {
    world.node(asker)->cluster().rpc().ask(
        world.id(*leader), cluster::Service::kConfirm, body, 2s,
        [&](const Result<std::string>& answer) { ++(answer ? confirmed : refused); });
  };
  put();
  ASSERT_TRUE(world.run_until(1s, [&] { return confirmed == 1; }));
  for (std::size_t i = 0; i < 4; ++i) {
    if (i == *leader || i == asker) continue;
    world.fabric().block(world.id(*leader), world.id(i));
    world.fabric().block(world.id(i), world.id(*leader));
  }
  world.run(20ms);
  put();
  ASSERT_TRUE(world.run_until(5s, [&] { return confirmed + refused == 2; }));
  EXPECT_EQ(confirmed, 1);
}

// A replica that was removed stays removed, whatever late message asks for it.
TEST(Guards, ALateMessageDoesNotBringARemovedReplicaBack) {
  World world(1, {});
  start_all(world);
  ASSERT_TRUE(world.run_until(10s, [&] { return world.all_ready(); }));
  const auto replica_of = [&](std::size_t machine, ShardId shard) {
    const cluster::Replica* replica = world.node(machine)->cluster().replicas().find(shard);
    return replica == nullptr ? ReplicaId{} : replica->keys().replica();
  };
  std::map<std::pair<std::size_t, ShardId>, ReplicaId> before;
  for (std::size_t machine = 0; machine < 3; ++machine) {
    for (std::uint32_t shard = 0; shard < 8; ++shard) {
      before[{machine, ShardId{shard}}] = replica_of(machine, ShardId{shard});
    }
  }
  world.start(world.add_machine());
  const auto removed = [&] {
    return std::ranges::find_if(before, [&](const auto& each) {
      return replica_of(each.first.first, each.first.second) == ReplicaId{};
    });
  };
  ASSERT_TRUE(world.run_until(60s, [&] { return removed() != before.end(); }));
  const auto [place, replica] = *removed();
  const auto [machine, shard] = place;
  const std::size_t sender = (machine + 1) % 3;
  raft::Message late;
  late.from = {.node = world.id(sender), .replica = before[{sender, shard}]};
  late.to = {.node = world.id(machine), .replica = replica};
  late.term = 1;
  late.body = raft::Heartbeat{};
  cluster::RaftFrame frame;
  frame.items.push_back({.shard = shard, .message = late});
  world.node(machine)->process().happens([&, to = machine] {
    world.node(to)->cluster().received(
        world.id(sender), cluster::encode(cluster::Frame(std::move(frame)), world.node(to)->now()));
  });
  world.run(10ms);
  EXPECT_EQ(replica_of(machine, shard), ReplicaId{});
}

// Answers carry the number of their question, and nothing else.
TEST(Guards, AnAnswerToAnEarlierProcessIsNotTakenForOneToThis) {
  World world(1, {.shards = 1});
  start_all(world);
  ASSERT_TRUE(world.run_until(10s, [&] { return world.all_ready(); }));
  ask(world, world.call(0, "ledger", "a", "add", 1, 5s));
  const auto leader = world.leader(ShardId{0});
  ASSERT_TRUE(leader);
  const std::size_t caller = (*leader + 1) % 3;
  world.crash(caller, false);
  world.start(caller);
  ASSERT_TRUE(world.run_until(10s, [&] { return world.ready(caller); }));
  // The first call of this process to another node, and the first of the next one.
  const Pause pause{.ms = 1500};
  static_cast<void>(world.call(caller, "ledger", "a", "entries_later", pause, 5s));
  world.run(100ms);
  world.crash(caller, false);
  world.start(caller);
  ASSERT_TRUE(world.run_until(1s, [&] { return world.ready(caller); }));
  const auto second = ask(world, world.call(caller, "ledger", "b", "entries_later", pause, 5s));
  ASSERT_TRUE(second->ok());
  EXPECT_EQ(second->value<std::vector<int>>(), (std::vector<int>{}));
}

// A founder is a holder of replicas from the first moment on, registered or not.
TEST(Guards, AFounderThatRegistersLateKeepsItsReplicas) {
  World world(1, {.grace = 5s});
  start_all(world);
  const auto founded = [&] {
    for (std::size_t i = 0; i < 3; ++i) {
      if (world.node(i)->cluster().id().empty()) return false;
    }
    return true;
  };
  ASSERT_TRUE(world.run_until(10s, founded));
  ASSERT_FALSE(world.ready(2)) << "it has registered already";
  isolate(world, 2);
  ASSERT_TRUE(world.run_until(10s, [&] { return world.ready(0) && world.ready(1); }));
  const auto replicas_of_the_late = [&] {
    std::vector<std::uint64_t> ids;
    for (std::uint32_t shard = 0; shard <= 8; ++shard) {
      const auto row = world.node(0)->cluster().table()->lookup(ShardId{shard});
      if (!row) continue;
      for (const auto& each : row->replicas) {
        if (each.node == world.id(2)) ids.push_back(each.replica.value);
      }
    }
    return ids;
  };
  world.run(2s);
  const std::vector<std::uint64_t> before = replicas_of_the_late();
  EXPECT_EQ(before.size(), 9U);
  EXPECT_FALSE(world.ready(2));
  world.fabric().heal();
  ASSERT_TRUE(world.run_until(10s, [&] { return world.ready(2); }));
  ask(world, world.call(2, "ledger", "0", "add", 1, 5s));
  EXPECT_EQ(first(world.violations()), "");
}

}  // namespace
}  // namespace troupe::sim
