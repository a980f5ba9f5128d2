#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/base/guarded.h"
#include <troupe/actor_type.h>

namespace troupe::bench {

/// A count by many drivers that do not share a cache line: the load must not cost what it measures.
class Tally {
 public:
  void add(std::uint64_t driver) {
    parts_[driver % kParts].count.fetch_add(1, std::memory_order_relaxed);
  }
  std::uint64_t sum() const {
    std::uint64_t sum = 0;
    for (const Part& each : parts_) sum += each.count.load(std::memory_order_relaxed);
    return sum;
  }

 private:
  static constexpr std::size_t kParts = 256;
  struct alignas(64) Part {
    std::atomic<std::uint64_t> count{0};
  };
  std::array<Part, kParts> parts_;
};

/// Calls from actors, each with one in flight at a time: the load of most measurements.
class Load {
 public:
  /// Makes the call `number` (from 0, across all drivers, each once but not in order) of driver
  /// `driver`; false: no more.
  using Next = std::function<bool(std::uint64_t driver, std::uint64_t number, NestedCall& call)>;

  explicit Load(Next next, bool with_latencies = true)
      : next(std::move(next)), with_latencies(with_latencies) {}

  const Next next;
  const bool with_latencies;
  const SystemClock clock;
  std::atomic<std::uint64_t> numbered{0};  // drivers take kBlock numbers at a time
  static constexpr std::uint64_t kBlock = 32;
  Tally answered;
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
