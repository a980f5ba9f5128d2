// Cluster's part that actors see as their shards: rights and commits.
#include <algorithm>
#include <utility>

#include "actors/state/operations.h"
#include "runtime/base/codec.h"
#include "runtime/cluster/cluster.h"
#include "storage/shard/rows.h"

namespace troupe::cluster {
namespace {

constexpr auto kProposalPatience = std::chrono::seconds(5);
// Of one attempt to read, whose question or answer may have been lost with a network.
constexpr auto kAttemptPatience = std::chrono::seconds(2);
// Of one that may be gone: there may be another leader soon.
constexpr auto kDoubtedPatience = std::chrono::milliseconds(200);
constexpr auto kReadRetry = std::chrono::milliseconds(20);

}  // namespace

ShardId Cluster::shard_of(std::string_view type, std::string_view id) const {
  return placement::shard_of(type, id, cluster_.shard_count);
}

std::shared_ptr<actors::Right> Cluster::right(ShardId shard, std::string_view type) const {
  return rights_->find(shard, type);
}

void Cluster::commit(std::shared_ptr<actors::Right> right, storage::TurnCommand command,
                     Done<storage::Outcome> done) {
  auto entry = std::make_shared<storage::Entry>(WallTime{}, std::move(command));
  commits_.put({.right = std::move(right), .entry = std::move(entry), .done = std::move(done)});
}

// Of what this node's own replica knows and what gossip says, the newer. A replica that its group
// has removed goes on believing in the leader it knew.
NodeId Cluster::leader_of(ShardId shard) const {
  const Replica* replica = replicas_->find(shard);
  const placement::Table::RowRef row = table_->lookup(shard);
  if (replica != nullptr) {
    const raft::Standing standing = replica->raft().standing();
    const bool older = row && row->version.term > standing.term;
    if (!standing.leader.empty() && !older) return standing.leader.node;
  }
  if (!row) return {};
  return row->leader;
}

Error Cluster::no_leader(ShardId shard) const {
  std::string missing;
  const auto view = members();
  const placement::Table::RowRef row = table_->lookup(shard);
  for (const placement::RowReplica& replica :
       row ? row->replicas : std::vector<placement::RowReplica>{}) {
    if (view->reaches(replica.node)) continue;
    missing += (missing.empty() ? "" : ", ") + short_name(replica.node);
  }
  return {Code::kUnavailable,
          "shard " + std::to_string(shard.value) + " has no leader" +
              (missing.empty() ? "" : "; not reachable of its replicas: those on " + missing)};
}

void Cluster::propose(ShardId shard, ProposedEntry entry, Done<storage::Outcome> done) {
  const NodeId leader = leader_of(shard);
  if (leader == options_.self.id) {
    return replicas_->propose(shard, std::move(entry), std::move(done));
  }
  Writer body;
  body.id(shard);
  body.bytes(entry.bytes.view());
  ask_leader(shard, Service::kPropose, body.take(), kProposalPatience,
             [done = std::move(done)](const Result<std::string>& answer) mutable {
               if (!answer) return done(fail(answer.error()));
               done(decode_outcome(*answer));
             });
}

void Cluster::restore(ShardId shard, storage::RestoreCommand command, Done<storage::Outcome> done) {
  auto entry = std::make_shared<const storage::Entry>(deps_.clock.wall(), std::move(command));
  propose(shard, ProposedEntry(std::move(entry)), std::move(done));
}

Duration Cluster::patience_with(NodeId node, Duration patience) const {
  return doubts_.in_doubt(node) ? std::min<Duration>(patience, kDoubtedPatience) : patience;
}

void Cluster::ask_leader(ShardId shard, Service service, std::string body, Duration patience,
                         Done<std::string> done) {
  const NodeId leader = leader_of(shard);
  if (leader.empty()) {
    return done(fail(no_leader(shard)));
  }
  rpc_->ask(leader, service, std::move(body), patience_with(leader, patience), std::move(done));
}

// Leaders change while owners stay: asks until one answers, or the right is over.
void Cluster::ask_as_owner(const std::shared_ptr<actors::Right>& right, Service service,
                           std::string question, Time until, Done<std::string> done) {
  std::string body = question;
  const Duration patience = std::min<Duration>(kAttemptPatience, until - deps_.clock.now());
  ask_leader(right->shard, service, std::move(body), patience,
             [this, alive = alive_, right, service, question = std::move(question), until,
              done = std::move(done)](Result<std::string> answer) mutable {
               if (answer || !*alive) return done(std::move(answer));
               const Code code = answer.error().code;
               const bool again = code == Code::kPrecondition || code == Code::kUnavailable ||
                                  code == Code::kUnknownOutcome || code == Code::kTimeout;
               const Time next = deps_.clock.now() + kReadRetry;
               if (!again || right->ended() || next >= until) return done(std::move(answer));
               deps_.loop.post_at(
                   next, [this, alive, right, service, until, question = std::move(question),
                          done = std::move(done)]() mutable {
                     if (!*alive) return done(fail(Code::kUnavailable, "this node is stopping"));
                     ask_as_owner(right, service, std::move(question), until, std::move(done));
                   });
             });
}

void Cluster::locate(ShardId shard, const std::string& type, Duration patience, Done<void> done) {
  const NodeId leader = leader_of(shard);
  if (leader.empty()) {
    return done(fail(no_leader(shard)));
  }
  Writer body;
  body.id(shard);
  body.bytes(type);
  rpc_->ask(leader, Service::kOwner, body.take(), patience_with(leader, patience),
            [this, alive = alive_, shard, leader,
             done = std::move(done)](const Result<std::string>& row) mutable {
              if (row && *alive) learn(*row);
              if (row) return done({});
              done(fail(*alive && !members()->reaches(leader) ? no_leader(shard) : row.error()));
            });
}

// Proposals of owners elsewhere, to the shards led here.
void Cluster::serve_proposals() {
  rpc_->serve(Service::kPropose, [this](NodeId /*from*/, const std::string& body, Time /*deadline*/,
                                        Done<std::string> respond) {
    Reader in(body);
    const auto shard = in.id<ShardId>();
    std::string entry = in.string();
    if (!in.finished()) return respond(fail(Code::kInvalid, "a damaged proposal"));
    replicas_->propose(
        shard, Payload(std::move(entry)),
        [respond = std::move(respond)](const Result<storage::Outcome>& outcome) mutable {
          if (!outcome) return respond(fail(outcome.error()));
          respond(encode_outcome(*outcome));
        });
  });
}

}  // namespace troupe::cluster
