#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "actors/activation/scheduler.h"

namespace troupe::actors {

struct CafSchedulerOptions {
  std::size_t threads = 0;  // 0: one per core
  /// Sharing: one queue, see CafSharing. Stealing: one per thread, cheaper for a few busy pairs,
  /// but each steal costs time in proportion to the queue, which collapses with tens of thousands
  /// runnable.
  enum class Policy : std::uint8_t { kSharing, kStealing } policy = Policy::kSharing;
};

/// The C++ Actor Framework's scheduler: a thread per core.
///
/// What a Runnable wakes last, its thread runs next, past the queue: a call and its reply stay on
/// one core and cost no lock and no wake-up. Only so many in a row, then others get their share.
class CafScheduler final : public Scheduler {
 public:
  explicit CafScheduler(CafSchedulerOptions options = {});
  /// As stop().
  ~CafScheduler() override;

  std::unique_ptr<Slot> attach(Runnable& runnable) override;
  void share() override;
  void hold() override;
  void release() override;
  bool release_and_help() override;

  /// Runs until all sleep, then ends the threads. Requires that nobody wakes anybody afterwards
  /// but from within a run: stop the actors first. Not from a thread of the scheduler.
  void stop();

 private:
  struct State;
  class Job;
  class JobSlot;
  std::unique_ptr<State> state_;
};

}  // namespace troupe::actors
