#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "placement/lease/lease.h"

namespace troupe::placement {

/// The rights of one process to activate actors and to admit their turns: which, and until when.
///
/// A right comes with a row of the table (sent by the shard's leader, or gossiped) that names this
/// node and generation as an owner. It is good for nothing until renewals that name exactly the
/// rights held in that shard give it time; it ends when that time is over, when a newer row gives
/// it to another, or when it is released. See README.md for why no two nodes ever hold the same.
///
/// A core. One thread; what admits turns elsewhere is handed valid_until() and compares it with the
/// clock.
class LeaseHolder {
 public:
  struct Right {
    Epoch epoch;
    Time valid_until{};  // exclusive; in the past until renewed
  };

  LeaseHolder(NodeId self, Generation generation, LeaseConfig config);

  /// A row that its leader has applied. Older ones than the last of the shard change nothing.
  void apply(const Row& row);

  /// Takes a renewal from `from`, and says what to answer.
  RenewalAck receive(Time now, NodeId from, const Renewal& renewal);
  /// Forgets what was exchanged with a peer process that is gone: a new one counts from 1 again.
  void forget_peer(NodeId peer);

  /// This node leads the shard itself: its own grantor says until when.
  void renew_locally(ShardId shard, std::uint64_t term, const RightsStamp& stamp, Time until);

  /// Gives the right up at once and for good: false if it is not held. Tell the leader afterwards.
  /// One that has not come yet will not come any more.
  bool release(ShardId shard, std::string_view type, Epoch epoch);

  /// The right to (shard, type), valid or not; none if it is not held.
  std::optional<Right> right(ShardId shard, std::string_view type) const;
  /// The epoch under which turns may be admitted, and read-only turns answered, at `now`.
  std::optional<Epoch> admits(Time now, ShardId shard, std::string_view type) const;

  /// What decides rights from `now` on: equal bytes, equal behaviour, as long as messages are
  /// acknowledged at once. For tests that walk every schedule.
  std::string fingerprint(Time now) const;

 private:
  struct Shard {
    RowVersion version;
    std::uint64_t term = 0;  // of the latest leader heard
    std::map<std::string, Right, std::less<>> rights;
    RightsStamp stamp;  // of `rights`, and of what was released since the row
    std::map<std::string, Epoch, std::less<>> released;
  };
  struct Sent {
    std::uint64_t number = 0;
    Time when{};
  };
  struct Peer {
    std::uint64_t last_ack = 0;
    std::vector<Sent> acks;  // the last few, oldest first
  };

  bool extend(ShardId shard, std::uint64_t term, const RightsStamp& stamp, Time until);

  NodeId self_;
  Generation generation_;
  LeaseConfig config_;
  std::map<ShardId, Shard> shards_;
  std::map<NodeId, Peer> peers_;
};

}  // namespace troupe::placement
