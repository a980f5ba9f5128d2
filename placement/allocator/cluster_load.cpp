#include "placement/allocator/cluster_load.h"

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

#include "placement/affinity.h"

namespace troupe::placement {
namespace {

// ceil() that forgives what floating point adds to whole numbers
int rounded_up(double value) { return static_cast<int>(std::ceil(value - 1e-9)); }

}  // namespace

ClusterLoad::ClusterLoad(const std::vector<StorageNode>& nodes, std::vector<ShardGroup> groups,
                         const AllocatorConfig& config, Time now)
    : config_(config), groups_(std::move(groups)), replicas_wanted_(replication_factor(nodes)) {
  for (const StorageNode& node : nodes) {
    Node& known = nodes_[node.id];
    known.node = node;
    known.usable = node.state == NodeState::kAlive && node.weight > 0;
    const bool in_grace =
        node.state == NodeState::kDead && now - node.dead_since < config.grace_period;
    known.keeps = known.usable || (in_grace && node.weight > 0);
  }
  set_shares();
  set_loads();
}

// Each node's fair share by weight. No node holds a shard twice, so a share ends at the number of
// shards, and what a heavy node cannot take is shared by the others.
void ClusterLoad::set_shares() {
  const auto shards = static_cast<double>(groups_.size());
  double left = shards * static_cast<double>(replicas_wanted_);
  double weight_left = 0;
  double weight_all = 0;
  std::vector<Node*> open;
  for (auto& [id, node] : nodes_) {
    if (!node.keeps) continue;
    open.push_back(&node);
    weight_left += node.node.weight;
  }
  weight_all = weight_left;
  std::ranges::sort(open, std::ranges::greater(),
                    [](Node* n) { return std::pair(n->node.weight, n->node.id); });
  for (Node* node : open) {
    node->share = std::min(shards, left * node->node.weight / weight_left);
    left -= node->share;
    weight_left -= node->node.weight;
    node->bound =
        std::min(rounded_up(config_.load_bound * node->share), static_cast<int>(groups_.size()));
    node->leaders_max = static_cast<std::size_t>(
        rounded_up(config_.load_bound * shards * node->node.weight / weight_all));
  }
}

void ClusterLoad::set_loads() {
  for (const ShardGroup& group : groups_) {
    for (const Replica& replica : group.replicas) {
      if (keeps(replica.node)) ++nodes_.at(replica.node).load;
    }
  }
  for (const ShardGroup& group : groups_) {
    ShardGroup rest = group;
    while (std::ranges::count_if(rest.replicas, [&](const Replica& r) { return keeps(r.node); }) >
           static_cast<std::ptrdiff_t>(replicas_wanted_)) {
      // A learner will be a voter by then
      for (Replica& replica : rest.replicas) replica.voter = true;
      const std::optional<Replica> goes = victim(rest);
      if (!goes) break;
      if (keeps(goes->node)) --nodes_.at(goes->node).load;
      std::erase_if(rest.replicas,
                    [&](const Replica& r) { return r.node == goes->node && r.id == goes->id; });
    }
  }
}

const ClusterLoad::Node* ClusterLoad::find(NodeId node) const {
  const auto found = nodes_.find(node);
  return found == nodes_.end() ? nullptr : &found->second;
}

bool ClusterLoad::nobody_usable() const {
  return std::ranges::none_of(nodes_, [](const auto& entry) { return entry.second.usable; });
}

bool ClusterLoad::usable(NodeId node) const {
  const Node* known = find(node);
  return known != nullptr && known->usable;
}

bool ClusterLoad::keeps(NodeId node) const {
  const Node* known = find(node);
  return known != nullptr && known->keeps;
}

double ClusterLoad::wish(NodeId node, ShardId shard) const {
  return weighted_affinity(node, shard, nodes_.at(node).node.weight);
}

bool ClusterLoad::holds(const ShardGroup& group, NodeId node) {
  return std::ranges::find(group.replicas, node, &Replica::node) != group.replicas.end();
}

std::size_t ClusterLoad::kept_voters(const ShardGroup& group) const {
  return static_cast<std::size_t>(std::ranges::count_if(
      group.replicas, [&](const Replica& r) { return r.voter && keeps(r.node); }));
}

bool ClusterLoad::has_majority(const ShardGroup& group) const {
  return has_majority_without(group, {.node = {}, .id = {}});
}

bool ClusterLoad::has_majority_without(const ShardGroup& group, const Replica& removed) const {
  std::size_t voters = 0;
  std::size_t live = 0;
  for (const Replica& replica : group.replicas) {
    if (!replica.voter || (replica.node == removed.node && replica.id == removed.id)) continue;
    ++voters;
    const Node* node = find(replica.node);
    if (node != nullptr && node->node.state != NodeState::kDead) ++live;
  }
  return live > voters / 2;
}

bool ClusterLoad::copying(const ShardGroup& group) const {
  return std::ranges::any_of(group.replicas, [](const Replica& r) { return !r.voter; }) ||
         group.replicas.size() > replicas_wanted_;
}

bool ClusterLoad::unsettled(const ShardGroup& group) const {
  return std::ranges::any_of(group.replicas,
                             [&](const Replica& r) { return !r.voter || !keeps(r.node); }) ||
         group.replicas.size() > replicas_wanted_;
}

std::optional<Replica> ClusterLoad::victim(const ShardGroup& group) const {
  const Replica* worst = nullptr;
  std::tuple<bool, bool, bool, double, double> worst_rank;
  std::size_t voters = 0;
  for (const Replica& replica : group.replicas) {
    if (!replica.voter) continue;
    ++voters;
    const Node* node = find(replica.node);
    const bool crowds = node != nullptr && zone_taken(group, zone(replica.node), replica.node);
    const std::tuple rank(!keeps(replica.node), !usable(replica.node), crowds,
                          node == nullptr ? 0 : node->fullness(),
                          node == nullptr ? 0 : -wish(replica.node, group.shard));
    if (worst != nullptr && rank <= worst_rank) continue;
    worst = &replica;
    worst_rank = rank;
  }
  if (worst == nullptr || voters <= 1) return std::nullopt;
  const bool given_up = !keeps(worst->node);
  if (!given_up && voters <= replicas_wanted_) return std::nullopt;
  if (given_up && kept_voters(group) < std::min(replicas_wanted_, voters - 1)) return std::nullopt;
  return *worst;
}

std::optional<NodeId> ClusterLoad::newcomer(const ShardGroup& group, std::optional<NodeId> instead,
                                            bool below_share) const {
  std::optional<NodeId> best;
  std::tuple<bool, bool, double> best_rank;
  for (const auto& [id, node] : nodes_) {
    if (!node.usable || holds(group, id)) continue;
    const bool own_zone = !zone_taken(group, zone(id), instead);
    // One more may round a share up, but not pass it
    const bool has_room =
        below_share ? node.load + 1 <= rounded_up(node.share) : node.load + 1 <= node.bound;
    if (below_share && (!own_zone || !has_room)) continue;
    const std::tuple rank(own_zone, has_room, wish(id, group.shard));
    if (best && rank <= best_rank) continue;
    best = id;
    best_rank = rank;
  }
  return best;
}

std::optional<NodeId> ClusterLoad::crowded(const ShardGroup& group) const {
  std::optional<NodeId> fullest;
  for (const Replica& replica : group.replicas) {
    if (!zone_taken(group, zone(replica.node), replica.node)) continue;
    if (fullest && find(replica.node)->fullness() <= find(*fullest)->fullness()) continue;
    fullest = replica.node;
  }
  return fullest;
}

std::optional<NodeId> ClusterLoad::giver(const ShardGroup& group, NodeId target) const {
  std::optional<NodeId> fullest;
  for (const Replica& replica : group.replicas) {
    const Node* node = find(replica.node);
    if (node == nullptr || node->load <= node->share) continue;
    if (zone_taken(group, zone(target), replica.node)) continue;
    if (fullest && node->fullness() <= find(*fullest)->fullness()) continue;
    fullest = replica.node;
  }
  return fullest;
}

std::vector<NodeId> ClusterLoad::above_bound() const {
  std::vector<NodeId> found;
  for (const auto& [id, node] : nodes_) {
    if (node.keeps && node.load > node.bound) found.push_back(id);
  }
  std::ranges::sort(found, std::ranges::greater(),
                    [this](NodeId id) { return std::pair(find(id)->fullness(), id); });
  return found;
}

std::vector<NodeId> ClusterLoad::below_share() const {
  std::vector<NodeId> found;
  for (const auto& [id, node] : nodes_) {
    if (node.usable && node.load < static_cast<int>(node.share / config_.load_bound)) {
      found.push_back(id);
    }
  }
  std::ranges::sort(found, {}, [this](NodeId id) { return std::pair(find(id)->fullness(), id); });
  return found;
}

std::vector<Replica> ClusterLoad::heirs(const ShardGroup& group) const {
  std::vector<Replica> found;
  for (const Replica& replica : group.replicas) {
    if (replica.voter && usable(replica.node)) found.push_back(replica);
  }
  std::ranges::sort(found, std::ranges::greater(),
                    [&](const Replica& r) { return std::pair(wish(r.node, group.shard), r.node); });
  return found;
}

std::optional<Replica> ClusterLoad::leader_choice(const ShardGroup& group,
                                                  const std::map<NodeId, std::size_t>& led) const {
  const std::vector<Replica> candidates = heirs(group);
  if (candidates.empty()) return std::nullopt;
  for (const Replica& candidate : candidates) {
    const auto leads = led.find(candidate.node);
    if (leads == led.end() || leads->second < find(candidate.node)->leaders_max) return candidate;
  }
  return candidates.front();
}

// An empty zone is the node's own.
std::string ClusterLoad::zone(NodeId node) const {
  const Node* known = find(node);
  if (known == nullptr || known->node.zone.empty()) return "node " + to_string(node);
  return "zone " + known->node.zone;
}

bool ClusterLoad::zone_taken(const ShardGroup& group, const std::string& zone,
                             std::optional<NodeId> without) const {
  return std::ranges::any_of(group.replicas, [&](const Replica& replica) {
    return replica.node != without && keeps(replica.node) && this->zone(replica.node) == zone;
  });
}

}  // namespace troupe::placement
