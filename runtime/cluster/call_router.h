#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "actors/directory/call_ids.h"
#include "actors/directory/router.h"
#include "placement/table/table.h"
#include "runtime/base/clock.h"
#include "runtime/base/executor.h"
#include "runtime/base/guarded.h"
#include "runtime/base/network.h"
#include "runtime/cluster/answers.h"
#include "runtime/cluster/frames.h"
#include "runtime/cluster/rights.h"

namespace troupe::cluster {

struct CallRouterOptions {
  NodeId self;
  std::uint32_t shard_count = 0;  // without the meta shard, which has a row too
  /// Calls to other nodes are numbered from here: nowhere near those of an earlier process, whose
  /// answers may still come.
  std::uint64_t first_id = 1;
  /// Calls on their way to one other node; beyond, new ones are refused at once.
  std::size_t window = 16'384;
  /// Calls that wait here for an owner or for better news.
  std::size_t held_max = 100'000;
  /// How long a receiver that knows less than the caller waits to catch up.
  Duration catch_up_patience = std::chrono::milliseconds(200);
  /// How long a call looks for an owner while nobody can say who that is: longer than it takes to
  /// replace one.
  Duration owner_patience = std::chrono::seconds(5);
};

/// Takes calls to the owner of their actor, and goes on looking while the deadline lasts.
///
///     route ─→ a right here ─→ deliver ──not here any more──┐
///       ↑   └→ a row names another node ─→ send ──NOT_OWNER─┤
///       │   └→ nobody known ─→ ask the shard's leader       │
///       └───────────── wait a little, look again ───────────┘
///
/// A call that has left for another node may be repeated under its id: the shard's log sees to it
/// that it has its effect once. Thread-safe: routing runs on the caller's thread, and only what has
/// to wait comes to the node loop.
class CallRouter final : public actors::Router {
 public:
  struct Dependencies {
    Clock& clock;
    Executor& loop;
    Network& network;
    Answers& answers;
    const placement::Table& table;
    const Rights& rights;
    actors::CallIds& ids;
    std::function<void(actors::Call)> deliver;
    /// The short way to an actor that is in memory; false, and the call left alone, if it is not.
    std::function<bool(actors::Call&)> deliver_live;
    /// Asks the leader of a shard who owns a type there; the answer is in the table when `done`
    /// runs, on the loop. Called on the loop.
    std::function<void(ShardId, const std::string& type, Duration patience, Done<void> done)>
        locate;
    /// Hands in a row that another node sent. Called on the loop.
    std::function<void(std::string_view row)> learn;
    /// Whether that node may be gone. Called on the loop.
    std::function<bool(NodeId)> doubted;
  };

  CallRouter(CallRouterOptions options, Dependencies dependencies);

  void route(actors::Call call) override;
  void returned(actors::Call call) override;

  // From the network's threads.
  void received(NodeId from, CallFrame&& frame);
  void received(NodeId from, ReplyFrame&& frame);
  void disconnected(NodeId peer);

  /// Ends calls whose deadline has passed, and looks for other owners of actors whose calls wait
  /// for a node that may be gone. On the loop, every 50 ms or so.
  void sweep();
  /// Answers everything that still waits with kUnavailable.
  void stop();

  std::size_t waiting_for_others() const { return remote_.load(std::memory_order_relaxed); }

 private:
  struct Pending {
    NodeId to;
    RowVersion row;
    std::atomic<std::size_t>& window;  // of `to`
    actors::Call call;
  };
  // What calls look for: a node, and the actors that it owned.
  using Sought = std::tuple<NodeId, ShardId, std::string>;
  using PendingById = std::map<std::uint64_t, Pending>;
  using Taken = PendingById::node_type;  // a pending call that is nobody else's any more
  static constexpr std::size_t kStripes = 32;

  ShardId shard_of(const actors::Call& call) const;
  Guarded<PendingById>& stripe(std::uint64_t id) { return stripes_[id % kStripes]; }
  std::atomic<std::size_t>& window(NodeId node);
  void send(NodeId to, RowVersion row, actors::Call&& call, Time now);
  Taken take(std::uint64_t id, NodeId from);
  std::vector<Taken> take_if(const std::function<bool(const Pending&)>& wanted);
  bool owned_elsewhere(const Pending& pending) const;
  void leave_doubted();
  void ask_for_others(const Sought& sought);
  void mark_uncertain(actors::Call& call);
  void again(actors::Call call);
  void hold(actors::Call call, Duration wait);
  void locate(actors::Call call);
  void not_located(actors::Call call, const Error& why);
  void look(actors::Call call);
  void accept(actors::Call&& call, RowVersion row, Time until);
  std::string known_row(ShardId shard) const;

  CallRouterOptions options_;
  Dependencies deps_;
  std::array<Guarded<PendingById>, kStripes> stripes_;
  Guarded<std::map<NodeId, std::atomic<std::size_t>>> windows_;  // only ever grows
  std::set<Sought> sought_;                                      // asked for; the loop's
  std::atomic<std::uint64_t> next_id_;
  std::atomic<std::size_t> remote_{0};
  std::atomic<std::size_t> held_{0};
  std::atomic<bool> stopped_{false};
};

}  // namespace troupe::cluster
