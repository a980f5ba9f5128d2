// How members are probed: direct, through others, and what to make of silence.

#include <algorithm>
#include <utility>

#include "placement/membership/membership_core.h"

namespace troupe::placement {
namespace {

constexpr int kHealthWorst = 8;
constexpr std::size_t kRelaysMax = 256;

}  // namespace

void Membership::Core::tick_probe(Time now) {
  if (probe_ && probe_->answered) {
    probe_.reset();
    worsen(-1);
  }
  if (probe_ && now >= probe_->ends_at) end_probe(now);
  if (probe_ && !probe_->indirect && now >= probe_->indirect_at) probe_indirectly(now);
  if (!probe_ && now >= next_probe_) begin_probe(now);
}

void Membership::Core::begin_probe(Time now) {
  next_probe_ = now + stretched(config_.probe_interval);
  const std::optional<NodeId> target = next_target();
  if (!target) return;
  const Peer& peer = peers_.at(*target);
  probe_ = Probe{.number = next_number_++,
                 .target = *target,
                 .indirect_at = now + stretched(config_.probe_timeout),
                 .ends_at = next_probe_};
  std::string parts = encode_part(Ping{.number = probe_->number, .target = *target});
  if (peer.status == MemberStatus::kSuspect) {
    // Buddy notice: the suspect is the first who should know
    parts += encode_part(Suspect{.node = *target,
                                 .generation = peer.member->generation,
                                 .incarnation = peer.member->incarnation,
                                 .from = self_->id});
  }
  send(peer.member->address, std::move(parts));
}

// The next reachable member; each once, in a random order, before any comes again.
std::optional<NodeId> Membership::Core::next_target() {
  for (std::size_t tries = 0; tries <= probe_order_.size(); ++tries) {
    if (probe_next_ >= probe_order_.size()) {
      std::erase_if(probe_order_, [&](NodeId id) {
        const auto peer = peers_.find(id);
        return peer == peers_.end() || !reachable(peer->second.status);
      });
      for (std::size_t i = probe_order_.size(); i > 1; --i) {
        std::swap(probe_order_[i - 1], probe_order_[random_.below(i)]);
      }
      probe_next_ = 0;
      if (probe_order_.empty()) return std::nullopt;
    }
    const NodeId id = probe_order_[probe_next_++];
    const auto peer = peers_.find(id);
    if (peer != peers_.end() && reachable(peer->second.status)) return id;
  }
  return std::nullopt;
}

void Membership::Core::probe_indirectly(Time now) {
  probe_->indirect = true;
  const auto target = peers_.find(probe_->target);
  if (target == peers_.end()) return;
  // The end is put off if the time-outs are late, so that answers have their time
  probe_->ends_at = std::max(
      probe_->ends_at, now + stretched(config_.probe_interval) - stretched(config_.probe_timeout));
  const Address& address = target->second.member->address;
  for (const NodeId helper : random_members(config_.indirect_probes, probe_->target)) {
    ++probe_->nacks_expected;
    send(peers_.at(helper).member->address,
         encode_part(
             PingRequest{.number = probe_->number, .target = probe_->target, .address = address}));
  }
  send(address, encode_part(Ping{.number = probe_->number, .target = probe_->target}), true);
}

void Membership::Core::end_probe(Time now) {
  const Probe probe = *std::exchange(probe_, std::nullopt);
  const auto target = peers_.find(probe.target);
  if (target == peers_.end() || !reachable(target->second.status)) return;
  // Helpers that said nothing at all, neither that it lives nor that it does not, speak against us
  const bool helped = probe.nacks_expected > 0;
  worsen(helped
             ? static_cast<int>(probe.nacks_expected - std::min(probe.nacks, probe.nacks_expected))
             : 1);
  const Member& member = *target->second.member;
  on(now, Suspect{.node = probe.target,
                  .generation = member.generation,
                  .incarnation = member.incarnation,
                  .from = self_->id});
}

void Membership::Core::worsen(int by) {
  health_ = static_cast<unsigned>(std::clamp(static_cast<int>(health_) + by, 0, kHealthWorst));
}

void Membership::Core::on(const Address& from, const Ping& ping) {
  if (ping.target != self_->id) return;  // meant for one that had this address before
  send(from, encode_part(Ack{.number = ping.number}));
}

void Membership::Core::on(Time now, const Address& from, const PingRequest& request) {
  if (relays_.size() >= kRelaysMax) return;
  const std::uint64_t number = next_number_++;
  relays_.emplace(number, Relay{.origin = from,
                                .origin_number = request.number,
                                .nack_at = now + config_.probe_timeout,
                                .ends_at = now + 4 * config_.probe_interval});
  send(request.address, encode_part(Ping{.number = number, .target = request.target}));
}

void Membership::Core::on(const Ack& ack) {
  if (probe_ && probe_->number == ack.number) probe_->answered = true;
  const auto relay = relays_.find(ack.number);
  if (relay == relays_.end()) return;
  send(relay->second.origin, encode_part(Ack{.number = relay->second.origin_number}));
  relays_.erase(relay);
}

void Membership::Core::on(const Nack& nack) {
  if (probe_ && probe_->number == nack.number) ++probe_->nacks;
}

void Membership::Core::tick_relays(Time now) {
  for (auto& [number, relay] : relays_) {
    if (relay.nacked || now < relay.nack_at) continue;
    relay.nacked = true;
    send(relay.origin, encode_part(Nack{.number = relay.origin_number}));
  }
  std::erase_if(relays_, [now](const auto& entry) { return entry.second.ends_at <= now; });
}

}  // namespace troupe::placement
