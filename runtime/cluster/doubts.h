#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "placement/membership/member.h"
#include "runtime/base/ids.h"

namespace troupe::cluster {

/// Which other nodes may be gone, and of which there is evidence that they are.
///
/// A node is in doubt while it does not answer gossip, or the connection to it is broken: calls go
/// elsewhere, and it is granted nothing. Evidence is more: nobody listens any more where its
/// process was reached, and two nodes saw that. A core. One thread.
class Doubts {
 public:
  /// How many must have seen that a process is gone.
  static constexpr std::size_t kWitnesses = 2;

  explicit Doubts(NodeId self) : self_(self) {}

  /// Those that are in doubt from now on, because gossip says so.
  std::vector<NodeId> members_changed(const placement::View& members);
  void connected(NodeId peer, const placement::View& members);
  void disconnected(NodeId peer, const placement::View& members);

  bool in_doubt(NodeId node) const;

  /// Nobody listens where `peer` was reached: the process whose end this node has witnessed by
  /// that, once. None if it has been heard of elsewhere since, or was never connected.
  std::optional<Generation> nobody_listens(NodeId peer, const placement::View& members);
  /// `witness` has seen the end of that process. True once, when that makes enough.
  bool testify(NodeId witness, NodeId node, Generation generation);

 private:
  struct Peer {
    bool silent = false;
    bool broken = false;
    std::optional<placement::Address> met_at = {};     // connected, as long as it is not broken
    std::optional<Generation> lost = {};               // the process that was connected
    std::map<Generation, std::set<NodeId>> ends = {};  // who witnessed them
  };

  NodeId self_;
  std::map<NodeId, Peer> peers_;
};

}  // namespace troupe::cluster
