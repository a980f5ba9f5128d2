// ClusterAdmin's part that tells what this node knows of its cluster.
#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "runtime/api/cluster_admin.h"
#include "runtime/api/shard_facts.h"

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

std::string_view role_of(const raft::Raft& raft) {
  switch (raft.role()) {
    case raft::Role::kLeader:
      return "leader";
    case raft::Role::kPreCandidate:
    case raft::Role::kCandidate:
      return "candidate";
    case raft::Role::kFollower:
      break;
  }
  const raft::Member* member = raft.configuration().find(raft.self());
  return member != nullptr && !member->voter ? "learner" : "follower";
}

std::uint64_t messages_of(const cluster::Replica& replica) {
  return static_cast<const cluster::ShardStateMachine&>(replica.machine())
      .machine()
      .outbox_messages();
}

// Of a leader: what the member furthest behind has not confirmed of what is committed.
std::uint64_t lag_behind(const raft::Raft& raft) {
  std::uint64_t lag = 0;
  for (const raft::Member& member : raft.configuration().members) {
    const raft::Progress* progress = raft.progress(member.address);
    if (progress == nullptr) continue;
    lag = std::max(lag, raft.committed() - std::min(raft.committed(), progress->match));
  }
  return lag;
}

void count_members(const placement::View& view, StatusFacts& facts) {
  for (const placement::View::Entry& entry : view.members) {
    facts.nodes_alive += entry.status == placement::MemberStatus::kAlive ? 1U : 0U;
    facts.nodes_suspect += entry.status == placement::MemberStatus::kSuspect ? 1U : 0U;
    facts.nodes_dead += entry.status == placement::MemberStatus::kDead ? 1U : 0U;
    facts.nodes_draining += entry.member->draining ? 1U : 0U;
  }
}

// Below three storage nodes a shard has one replica. What it once had counts even if there are too
// few nodes for it now.
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
    std::size_t voters = 0;
    std::size_t there = 0;
    for (const placement::RowReplica& replica : row->replicas) {
      voters += replica.voter ? 1U : 0U;
      there += replica.voter && storing.contains(replica.node) ? 1U : 0U;
    }
    if (there < std::max(wanted, voters)) ++facts.shards_under_replicated;
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
  cluster_.replicas().each([&](const cluster::Replica& replica) {
    facts.elections_won += replica.elections_won();
    facts.lag = std::max(facts.lag, lag_behind(replica.raft()));
  });
  facts.calls_out = cluster_.calls_out();
  if (const cluster::Deliveries* deliveries = cluster_.deliveries()) {
    facts.deliveries_out = deliveries->in_flight();
  }
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
    shards.push_back(facts_of(shard, *table));
  }
  return shards;
}

std::vector<ReplicaView> ClusterAdmin::replicas_here(std::optional<std::uint32_t> only) const {
  std::vector<ReplicaView> replicas;
  const std::string node = to_string(self());
  cluster_.replicas().each([&](const cluster::Replica& replica) {
    const std::uint32_t shard = replica.shard().value;
    if (shard >= cluster_.shard_count() || (only && *only != shard)) return;
    replicas.push_back({.shard = shard,
                        .node = node,
                        .replica = replica.keys().replica().value,
                        .role = std::string(role_of(replica.raft())),
                        .term = replica.raft().term(),
                        .committed = replica.raft().committed(),
                        .applied = replica.applied(),
                        .messages = messages_of(replica),
                        .elections_won = replica.elections_won()});
  });
  return replicas;
}

// Nothing if this node does not lead the meta shard.
RepairFacts ClusterAdmin::repair_here() const {
  RepairFacts facts;
  const cluster::Meta* meta = cluster_.meta();
  const auto repair = meta == nullptr ? std::nullopt : meta->repair();
  if (!repair) return facts;
  facts.moves_under_way = repair->steps_under_way;
  std::map<std::string, std::uint64_t> replicas;
  for (const ShardFacts& shard : shards_now()) {
    for (const ReplicaFacts& each : shard.replicas) ++replicas[each.node];
  }
  for (const cluster::Meta::Repair::Gone& gone : repair->gone) {
    facts.gone.push_back(
        {.node = to_string(gone.node),
         .since = std::chrono::floor<std::chrono::seconds>(gone.since),
         .replicas = replicas[to_string(gone.node)],
         .replaced_in = std::chrono::ceil<std::chrono::seconds>(gone.replaced_in)});
  }
  return facts;
}

}  // namespace troupe::api
