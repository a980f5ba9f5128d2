#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "placement/lease/lease.h"
#include <troupe/result.h>

namespace troupe::placement {

/// The leader's side of leases, for all shards that this node leads: renews owners, knows when a
/// type may be given to another, and chooses to whom.
///
/// Told by Raft of elections and of heartbeat rounds that a quorum acknowledged; by the shard of
/// its owners as applied. See README.md for the argument. A core. One thread.
class LeaseGrantor {
 public:
  struct Elected {
    ShardId shard;
    std::uint64_t term = 0;
    Time elected_at{};
    /// The smallest time, over the votes that elected (its own included), since the voter last
    /// acknowledged any leader. A voter that started since counts from its start; a voter that led
    /// counts its own rounds when it sent them.
    Duration leader_silence{};
  };
  struct OutgoingRenewal {
    NodeId to;
    Generation generation;
    Renewal renewal;
  };

  LeaseGrantor(NodeId self, Generation generation, LeaseConfig config);

  /// Peers that may own: their process now. A newer generation of a peer replaces the older.
  void set_peer(NodeId peer, Generation generation);
  void remove_peer(NodeId peer);
  /// It may be gone: until that is known it is asked, but granted nothing.
  void set_doubted(NodeId peer, bool doubted);
  /// The meta shard registered a process of `node`: all leases of older ones are over, because it
  /// holds the lock of the data directory.
  void registered(NodeId node, Generation generation);
  /// That process of `node` is known to be gone: its leases, and those of earlier ones, are over.
  void ended(NodeId node, Generation generation);

  /// This node leads the shard and has applied an entry of its own term.
  void lead(const Elected& elected, const std::vector<Owner>& owners);
  void stop_leading(ShardId shard);
  /// The applied owners changed. Ends the proposals of assign that it settles.
  void set_owners(ShardId shard, const std::vector<Owner>& owners);
  /// A quorum of the shard's voters acknowledged a heartbeat round sent at `sent_at` in `term`.
  void quorum_acknowledged(ShardId shard, std::uint64_t term, Time sent_at);

  /// Renewals due at `now`, to be sent at once.
  std::vector<OutgoingRenewal> take_renewals(Time now);
  Time next_renewal() const;
  /// Returns the shards whose rows the peer must be sent.
  std::vector<ShardId> receive(Time now, NodeId from, Generation generation, const RenewalAck& ack);

  /// What this node itself may use in a shard that it leads; hand it to its LeaseHolder after each
  /// quorum_acknowledged(). None without rights or while they are withheld.
  struct OwnLease {
    std::uint64_t term = 0;
    RightsStamp stamp;
    Time until{};
  };
  std::optional<OwnLease> renew_own(ShardId shard);

  /// From when on (shard, type) may be given to another node than its owner: now or earlier if it
  /// has none. Grows while its owner is being renewed: withhold() first. None if this node does not
  /// lead the shard.
  std::optional<Time> assignable_from(ShardId shard, std::string_view type) const;
  /// Stops renewing the owner of (shard, type), in this shard, until set_owners() shows another or
  /// resume().
  void withhold(ShardId shard, std::string_view type);
  void resume(ShardId shard, std::string_view type);
  /// The owner says that it gave up (shard, type) under `epoch` for good.
  void released(ShardId shard, std::string_view type, Epoch epoch);
  /// The assign to propose, `epoch + 1`, to `node`; refused while the present owner's lease may
  /// last. On success the present owner is withheld.
  Result<Owner> propose_assign(Time now, ShardId shard, std::string_view type, NodeId node);

  /// It acknowledged a renewal sent within D. This node always has.
  bool responsive(Time now, NodeId node) const;
  /// Who should own (shard, type): this node if it is among `hosts`, else by consistent hashing one
  /// of `hosts` that is responsive. None if there is none.
  std::optional<NodeId> choose_owner(Time now, ShardId shard, std::string_view type,
                                     const std::vector<NodeId>& hosts) const;

  /// What decides rights from `now` on: equal bytes, equal behaviour, as long as messages are
  /// acknowledged at once. For tests that walk every schedule.
  std::string fingerprint(Time now) const;

 private:
  struct Lead {
    std::uint64_t term = 0;
    Time old_leases_end{};  // of leases that earlier leaders granted
    Time lease_end{};       // of what this leader may grant: the quorum's round + D - drift
    std::map<std::string, Owner, std::less<>> owners;
    std::map<NodeId, Time> granted_until;  // by this leader, per peer
    std::map<NodeId, RightsStamp> stamps;  // of all that own something
    std::set<std::string, std::less<>> withheld;
    std::map<std::string, Epoch, std::less<>> released;
  };
  struct Sent {
    std::uint64_t number = 0;
    Time when{};
  };
  struct Peer {
    Generation generation;
    bool doubted = false;
    std::uint64_t last_renewal = 0;
    std::uint64_t last_ack = 0;
    Time ack_heard{};
    std::optional<Time>
        acknowledged_sending;  // when the last renewal that was acknowledged was sent
    std::vector<Sent> sent;
    Time next{};
  };

  Renewal renew(Time now, NodeId to, Peer& peer);
  void renew_soon(const Lead& lead);
  bool is_withheld(const Lead& lead, NodeId node) const;
  bool replaced(const Owner& owner) const;

  NodeId self_;
  Generation generation_;
  LeaseConfig config_;
  std::map<NodeId, Peer> peers_;
  std::map<NodeId, Generation> registered_;
  std::map<ShardId, Lead> leads_;
};

}  // namespace troupe::placement
