#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "placement/allocator/allocator.h"

namespace troupe::placement {

/// What the allocator asks of the cluster: who may hold what, who holds how much, who comes next.
///
/// A node's load is what it will hold when all that is under way is done: replicas that will go
/// (surplus, or on nodes given up) do not count, learners do.
class ClusterLoad {
 public:
  /// `groups` sorted by shard.
  ClusterLoad(const std::vector<StorageNode>& nodes, std::vector<ShardGroup> groups,
              const AllocatorConfig& config, Time now);

  const std::vector<ShardGroup>& groups() const { return groups_; }
  std::size_t replicas_wanted() const { return replicas_wanted_; }
  bool nobody_usable() const;

  /// Alive, not draining: may get replicas and lead.
  bool usable(NodeId node) const;
  /// May keep what it has: usable, or dead for less than the grace period.
  bool keeps(NodeId node) const;
  double wish(NodeId node, ShardId shard) const;
  void count(NodeId node, int replicas) { nodes_.at(node).load += replicas; }

  static bool holds(const ShardGroup& group, NodeId node);
  std::size_t kept_voters(const ShardGroup& group) const;
  bool has_majority(const ShardGroup& group) const;
  bool has_majority_without(const ShardGroup& group, const Replica& removed) const;
  /// Has a learner or a voter too many.
  bool copying(const ShardGroup& group) const;
  /// Has a learner, a voter too many, or one on a node that is given up.
  bool unsettled(const ShardGroup& group) const;

  /// The voter to remove, if there is one too many: of nodes given up, then of dead ones, of
  /// crowded zones, of the fullest.
  std::optional<Replica> victim(const ShardGroup& group) const;
  /// The best node to add, in place of `instead` if given; `below_share`: only one that has room
  /// for its fair share and shares no zone with those that stay.
  std::optional<NodeId> newcomer(const ShardGroup& group, std::optional<NodeId> instead,
                                 bool below_share) const;
  /// The fuller of two nodes of the group that share a zone.
  std::optional<NodeId> crowded(const ShardGroup& group) const;
  /// The fullest node of the group that holds more than its share and that `target` may replace.
  std::optional<NodeId> giver(const ShardGroup& group, NodeId target) const;

  std::vector<NodeId> above_bound() const;
  std::vector<NodeId> below_share() const;

  /// Usable voters, the ring's first choice first.
  std::vector<Replica> heirs(const ShardGroup& group) const;
  /// The first of the heirs that leads fewer than its bound.
  std::optional<Replica> leader_choice(const ShardGroup& group,
                                       const std::map<NodeId, std::size_t>& led) const;

 private:
  struct Node {
    StorageNode node;
    bool usable = false;
    bool keeps = false;
    double share = 0;  // of all replicas, fair
    int bound = 0;
    std::size_t leaders_max = 0;
    int load = 0;

    double fullness() const { return share > 0 ? load / share : load * 1e9; }
  };

  void set_shares();
  void set_loads();
  const Node* find(NodeId node) const;
  std::string zone(NodeId node) const;
  bool zone_taken(const ShardGroup& group, const std::string& zone,
                  std::optional<NodeId> without) const;

  AllocatorConfig config_;
  std::map<NodeId, Node> nodes_;
  std::vector<ShardGroup> groups_;
  std::size_t replicas_wanted_;
};

}  // namespace troupe::placement
