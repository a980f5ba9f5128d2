#pragma once

#include <cstddef>
#include <memory>

#include "actors/activation/scheduler.h"

namespace troupe::actors {

struct CafSchedulerOptions {
  std::size_t threads = 0;  // 0: one per core
  /// Sharing: one queue. Stealing: one per thread, cheaper for a few busy pairs, but each steal
  /// costs time in proportion to the queue, which collapses with tens of thousands runnable.
  enum class Policy { kSharing, kStealing } policy = Policy::kSharing;
};

/// The C++ Actor Framework's scheduler: a thread per core.
class CafScheduler final : public Scheduler {
 public:
  explicit CafScheduler(CafSchedulerOptions options = {});
  /// As stop().
  ~CafScheduler() override;

  std::unique_ptr<Slot> attach(Runnable& runnable) override;

  /// Runs until all sleep, then ends the threads. Requires that nobody wakes anybody afterwards
  /// but from within a run: stop the actors first. Not from a thread of the scheduler.
  void stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace troupe::actors
