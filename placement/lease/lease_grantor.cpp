#include "placement/lease/lease_grantor.h"

#include <algorithm>

#include "placement/affinity.h"

namespace troupe::placement {
namespace {

// Renewals whose sending is remembered: four seconds of them, far more than a lease lasts
constexpr std::size_t kSentMax = 16;

}  // namespace

LeaseGrantor::LeaseGrantor(NodeId self, Generation generation, LeaseConfig config)
    : self_(self), generation_(generation), config_(config) {}

void LeaseGrantor::set_peer(NodeId peer, Generation generation) {
  if (peer == self_) return;
  const auto known = peers_.find(peer);
  if (known != peers_.end() && known->second.generation >= generation) return;
  Peer fresh;
  fresh.generation = generation;
  fresh.next = Time::min();
  peers_.insert_or_assign(peer, std::move(fresh));
}

void LeaseGrantor::remove_peer(NodeId peer) { peers_.erase(peer); }

void LeaseGrantor::set_doubted(NodeId peer, bool doubted) {
  const auto known = peers_.find(peer);
  if (known == peers_.end()) return;
  // One that is there after all has waited for its renewal.
  if (known->second.doubted && !doubted) known->second.next = Time::min();
  known->second.doubted = doubted;
}

void LeaseGrantor::registered(NodeId node, Generation generation) {
  Generation& newest = registered_[node];
  newest = std::max(newest, generation);
}

void LeaseGrantor::ended(NodeId node, Generation generation) {
  registered(node, Generation{generation.value + 1});
}

void LeaseGrantor::lead(const Elected& elected, const std::vector<Owner>& owners) {
  Lead lead;
  lead.term = elected.term;
  lead.old_leases_end =
      elected.elected_at + std::max(Duration::zero(), config_.length - elected.leader_silence);
  lead.lease_end = Time::min();
  leads_.insert_or_assign(elected.shard, std::move(lead));
  set_owners(elected.shard, owners);
}

void LeaseGrantor::stop_leading(ShardId shard) { leads_.erase(shard); }

void LeaseGrantor::set_owners(ShardId shard, const std::vector<Owner>& owners) {
  const auto found = leads_.find(shard);
  if (found == leads_.end()) return;
  Lead& lead = found->second;
  std::map<std::string, Owner, std::less<>> before = std::move(lead.owners);
  lead.owners.clear();
  lead.stamps.clear();
  for (const Owner& owner : owners) {
    lead.owners.insert_or_assign(owner.type, owner);
    if (!owner.node.empty() && !lead.stamps.contains(owner.node)) {
      const auto peer = peers_.find(owner.node);
      const Generation process = owner.node == self_    ? generation_
                                 : peer != peers_.end() ? peer->second.generation
                                                        : owner.generation;
      lead.stamps.emplace(owner.node, rights_stamp(owners, owner.node, process));
    }
    const auto old = before.find(owner.type);
    if (old == before.end() || old->second != owner) {
      lead.withheld.erase(owner.type);
      lead.released.erase(owner.type);
    }
  }
  renew_soon(lead);
}

void LeaseGrantor::quorum_acknowledged(ShardId shard, std::uint64_t term, Time sent_at) {
  const auto found = leads_.find(shard);
  if (found == leads_.end() || found->second.term != term) return;
  Lead& lead = found->second;
  const bool first = lead.lease_end == Time::min();
  lead.lease_end = std::max(lead.lease_end, sent_at + config_.length - config_.drift);
  if (first) renew_soon(lead);
}

// Owners that were just given something wait for a renewal that names it.
void LeaseGrantor::renew_soon(const Lead& lead) {
  for (const auto& [node, stamp] : lead.stamps) {
    if (const auto peer = peers_.find(node); peer != peers_.end()) peer->second.next = Time::min();
  }
}

std::vector<LeaseGrantor::OutgoingRenewal> LeaseGrantor::take_renewals(Time now) {
  std::vector<OutgoingRenewal> due;
  for (auto& [node, peer] : peers_) {
    if (peer.next > now) continue;
    peer.next = now + config_.renewal_interval;
    due.push_back({.to = node, .generation = peer.generation, .renewal = renew(now, node, peer)});
  }
  return due;
}

Time LeaseGrantor::next_renewal() const {
  Time next = Time::max();
  for (const auto& [node, peer] : peers_) next = std::min(next, peer.next);
  return next;
}

Renewal LeaseGrantor::renew(Time now, NodeId to, Peer& peer) {
  Renewal renewal{.number = ++peer.last_renewal, .echo = peer.last_ack, .held = {}, .shards = {}};
  peer.sent.push_back({.number = renewal.number, .when = now});
  if (peer.sent.size() > kSentMax) peer.sent.erase(peer.sent.begin());
  if (peer.last_ack == 0) return renewal;  // it could not tell when this was made
  renewal.held = now - peer.ack_heard;
  if (peer.doubted) return renewal;
  for (auto& [shard, lead] : leads_) {
    if (lead.lease_end <= now || is_withheld(lead, to)) continue;
    const auto stamp = lead.stamps.find(to);
    if (stamp == lead.stamps.end() || stamp->second.empty()) continue;
    renewal.shards.push_back({.shard = shard,
                              .term = lead.term,
                              .stamp = stamp->second,
                              .remaining = lead.lease_end - now});
    lead.granted_until[to] = lead.lease_end;
  }
  return renewal;
}

std::vector<ShardId> LeaseGrantor::receive(Time now, NodeId from, Generation generation,
                                           const RenewalAck& ack) {
  const auto found = peers_.find(from);
  if (found == peers_.end() || found->second.generation != generation) return {};
  Peer& peer = found->second;
  if (ack.number > peer.last_ack) {
    if (peer.last_ack == 0) peer.next = Time::min();  // the next renewal is the first to count
    peer.last_ack = ack.number;
    peer.ack_heard = now;
  }
  const auto sent = std::ranges::find(peer.sent, ack.renewal, &Sent::number);
  if (sent != peer.sent.end()) {
    peer.acknowledged_sending =
        std::max(peer.acknowledged_sending.value_or(Time::min()), sent->when);
  }
  std::vector<ShardId> unclear;
  for (const ShardId shard : ack.misunderstood) {
    if (leads_.contains(shard)) unclear.push_back(shard);
  }
  return unclear;
}

std::optional<LeaseGrantor::OwnLease> LeaseGrantor::renew_own(ShardId shard) {
  const auto found = leads_.find(shard);
  if (found == leads_.end()) return std::nullopt;
  Lead& lead = found->second;
  const auto stamp = lead.stamps.find(self_);
  if (stamp == lead.stamps.end() || stamp->second.empty()) return std::nullopt;
  if (lead.lease_end == Time::min() || is_withheld(lead, self_)) return std::nullopt;
  lead.granted_until[self_] = lead.lease_end;
  return OwnLease{.term = lead.term, .stamp = stamp->second, .until = lead.lease_end};
}

// Renewals name all rights in a shard or none, so one withheld type withholds the node's others.
bool LeaseGrantor::is_withheld(const Lead& lead, NodeId node) const {
  return std::ranges::any_of(lead.withheld, [&](const std::string& type) {
    const auto owner = lead.owners.find(type);
    return owner != lead.owners.end() && owner->second.node == node;
  });
}

bool LeaseGrantor::replaced(const Owner& owner) const {
  const auto newest = registered_.find(owner.node);
  return newest != registered_.end() && newest->second > owner.generation;
}

std::optional<Time> LeaseGrantor::assignable_from(ShardId shard, std::string_view type) const {
  const auto found = leads_.find(shard);
  if (found == leads_.end()) return std::nullopt;
  const Lead& lead = found->second;
  const auto owner = lead.owners.find(type);
  if (owner == lead.owners.end() || owner->second.node.empty()) return Time::min();
  if (replaced(owner->second)) return Time::min();
  const auto released = lead.released.find(type);
  if (released != lead.released.end() && released->second == owner->second.epoch) {
    return Time::min();
  }
  const auto granted = lead.granted_until.find(owner->second.node);
  if (granted == lead.granted_until.end()) return lead.old_leases_end;
  return std::max(lead.old_leases_end, granted->second + config_.drift);
}

void LeaseGrantor::withhold(ShardId shard, std::string_view type) {
  const auto lead = leads_.find(shard);
  if (lead != leads_.end()) lead->second.withheld.emplace(type);
}

void LeaseGrantor::resume(ShardId shard, std::string_view type) {
  const auto lead = leads_.find(shard);
  if (lead == leads_.end()) return;
  const auto withheld = lead->second.withheld.find(type);
  if (withheld != lead->second.withheld.end()) lead->second.withheld.erase(withheld);
}

void LeaseGrantor::released(ShardId shard, std::string_view type, Epoch epoch) {
  const auto lead = leads_.find(shard);
  if (lead == leads_.end()) return;
  const auto owner = lead->second.owners.find(type);
  if (owner == lead->second.owners.end() || owner->second.epoch != epoch) return;
  lead->second.released.insert_or_assign(std::string(type), epoch);
}

Result<Owner> LeaseGrantor::propose_assign(Time now, ShardId shard, std::string_view type,
                                           NodeId node) {
  const auto found = leads_.find(shard);
  const std::string what = std::string(type) + " in shard " + std::to_string(shard.value);
  if (found == leads_.end()) {
    return fail(Code::kPrecondition, "not the leader of " + what);
  }
  const auto peer = peers_.find(node);
  if (node != self_ && peer == peers_.end()) {
    return fail(Code::kNotFound, "no peer " + short_name(node) + " to own " + what);
  }
  Owner next{.type = std::string(type),
             .node = node,
             .generation = node == self_ ? generation_ : peer->second.generation,
             .epoch = Epoch{1}};
  const auto owner = found->second.owners.find(type);
  if (owner != found->second.owners.end()) {
    const Owner& present = owner->second;
    const bool same_process = present.node == node && present.generation == next.generation;
    if (!same_process && now < *assignable_from(shard, type)) {
      return fail(Code::kPrecondition,
                  "the lease of " + short_name(present.node) + " for " + what + " may last");
    }
    next.epoch = Epoch{present.epoch.value + 1};
    withhold(shard, type);
  }
  return next;
}

bool LeaseGrantor::responsive(Time now, NodeId node) const {
  if (node == self_) return true;
  const auto peer = peers_.find(node);
  return peer != peers_.end() && peer->second.acknowledged_sending &&
         now - *peer->second.acknowledged_sending < config_.length;
}

std::optional<NodeId> LeaseGrantor::choose_owner(Time now, ShardId shard, std::string_view type,
                                                 const std::vector<NodeId>& hosts) const {
  if (std::ranges::find(hosts, self_) != hosts.end()) return self_;
  std::string key;
  append_big_endian(key, shard.value);
  key.append(type);
  std::optional<NodeId> chosen;
  std::uint64_t best = 0;
  for (const NodeId node : hosts) {
    if (!responsive(now, node)) continue;
    const std::uint64_t wish = affinity(node, key);
    // Equal hashes: the smaller id, the same everywhere
    if (chosen && (wish < best || (wish == best && *chosen < node))) continue;
    chosen = node;
    best = wish;
  }
  return chosen;
}

std::string LeaseGrantor::fingerprint(Time now) const {
  Writer out;
  const auto write = [&](Time time) {
    out.integer(std::max(time, now).time_since_epoch().count());
  };
  for (const auto& [id, peer] : peers_) {
    out.id(id);
    out.id(peer.generation);
    out.boolean(peer.last_ack != 0);
  }
  for (const auto& [id, generation] : registered_) {
    out.id(id);
    out.id(generation);
  }
  for (const auto& [id, lead] : leads_) {
    out.id(id);
    out.number(lead.term);
    write(lead.old_leases_end);
    write(lead.lease_end);
    out.number(lead.owners.size());
    for (const auto& [type, owner] : lead.owners) {
      out.bytes(type);
      out.id(owner.node);
      out.id(owner.generation);
      out.id(owner.epoch);
    }
    for (const auto& [node, until] : lead.granted_until) {
      if (until <= now) continue;
      out.id(node);
      write(until);
    }
    for (const std::string& type : lead.withheld) out.bytes(type);
    for (const auto& [type, epoch] : lead.released) {
      out.bytes(type);
      out.id(epoch);
    }
  }
  return out.take();
}

}  // namespace troupe::placement
