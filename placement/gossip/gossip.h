#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "placement/membership/membership.h"
#include "placement/table/table_sync.h"

namespace troupe::placement {

/// How many datagrams were refused, by reason: for metrics.
struct GossipRefusals {
  std::uint64_t oversize = 0;
  std::uint64_t foreign = 0;  // another cluster, or not ours at all
  std::uint64_t damaged = 0;
};

struct GossipConfig {
  /// Up to 64 bytes; a datagram that names another is refused.
  std::string cluster;
  MembershipConfig membership;
  TableSyncConfig table;
  /// Datagrams of rows sent in one round to each of the membership's fanout. Bounds traffic.
  std::size_t row_datagrams_per_round = 12;
};

/// Membership and table on the same datagrams.
///
/// A datagram names the cluster and holds parts, each for one of the two; what room a membership
/// message leaves is filled with rows. Plain bytes: who sends them encrypts them
/// (runtime/transport). A core: as Membership.
class Gossip {
 public:
  static constexpr std::size_t kDatagramSizeMax = 1400;   // bytes, without encryption's share
  static constexpr std::size_t kStreamSizeMax = 8 << 20;  // bytes
  static constexpr std::size_t kClusterSizeMax = 64;      // bytes

  /// `table` and `random` outlive this. Requires a cluster name of 1 to 64 bytes.
  Gossip(Member self, Table& table, GossipConfig config, Random& random);

  void join(Time now, std::span<const Address> seeds) { membership_.join(now, seeds); }
  void tick(Time now);
  Time next_tick() const;
  /// `stream`: it came over a stream, and may be larger.
  Result<void> receive(Time now, const Address& from, std::string_view bytes, bool stream);
  std::vector<Outgoing> take_outgoing();

  Membership& membership() { return membership_; }
  const Membership& membership() const { return membership_; }
  TableSync& rows() { return rows_; }
  const GossipRefusals& refusals() const { return refusals_; }

 private:
  std::string envelope() const;
  void send_rows(const Address& to, std::string_view part);

  GossipConfig config_;
  Membership membership_;
  TableSync rows_;
  std::vector<Outgoing> outgoing_;
  GossipRefusals refusals_;
  Time next_round_{};
};

}  // namespace troupe::placement
