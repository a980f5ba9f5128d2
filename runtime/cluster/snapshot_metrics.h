#pragma once

#include <atomic>
#include <cstdint>

namespace troupe::cluster {

/// What a node has done about snapshots since it started. Read by any thread at any time.
struct SnapshotMetrics {
  using Counter = std::atomic<std::uint64_t>;

  Counter sent = 0;  // whole, and installed by the other node
  Counter sends_failed = 0;
  Counter bytes_sent = 0;  // of parts that have arrived
  Counter received = 0;    // whole, and now the replica's state
  Counter receives_failed = 0;
  Counter bytes_received = 0;

  static void count(Counter& counter, std::uint64_t by = 1) {
    counter.fetch_add(by, std::memory_order_relaxed);
  }
};

}  // namespace troupe::cluster
