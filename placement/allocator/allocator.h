#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/base/ids.h"
#include <troupe/time.h>

namespace troupe::placement {

enum class NodeState : std::uint8_t { kAlive, kDraining, kDead };

/// A node with the role `storage`, as the meta shard knows it.
struct StorageNode {
  NodeId id;
  std::string zone;          // empty: each such node is a zone of its own
  std::uint32_t weight = 1;  // its share of the replicas; 0 takes none
  NodeState state = NodeState::kAlive;
  Time dead_since{};  // if kDead
};

struct Replica {
  NodeId node;
  ReplicaId id;
  bool voter = true;       // false: a learner
  bool caught_up = false;  // a learner that may be promoted
};

/// A shard's group as it is now.
struct ShardGroup {
  ShardId shard;
  std::vector<Replica> replicas;
  NodeId leader;                  // nobody: has none at the moment
  bool change_in_flight = false;  // a change of configuration or leader is under way
  NodeId adding_to;               // that change adds a learner on this node; nobody: it does not
};

struct AllocatorConfig {
  /// A node may hold ceil(this * mean * weight / mean weight) replicas.
  double load_bound = 1.10;
  /// A dead node keeps its replicas for this long: it may be back, and a copy is expensive.
  Duration grace_period = std::chrono::minutes(5);
  /// Copies under way at once, in the cluster and to or from one node. More is faster and disturbs
  /// more.
  std::size_t moves_max = 16;
  std::size_t moves_per_node_max = 2;
  /// Transfers of leadership proposed at once.
  std::size_t transfers_max = 8;
};

/// The next change of one group. Adding gives a fresh replica id, which the meta shard issues.
struct Step {
  enum class Kind : std::uint8_t { kAddLearner, kPromote, kRemove, kTransferLeadership };
  Kind kind = Kind::kAddLearner;
  ShardId shard;
  NodeId node;        // that gets, holds or leads the replica
  ReplicaId replica;  // of kPromote, kRemove, kTransferLeadership

  friend bool operator==(const Step&, const Step&) = default;
};

/// Voters a group should have: one below three storage nodes that may hold replicas, else three.
std::size_t replication_factor(const std::vector<StorageNode>& nodes);

/// What to do next so that every shard has its voters on live nodes, in distinct zones where
/// possible, no node holds more than its bound, and leaders sit at their first choice. At most one
/// step for a shard, none for one with a change in flight. Empty when all is well.
///
/// Keeps what is good: a replica moves only from a dead (after the grace period) or draining node,
/// from a crowded zone, or from a node above its bound to one below (a node below 1 / load_bound of
/// its share counts as a reason too, so that newcomers fill up). Where there is a choice,
/// consistent hashing (rendezvous) of shard and node decides. Replacing is add, promote, transfer,
/// remove: a group never has fewer live voters than before until the new one votes.
///
/// Pure: equal inputs give equal steps on every node. Ignores the order of its inputs.
std::vector<Step> next_steps(const std::vector<StorageNode>& nodes,
                             const std::vector<ShardGroup>& groups, const AllocatorConfig& config,
                             Time now);

/// Where the replicas of a new cluster's shards begin: for shard i the nodes at i, the first of
/// which should lead. Requires a live node.
std::vector<std::vector<NodeId>> first_placement(const std::vector<StorageNode>& nodes,
                                                 std::uint32_t shard_count,
                                                 const AllocatorConfig& config);

}  // namespace troupe::placement
