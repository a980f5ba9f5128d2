#pragma once

#include <atomic>
#include <cstdint>

namespace troupe::actors {

/// What the actors of a node count. Only ever up, but for the gauges. Thread-safe.
struct Metrics {
  using Counter = std::atomic<std::uint64_t>;

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
  Counter commits_refused;
  Counter commits_lost;      // stale epoch or unknown outcome
  Counter confirms;          // turns without effects whose lease had run out
  Counter ticks_given_up;    // reminders' ticks dropped by their failure policy
  Counter one_way_given_up;  // one-way messages consumed without effect
};

}  // namespace troupe::actors
