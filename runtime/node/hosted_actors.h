#pragma once

#include <memory>
#include <utility>

#include "actors/directory/actors.h"
#include "runtime/cluster/cluster.h"

namespace troupe::node {

/// The actors of this node, as its part of the cluster sees them.
class HostedActors final : public cluster::Hosting {
 public:
  /// `actors` outlives it.
  explicit HostedActors(actors::Actors& actors) : actors_(actors) {}

  void deliver(actors::Call call) override { actors_.deliver(std::move(call)); }
  bool deliver_live(actors::Call& call) override { return actors_.deliver_live(call); }
  void drain(const std::shared_ptr<actors::Right>& right, Function<void()> done) override {
    actors_.drain(right, std::move(done));
  }

 private:
  actors::Actors& actors_;
};

}  // namespace troupe::node
