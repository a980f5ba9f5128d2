#pragma once

#include <cstdint>
#include <vector>

#include "placement/table/table.h"
#include "runtime/api/admin.h"

/// What is known of shards: by the table, and by the replicas themselves.
namespace troupe::api {

/// By the table: leader, replicas, owners.
ShardFacts facts_of(std::uint32_t shard, const placement::Table& table);

/// Of the replicas that the table names those that have not said anything, as silent ones.
std::vector<ReplicaView> silent_of(const ShardFacts& shard, const std::vector<ReplicaView>& said);

/// Says of each how far it is behind the leader of its shard: of two that believe to lead, the one
/// of the later term. All are of one shard.
void measure_lag(std::vector<ReplicaView>& replicas);

/// Adds what its replicas, silent ones among them, say.
void add_replicas(ShardFacts& shard, const std::vector<ReplicaView>& replicas);

}  // namespace troupe::api
