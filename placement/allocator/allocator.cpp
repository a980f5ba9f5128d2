#include "placement/allocator/allocator.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "placement/allocator/cluster_load.h"
#include "runtime/base/check.h"

namespace troupe::placement {
namespace {

using Kind = Step::Kind;

/// One call of next_steps(): looks at each group in the order of shards, then at balance.
class Planner {
 public:
  Planner(const std::vector<StorageNode>& nodes, const std::vector<ShardGroup>& groups,
          const AllocatorConfig& config, Time now)
      : config_(config), load_(nodes, sorted(groups), config, now) {
    for (const ShardGroup& group : load_.groups()) {
      if (!group.adding_to.empty() || load_.copying(group)) count_move(group);
    }
  }

  std::vector<Step> plan() {
    for (const ShardGroup& group : load_.groups()) {
      if (!group.change_in_flight && load_.has_majority(group)) mend(group);
    }
    spread_zones();
    balance();
    steer_leaders();
    return std::move(steps_);
  }

 private:
  static std::vector<ShardGroup> sorted(std::vector<ShardGroup> groups) {
    std::ranges::sort(groups, {}, &ShardGroup::shard);
    for (ShardGroup& group : groups) {
      std::ranges::sort(group.replicas, {},
                        [](const Replica& r) { return std::pair(r.node, r.id); });
    }
    return groups;
  }

  // The steps that a single group needs for itself: finish what was begun, replace, shrink.
  void mend(const ShardGroup& group) {
    const auto learner = std::ranges::find(group.replicas, false, &Replica::voter);
    if (learner != group.replicas.end()) {
      if (!load_.usable(learner->node)) {
        step(Kind::kRemove, group, *learner);
      } else if (learner->caught_up) {
        step(Kind::kPromote, group, *learner);
      }
      return;
    }
    const std::size_t wanted = load_.replicas_wanted();
    const std::size_t kept = load_.kept_voters(group);
    if (kept < wanted) {
      if (const std::optional<NodeId> target = load_.newcomer(group, std::nullopt, false)) {
        add(group, *target);
      }
      return;
    }
    if (const std::optional<Replica> victim = load_.victim(group)) remove(group, *victim);
  }

  // A leader hands over before it goes. No group loses its majority by a removal.
  void remove(const ShardGroup& group, const Replica& victim) {
    if (!load_.has_majority_without(group, victim)) return;
    if (group.leader != victim.node) {
      step(Kind::kRemove, group, victim);
      return;
    }
    for (const Replica& heir : load_.heirs(group)) {
      if (heir.node == victim.node) continue;
      step(Kind::kTransferLeadership, group, heir);
      return;
    }
  }

  // Two replicas in one zone while another zone has room.
  void spread_zones() {
    for (const ShardGroup& group : load_.groups()) {
      if (!quiet(group)) continue;
      const std::optional<NodeId> crowded = load_.crowded(group);
      if (!crowded) continue;
      if (const std::optional<NodeId> target = load_.newcomer(group, crowded, true)) {
        add(group, *target);
      }
    }
  }

  // From nodes above their bound, and to nodes far below their share.
  void balance() {
    for (std::size_t i = 0; i < config_.moves_max; ++i) {
      if (!shed() && !fill()) return;
    }
  }

  struct Move {
    const ShardGroup* group = nullptr;
    NodeId target;
    double wish = 0;
  };

  bool shed() {
    for (const NodeId crowded : load_.above_bound()) {
      Move best;
      for (const ShardGroup& group : load_.groups()) {
        if (!quiet(group) || !ClusterLoad::holds(group, crowded)) continue;
        const std::optional<NodeId> target = load_.newcomer(group, crowded, true);
        if (!target || !may_move(group, *target)) continue;
        const double wish = load_.wish(*target, group.shard);
        if (best.group == nullptr || wish > best.wish) best = {&group, *target, wish};
      }
      if (best.group == nullptr) continue;
      add(*best.group, best.target);
      load_.count(crowded, -1);
      return true;
    }
    return false;
  }

  bool fill() {
    for (const NodeId target : load_.below_share()) {
      Move best;
      NodeId source;
      for (const ShardGroup& group : load_.groups()) {
        if (!quiet(group) || ClusterLoad::holds(group, target) || !may_move(group, target))
          continue;
        const std::optional<NodeId> from = load_.giver(group, target);
        if (!from) continue;
        const double wish = load_.wish(target, group.shard);
        if (best.group != nullptr && wish <= best.wish) continue;
        best = {&group, target, wish};
        source = *from;
      }
      if (best.group == nullptr) continue;
      add(*best.group, best.target);
      load_.count(source, -1);
      return true;
    }
    return false;
  }

