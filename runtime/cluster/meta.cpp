#include "runtime/cluster/meta.h"

#include <algorithm>
#include <utility>

#include "runtime/base/codec.h"

namespace troupe::cluster {
namespace {

constexpr auto kRetryInterval = std::chrono::milliseconds(50);
// Where nothing was to be done, and nobody has come or gone.
constexpr auto kQuietInterval = std::chrono::seconds(1);

using Kind = placement::Step::Kind;

}  // namespace

Meta::Meta(MetaOptions options, Dependencies dependencies)
    : options_(options), deps_(std::move(dependencies)) {
  deps_.rpc.serve(Service::kMeta, [this](NodeId /*from*/, std::string body, Time /*deadline*/,
                                         Done<std::string> respond) {
    deps_.replicas.propose(
        kMetaShard, Payload(std::move(body)),
        [respond = std::move(respond)](Result<storage::Outcome> outcome) mutable {
          // Not to be taken for a refusal by the meta shard itself.
          const bool elsewhere = !outcome && outcome.error().code == Code::kPrecondition;
          if (elsewhere) return respond(fail(Code::kUnavailable, outcome.error().message));
          if (!outcome) return respond(fail(outcome.error()));
          if (outcome->error) return respond(fail(*outcome->error));
          respond(std::move(outcome->reply));
        });
  });
  deps_.rpc.serve(Service::kReconfigure,
                  [this](NodeId /*from*/, const std::string& body, Time /*deadline*/,
                         Done<std::string> respond) { reconfigure(body, std::move(respond)); });
}

void Meta::start() { allocate(); }

NodeId Meta::leader() const {
  if (const Replica* replica = deps_.replicas.find(kMetaShard)) {
    const NodeId known = replica->raft().standing().leader.node;
    if (!known.empty()) return known;
  }
  const placement::Table::RowRef row = deps_.table.lookup(ShardId{deps_.table.shard_count() - 1});
  return row ? row->leader : NodeId{};
}

const MetaMachine* Meta::machine() const {
  const Replica* replica = deps_.replicas.find(kMetaShard);
  if (replica == nullptr) return nullptr;
  return &static_cast<const MetaStateMachine&>(replica->machine()).machine();
}

void Meta::command(const MetaCommand& command, Duration patience, Done<std::string> done) {
  attempt(encode(command), deps_.clock.now() + patience, std::move(done));
}

void Meta::attempt(std::string bytes, Time until, Done<std::string> done) {
  const NodeId to = leader();
  if (to.empty()) {
    return retry(std::move(bytes), until,
                 {.code = Code::kUnavailable, .message = "the meta shard has no leader"},
                 std::move(done));
  }
  std::string copy = bytes;
  deps_.rpc.ask(
      to, Service::kMeta, std::move(copy),
      std::max(Duration(1), std::min<Duration>(options_.patience, until - deps_.clock.now())),
      [this, alive = alive_, bytes = std::move(bytes), until,
       done = std::move(done)](Result<std::string> answer) mutable {
        if (answer || !*alive) return done(std::move(answer));
        const Code code = answer.error().code;
        // Every command may be repeated: a second time it changes nothing, or wastes an id.
        const bool again = code == Code::kUnavailable || code == Code::kUnknownOutcome ||
                           code == Code::kTimeout || code == Code::kExhausted;
        if (!again) return done(std::move(answer));
        retry(std::move(bytes), until, answer.error(), std::move(done));
      });
}

void Meta::retry(std::string bytes, Time until, Error error, Done<std::string> done) {
  const Time next = deps_.clock.now() + kRetryInterval;
  if (next >= until) return done(fail(std::move(error)));
  deps_.loop.post_at(next, [this, alive = alive_, bytes = std::move(bytes), until,
                            done = std::move(done)]() mutable {
    if (!*alive) return;
    attempt(std::move(bytes), until, std::move(done));
  });
}

void Meta::allocate() {
  plan_if_leading();
  deps_.loop.post_at(deps_.clock.now() + options_.interval, [this, alive = alive_] {
    if (*alive) allocate();
  });
}

// What comes next need not wait for the interval.
void Meta::allocate_soon() {
  if (looks_soon_) return;
  looks_soon_ = true;
  deps_.loop.post_at(deps_.clock.now() + options_.pause, [this, alive = alive_] {
    if (!*alive) return;
    looks_soon_ = false;
    plan_if_leading();
  });
}

void Meta::plan_if_leading() {
  const Replica* replica = deps_.replicas.find(kMetaShard);
  if (replica == nullptr || !replica->leads() || machine()->cluster().empty()) return;
  plan(deps_.clock.now());
}

void Meta::plan(Time now) {
  std::erase_if(under_way_,
                [&](const auto& each) { return is_over(each.first, each.second, now); });
  const std::uint64_t version = deps_.members()->version;
  if (version == planned_for_ && now < quiet_until_ && under_way_.empty()) return;
  planned_for_ = version;
  const std::vector<placement::StorageNode> nodes = storage_nodes(now);
  const ShardId meta{deps_.table.shard_count() - 1};
  std::vector<placement::Step> steps =
      placement::next_steps(nodes, groups(ShardId{0}, meta), options_.allocator, now);
  const std::vector<placement::Step> own =
      placement::next_steps(nodes, groups(meta, ShardId{meta.value + 1}), options_.allocator, now);
  steps.insert(steps.end(), own.begin(), own.end());
  quiet_until_ = steps.empty() ? now + kQuietInterval : now;
  for (const placement::Step& step : steps) run(step);
}

std::vector<placement::StorageNode> Meta::storage_nodes(Time now) {
  const auto members = deps_.members();
  std::vector<placement::StorageNode> nodes;
  for (const auto& [id, node] : machine()->nodes()) {
    if (!node.storage) continue;
    const placement::View::Entry* entry = members->find(id);
    const bool dead = entry == nullptr || entry->status == placement::MemberStatus::kDead ||
                      entry->status == placement::MemberStatus::kLeft;
    placement::StorageNode storage;
    storage.id = id;
    storage.zone = node.zone;
    storage.weight = node.weight;
    if (dead) {
      storage.state = placement::NodeState::kDead;
      const Time since = dead_since_.try_emplace(id, now).first->second;
      storage.dead_since = std::min(since, now - options_.allocator.grace_period + grace_of(id));
    } else {
      dead_since_.erase(id);
      if (node.draining) storage.state = placement::NodeState::kDraining;
    }
    nodes.push_back(std::move(storage));
  }
  // A founder whose registration is still on its way holds replicas from the first moment on.
  const std::set<NodeId> holding = holders();
  std::erase_if(dead_since_, [&](const auto& each) {
    return !machine()->nodes().contains(each.first) && !holding.contains(each.first);
  });
  for (const NodeId id : holding) {
    if (machine()->nodes().contains(id)) continue;
    nodes.push_back({.id = id,
                     .zone = {},
                     .weight = 1,
                     .state = placement::NodeState::kDead,
                     .dead_since = dead_since_.try_emplace(id, now).first->second});
  }
  return nodes;
}

// How long a node that is gone is waited for: not at all if nobody wants it back.
Duration Meta::grace_of(NodeId id) const {
  const auto node = machine()->nodes().find(id);
  const bool unwanted = node != machine()->nodes().end() && node->second.draining;
  return unwanted ? Duration(0) : options_.allocator.grace_period;
}

std::set<NodeId> Meta::holders() const {
  std::set<NodeId> nodes;
  for (ShardId shard{0}; shard.value < deps_.table.shard_count(); ++shard.value) {
    const placement::Table::RowRef row = deps_.table.lookup(shard);
    if (!row) continue;
    for (const placement::RowReplica& replica : row->replicas) nodes.insert(replica.node);
  }
  return nodes;
}

std::vector<placement::ShardGroup> Meta::groups(ShardId first, ShardId end) const {
  std::vector<placement::ShardGroup> groups;
  for (ShardId shard = first; shard < end; ++shard.value) {
    const placement::Table::RowRef row = deps_.table.lookup(shard);
    if (!row) continue;
    placement::ShardGroup group;
    group.shard = shard;
    group.leader = row->leader;
    const auto step = under_way_.find(shard);
    group.change_in_flight = step != under_way_.end();
    if (group.change_in_flight) group.adding_to = step->second.adding_to;
    for (const placement::RowReplica& replica : row->replicas) {
      // Whether a learner has caught up its leader judges: it refuses to promote it before.
      group.replicas.push_back({.node = replica.node,
                                .id = replica.replica,
                                .voter = replica.voter,
                                .caught_up = !replica.voter});
    }
    groups.push_back(std::move(group));
  }
  return groups;
}

void Meta::run(placement::Step step) {
  UnderWay begun{.until = deps_.clock.now() + options_.patience};
  if (step.kind == Kind::kAddLearner) begun.adding_to = step.node;
  if (const placement::Table::RowRef row = deps_.table.lookup(step.shard)) begun.row = row->version;
  under_way_[step.shard] = begun;
  if (step.kind != Kind::kAddLearner) return ask_leader(step, step.replica);
  command(IssueReplica{}, options_.patience,
          [this, alive = alive_, step](const Result<std::string>& issued) {
            if (!*alive) return;
            Reader in(issued ? *issued : std::string_view());
            const ReplicaId replica{in.number()};
            if (!in.finished()) return step_answered(step);
            ask_leader(step, replica);
          });
}

void Meta::ask_leader(const placement::Step& step, ReplicaId replica) {
  NodeId to;
  {
    const placement::Table::RowRef row = deps_.table.lookup(step.shard);
    if (row) to = row->leader;
  }
  const bool meta = step.shard.value == deps_.table.shard_count() - 1;
  Writer out;
  out.id(meta ? kMetaShard : step.shard);
  out.number(static_cast<std::uint64_t>(step.kind));
  out.id(step.node);
  out.id(replica);
  deps_.rpc.ask(to, Service::kReconfigure, out.take(), options_.patience,
                [this, alive = alive_, step](const Result<std::string>& answer) {
                  if (!*alive) return;
                  if (!answer) {
                    deps_.log.debug("a step was refused", {{"shard", step.shard.value},
                                                           {"error", answer.error().message}});
                  }
                  step_answered(step);
                  if (answer && !answer->empty()) deps_.learn(*answer);
                });
}

// Its row tells what has become of it, if it came with the answer or comes in time.
void Meta::step_answered(const placement::Step& step) {
  const auto begun = under_way_.find(step.shard);
  if (begun == under_way_.end()) return;
  begun->second.answered = true;
  // A learner that has not caught up will have very soon. Copies are few at a time.
  const bool copies = step.kind == Kind::kPromote;
  begun->second.until = deps_.clock.now() + (copies ? options_.pause : options_.interval);
  if (copies) allocate_soon();
}

bool Meta::is_over(ShardId shard, const UnderWay& step, Time now) const {
  if (step.until <= now) return true;
  const placement::Table::RowRef row = deps_.table.lookup(shard);
  return step.answered && row && step.row < row->version;
}

void Meta::row_changed(ShardId shard) {
  if (under_way_.contains(shard)) allocate_soon();
}

void Meta::reconfigure(std::string_view body, Done<std::string> respond) {
  Reader in(body);
  const auto shard = in.id<ShardId>();
  const auto kind =
      static_cast<Kind>(in.number_up_to(static_cast<std::uint64_t>(Kind::kTransferLeadership)));
  const auto node = in.id<NodeId>();
  const auto replica_id = in.id<ReplicaId>();
  if (!in.finished()) return respond(fail(Code::kInvalid, "a damaged step"));
  Replica* replica = deps_.replicas.find(shard);
  if (replica == nullptr || !replica->leads()) {
    return respond(fail(Code::kPrecondition, "this node does not lead that shard"));
  }
  const Time now = deps_.clock.now();
  const raft::Address address{.node = node, .replica = replica_id};
  deps_.replicas.wake(shard);
  if (kind == Kind::kTransferLeadership) {
    const Result<void> begun = replica->raft().transfer(now, address);
    return begun ? respond(std::string()) : respond(fail(begun.error()));
  }
  raft::Configuration next = replica->raft().configuration();
  if (kind == Kind::kAddLearner) {
    next.members.push_back({.address = address, .voter = false});
  } else if (kind == Kind::kPromote) {
    for (raft::Member& member : next.members) {
      if (member.address == address) member.voter = true;
    }
  } else {
    std::erase_if(next.members,
                  [&](const raft::Member& member) { return member.address == address; });
  }
  const Result<raft::Index> proposed = replica->raft().propose_configuration(now, next);
  if (!proposed) return respond(fail(proposed.error()));
  answer_step(shard, fail(Code::kUnknownOutcome, "another step of this shard was asked for"));
  reconfiguring_.insert_or_assign(shard, std::move(respond));
}

void Meta::reconfigured(ShardId shard) {
  const ShardId meta{deps_.table.shard_count() - 1};
  const placement::Table::RowRef row = deps_.table.lookup(shard == kMetaShard ? meta : shard);
  Writer out;
  if (row) placement::encode(out, *row);
  answer_step(shard, out.take());
}

void Meta::stopped_leading(ShardId shard) {
  answer_step(shard, fail(Code::kUnknownOutcome, "this node leads that shard no longer"));
}

void Meta::answer_step(ShardId shard, Result<std::string> answer) {
  const auto asked = reconfiguring_.find(shard);
  if (asked == reconfiguring_.end()) return;
  Done<std::string> respond = std::move(asked->second);
  reconfiguring_.erase(asked);
  respond(std::move(answer));
}

std::optional<Meta::Repair> Meta::repair() const {
  const Replica* replica = deps_.replicas.find(kMetaShard);
  if (replica == nullptr || !replica->leads()) return std::nullopt;
  const Time now = deps_.clock.now();
  const std::set<NodeId> holding = holders();
  Repair repair{.steps_under_way = under_way_.size(), .gone = {}};
  for (const auto& [node, since] : dead_since_) {
    if (!holding.contains(node)) continue;
    const Duration gone = now - since;
    repair.gone.push_back(
        {.node = node, .since = gone, .replaced_in = std::max(Duration(0), grace_of(node) - gone)});
  }
  return repair;
}

}  // namespace troupe::cluster
