#pragma once

#include <cstdint>
#include <string_view>

#include "runtime/base/ids.h"

namespace troupe::placement {

/// How much `node` wants `key`: rendezvous hashing. Of several nodes the one with the greatest
/// affinity gets the key, the second greatest is its successor, and so on; a node that joins or
/// leaves moves only keys of its own. All nodes agree on it, of all versions: pinned by a test.
std::uint64_t affinity(NodeId node, std::string_view key);

/// The affinity of a shard's replicas and its leader.
std::uint64_t affinity(NodeId node, ShardId shard);

/// A heavier node wants more: on n nodes it gets weight / (sum of weights) of the keys.
double weighted_affinity(NodeId node, ShardId shard, std::uint32_t weight);

}  // namespace troupe::placement
