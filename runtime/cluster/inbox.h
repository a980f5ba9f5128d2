#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/base/executor.h"
#include "runtime/base/guarded.h"
#include "runtime/base/ids.h"

namespace troupe::cluster {

/// Calls and replies of other nodes, between the network's threads and the router.
///
/// Many come together. Handing each on by itself would wake a thread of the actors each time, which
/// costs more than the call; so what has come is handed on in one piece of work, in order. Until
/// then they are bytes in one buffer: what is made of them is made, used and freed on one thread.
/// Bounded by the windows of those who call. Thread-safe.
class Inbox {
 public:
  /// `hand_on` runs work soon, one after another, on any thread; empty: put() does. `handle` gets
  /// each frame; its bytes live during the call. Both outlive the last put() and the last work.
  Inbox(std::function<void(NodeId from, std::string_view frame)> handle,
        const std::function<void(Work)>& hand_on)
      : handle_(std::move(handle)), hand_on_(hand_on) {}

  void put(NodeId from, std::string_view frame);

  /// Around puts that come together: they are handed on when they are all there, not while they
  /// come.
  void begin_batch();
  void end_batch();

 private:
  struct Frames {
    struct Mark {
      NodeId from;
      std::size_t size;
    };
    std::string bytes;  // of one frame after another
    std::vector<Mark> marks;
  };
  struct Waiting {
    Frames frames;
    std::size_t open_batches = 0;
    bool handed_on = false;
  };
  static bool hand_on_now(Waiting& waiting);

  void drain();

  const std::function<void(NodeId, std::string_view)> handle_;
  const std::function<void(Work)>& hand_on_;
  Guarded<Waiting> waiting_;
  Frames draining_;  // of the work at hand; keeps its room
};

}  // namespace troupe::cluster
