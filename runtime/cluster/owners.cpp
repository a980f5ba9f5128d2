#include "runtime/cluster/owners.h"

#include <algorithm>
#include <utility>

#include "runtime/base/codec.h"

namespace troupe::cluster {
namespace {

constexpr auto kLookEvery = std::chrono::milliseconds(20);
constexpr auto kRenewEvery = std::chrono::milliseconds(100);  // small beside a lease
constexpr auto kRenewalPatience = std::chrono::seconds(1);
// How often an owner in doubt, whose lease is let run out, is looked at.
constexpr auto kDoubtInterval = std::chrono::milliseconds(25);
constexpr auto kRetryAssign = std::chrono::milliseconds(20);

const storage::ShardMachine& machine_of(const Replica& replica) {
  // Owners exist in shards with actors only; the meta shard never gets here.
  return static_cast<const ShardStateMachine&>(replica.machine()).machine();
}

std::vector<placement::Owner> owners_of(const Replica& replica) {
  std::vector<placement::Owner> owners;
  for (const auto& [type, owner] : machine_of(replica).owners()) {
    owners.push_back(
        {.type = type, .node = owner.node, .generation = owner.generation, .epoch = owner.epoch});
  }
  return owners;
}

std::string encoded(const placement::Row& row) {
  Writer out;
  encode(out, row);
  return out.take();
}

}  // namespace

Owners::Owners(OwnersOptions options, Dependencies dependencies)
    : options_(options),
      deps_(std::move(dependencies)),
      grantor_(options.self, options.generation, options.lease) {
  deps_.rpc.serve(Service::kOwner, [this](NodeId /*from*/, const std::string& body,
                                          Time /*deadline*/, Done<std::string> respond) {
    Reader in(body);
    const auto shard = in.id<ShardId>();
    const std::string type = in.string();
    if (!in.finished()) return respond(fail(Code::kInvalid, "a damaged question"));
    find_owner(shard, type, std::move(respond));
  });
  deps_.rpc.serve(Service::kLease, [this](NodeId from, const std::string& body, Time /*deadline*/,
                                          Done<std::string> respond) {
    receive_renewal(from, body, std::move(respond));
  });
  deps_.rpc.serve(Service::kRelease, [this](NodeId /*from*/, const std::string& body,
                                            Time /*deadline*/, Done<std::string> respond) {
    Reader in(body);
    const auto shard = in.id<ShardId>();
    const std::string type = in.string();
    const auto epoch = in.id<Epoch>();
    if (!in.finished()) return respond(fail(Code::kInvalid, "a damaged question"));
    deps_.rights.release(shard, type, epoch,
                         [respond = std::move(respond)](const Result<void>& released) mutable {
                           if (!released) return respond(fail(released.error()));
                           respond(std::string());
                         });
  });
}

void Owners::start() {
  plan_renewals();
  balance();
}

placement::Row Owners::row_of(const Replica& replica, NodeId leader) {
  placement::Row row;
  const raft::Raft& raft = replica.raft();
  std::uint64_t index = 1;
  for (const raft::Member& member : raft.committed_configuration().members) {
    row.replicas.push_back(
        {.node = member.address.node, .replica = member.address.replica, .voter = member.voter});
  }
  if (raft.log().configuration_index() <= raft.committed()) {
    index = std::max(index, raft.log().configuration_index());
  }
  if (replica.shard() != kMetaShard) {
    row.owners = owners_of(replica);
    index = std::max(index, machine_of(replica).row_version().index);
  }
  row.version = {.term = raft.term(), .index = index};
  row.shard = replica.shard();
  row.leader = leader;
  return row;
}

void Owners::standing_changed(Replica& replica) {
  if (replica.raft().role() == raft::Role::kLeader) return;  // lead() follows, once it is settled
  if (led_.erase(replica.shard()) > 0) grantor_.stop_leading(replica.shard());
}

void Owners::dropped(ShardId shard) {
  if (led_.erase(shard) > 0) grantor_.stop_leading(shard);
  std::vector<Key> keys;
  for (auto each = waiting_.lower_bound({shard, {}});
       each != waiting_.end() && each->first.first == shard; ++each) {
    keys.push_back(each->first);
  }
  for (const Key& key : keys) {
    settle(key, fail(Code::kPrecondition, "this node no longer holds that shard"));
  }
}

bool Owners::lead(Replica& replica) {
  const raft::Raft& raft = replica.raft();
  const auto led = led_.find(replica.shard());
  if (led != led_.end() && led->second == raft.term()) return false;
  led_[replica.shard()] = raft.term();
  deps_.log.debug("leads a shard", {{"shard", replica.shard().value}, {"term", raft.term()}});
  if (replica.shard() != kMetaShard) {
    grantor_.lead({.shard = replica.shard(),
                   .term = raft.term(),
                   .elected_at = raft.elected_at(),
                   .leader_silence = raft.leader_silence()},
                  owners_of(replica));
    plan_renewals();
  }
  publish(replica);
  return true;
}

void Owners::owners_changed(Replica& replica) {
  if (!led_.contains(replica.shard())) return;
  if (replica.shard() != kMetaShard) grantor_.set_owners(replica.shard(), owners_of(replica));
  publish(replica);
  if (replica.shard() == kMetaShard) return;
  renew_own(replica);
  plan_renewals();
  for (const auto& [type, owner] : machine_of(replica).owners()) {
    if (!owner.node.empty()) settle({replica.shard(), type}, {});
  }
}

void Owners::publish(const Replica& replica) { deps_.publish(row_of(replica, options_.self)); }

void Owners::members_changed() {
  for (const placement::View::Entry& entry : deps_.members()->members) {
    if (entry.member->id == options_.self) continue;
    if (entry.status == placement::MemberStatus::kAlive ||
        entry.status == placement::MemberStatus::kSuspect) {
      grantor_.set_peer(entry.member->id, entry.member->generation);
      grantor_.registered(entry.member->id, entry.member->generation);
    } else {
      grantor_.remove_peer(entry.member->id);
    }
  }
  doubts_changed();
}

void Owners::doubts_changed() {
  for (const placement::View::Entry& entry : deps_.members()->members) {
    grantor_.set_doubted(entry.member->id, deps_.doubted(entry.member->id));
  }
  plan_renewals();
}

void Owners::ended(NodeId node, Generation generation) { grantor_.ended(node, generation); }

void Owners::renew() {
  const Time now = deps_.clock.now();
  if (now - looked_at_ < kLookEvery) return;
  looked_at_ = now;
  const bool due = now - renewed_at_ >= kRenewEvery;
  if (due) renewed_at_ = now;
  deps_.replicas.each([&](Replica& replica) {
    if (!replica.leads()) return;
    const bool is_new = lead(replica);
    if (is_new || due) renew_own(replica);
  });
  plan_renewals();
}

void Owners::renew_own(const Replica& replica) {
  if (replica.shard() == kMetaShard) return;
  const std::optional<Time> acknowledged = replica.raft().quorum_acked_at(deps_.clock.now());
  if (!acknowledged) return;
  grantor_.quorum_acknowledged(replica.shard(), replica.raft().term(), *acknowledged);
  const auto own = grantor_.renew_own(replica.shard());
  if (own) deps_.rights.renew_locally(replica.shard(), own->term, own->stamp, own->until);
}

// An owner under a new leader, or in a new place, waits for a renewal: it is not kept waiting for
// the next round.
void Owners::plan_renewals() {
  const Time now = deps_.clock.now();
  const Time next = std::clamp(std::max(grantor_.next_renewal(), renewals_sent_ + kLookEvery), now,
                               now + options_.lease.renewal_interval);
  if (next >= renewals_at_) return;
  renewals_at_ = next;
  deps_.loop.post_at(next, [this, next] {
    if (renewals_at_ == next) send_renewals();
  });
}

void Owners::send_renewals() {
  const Time now = deps_.clock.now();
  renewals_sent_ = now;
  renewals_at_ = Time::max();
  for (placement::LeaseGrantor::OutgoingRenewal& each : grantor_.take_renewals(now)) {
    Writer out;
    encode(out, each.renewal);
    deps_.rpc.ask(
        each.to, Service::kLease, out.take(), kRenewalPatience,
        [this, to = each.to, generation = each.generation](const Result<std::string>& answer) {
          if (!answer) return;
          Reader in(*answer);
          const placement::RenewalAck ack = placement::decode_renewal_ack(in);
          if (!in.finished()) return;
          for (const ShardId shard : grantor_.receive(deps_.clock.now(), to, generation, ack)) {
            Replica* replica = deps_.replicas.find(shard);
            if (replica != nullptr && replica->leads()) publish(*replica);
          }
          plan_renewals();
        });
  }
  plan_renewals();
}

void Owners::receive_renewal(NodeId from, std::string_view body, Done<std::string> respond) {
  Reader in(body);
  const placement::Renewal renewal = placement::decode_renewal(in);
  if (!in.finished()) return respond(fail(Code::kInvalid, "a damaged renewal"));
  Writer out;
  encode(out, deps_.rights.receive(deps_.clock.now(), from, renewal));
  respond(out.take());
}

std::vector<NodeId> Owners::hosts(const std::string& type) const {
  std::vector<NodeId> nodes;
  for (const placement::View::Entry& entry : deps_.members()->members) {
    if (entry.status != placement::MemberStatus::kAlive || entry.member->draining) continue;
    if (entry.member->id != options_.self && deps_.doubted(entry.member->id)) continue;
    if (std::ranges::binary_search(entry.member->types, type)) nodes.push_back(entry.member->id);
  }
  return nodes;
}

// The owner is a living process that answers this leader.
bool Owners::serves(Time now, const storage::Owner& owner) const {
  if (owner.node.empty()) return false;
  if (owner.node == options_.self) return owner.generation == options_.generation;
  const auto members = deps_.members();
  const placement::View::Entry* entry = members->find(owner.node);
  return entry != nullptr && entry->member->generation == owner.generation &&
         grantor_.responsive(now, owner.node) && !deps_.doubted(owner.node);
}

// Its actors are on their way to others, or it has nothing any more that runs them.
bool Owners::leaves(NodeId node, const std::string& type) const {
  const auto members = deps_.members();
  const placement::View::Entry* entry = members->find(node);
  return (entry != nullptr && entry->member->draining) || !hosts(node, type);
}

// As far as is known here.
bool Owners::hosts(NodeId node, const std::string& type) const {
  const auto members = deps_.members();
  const placement::View::Entry* entry = members->find(node);
  return entry == nullptr || std::ranges::binary_search(entry->member->types, type);
}

// This process owns by the shard's word, but has let go: the leader that asked it to was replaced
// before it could assign another.
bool Owners::given_up_here(ShardId shard, const std::string& type,
                           const storage::Owner& owner) const {
  if (owner.node != options_.self || owner.generation != options_.generation) return false;
  const std::shared_ptr<actors::Right> right = deps_.rights.find(shard, type);
  return right == nullptr || right->epoch < owner.epoch;
}

void Owners::find_owner(ShardId shard, const std::string& type, Done<std::string> done) {
  Replica* replica = deps_.replicas.find(shard);
  if (replica == nullptr || shard == kMetaShard || !replica->leads()) {
    return done(fail(Code::kPrecondition, "this node does not lead that shard"));
  }
  lead(*replica);
  std::optional<storage::Owner> leaving;
  const auto& owners = machine_of(*replica).owners();
  const auto owner = owners.find(type);
  if (owner != owners.end() && given_up_here(shard, type, owner->second)) {
    grantor_.released(shard, type, owner->second.epoch);
  } else if (owner != owners.end() && serves(deps_.clock.now(), owner->second)) {
    const bool others = !hosts(type).empty();
    if (!others && !hosts(owner->second.node, type)) {
      return done(fail(Code::kUnavailable, "no node hosts actor type '" + type + "' now"));
    }
    if (!others || !leaves(owner->second.node, type)) {
      return done(encoded(row_of(*replica, options_.self)));
    }
    if (!assigning_.contains({shard, type})) leaving = owner->second;
  }
  if (waiting_count_ >= options_.waiting_max) {
    return done(fail(Code::kExhausted, "too many calls wait for an owner"));
  }
  ++waiting_count_;
  waiting_[{shard, type}].push_back(std::move(done));
  leaving ? move(shard, type, *leaving) : assign(shard, type);
}

void Owners::assign(ShardId shard, const std::string& type) {
  const Key key(shard, type);
  if (assigning_.contains(key)) return;
  const Replica* replica = deps_.replicas.find(shard);
  if (replica == nullptr || !replica->leads()) {
    return settle(key, fail(Code::kPrecondition, "this node no longer leads that shard"));
  }
  if (machine_of(*replica).restoring()) {
    return settle(key, fail(Code::kUnavailable,
                            "shard " + std::to_string(shard.value) +
                                " is being restored; it opens once `troupe restore` has finished"));
  }
  const Time now = deps_.clock.now();
  const std::vector<NodeId> candidates = hosts(type);
  if (candidates.empty()) {
    return settle(key, fail(Code::kNotFound, "no node of the cluster hosts actor type '" + type +
                                                 "'; start a program that defines it"));
  }
  const std::optional<NodeId> chosen = grantor_.choose_owner(now, shard, type, candidates);
  const std::optional<Time> from = grantor_.assignable_from(shard, type);
  if (!chosen || !from) {
    assigning_[key] = true;
    return deps_.loop.post_at(now + kRetryAssign, [this, key] {
      assigning_.erase(key);
      if (waiting_.contains(key)) assign(key.first, key.second);
    });
  }
  grantor_.withhold(shard, type);
  if (*from > now) {
    deps_.log.debug(
        "waits for the end of a lease",
        {{"shard", shard.value},
         {"type", type},
         {"ms", std::chrono::duration_cast<std::chrono::milliseconds>(*from - now).count()}});
    return wait_for_lease(key, *from);
  }
  const Result<placement::Owner> owner = grantor_.propose_assign(now, shard, type, *chosen);
  if (!owner) return settle(key, fail(owner.error()));
  propose(shard, type, *chosen, Epoch{owner->epoch.value - 1});
}

// The lease of an owner that is gone has to run out first. If it turns out to be there, it stays.
void Owners::wait_for_lease(const Key& key, Time until) {
  assigning_[key] = true;
  const Time next = std::min(until, deps_.clock.now() + kDoubtInterval);
  deps_.loop.post_at(next, [this, key] {
    assigning_.erase(key);
    const auto& [shard, type] = key;
    const Replica* replica = deps_.replicas.find(shard);
    if (replica == nullptr || !replica->leads()) return assign(shard, type);
    const auto& owners = machine_of(*replica).owners();
    const auto owner = owners.find(type);
    if (owner == owners.end() || !serves(deps_.clock.now(), owner->second)) {
      return assign(shard, type);
    }
    grantor_.resume(shard, type);
    settle(key, {});
  });
}

void Owners::propose(ShardId shard, const std::string& type, NodeId node, Epoch replaces) {
  deps_.log.debug("assigns an owner",
                  {{"shard", shard.value}, {"type", type}, {"node", short_name(node)}});
  const Key key(shard, type);
  storage::AssignCommand command{
      .type = type, .node = node, .generation = {}, .replaces = replaces};
  if (node == options_.self) {
    command.generation = options_.generation;
  } else if (!node.empty()) {
    const auto members = deps_.members();
    const placement::View::Entry* entry = members->find(node);
    if (entry == nullptr) return settle(key, fail(Code::kUnavailable, "the chosen owner is gone"));
    command.generation = entry->member->generation;
  }
  assigning_[key] = true;
  const storage::Entry entry{.now = deps_.clock.wall(), .command = std::move(command)};
  deps_.replicas.propose(
      shard, Payload(storage::encode(entry)), [this, key](const Result<storage::Outcome>& outcome) {
        assigning_.erase(key);
        if (!outcome) {
          // If it may still be applied the present owner must not be renewed.
          if (outcome.error().code != Code::kUnknownOutcome) grantor_.resume(key.first, key.second);
          return settle(key, fail(outcome.error()));
        }
        if (outcome->kind != storage::Outcome::Kind::kApplied) {
          grantor_.resume(key.first, key.second);
        }
        // owners_changed() has told those who waited, unless the owner was another than expected.
        if (outcome->kind != storage::Outcome::Kind::kApplied && waiting_.contains(key)) {
          assign(key.first, key.second);
        }
      });
}

void Owners::settle(const Key& key, const Result<void>& result) {
  const auto waiting = waiting_.find(key);
  if (waiting == waiting_.end()) return;
  std::vector<Done<std::string>> waiters = std::move(waiting->second);
  waiting_.erase(waiting);
  waiting_count_ -= waiters.size();
  const Replica* replica = deps_.replicas.find(key.first);
  for (Done<std::string>& done : waiters) {
    if (!result) {
      done(fail(result.error()));
    } else if (replica == nullptr) {
      done(fail(Code::kPrecondition, "this node no longer holds that shard"));
    } else {
      done(encoded(row_of(*replica, options_.self)));
    }
  }
}

// Owners belong where the shard's leader is, if it hosts the type, and never on a draining node.
void Owners::balance() {
  const Time now = deps_.clock.now();
  for (const auto& [shard, term] : led_) {
    if (shard == kMetaShard || moving_ >= options_.moves_max) continue;
    const Replica* replica = deps_.replicas.find(shard);
    if (replica == nullptr || !replica->leads()) continue;
    const auto owners = machine_of(*replica).owners();  // moves may change them
    for (const auto& [type, owner] : owners) {
      if (owner.node.empty() || assigning_.contains({shard, type}) || !serves(now, owner)) continue;
      const std::vector<NodeId> candidates = hosts(type);
      const std::optional<NodeId> best = grantor_.choose_owner(now, shard, type, candidates);
      if (best && *best != owner.node && moving_ < options_.moves_max) move(shard, type, owner);
    }
  }
  deps_.loop.post_at(now + options_.balance_interval, [this] { balance(); });
}

// In order: the owner finishes its turns and lets go, and another is assigned at once.
void Owners::move(ShardId shard, const std::string& type, const storage::Owner& owner) {
  ++moving_;
  const Key key(shard, type);
  assigning_[key] = true;
  Writer out;
  out.id(shard);
  out.bytes(type);
  out.id(owner.epoch);
  deps_.rpc.ask(owner.node, Service::kRelease, out.take(), options_.release_patience,
                [this, key, epoch = owner.epoch](const Result<std::string>& released) {
                  --moving_;
                  assigning_.erase(key);
                  if (!released) {
                    if (waiting_.contains(key)) assign(key.first, key.second);
                    return;
                  }
                  grantor_.released(key.first, key.second, epoch);
                  waiting_.try_emplace(key);
                  assign(key.first, key.second);
                });
}

}  // namespace troupe::cluster
