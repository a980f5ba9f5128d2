#pragma once

#include <chrono>
#include <cstddef>

#include "storage/raft/types.h"
#include <troupe/time.h>

namespace troupe::raft {

/// Defaults suit replicas in one data centre.
struct RaftOptions {
  Address self;

  /// Shorter notices lost messages and ends leases sooner, and costs idle work.
  Duration heartbeat_interval = std::chrono::milliseconds(100);

  /// A follower that hears no leader campaigns after a time between these. It refuses to help
  /// depose a leader heard within election_min; a leader that hears no quorum for election_max
  /// steps down. At least 3 heartbeats: fewer, and one slow disk or lost packet deposes leaders.
  Duration election_min = std::chrono::milliseconds(400);
  Duration election_max = std::chrono::milliseconds(800);

  /// Requests on their way to one member, and their bytes. Wider hides latency; but all of it is
  /// sent again after a loss.
  std::size_t window_requests_max = 64;
  std::size_t window_bytes_max = 8 << 20;
  /// Entries of one request, and their bytes (one entry may be larger alone).
  std::size_t request_entries_max = 1024;
  std::size_t request_bytes_max = 1 << 20;

  std::size_t entry_bytes_max = 8 << 20;
  /// Above, proposals are refused: a leader without a quorum must not fill its memory.
  std::size_t uncommitted_bytes_max = 32 << 20;
  /// Handed out to be applied in one Ready; the rest follows in the next.
  std::size_t apply_bytes_max = 16 << 20;
  std::size_t reads_max = 4096;
  /// A learner further behind is not promoted: it would hold up commits as a voter.
  Index promotion_lag_max = 1000;
};

}  // namespace troupe::raft
