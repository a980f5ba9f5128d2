#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/base/guarded.h"
#include <troupe/actor_type.h>

namespace troupe::bench {

/// Calls from actors, each with one in flight at a time: the load of most measurements.
class Load {
 public:
  /// Makes the call `number` (from 0, across all drivers) of driver `driver`; false: no more.
  using Next = std::function<bool(std::uint64_t driver, std::uint64_t number, NestedCall& call)>;

  explicit Load(Next next, bool with_latencies = true)
      : next(std::move(next)), with_latencies(with_latencies) {}

  const Next next;
  const bool with_latencies;
  const SystemClock clock;
  std::atomic<std::uint64_t> started{0};
  std::atomic<std::uint64_t> answered{0};
  std::atomic<std::uint64_t> failed{0};
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> running{0};
  Guarded<std::vector<double>> latencies;  // milliseconds

  void keep(std::vector<double> of_one_driver);
};

/// Where the drivers of a process find their load; set while no driver runs.
struct LoadSlot {
  std::shared_ptr<Load> load;
};

/// Drives the slot's load: method `go`, the id is the driver's number. The turn lasts as long as
/// the load.
ActorType driver_type(std::shared_ptr<LoadSlot> slot);
/// `ping` answers with its message.
ActorType echo_type();
/// `save` writes 200 bytes that differ each time.
ActorType saver_type();

}  // namespace troupe::bench
