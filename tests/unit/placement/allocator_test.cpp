#include "placement/allocator/allocator.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "placement/affinity.h"
#include "runtime/base/random.h"

namespace troupe::placement {
namespace {

NodeId node(std::size_t n) { return {.high = n * 0x9e3779b97f4a7c15U, .low = n}; }

/// A cluster that does what the allocator says.
struct Cluster {
  std::vector<StorageNode> nodes;
  std::vector<ShardGroup> groups;
  AllocatorConfig config;
  Time now{};
  std::uint64_t next_replica = 1;
  std::size_t added = 0;
  std::size_t most_added_at_once = 0;

  Cluster(std::size_t count, std::uint32_t shards, std::size_t zones = 0) {
    for (std::size_t n = 1; n <= count; ++n) {
      nodes.push_back({.id = node(n), .zone = zones == 0 ? "" : "z" + std::to_string(n % zones)});
    }
    const auto placement = first_placement(nodes, shards, config);
    for (std::uint32_t shard = 0; shard < shards; ++shard) {
      ShardGroup& group = groups.emplace_back();
      group.shard = ShardId{shard};
      for (const NodeId id : placement[shard]) {
        group.replicas.push_back({.node = id, .id = ReplicaId{next_replica++}});
      }
      group.leader = placement[shard].front();
    }
  }

  bool alive(NodeId id) const {
    const auto found = std::ranges::find(nodes, id, &StorageNode::id);
    return found != nodes.end() && found->state != NodeState::kDead;
  }

  void apply(const Step& step) {
    ShardGroup& group = groups[step.shard.value];
    const auto replica = std::ranges::find(group.replicas, step.node, &Replica::node);
    switch (step.kind) {
      case Step::Kind::kAddLearner:
        ASSERT_TRUE(replica == group.replicas.end());
        ++added;
        group.replicas.push_back({.node = step.node,
                                  .id = ReplicaId{next_replica++},
                                  .voter = false,
                                  .caught_up = true});
        break;
      case Step::Kind::kPromote:
        ASSERT_TRUE(replica != group.replicas.end() && !replica->voter);
        replica->voter = true;
        break;
      case Step::Kind::kRemove:
        ASSERT_TRUE(replica != group.replicas.end() && replica->id == step.replica);
        ASSERT_NE(group.leader, step.node) << "a leader is never removed";
        group.replicas.erase(replica);
        break;
      case Step::Kind::kTransferLeadership:
        ASSERT_TRUE(replica != group.replicas.end() && replica->voter && alive(step.node));
        group.leader = step.node;
        break;
    }
    std::ptrdiff_t voters = 0;
    std::ptrdiff_t live = 0;
    for (const Replica& r : group.replicas) {
      voters += r.voter ? 1 : 0;
      live += r.voter && alive(r.node) ? 1 : 0;
    }
    ASSERT_GT(live, voters / 2) << "a step took the majority";
  }

  /// The number of rounds until nothing is left to do.
  int settle() {
    for (int round = 0; round < 5000; ++round) {
      for (ShardGroup& group : groups) {
        if (!alive(group.leader)) {  // another is elected
          for (const Replica& r : group.replicas) {
            if (r.voter && alive(r.node)) group.leader = r.node;
          }
        }
      }
      const std::vector<Step> steps = next_steps(nodes, groups, config, now);
      if (steps.empty()) return round;
      std::set<ShardId> shards;
      const std::size_t before = added;
      for (const Step& step : steps) {
        EXPECT_TRUE(shards.insert(step.shard).second) << "two steps for one shard";
        apply(step);
      }
      most_added_at_once = std::max(most_added_at_once, added - before);
      if (::testing::Test::HasFatalFailure()) return -1;
    }
    return -1;
  }

  std::map<NodeId, int> loads() const {
    std::map<NodeId, int> loads;
    for (const ShardGroup& group : groups) {
      for (const Replica& replica : group.replicas) ++loads[replica.node];
    }
    return loads;
  }

