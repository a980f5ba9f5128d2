#pragma once

#include <atomic>
#include <cstdint>

namespace troupe::transport {

/// What a network has done since it was made. Read by any thread at any time.
struct TransportMetrics {
  using Counter = std::atomic<std::uint64_t>;

  Counter frames_sent = 0;
  Counter frames_received = 0;
  Counter batches_sent = 0;
  Counter batches_received = 0;
  Counter bytes_sent = 0;  // of batches
  Counter bytes_received = 0;
  Counter frames_refused = 0;  // by a full queue
  Counter connects = 0;        // outgoing, accepted by the peer
  Counter disconnects = 0;     // told to the listener
  Counter attempts_failed = 0;
  Counter strangers_refused = 0;  // by this node
  Counter refused_by_peers = 0;   // this node, by others
  Counter datagrams_sent = 0;
  Counter datagrams_received = 0;
  Counter datagrams_refused = 0;  // not sealed by one of the cluster's
  Counter datagrams_dropped = 0;  // here: buffer full, no such name, no route

  static void count(Counter& counter, std::uint64_t by = 1) {
    counter.fetch_add(by, std::memory_order_relaxed);
  }
};

}  // namespace troupe::transport
