#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "placement/membership/member.h"
#include "runtime/base/random.h"
#include <troupe/result.h>
#include <troupe/time.h>

namespace troupe::placement {

/// Speed against traffic and mistakes. The defaults find a dead node among a few within a second.
struct MembershipConfig {
  /// Between two probes of this node. Shorter finds the dead sooner, and costs two datagrams each.
  Duration probe_interval = std::chrono::milliseconds(200);
  /// Wait for a direct acknowledgement before others are asked to probe. Below the interval.
  Duration probe_timeout = std::chrono::milliseconds(80);
  /// Members asked to probe in our place. More forgives more loss.
  std::size_t indirect_probes = 3;
  /// A suspect dies after between this and six times this, times log10(members), in probe
  /// intervals: the shorter the more members confirm it.
  double suspicion_multiplier = 3;
  /// Between two rounds of spreading news, to `gossip_fanout` members each.
  Duration gossip_interval = std::chrono::milliseconds(50);
  std::size_t gossip_fanout = 3;
  /// Each piece of news is sent this many times log10(members), and at least three times as often:
  /// among few members some would else be missed.
  double retransmit_multiplier = 4;
  /// Between two exchanges of everything with a random member, times log2(members / 32).
  Duration push_pull_interval = std::chrono::seconds(5);
  /// How long those that died or left are remembered, so that old news cannot bring them back; also
  /// how long one of them after another is sent a push-pull, should a partition have healed, or it
  /// be back; so is a seed that nobody has been heard of from.
  Duration forget_after = std::chrono::minutes(10);
  Duration revive_interval = std::chrono::seconds(5);
  /// Bounds. Beyond members_max newcomers are ignored.
  std::size_t members_max = 4096;
  std::size_t datagram_size_max = 1400;  // bytes
};

/// Something to send to `to`: a datagram of at most `datagram_size_max` bytes, or, if it does not
/// fit or must not be lost, a message for the stream to that node.
struct Outgoing {
  Address to;
  std::string bytes;
  bool stream = false;
};

/// Who is in the cluster, by SWIM gossip with Lifeguard's additions.
///
/// Every probe interval one member is pinged, each once in a random order before any again. One
/// that does not answer is pinged through others (and over the stream); if that fails it is
/// suspected, all hear of it, and if it does not refute in time, by a higher incarnation, it is
/// dead. A node that misses acknowledgements itself doubts itself first: its health score stretches
/// its own time-outs. News travel on every message, and in rounds of their own while there are any.
///
///     alive ──no answer──→ suspect ──time──→ dead ──forget_after──→ forgotten
///       ↑───higher incarnation───┘             │
///       └──────higher incarnation or generation┘
///
/// Never: an older generation of a node id replaces a newer one; a lower incarnation an equal or
/// higher one of the same generation.
///
/// A core: has no clock, socket or thread; told what happened and the time. Equal inputs give equal
/// outputs. One thread at a time; the View may go anywhere. Gossip decides nothing that safety
/// needs.
class Membership {
 public:
  /// `random` outlives this.
  Membership(Member self, MembershipConfig config, Random& random);
  ~Membership();
  Membership(Membership&&) noexcept;

  /// Asks `seeds` for their members; until one answers, again every second. Own address is skipped.
  /// Those that are no member's address afterwards are asked on, one each revive interval: some of
  /// the cluster may have found only one another.
  void join(Time now, std::span<const Address> seeds);
  /// Call at least as often as next_tick() says; more often does no harm.
  void tick(Time now);
  Time next_tick() const;
  /// Takes what another Membership's take_outgoing() gave. Damaged messages change nothing.
  Result<void> receive(Time now, const Address& from, std::string_view message);

  /// What to send, in order, since the last call.
  std::vector<Outgoing> take_outgoing();
  /// What changed since the last call. At most 4 * members_max are kept: the oldest go first.
  std::vector<MemberEvent> take_events();

  /// The members now. Cheap while nothing changes.
  std::shared_ptr<const View> view() const;

  const Member& self() const;
  /// Says something else about this node: keeps id and generation, raises the incarnation.
  void update_self(Time now, Member changed);
  /// The meta shard issued a generation to this process.
  void set_generation(Time now, Generation generation);
  /// Tells some members that this node goes. Send what take_outgoing() gives, then stop.
  void leave(Time now);

  /// Members alive or suspect, self included.
  std::size_t reachable_count() const;
  /// Up to `count` random reachable members, without self: for those who gossip something else.
  std::vector<Address> random_peers(std::size_t count);
  /// 0 is healthy, 8 the worst: how much this node doubts itself.
  unsigned health_score() const;
  /// True when another process with our id and a newer generation was heard of: stop.
  bool superseded() const;

 private:
  class Core;
  std::unique_ptr<Core> core_;
};

}  // namespace troupe::placement
