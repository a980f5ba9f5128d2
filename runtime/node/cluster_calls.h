#pragma once

#include <atomic>
#include <utility>

#include "actors/directory/call.h"
#include "runtime/blocks/state/embedded.h"
#include "runtime/cluster/cluster.h"

namespace troupe::node {

/// Calls of building blocks to their system actors.
class ClusterCalls final : public blocks::state::StateCalls {
 public:
  /// This node is a member; `cluster` outlives all calls. Once.
  void serve(cluster::Cluster& cluster) { cluster_.store(&cluster, std::memory_order_release); }

  void send(ActorKey key, Payload message, Time deadline, Done<Payload> done) override {
    cluster::Cluster* const cluster = cluster_.load(std::memory_order_acquire);
    if (cluster == nullptr) {
      return done(fail(Code::kUnavailable, "this node is not a member of its cluster yet"));
    }
    actors::Call call;
    call.key = std::move(key);
    call.kind = actors::CallKind::kState;
    call.message = std::move(message);
    call.deadline = deadline;
    call.id = cluster->ids().next();
    call.done = [done = std::move(done)](Result<actors::Reply> reply) mutable {
      if (!reply) return done(fail(reply.error()));
      done(std::move(reply->body));
    };
    cluster->router().route(std::move(call));
  }

 private:
  std::atomic<cluster::Cluster*> cluster_{nullptr};
};

}  // namespace troupe::node