  void steer_leaders() {
    std::size_t transfers = 0;
    std::map<NodeId, std::size_t> led;
    for (const ShardGroup& group : load_.groups()) {
      const std::optional<Replica> choice = load_.leader_choice(group, led);
      if (!choice) continue;
      ++led[choice->node];
      if (!quiet(group) || group.leader.empty() || group.leader == choice->node) continue;
      if (++transfers > config_.transfers_max) continue;
      step(Kind::kTransferLeadership, group, *choice);
    }
  }

  // A settled group for which nothing is planned yet.
  bool quiet(const ShardGroup& group) const {
    return !group.change_in_flight && !stepped_.contains(group.shard) && !load_.unsettled(group) &&
           load_.kept_voters(group) == load_.replicas_wanted() && load_.has_majority(group);
  }

  bool may_move(const ShardGroup& group, NodeId target) const {
    const auto copies = [this](NodeId node) {
      const auto counted = moves_of_.find(node);
      return counted == moves_of_.end() ? 0 : counted->second;
    };
    return moves_ < config_.moves_max && copies(target) < config_.moves_per_node_max &&
           copies(group.leader) < config_.moves_per_node_max;
  }

  // The leader sends the copy, the learner receives it.
  void count_move(const ShardGroup& group) {
    ++moves_;
    if (!group.leader.empty()) ++moves_of_[group.leader];
    if (!group.adding_to.empty()) ++moves_of_[group.adding_to];
    for (const Replica& replica : group.replicas) {
      if (!replica.voter && replica.node != group.leader) ++moves_of_[replica.node];
    }
  }

  void add(const ShardGroup& group, NodeId target) {
    if (!may_move(group, target)) return;
    ++moves_;
    ++moves_of_[target];
    if (!group.leader.empty()) ++moves_of_[group.leader];
    load_.count(target, 1);
    step(Kind::kAddLearner, group, {.node = target, .id = {}});
  }

  void step(Kind kind, const ShardGroup& group, const Replica& replica) {
    steps_.push_back(
        {.kind = kind, .shard = group.shard, .node = replica.node, .replica = replica.id});
    stepped_.insert(group.shard);
  }

  const AllocatorConfig& config_;
  ClusterLoad load_;
  std::size_t moves_ = 0;
  std::map<NodeId, std::size_t> moves_of_;
  std::set<ShardId> stepped_;
  std::vector<Step> steps_;
};

}  // namespace

std::size_t replication_factor(const std::vector<StorageNode>& nodes) {
  const auto counts = [](const StorageNode& node) {
    return node.state != NodeState::kDraining && node.weight > 0;
  };
  return std::ranges::count_if(nodes, counts) < 3 ? 1 : 3;
}

std::vector<Step> next_steps(const std::vector<StorageNode>& nodes,
                             const std::vector<ShardGroup>& groups, const AllocatorConfig& config,
                             Time now) {
  return Planner(nodes, groups, config, now).plan();
}

std::vector<std::vector<NodeId>> first_placement(const std::vector<StorageNode>& nodes,
                                                 std::uint32_t shard_count,
                                                 const AllocatorConfig& config) {
  std::vector<ShardGroup> groups(shard_count);
  for (std::uint32_t shard = 0; shard < shard_count; ++shard) groups[shard].shard = ShardId{shard};
  ClusterLoad load(nodes, groups, config, Time{});
  check(!load.nobody_usable(), "a placement needs a live storage node");
  for (ShardGroup& group : groups) {
    for (std::size_t i = 0; i < load.replicas_wanted(); ++i) {
      const std::optional<NodeId> node = load.newcomer(group, std::nullopt, false);
      if (!node) break;
      group.replicas.push_back({.node = *node, .id = {}});
      load.count(*node, 1);
    }
  }
  std::vector<std::vector<NodeId>> placement;
  std::map<NodeId, std::size_t> led;
  for (const ShardGroup& group : groups) {
    const std::optional<Replica> leader = load.leader_choice(group, led);
    if (leader) ++led[leader->node];
    std::vector<NodeId>& row = placement.emplace_back();
    for (const Replica& replica : load.heirs(group)) {
      row.insert(leader && replica.node == leader->node ? row.begin() : row.end(), replica.node);
    }
  }
  return placement;
}

}  // namespace troupe::placement
