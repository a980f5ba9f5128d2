#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>

#include "runtime/base/ids.h"
#include "runtime/base/random.h"
#include "tests/support/sim_timeline.h"
#include <troupe/function.h>
#include <troupe/time.h>

namespace troupe::sim {

/// How badly packets travel. The defaults: fast, and never lost.
struct NetworkFaults {
  double loss = 0;
  double duplication = 0;
  Duration delay_min = std::chrono::microseconds(200);
  Duration delay_max = std::chrono::milliseconds(2);
};

/// Carries opaque packets between nodes. Each is delayed by itself, so packets overtake one
/// another.
class SimNetwork {
 public:
  using Handler = Function<void(NodeId from, const std::string& packet)>;

  SimNetwork(SimTimeline& timeline, Random& random) : timeline_(timeline), random_(random) {}

  /// Delivers to `handler` what is sent to `node`, from now on; without one, drops it.
  void attach(NodeId node, Handler handler) { handlers_[node] = std::move(handler); }
  void detach(NodeId node) { handlers_.erase(node); }

  NetworkFaults faults;

  /// Drops what `from` sends to `to`, not what comes back.
  void block(NodeId from, NodeId to) { blocked_.insert({from, to}); }
  void unblock_all() { blocked_.clear(); }

  void send(NodeId from, NodeId to, std::string packet) {
    if (random_.chance(faults.duplication)) carry(from, to, packet);
    carry(from, to, std::move(packet));
  }

 private:
  void carry(NodeId from, NodeId to, std::string packet) {
    if (blocked_.contains({from, to}) || random_.chance(faults.loss)) return;
    const auto spread = static_cast<std::uint64_t>((faults.delay_max - faults.delay_min).count());
    const Duration delay =
        faults.delay_min + Duration(static_cast<Duration::rep>(random_.below(spread + 1)));
    timeline_.after(delay, [this, from, to, packet = std::move(packet)] {
      const auto handler = handlers_.find(to);
      if (handler != handlers_.end()) handler->second(from, packet);
    });
  }

  SimTimeline& timeline_;
  Random& random_;
  std::map<NodeId, Handler> handlers_;
  std::set<std::pair<NodeId, NodeId>> blocked_;
};

}  // namespace troupe::sim