  void expect_good(std::size_t replicas) const {
    double weights = 0;
    for (const StorageNode& n : nodes) weights += n.state == NodeState::kAlive ? n.weight : 0;
    const auto total = static_cast<double>(groups.size() * replicas);
    for (const auto& [id, load] : loads()) {
      const auto& n = *std::ranges::find(nodes, id, &StorageNode::id);
      EXPECT_EQ(n.state, NodeState::kAlive);
      const double share = std::min(static_cast<double>(groups.size()), total * n.weight / weights);
      EXPECT_LE(load, std::ceil(1.10 * share)) << "above the bound";
      EXPECT_GE(load, std::floor(share / 1.10)) << "left out";
    }
    for (const ShardGroup& group : groups) {
      ASSERT_EQ(group.replicas.size(), replicas);
      for (const Replica& r : group.replicas) EXPECT_TRUE(r.voter);
    }
  }
};

TEST(Affinity, HashesNeverChangeBetweenVersions) {
  EXPECT_EQ(affinity(node(1), "Cart"), 9225825437540637911U);
  EXPECT_EQ(affinity(node(1), ShardId{7}), 4495735962338912079U);
}

TEST(Allocator, OneVoterBelowThreeNodesElseThree) {
  EXPECT_EQ(replication_factor(Cluster(1, 1).nodes), 1U);
  EXPECT_EQ(replication_factor(Cluster(2, 1).nodes), 1U);
  EXPECT_EQ(replication_factor(Cluster(3, 1).nodes), 3U);
  EXPECT_EQ(replication_factor(Cluster(9, 1).nodes), 3U);
}

TEST(Allocator, AFreshClusterIsNearlyRightAtOnce) {
  for (const std::size_t count : {1U, 2U, 3U, 4U, 7U, 20U}) {
    Cluster cluster(count, 128);
    ASSERT_GE(cluster.settle(), 0) << count;
    EXPECT_LE(cluster.added, 128U * 3 / 20) << count;
    cluster.expect_good(count < 3 ? 1 : 3);
  }
}

TEST(Allocator, AClusterThatGrowsConvergesWithinTheBound) {
  Cluster cluster(1, 128);
  for (std::size_t n = 2; n <= 8; ++n) {
    cluster.nodes.push_back({.id = node(n), .zone = ""});
    ASSERT_GE(cluster.settle(), 0) << n;
    cluster.expect_good(n < 3 ? 1 : 3);
  }
}

TEST(Allocator, ANewcomerCausesFewMoreMovesThanItsShare) {
  Cluster cluster(8, 256);
  cluster.nodes.push_back({.id = node(9), .zone = ""});
  ASSERT_GE(cluster.settle(), 0);
  EXPECT_LE(cluster.added, 256U * 3 / 9 + 8);
}

TEST(Allocator, ADrainedNodeIsEmptiedAtOnceAndNothingElseMoves) {
  Cluster cluster(8, 256);
  const auto held = static_cast<std::size_t>(cluster.loads()[node(4)]);
  cluster.nodes[3].state = NodeState::kDraining;
  ASSERT_GE(cluster.settle(), 0);
  EXPECT_EQ(cluster.loads().count(node(4)), 0U);
  EXPECT_LE(cluster.added, held + 8);
  cluster.expect_good(3);
}

TEST(Allocator, ADeadNodeIsReplacedOnlyAfterTheGracePeriod) {
  Cluster cluster(6, 128);
  cluster.now = Time(std::chrono::hours(1));
  cluster.nodes[2].state = NodeState::kDead;
  cluster.nodes[2].dead_since = cluster.now;
  ASSERT_GE(cluster.settle(), 0);
  EXPECT_EQ(cluster.added, 0U);
  cluster.now += std::chrono::minutes(5);
  ASSERT_GE(cluster.settle(), 0);
  EXPECT_EQ(cluster.loads().count(node(3)), 0U);
  cluster.expect_good(3);
}

TEST(Allocator, ReplicasAreInDistinctZonesWherePossible) {
  Cluster cluster(9, 128, 3);
  cluster.nodes[4].state = NodeState::kDraining;
  ASSERT_GE(cluster.settle(), 0);
  for (const ShardGroup& group : cluster.groups) {
    std::set<std::string> zones;
    for (const Replica& r : group.replicas) {
      zones.insert(std::ranges::find(cluster.nodes, r.node, &StorageNode::id)->zone);
    }
    EXPECT_EQ(zones.size(), 3U);
  }
}

TEST(Allocator, OnlyAFewMovesAreUnderWay) {
  Cluster cluster(10, 256);
  cluster.nodes[0].state = NodeState::kDraining;
  ASSERT_GE(cluster.settle(), 0);
  EXPECT_LE(cluster.most_added_at_once, cluster.config.moves_max);
}

TEST(Allocator, AGroupWithAChangeInFlightIsLeftAlone) {
  Cluster cluster(5, 64);
  cluster.nodes[0].state = NodeState::kDraining;
  for (ShardGroup& group : cluster.groups) group.change_in_flight = true;
  EXPECT_TRUE(next_steps(cluster.nodes, cluster.groups, cluster.config, cluster.now).empty());
}

TEST(Allocator, CopiesThatBeginCountOtherChangesDoNot) {
  const auto added = [](bool copies) {
    Cluster cluster(4, 64);
    cluster.nodes[0].state = NodeState::kDraining;
    std::size_t changing = 0;
    for (ShardGroup& group : cluster.groups) {
      if (++changing > 20) break;
      group.change_in_flight = true;
      if (copies) group.adding_to = cluster.nodes[changing % 4].id;
    }
    const std::vector<Step> steps =
        next_steps(cluster.nodes, cluster.groups, cluster.config, cluster.now);
    return std::ranges::count(steps, Step::Kind::kAddLearner, &Step::kind);
  };
  EXPECT_GT(added(false), 0);
  EXPECT_EQ(added(true), 0);
}

TEST(Allocator, LeadersAreBalancedAndStay) {
  Cluster cluster(5, 200);
  for (ShardGroup& group : cluster.groups) {  // all on whichever comes first
    const auto lowest = std::ranges::min_element(group.replicas, {}, &Replica::node);
    group.leader = lowest->node;
  }
  ASSERT_GE(cluster.settle(), 0);
  std::map<NodeId, int> led;
  for (const ShardGroup& group : cluster.groups) ++led[group.leader];
  for (const auto& [id, count] : led) EXPECT_LE(count, 44);
  EXPECT_EQ(cluster.settle(), 0);
}

TEST(Allocator, OrderOfInputsDoesNotMatter) {
  Cluster cluster(7, 64);
  cluster.nodes[1].state = NodeState::kDraining;
  const auto steps = next_steps(cluster.nodes, cluster.groups, cluster.config, cluster.now);
  EXPECT_FALSE(steps.empty());
  std::ranges::reverse(cluster.nodes);
  std::ranges::reverse(cluster.groups);
  for (ShardGroup& group : cluster.groups) std::ranges::reverse(group.replicas);
  EXPECT_EQ(next_steps(cluster.nodes, cluster.groups, cluster.config, cluster.now), steps);
}

TEST(Allocator, ConvergesFromAnythingThatRandomOperatorsDo) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    Random random(seed);
    Cluster cluster(4 + random.below(6), 64, random.below(4));
    cluster.now = Time(std::chrono::hours(1));
    for (int change = 0; change < 6; ++change) {
      StorageNode& any = cluster.nodes[random.below(cluster.nodes.size())];
      const auto live = std::ranges::count(cluster.nodes, NodeState::kAlive, &StorageNode::state);
      if (random.chance(0.4)) {
        const std::size_t next = cluster.nodes.size() + 1;
        cluster.nodes.push_back({.id = node(next),
                                 .zone = "z" + std::to_string(random.below(4)),
                                 .weight = 1 + static_cast<std::uint32_t>(random.below(3))});
      } else if (any.state == NodeState::kAlive && live > 4) {
        any.state = random.chance(0.5) ? NodeState::kDead : NodeState::kDraining;
        any.dead_since = Time{};
      }
      ASSERT_GE(cluster.settle(), 0) << "seed " << seed;
      ASSERT_EQ(cluster.settle(), 0) << "seed " << seed;
    }
  }
}

}  // namespace
}  // namespace troupe::placement
