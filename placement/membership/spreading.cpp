// What is sent, to whom, and when: news, exchanges of everything, joining and leaving.

#include <algorithm>
#include <bit>
#include <cmath>
#include <iterator>
#include <set>
#include <utility>

#include "placement/membership/membership_core.h"

namespace troupe::placement {
namespace {

constexpr Duration kJoinInterval = std::chrono::seconds(1);
// Datagrams to one member in one round of gossip, when there is much news
constexpr std::size_t kGossipDatagramsMax = 3;
// How many hear a goodbye at once; gossip does the rest
constexpr std::size_t kGoodbyesMax = 16;

}  // namespace

void Membership::Core::join(Time now, std::span<const Address> seeds) {
  seeds_.clear();
  for (const Address& seed : seeds) {
    if (seed != self_->address) seeds_.push_back(seed);
  }
  next_join_ = now;
  tick(now);
}

void Membership::Core::tick(Time now) {
  if (left_) return;
  if (!started_) {
    started_ = true;
    // Nodes started together do not act in step
    const auto phase = [&](Duration interval) {
      return now + Duration(static_cast<Duration::rep>(
                       random_.below(static_cast<std::uint64_t>(interval.count()) + 1)));
    };
    next_probe_ = phase(config_.probe_interval);
    next_gossip_ = phase(config_.gossip_interval);
    next_push_pull_ = phase(config_.push_pull_interval);
    next_revive_ = phase(config_.revive_interval);
    next_expiry_ = now;
  }
  tick_probe(now);
  tick_relays(now);
  expire(now);
  tick_gossip(now);
  tick_push_pull(now);
}

Time Membership::Core::next_tick() const {
  if (left_) return Time::max();
  if (!started_) return Time::min();
  Time next = std::min({next_push_pull_, next_revive_, next_expiry_});
  if (reachable_ == 0 && !seeds_.empty()) next = std::min(next, next_join_);
  if (!broadcasts_.empty()) next = std::min(next, next_gossip_);
  if (probe_ && !probe_->answered) {
    next = std::min(next, probe_->indirect ? probe_->ends_at : probe_->indirect_at);
  } else {
    next = std::min(next, next_probe_);
  }
  for (const auto& [number, relay] : relays_) {
    next = std::min(next, relay.nacked ? relay.ends_at : relay.nack_at);
  }
  for (const NodeId id : suspects_) {
    const Peer& peer = peers_.at(id);
    if (peer.suspicion) next = std::min(next, peer.suspicion->deadline());
  }
  return next;
}

void Membership::Core::tick_gossip(Time now) {
  if (now < next_gossip_) return;
  next_gossip_ = now + config_.gossip_interval;
  if (broadcasts_.empty()) return;
  const std::size_t room = config_.datagram_size_max - kMessageHeaderSize;
  for (const NodeId id : random_members(config_.gossip_fanout, std::nullopt)) {
    const Address& to = peers_.at(id).member->address;
    for (const std::string& parts : broadcasts_.take(kGossipDatagramsMax, room, transmissions())) {
      outgoing_.push_back({.to = to, .bytes = message_header(self_->id) + parts, .stream = false});
    }
    std::string large = broadcasts_.take_large(room, transmissions());
    if (!large.empty()) {
      outgoing_.push_back({.to = to, .bytes = message_header(self_->id) + large, .stream = true});
    }
  }
}

void Membership::Core::tick_push_pull(Time now) {
  if (reachable_ == 0 && !seeds_.empty() && now >= next_join_) {
    next_join_ = now + kJoinInterval;
    for (const Address& seed : seeds_) send_push_pull(seed, true);
  }
  if (now >= next_push_pull_) {
    const auto doublings = std::bit_width(std::max<std::size_t>(1, (reachable_ + 1) / 32));
    next_push_pull_ = now + config_.push_pull_interval * doublings;
    for (const NodeId id : random_members(1, std::nullopt)) {
      send_push_pull(peers_.at(id).member->address, true);
    }
  }
  if (now >= next_revive_) {
    next_revive_ = now + config_.revive_interval;
    look_for_others();
  }
}

// Beyond a partition that has healed, or that stood when this node joined; or back, without anybody
// to ask.
void Membership::Core::look_for_others() {
  std::set<Address> strangers(seeds_.begin(), seeds_.end());
  std::vector<Address> gone;
  for (const auto& [id, peer] : peers_) {
    strangers.erase(peer.member->address);
    if (!reachable(peer.status)) gone.push_back(peer.member->address);
  }
  if (!gone.empty()) send_push_pull(gone[random_.below(gone.size())], true);
  if (strangers.empty()) return;
  const auto stranger =
      std::next(strangers.begin(), static_cast<std::ptrdiff_t>(random_.below(strangers.size())));
  send_push_pull(*stranger, true);
}

void Membership::Core::send_push_pull(const Address& to, bool answer) {
  PushPull all{.answer = answer, .entries = {}};
  all.entries.reserve(peers_.size() + 1);
  all.entries.push_back({.member = *self_, .status = MemberStatus::kAlive});
  for (const auto& [id, peer] : peers_) {
    all.entries.push_back({.member = *peer.member, .status = peer.status});
  }
  send(to, encode_part(all), true);
}

// Adds as much news as the rest of a datagram has room for.
void Membership::Core::send(const Address& to, std::string_view parts, bool stream) {
  std::string bytes = message_header(self_->id);
  bytes += parts;
  if (!stream) broadcasts_.append(bytes, config_.datagram_size_max, transmissions());
  outgoing_.push_back({.to = to, .bytes = std::move(bytes), .stream = stream});
}

std::vector<Outgoing> Membership::Core::take_outgoing() { return std::exchange(outgoing_, {}); }

unsigned Membership::Core::transmissions() const {
  const double scale = std::max(3.0, std::ceil(std::log10(static_cast<double>(reachable_ + 2))));
  return static_cast<unsigned>(std::ceil(config_.retransmit_multiplier * scale));
}

std::vector<NodeId> Membership::Core::random_members(std::size_t count,
                                                     std::optional<NodeId> without) {
  std::vector<NodeId> found;
  const std::size_t wanted = std::min(count, reachable_);
  // Enough tries to find them among many dead, and an end if the rest is excluded
  for (std::size_t tries = 0; tries < 4 * count + 16 && found.size() < wanted; ++tries) {
    if (ids_.empty()) break;
    const NodeId id = ids_[random_.below(ids_.size())];
    if (id == without || !reachable(peers_.at(id).status)) continue;
    if (std::ranges::find(found, id) == found.end()) found.push_back(id);
  }
  return found;
}

std::vector<Address> Membership::Core::random_peers(std::size_t count) {
  std::vector<Address> found;
  for (const NodeId id : random_members(count, std::nullopt)) {
    found.push_back(peers_.at(id).member->address);
  }
  return found;
}

void Membership::Core::leave(Time now) {
  tick(now);
  const std::string goodbye = encode_part(Dead{.node = self_->id,
                                               .generation = self_->generation,
                                               .incarnation = self_->incarnation,
                                               .left = true});
  for (const NodeId id : random_members(kGoodbyesMax, std::nullopt)) {
    send(peers_.at(id).member->address, goodbye);
  }
  left_ = true;
  ++version_;
}

}  // namespace troupe::placement
