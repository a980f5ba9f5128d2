#include "placement/membership/membership_core.h"

#include <algorithm>
#include <cmath>
#include <type_traits>
#include <utility>

namespace troupe::placement {
namespace {

// Between two looks for members to forget
constexpr Duration kExpiryInterval = std::chrono::seconds(1);
// The longest suspicion, in times the shortest (Lifeguard's beta)
constexpr int kLongestSuspicion = 6;

}  // namespace

Membership::Core::Core(Member self, MembershipConfig config, Random& random)
    : self_(std::make_shared<const Member>(std::move(self))),
      config_(config),
      random_(random),
      next_number_(random.next() >> 16) {}

Result<void> Membership::Core::receive(Time now, const Address& from, std::string_view bytes) {
  const Result<Message> message = decode_message(bytes, config_.members_max);
  if (!message) return fail(message.error());
  if (left_) return {};
  for (const Part& part : message->parts) {
    std::visit(
        [&](const auto& fields) {
          using T = std::decay_t<decltype(fields)>;
          if constexpr (std::is_same_v<T, Alive>) {
            on(now, fields, true);
          } else if constexpr (std::is_same_v<T, Suspect> || std::is_same_v<T, Dead>) {
            on(now, fields);
          } else if constexpr (std::is_same_v<T, PushPull>) {
            if (fields.answer) send_push_pull(from, false);
            merge(now, message->sender, fields);
          } else if constexpr (std::is_same_v<T, Ping>) {
            on(from, fields);
          } else if constexpr (std::is_same_v<T, PingRequest>) {
            on(now, from, fields);
          } else {
            on(fields);
          }
        },
        part);
  }
  return {};
}

void Membership::Core::on(Time now, const Alive& alive, bool tell) {
  const Member& member = alive.member;
  if (member.id == self_->id) {
    const bool echo = member == *self_;
    if (!echo) about_self(now, member.generation, member.incarnation);
    return;
  }
  const auto found = peers_.find(member.id);
  if (found == peers_.end()) {
    if (peers_.size() + 1 < config_.members_max) add_peer(now, member, tell);
    return;
  }
  Peer& peer = found->second;
  const Member& known = *peer.member;
  const auto age = [](const Member& m) { return std::pair(m.generation, m.incarnation); };
  if (age(member) > age(known)) replace_member(now, peer, member, tell);
}

void Membership::Core::add_peer(Time now, const Member& member, bool tell) {
  Peer& peer = peers_[member.id];
  peer.member = std::make_shared<const Member>(member);
  peer.changed = now;
  ids_.push_back(member.id);
  ++reachable_;
  // A random place in this round of probes, so that newcomers are not all probed at its end
  const std::size_t behind = probe_order_.size() - std::min(probe_next_, probe_order_.size());
  const auto place = static_cast<std::ptrdiff_t>(probe_order_.size() - random_.below(behind + 1));
  probe_order_.insert(probe_order_.begin() + place, member.id);
  event(MemberEvent::Kind::kJoined, peer);
  if (tell) broadcasts_.add(member.id, encode_part(Alive{member}));
}

void Membership::Core::replace_member(Time now, Peer& peer, const Member& member, bool tell) {
  const MemberStatus before = peer.status;
  const bool other_process = member.generation != peer.member->generation;
  Member words = member;
  words.incarnation = peer.member->incarnation;
  const bool says_else = words != *peer.member;
  peer.member = std::make_shared<const Member>(member);
  ++version_;
  set_status(now, peer, MemberStatus::kAlive);
  if (other_process || !reachable(before)) {
    event(MemberEvent::Kind::kJoined, peer);
  } else {
    if (before == MemberStatus::kSuspect) event(MemberEvent::Kind::kRefuted, peer);
    if (says_else) event(MemberEvent::Kind::kUpdated, peer);
  }
  if (tell) broadcasts_.add(member.id, encode_part(Alive{member}));
}

void Membership::Core::on(Time now, const Suspect& suspect) {
  if (suspect.node == self_->id) {
    about_self(now, suspect.generation, suspect.incarnation);
    return;
  }
  const auto found = peers_.find(suspect.node);
  if (found == peers_.end()) return;
  Peer& peer = found->second;
  if (suspect.generation != peer.member->generation ||
      suspect.incarnation < peer.member->incarnation || !reachable(peer.status)) {
    return;
  }
  raise_incarnation(peer, suspect.incarnation);
  if (peer.suspicion) {
    if (peer.suspicion->confirm(suspect.from)) {
      broadcasts_.add(suspect.node, encode_part(suspect));
    }
    return;
  }
  set_status(now, peer, MemberStatus::kSuspect);
  const double scale = std::max(1.0, std::log10(static_cast<double>(reachable_ + 1)));
  const Duration shortest(static_cast<Duration::rep>(
      config_.suspicion_multiplier * scale * static_cast<double>(config_.probe_interval.count())));
  // Neither this node nor the suspect can confirm
  const std::size_t others = reachable_ < 2 ? 0 : reachable_ - 1;
  peer.suspicion.emplace(suspect.from, now, shortest, shortest * kLongestSuspicion, others);
  event(MemberEvent::Kind::kSuspected, peer);
  broadcasts_.add(suspect.node, encode_part(suspect));
}

void Membership::Core::on(Time now, const Dead& dead) {
  if (dead.node == self_->id) {
    about_self(now, dead.generation, dead.incarnation);
    return;
  }
  const auto found = peers_.find(dead.node);
  if (found == peers_.end()) return;
  Peer& peer = found->second;
  if (dead.generation != peer.member->generation || dead.incarnation < peer.member->incarnation ||
      !reachable(peer.status)) {
    return;
  }
  raise_incarnation(peer, dead.incarnation);
  set_status(now, peer, dead.left ? MemberStatus::kLeft : MemberStatus::kDead);
  event(dead.left ? MemberEvent::Kind::kLeft : MemberEvent::Kind::kDied, peer);
  broadcasts_.add(dead.node, encode_part(dead));
}

// Somebody speaks of this node, not in its own present words: that we are suspect or dead, or in
// words of another process. An older one is contradicted, a newer one means that we are a thing of
// the past.
void Membership::Core::about_self(Time now, Generation generation, std::uint64_t incarnation) {
  if (generation > self_->generation) {
    superseded_ = true;
    return;
  }
  // Also one who missed our last words needs to hear them again
  if (generation < self_->generation || incarnation < self_->incarnation) {
    broadcasts_.add(self_->id, encode_part(Alive{*self_}));
    return;
  }
  worsen(1);
  announce(incarnation);
  next_gossip_ = std::min(next_gossip_, now);
}

void Membership::Core::announce(std::uint64_t incarnation_above) {
  Member next = *self_;
  next.incarnation = std::max(next.incarnation, incarnation_above) + 1;
  self_ = std::make_shared<const Member>(std::move(next));
  broadcasts_.add(self_->id, encode_part(Alive{*self_}));
  ++version_;
}

void Membership::Core::update_self(Time now, Member changed) {
  changed.id = self_->id;
  changed.incarnation = self_->incarnation;
  self_ = std::make_shared<const Member>(std::move(changed));
  announce(0);
  next_gossip_ = std::min(next_gossip_, now);
}

void Membership::Core::merge(Time now, NodeId from, const PushPull& all) {
  // What a newcomer learns from the first it asks, the others know
  const bool tell = !peers_.empty();
  for (const PushPull::Entry& entry : all.entries) {
    const Member& member = entry.member;
    if (entry.status == MemberStatus::kLeft) {
      on(now, Dead{member.id, member.generation, member.incarnation, true});
      continue;
    }
    // Only those who are heard of as living are taken up; a death is to be confirmed by our own
    // members, since it may come from the other side of a partition
    const bool known = member.id == self_->id || peers_.contains(member.id);
    if (entry.status != MemberStatus::kDead || known) on(now, Alive{member}, tell);
    if (entry.status != MemberStatus::kAlive) {
      on(now, Suspect{member.id, member.generation, member.incarnation, from});
    }
  }
}

void Membership::Core::raise_incarnation(Peer& peer, std::uint64_t incarnation) {
  if (incarnation <= peer.member->incarnation) return;
  Member raised = *peer.member;
  raised.incarnation = incarnation;
  peer.member = std::make_shared<const Member>(std::move(raised));
  ++version_;
}

void Membership::Core::set_status(Time now, Peer& peer, MemberStatus status) {
  const NodeId id = peer.member->id;
  if (reachable(peer.status) && !reachable(status)) --reachable_;
  if (!reachable(peer.status) && reachable(status)) {
    ++reachable_;
    if (std::ranges::find(probe_order_, id) == probe_order_.end()) probe_order_.push_back(id);
  }
  peer.status = status;
  peer.changed = now;
  peer.suspicion.reset();
  if (status == MemberStatus::kSuspect) {
    suspects_.insert(id);
  } else {
    suspects_.erase(id);
  }
}

void Membership::Core::event(MemberEvent::Kind kind, const Peer& peer) {
  ++version_;
  events_.push_back({.kind = kind, .member = peer.member});
  if (events_.size() > 4 * config_.members_max) events_.pop_front();
}

std::vector<MemberEvent> Membership::Core::take_events() {
  std::vector<MemberEvent> taken(events_.begin(), events_.end());
  events_.clear();
  return taken;
}

// Suspects whose time is over die, and the dead are forgotten.
void Membership::Core::expire(Time now) {
  std::vector<Dead> dead;
  for (const NodeId id : suspects_) {
    const Peer& peer = peers_.at(id);
    if (!peer.suspicion || peer.suspicion->deadline() > now) continue;
    dead.push_back({.node = id,
                    .generation = peer.member->generation,
                    .incarnation = peer.member->incarnation});
  }
  for (const Dead& news : dead) on(now, news);

  if (now < next_expiry_) return;
  next_expiry_ = now + kExpiryInterval;
  if (reachable_ == peers_.size()) return;
  std::erase_if(peers_, [&](const auto& entry) {
    const Peer& peer = entry.second;
    if (reachable(peer.status) || now - peer.changed < config_.forget_after) return false;
    std::erase(ids_, entry.first);
    std::erase(probe_order_, entry.first);
    broadcasts_.remove(entry.first);
    ++version_;
    return true;
  });
}

std::shared_ptr<const View> Membership::Core::view() const {
  if (view_ && view_->version == version_) return view_;
  auto view = std::make_shared<View>();
  view->version = version_;
  view->members.reserve(peers_.size() + 1);
  const MemberStatus own = left_ ? MemberStatus::kLeft : MemberStatus::kAlive;
  bool placed = false;
  for (const auto& [id, peer] : peers_) {
    if (!placed && self_->id < id) {
      view->members.push_back({.member = self_, .status = own});
      placed = true;
    }
    view->members.push_back({.member = peer.member, .status = peer.status});
  }
  if (!placed) view->members.push_back({.member = self_, .status = own});
  view_ = std::move(view);
  return view_;
}

}  // namespace troupe::placement
