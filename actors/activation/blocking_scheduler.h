#pragma once

#include <cstddef>
#include <memory>

#include "actors/activation/scheduler.h"

namespace troupe::actors {

/// A pool of threads that may block, for types marked `blocking`. As many turns as it has threads
/// run at once; the others wait, in the order of their wakes.
class BlockingScheduler final : public Scheduler {
 public:
  explicit BlockingScheduler(std::size_t threads);
  /// As stop().
  ~BlockingScheduler() override;

  std::unique_ptr<Slot> attach(Runnable& runnable) override;

  /// Runs until all sleep, then joins the threads. As CafScheduler::stop().
  void stop();

 private:
  struct State;
  class PoolSlot;
  std::unique_ptr<State> state_;
};

}  // namespace troupe::actors
