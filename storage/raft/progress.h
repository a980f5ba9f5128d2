#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>

#include "storage/raft/types.h"
#include <troupe/time.h>

namespace troupe::raft {

/// What a leader knows of one other member's log.
///
///     probe ── accepted ──→ replicate        probe: one request at a time, to find where logs meet
///       ↑ ←──── rejected ───────┘            replicate: requests in a window, without waiting
///       └── done ── snapshot ←─ too far behind, from either
struct Progress {
  enum class Mode : std::uint8_t { kProbe, kReplicate, kSnapshot };

  Mode mode = Mode::kProbe;
  Index match = 0;           // its log is durable and equal to ours up to here
  Index next = 1;            // the next entry to send
  bool paused = false;       // probing: a request is on its way
  Index committed_sent = 0;  // the commit index it was last told
  Time heard_at;             // anything from it
  bool answers = false;      // it has been heard since its log is followed
  std::uint64_t round = 0;   // the newest heartbeat round it acknowledged

  struct Request {
    Index last;
    std::size_t bytes;
  };
  std::deque<Request> window;  // replicating: on their way
  std::size_t window_bytes = 0;

  void probe(Index from);
  void replicate();
  void send_snapshot();

  void sent(Index last, std::size_t bytes);
  /// Its log reaches `index`. True if that is news.
  bool accepted(Index index);
};

}  // namespace troupe::raft
