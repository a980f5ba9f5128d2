#pragma once

#include <atomic>

#include "storage/shard/entry.h"

namespace troupe::actors {

/// Names every call that starts in this process. One for the whole node. Thread-safe.
class CallIds {
 public:
  CallIds(NodeId origin, Generation generation) : origin_(origin), generation_(generation) {}

  storage::CallId next() {
    return {.origin = origin_,
            .generation = generation_,
            .sequence = sequence_.fetch_add(1, std::memory_order_relaxed) + 1};
  }

 private:
  const NodeId origin_;
  const Generation generation_;
  std::atomic<std::uint64_t> sequence_{0};
};

}  // namespace troupe::actors
