#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "runtime/base/executor.h"
#include "runtime/base/guarded.h"
#include "runtime/base/ids.h"
#include "runtime/cluster/call_router.h"
#include "runtime/cluster/frames.h"

namespace troupe::cluster {

/// Calls and replies of other nodes, between the network's threads and the router.
///
/// Many come together. Handing each on by itself would wake a thread of the actors each time, which
/// costs more than the call; so what has come is handed on in one piece of work, in order.
/// Bounded by the windows of those who call. Thread-safe.
class Inbox {
 public:
  /// `hand_on` runs work soon, one after another, on any thread; empty: put() hands on itself. Both
  /// outlive the last put() and the last work.
  Inbox(CallRouter& router, const std::function<void(Work)>& hand_on)
      : router_(router), hand_on_(hand_on) {}

  /// Requires a CallFrame or a ReplyFrame.
  void put(NodeId from, Frame frame);

 private:
  using Items = std::vector<std::pair<NodeId, Frame>>;

  void drain();
  void hand(NodeId from, Frame& frame);

  CallRouter& router_;
  const std::function<void(Work)>& hand_on_;
  Guarded<Items> items_;
  Items draining_;  // of the work at hand; keeps its room
};

}  // namespace troupe::cluster
