#pragma once

#include <cstddef>
#include <deque>
#include <memory>

#include "actors/activation/scheduler.h"

namespace troupe::actors {

/// Runs what is awake in the order of the wakes, on the thread that says so: for tests and
/// simulations. Not thread-safe.
class InlineScheduler final : public Scheduler {
 public:
  std::unique_ptr<Slot> attach(Runnable& runnable) override;

  /// Runs one of those awake. False if all sleep.
  bool step();
  /// Steps until all sleep.
  void run();
  std::size_t awake() const { return awake_.size(); }

 private:
  class InlineSlot;
  std::deque<std::shared_ptr<Runnable>> awake_;
};

}  // namespace troupe::actors
