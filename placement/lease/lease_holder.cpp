#include "placement/lease/lease_holder.h"

#include <algorithm>

namespace troupe::placement {
namespace {

// Acknowledgements whose sending is remembered: four seconds of them, far more than a lease lasts
constexpr std::size_t kAcksMax = 16;

}  // namespace

LeaseHolder::LeaseHolder(NodeId self, Generation generation, LeaseConfig config)
    : self_(self), generation_(generation), config_(config) {}

void LeaseHolder::apply(const Row& row) {
  Shard& shard = shards_[row.shard];
  if (row.version <= shard.version) return;
  shard.version = row.version;
  shard.stamp = rights_stamp(row.owners, self_, generation_);

  std::map<std::string, Right, std::less<>> rights;
  for (const Owner& owner : row.owners) {
    // A row from before our release arrived at the leader does not undo it
    const auto gone = shard.released.find(owner.type);
    const bool released = gone != shard.released.end() && owner.epoch <= gone->second;
    if (gone != shard.released.end() && !released) shard.released.erase(gone);
    if (released || owner.node != self_ || owner.generation != generation_) continue;
    Right right{.epoch = owner.epoch, .valid_until = Time::min()};
    if (const auto held = shard.rights.find(owner.type);
        held != shard.rights.end() && held->second.epoch == owner.epoch) {
      right.valid_until = held->second.valid_until;
    }
    rights.emplace(owner.type, right);
  }
  shard.rights = std::move(rights);
}

RenewalAck LeaseHolder::receive(Time now, NodeId from, const Renewal& renewal) {
  Peer& peer = peers_[from];
  RenewalAck ack{.number = ++peer.last_ack, .renewal = renewal.number, .misunderstood = {}};
  // The leader made the renewal no earlier than `held` after it heard the acknowledgement it names,
  // so no earlier than `held` after we sent that. An unknown one says nothing about the time.
  const auto sent = std::ranges::find(peer.acks, renewal.echo, &Sent::number);
  for (const Renewal::Shard& named : renewal.shards) {
    const Time until = sent == peer.acks.end()
                           ? Time::min()
                           : std::min(sent->when + renewal.held, now) + named.remaining;
    if (!extend(named.shard, named.term, named.stamp, until)) {
      ack.misunderstood.push_back(named.shard);
    }
  }
  peer.acks.push_back({.number = ack.number, .when = now});
  if (peer.acks.size() > kAcksMax) peer.acks.erase(peer.acks.begin());
  return ack;
}

void LeaseHolder::forget_peer(NodeId peer) { peers_.erase(peer); }

void LeaseHolder::renew_locally(ShardId shard, std::uint64_t term, const RightsStamp& stamp,
                                Time until) {
  extend(shard, term, stamp, until);
}

// Whether `stamp` names exactly what this process was given. A renewal that means other rights than
// ours gives none: the leader may have taken one of them away without our hearing of it.
bool LeaseHolder::extend(ShardId shard, std::uint64_t term, const RightsStamp& stamp, Time until) {
  const auto found = shards_.find(shard);
  if (found == shards_.end()) return false;
  Shard& held = found->second;
  if (term < held.term) return true;  // a leader of the past: there is nothing to mend
  held.term = term;
  if (stamp.empty() || stamp != held.stamp) return false;
  for (auto& [type, right] : held.rights) right.valid_until = std::max(right.valid_until, until);
  return true;
}

bool LeaseHolder::release(ShardId shard, std::string_view type, Epoch epoch) {
  Shard& held = shards_[shard];
  const auto right = held.rights.find(type);
  if (right != held.rights.end() && right->second.epoch > epoch) return false;
  const bool holds = right != held.rights.end() && right->second.epoch == epoch;
  if (holds) held.rights.erase(right);
  // Also if the row that gave it is still on its way here
  Epoch& released = held.released[std::string(type)];
  released = std::max(released, epoch);
  return holds;
}

std::optional<LeaseHolder::Right> LeaseHolder::right(ShardId shard, std::string_view type) const {
  const auto held = shards_.find(shard);
  if (held == shards_.end()) return std::nullopt;
  const auto right = held->second.rights.find(type);
  if (right == held->second.rights.end()) return std::nullopt;
  return right->second;
}

std::optional<Epoch> LeaseHolder::admits(Time now, ShardId shard, std::string_view type) const {
  const std::optional<Right> held = right(shard, type);
  if (!held || now >= held->valid_until) return std::nullopt;
  return held->epoch;
}

std::string LeaseHolder::fingerprint(Time now) const {
  Writer out;
  for (const auto& [id, shard] : shards_) {
    out.id(id);
    out.id(shard.version);
    out.number(shard.term);
    out.number(shard.rights.size());
    for (const auto& [type, right] : shard.rights) {
      out.bytes(type);
      out.id(right.epoch);
      out.integer(std::max(right.valid_until, now).time_since_epoch().count());
    }
    for (const auto& [type, epoch] : shard.released) {
      out.bytes(type);
      out.id(epoch);
    }
  }
  return out.take();
}

}  // namespace troupe::placement
