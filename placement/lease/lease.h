#pragma once

#include <cstdint>
#include <vector>

#include "placement/table/row.h"
#include "runtime/base/codec.h"
#include "runtime/base/ids.h"
#include <troupe/time.h>

namespace troupe::placement {

struct LeaseConfig {
  /// D: a lease ends this long after the sending of the last heartbeat round that a quorum
  /// acknowledged. Shorter makes failover faster and pauses more often. The same on all nodes.
  /// With what detection and election take beside it, callers wait a second.
  Duration length = std::chrono::milliseconds(950);
  /// Between two renewals to a peer.
  Duration renewal_interval = std::chrono::milliseconds(250);
  /// Leases end this much earlier than they could, for clocks that run at different speeds:
  /// forgives 1 % of `length`, where clocks of computers differ by 0.02 %.
  Duration drift = std::chrono::milliseconds(10);
};

/// Names exactly the rights that one process has in one shard: the set of its (type, epoch).
/// 128-bit hash. Nothing at all is {0, 0}.
struct RightsStamp {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  bool empty() const { return high == 0 && low == 0; }
  friend bool operator==(const RightsStamp&, const RightsStamp&) = default;
};
RightsStamp rights_stamp(const std::vector<Owner>& owners, NodeId node, Generation generation);

/// What the leader of shards tells one peer every renewal_interval.
///
/// Two clocks never meet: the renewal names the last acknowledgement that it had from the peer, and
/// how long ago that came. The peer knows when it sent that one, so it knows a moment, on its own
/// clock, that was not after the renewal was made, and counts the remaining time from there.
struct Renewal {
  static constexpr std::size_t kShardsMax = 65536;

  struct Shard {
    ShardId shard;
    std::uint64_t term = 0;
    RightsStamp stamp;     // what the leader holds to be the peer's rights
    Duration remaining{};  // of the lease, when this was made
  };

  std::uint64_t number = 0;  // counts up per sender and peer
  std::uint64_t echo = 0;    // the number of the peer's last acknowledgement heard; 0: none
  Duration held{};           // since that was heard
  std::vector<Shard> shards;
};

/// The answer to every Renewal, at once.
struct RenewalAck {
  std::uint64_t number = 0;            // of its own: counts up per sender and peer
  std::uint64_t renewal = 0;           // the number answered
  std::vector<ShardId> misunderstood;  // named with a stamp that is not ours: send the row
};

void encode(Writer& out, const Renewal& renewal);
Renewal decode_renewal(Reader& in);
void encode(Writer& out, const RenewalAck& ack);
RenewalAck decode_renewal_ack(Reader& in);

}  // namespace troupe::placement
