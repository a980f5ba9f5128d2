#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "placement/allocator/allocator.h"
#include "runtime/base/ids.h"
#include "storage/raft/configuration.h"

namespace troupe::cluster {

/// The groups a new cluster begins with, worked out alike by each of its founders.
struct FirstGroups {
  std::map<ShardId, raft::Configuration> groups;  // of all shards, and of the meta shard
  std::uint64_t next_replica = 1;
};

/// `founders`: in any order. One voter for each shard below three founders, else three.
FirstGroups first_groups(std::vector<NodeId> founders, std::uint32_t shard_count);

}  // namespace troupe::cluster
