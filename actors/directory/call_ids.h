#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "actors/directory/thread_stripe.h"
#include "storage/shard/entry.h"

namespace troupe::actors {

/// Names every call that starts in this process. One for the whole node. Thread-safe.
class CallIds {
 public:
  CallIds(NodeId origin, Generation generation) : origin_(origin), generation_(generation) {}

  storage::CallId next() {
    const std::size_t part = thread_stripe() % kParts;
    const std::uint64_t round = parts_[part].rounds.fetch_add(1, std::memory_order_relaxed);
    return {.origin = origin_, .generation = generation_, .sequence = round * kParts + part + 1};
  }

 private:
  const NodeId origin_;
  const Generation generation_;
  // Each part gives out every kParts-th number, so that threads seldom meet.
  static constexpr std::size_t kParts = 8;
  struct alignas(64) Part {
    std::atomic<std::uint64_t> rounds{0};
  };
  std::array<Part, kParts> parts_;
};

}  // namespace troupe::actors
