#include "runtime/api/shard_facts.h"

#include <algorithm>
#include <string>

namespace troupe::api {
namespace {

std::string name_of(NodeId node) { return node.empty() ? std::string() : to_string(node); }

const ReplicaView* leader_among(const std::vector<ReplicaView>& replicas) {
  const ReplicaView* leader = nullptr;
  for (const ReplicaView& each : replicas) {
    if (each.role != "leader") continue;
    if (leader == nullptr || each.term > leader->term) leader = &each;
  }
  return leader;
}

}  // namespace

ShardFacts facts_of(std::uint32_t shard, const placement::Table& table) {
  ShardFacts facts{.shard = shard};
  const placement::Table::RowRef row = table.lookup(ShardId{shard});
  if (!row) return facts;
  facts.term = row->version.term;
  facts.leader = name_of(row->leader);
  for (const placement::RowReplica& replica : row->replicas) {
    facts.replicas.push_back(
        {.node = name_of(replica.node), .replica = replica.replica.value, .voter = replica.voter});
  }
  for (const placement::Owner& owner : row->owners) {
    facts.owners.push_back(
        {.type = owner.type, .node = name_of(owner.node), .epoch = owner.epoch.value});
  }
  return facts;
}

std::vector<ReplicaView> silent_of(const ShardFacts& shard, const std::vector<ReplicaView>& said) {
  std::vector<ReplicaView> silent;
  for (const ReplicaFacts& known : shard.replicas) {
    const bool heard = std::ranges::any_of(said, [&](const ReplicaView& each) {
      return each.node == known.node && each.replica == known.replica;
    });
    if (heard) continue;
    silent.push_back(
        {.shard = shard.shard, .node = known.node, .replica = known.replica, .role = "silent"});
  }
  return silent;
}

void measure_lag(std::vector<ReplicaView>& replicas) {
  const ReplicaView* const leader = leader_among(replicas);
  if (leader == nullptr) return;
  const std::uint64_t committed = leader->committed;
  for (ReplicaView& each : replicas) {
    if (each.role != "silent") each.lag = committed - std::min(committed, each.applied);
  }
}

void add_replicas(ShardFacts& shard, const std::vector<ReplicaView>& replicas) {
  if (const ReplicaView* const leader = leader_among(replicas)) {
    shard.leader = leader->node;
    shard.term = leader->term;
    shard.applied = leader->applied;
    shard.messages = leader->messages;
  }
  for (const ReplicaView& each : replicas) {
    shard.lag = std::max(shard.lag, each.lag);
    shard.elections_won += each.elections_won;
    shard.silent += each.role == "silent" ? 1U : 0U;
  }
}

}  // namespace troupe::api
