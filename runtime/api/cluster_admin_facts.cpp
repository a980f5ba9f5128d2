// ClusterAdmin's part that tells what this node knows of its cluster.
#include <algorithm>
#include <set>
#include <utility>

#include "runtime/api/cluster_admin.h"

namespace troupe::api {
namespace {

constexpr std::size_t kReplicasWanted = 3;

std::string name_of(NodeId node) { return node.empty() ? std::string() : to_string(node); }

std::string_view status_of(placement::MemberStatus status) {
  switch (status) {
    case placement::MemberStatus::kAlive:
      return "alive";
    case placement::MemberStatus::kSuspect:
      return "suspect";
    case placement::MemberStatus::kDead:
      return "dead";
    case placement::MemberStatus::kLeft:
      return "left";
  }
  return "dead";
}

void count_members(const placement::View& view, StatusFacts& facts) {
  for (const placement::View::Entry& entry : view.members) {
    facts.nodes_alive += entry.status == placement::MemberStatus::kAlive ? 1U : 0U;
    facts.nodes_suspect += entry.status == placement::MemberStatus::kSuspect ? 1U : 0U;
    facts.nodes_dead += entry.status == placement::MemberStatus::kDead ? 1U : 0U;
    facts.nodes_draining += entry.member->draining ? 1U : 0U;
  }
}

// As few replicas as there are storage nodes, one below three of them, are all that can be had.
void count_shards(const placement::Table& table, const placement::View& view, NodeId self,
                  StatusFacts& facts) {
  std::set<NodeId> storing;
  for (const auto& member : view.reachable()) {
    if (member->storage) storing.insert(member->id);
  }
  const std::size_t wanted = storing.size() >= kReplicasWanted ? kReplicasWanted : 1;
  for (std::uint32_t shard = 0; shard < facts.shards; ++shard) {
    const placement::Table::RowRef row = table.lookup(ShardId{shard});
    if (!row || row->leader.empty()) ++facts.shards_without_leader;
    if (!row) continue;
    std::size_t there = 0;
    for (const placement::RowReplica& replica : row->replicas) {
      there += replica.voter && storing.contains(replica.node) ? 1U : 0U;
    }
    if (there < wanted) ++facts.shards_under_replicated;
    if (row->leader == self) ++facts.leaders_here;
  }
}

}  // namespace

StatusFacts ClusterAdmin::status_now() const {
  StatusFacts facts{.cluster = cluster_.id(),
                    .node = to_string(self()),
                    .status = cluster_.status(),
                    .ready = ready()};
  facts.shards = cluster_.shard_count();
  facts.actors = hosted();
  if (serving() == nullptr) return facts;
  const auto members = cluster_.members();
  count_members(*members, facts);
  if (cluster_.table() != nullptr) count_shards(*cluster_.table(), *members, self(), facts);
  facts.replicas_here = cluster_.replicas().count();
  if (const cluster::Meta* meta = cluster_.meta()) facts.meta_leader = name_of(meta->leader());
  return facts;
}

std::vector<NodeFacts> ClusterAdmin::nodes_now() const {
  std::vector<NodeFacts> nodes;
  const auto members = cluster_.members();
  for (const placement::View::Entry& entry : members->members) {
    const placement::Member& member = *entry.member;
    nodes.push_back({.id = to_string(member.id),
                     .address = to_string(member.address),
                     .status = std::string(status_of(entry.status)),
                     .generation = member.generation.value,
                     .self = member.id == self(),
                     .storage = member.storage,
                     .hosting = member.hosting,
                     .draining = member.draining,
                     .weight = member.weight,
                     .zone = member.zone,
                     .app_id = member.app_id,
                     .http_port = member.http_port,
                     .grpc_port = member.grpc_port,
                     .types = member.types});
  }
  for (const ShardFacts& shard : shards_now()) {
    for (NodeFacts& node : nodes) {
      if (shard.leader == node.id) ++node.leads;
      for (const ReplicaFacts& replica : shard.replicas) {
        if (replica.node == node.id) ++node.replicas;
      }
    }
  }
  return nodes;
}

std::vector<ShardFacts> ClusterAdmin::shards_now() const {
  std::vector<ShardFacts> shards;
  const placement::Table* table = cluster_.table();
  if (table == nullptr) return shards;
  for (std::uint32_t shard = 0; shard < cluster_.shard_count(); ++shard) {
    ShardFacts& facts = shards.emplace_back();
    facts.shard = shard;
    const placement::Table::RowRef row = table->lookup(ShardId{shard});
    if (!row) continue;
    facts.term = row->version.term;
    facts.index = row->version.index;
    facts.leader = name_of(row->leader);
    for (const placement::RowReplica& replica : row->replicas) {
      facts.replicas.push_back({.node = name_of(replica.node),
                                .replica = replica.replica.value,
                                .voter = replica.voter});
    }
    for (const placement::Owner& owner : row->owners) {
      facts.owners.push_back(
          {.type = owner.type, .node = name_of(owner.node), .epoch = owner.epoch.value});
    }
  }
  return shards;
}

}  // namespace troupe::api
