#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "placement/membership/broadcasts.h"
#include "placement/membership/membership.h"
#include "placement/membership/messages.h"
#include "placement/membership/suspicion.h"

namespace troupe::placement {

/// Membership's inside. What members are is in membership_core.cpp, how they are probed in
/// probing.cpp, what is sent when in spreading.cpp.
class Membership::Core {
 public:
  Core(Member self, MembershipConfig config, Random& random);

  void join(Time now, std::span<const Address> seeds);
  void tick(Time now);
  Time next_tick() const;
  Result<void> receive(Time now, const Address& from, std::string_view bytes);
  std::vector<Outgoing> take_outgoing();
  std::vector<MemberEvent> take_events();
  std::shared_ptr<const View> view() const;
  const Member& self() const { return *self_; }
  void update_self(Time now, Member changed);
  void leave(Time now);
  std::size_t reachable_count() const { return reachable_ + 1; }
  std::vector<Address> random_peers(std::size_t count);
  unsigned health_score() const { return health_; }
  bool superseded() const { return superseded_; }

 private:
  struct Peer {
    std::shared_ptr<const Member> member;
    MemberStatus status = MemberStatus::kAlive;
    Time changed{};
    std::optional<Suspicion> suspicion;
  };
  struct Probe {
    std::uint64_t number = 0;
    NodeId target;
    Time indirect_at{};
    Time ends_at{};
    bool indirect = false;
    bool answered = false;
    std::size_t nacks_expected = 0;
    std::size_t nacks = 0;
  };
  struct Relay {  // a ping in another's place
    Address origin;
    std::uint64_t origin_number = 0;
    Time nack_at{};
    bool nacked = false;
    Time ends_at{};
  };

  // membership_core.cpp: what is true of members
  void on(Time now, const Alive& alive, bool tell);
  void on(Time now, const Suspect& suspect);
  void on(Time now, const Dead& dead);
  void merge(Time now, NodeId from, const PushPull& all);
  void about_self(Time now, Generation generation, std::uint64_t incarnation);
  void add_peer(Time now, const Member& member, bool tell);
  void replace_member(Time now, Peer& peer, const Member& member, bool tell);
  void set_status(Time now, Peer& peer, MemberStatus status);
  void raise_incarnation(Peer& peer, std::uint64_t incarnation);
  void announce(std::uint64_t incarnation_above);
  void event(MemberEvent::Kind kind, const Peer& peer);
  void expire(Time now);
  static bool reachable(MemberStatus status) {
    return status == MemberStatus::kAlive || status == MemberStatus::kSuspect;
  }

  // probing.cpp
  void tick_probe(Time now);
  void begin_probe(Time now);
  void probe_indirectly(Time now);
  void end_probe(Time now);
  void tick_relays(Time now);
  void on(const Address& from, const Ping& ping);
  void on(Time now, const Address& from, const PingRequest& request);
  void on(const Ack& ack);
  void on(const Nack& nack);
  std::optional<NodeId> next_target();
  void worsen(int by);
  Duration stretched(Duration duration) const { return duration * (health_ + 1); }

  // spreading.cpp
  void send(const Address& to, std::string_view parts, bool stream = false);
  void send_push_pull(const Address& to, bool answer);
  void tick_gossip(Time now);
  void tick_push_pull(Time now);
  void look_for_others();
  std::vector<NodeId> random_members(std::size_t count, std::optional<NodeId> without);
  unsigned transmissions() const;

  std::shared_ptr<const Member> self_;
  MembershipConfig config_;
  Random& random_;
  std::map<NodeId, Peer> peers_;
  std::vector<NodeId> ids_;  // of all peers, in no particular order
  std::set<NodeId> suspects_;
  std::size_t reachable_ = 0;

  std::vector<NodeId> probe_order_;
  std::size_t probe_next_ = 0;
  std::optional<Probe> probe_;
  Time next_probe_{};
  std::map<std::uint64_t, Relay> relays_;
  std::uint64_t next_number_;
  unsigned health_ = 0;

  Broadcasts broadcasts_;
  std::vector<Outgoing> outgoing_;
  std::deque<MemberEvent> events_;
  std::vector<Address> seeds_;
  Time next_gossip_{};
  Time next_join_{};
  Time next_push_pull_{};
  Time next_revive_{};
  Time next_expiry_{};
  bool started_ = false;
  bool left_ = false;
  bool superseded_ = false;

  std::uint64_t version_ = 1;
  mutable std::shared_ptr<const View> view_;
};

}  // namespace troupe::placement
