#pragma once

#include <cstdint>
#include <memory>

#include "actors/activation/scheduler.h"
#include "runtime/base/clock.h"
#include "runtime/base/executor.h"

namespace troupe::node {

/// Runs work on the threads of the actors, one after another and in order: what comes in for many
/// actors wakes a thread once, and what many have to say is said together.
///
/// Turns that keep all these threads do not keep the work: after some milliseconds it runs on
/// another thread. Thread-safe.
class RunQueue {
 public:
  enum class Place : std::uint8_t {
    kNext,    // as anything that is woken
    kBehind,  // all that waits for a thread when it is posted runs first
  };

  /// All outlive it, and `fallback` and `scheduler` stop before it is gone. Nothing is posted after
  /// that.
  RunQueue(actors::Scheduler& scheduler, Executor& fallback, Clock& clock, Place place);
  ~RunQueue();
  RunQueue(const RunQueue&) = delete;
  RunQueue& operator=(const RunQueue&) = delete;

  void post(Work work);

 private:
  class Runner;
  const std::shared_ptr<Runner> runner_;
};

}  // namespace troupe::node
