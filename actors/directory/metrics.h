#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "actors/directory/thread_stripe.h"

namespace troupe::actors {

/// A count that many threads add to, each with few others: a cache line that all write is the
/// dearest part of a short turn. Thread-safe; what is read may be a moment old.
class Counter {
 public:
  void add(std::uint64_t more = 1) {
    parts_[thread_stripe() % kParts].count.fetch_add(more, std::memory_order_relaxed);
  }
  std::uint64_t load() const {
    std::uint64_t sum = 0;
    for (const Part& each : parts_) sum += each.count.load(std::memory_order_relaxed);
    return sum;
  }

 private:
  static constexpr std::size_t kParts = 8;
  struct alignas(64) Part {
    std::atomic<std::uint64_t> count{0};
  };
  std::array<Part, kParts> parts_;
};

/// What the actors of a node count. Only ever up, but for the gauges. Thread-safe.
struct Metrics {
  using Counter = actors::Counter;

  Counter activations_begun;
  Counter activations_ended;
  Counter loads;  // of state, at activations and after rollbacks
  Counter turns_begun;
  Counter turns_failed;      // thrown by the user's code
  Counter turns_timed_out;   // ended after their deadline, and aborted
  Counter turns_overrun;     // reported by the watchdog
  Counter turns_stuck;       // given up with their thread
  Counter calls_expired;     // dropped unrun: their deadline passed while they waited
  Counter calls_exhausted;   // refused: the mailbox was full
  Counter calls_deadlocked;  // refused: they would have waited for their own chain
  Counter calls_not_owned;   // refused: this node has no right to the actor
  Counter commits;           // proposed
  Counter commits_consumed;  // their cause had had its effect before
  Counter recalls;           // repeated calls whose shard was asked whether they had had theirs
  Counter commits_refused;
  Counter commits_lost;      // stale epoch or unknown outcome
  Counter confirms;          // turns without effects whose lease had run out
  Counter ticks_given_up;    // reminders' ticks dropped by their failure policy
  Counter one_way_given_up;  // one-way messages consumed without effect
};

}  // namespace troupe::actors
