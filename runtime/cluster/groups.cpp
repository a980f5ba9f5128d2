#include "runtime/cluster/groups.h"

#include <algorithm>

namespace troupe::cluster {

FirstGroups first_groups(std::vector<NodeId> founders, std::uint32_t shard_count) {
  std::ranges::sort(founders);
  std::vector<placement::StorageNode> nodes;
  nodes.reserve(founders.size());
  for (const NodeId founder : founders) {
    placement::StorageNode node;
    node.id = founder;
    nodes.push_back(std::move(node));
  }
  FirstGroups first;
  const auto add = [&](ShardId shard, const std::vector<NodeId>& members) {
    raft::Configuration& configuration = first.groups[shard];
    for (const NodeId member : members) {
      configuration.members.push_back(
          {.address = {.node = member, .replica = ReplicaId{first.next_replica++}}, .voter = true});
    }
  };
  const auto placed = placement::first_placement(nodes, shard_count, {});
  for (std::uint32_t shard = 0; shard < shard_count; ++shard) add(ShardId{shard}, placed[shard]);
  founders.resize(std::min(founders.size(), placement::replication_factor(nodes)));
  add(kMetaShard, founders);
  return first;
}

}  // namespace troupe::cluster
