#pragma once

#include <cstdint>
#include <memory>

namespace troupe::actors {

/// Something that has work now and then, and sleeps in between.
class Runnable {
 public:
  enum class Outcome : std::uint8_t { kMore, kAsleep };

  virtual ~Runnable() = default;

  /// Does some of what is pending: little enough that others get their share. Never runs on two
  /// threads at once. kMore: run me again, after the others. kAsleep: whoever brings work wakes me,
  /// perhaps before this call has returned.
  virtual Outcome run() = 0;
};

/// A Runnable's place with a scheduler.
class Slot {
 public:
  virtual ~Slot() = default;

  /// Has `self`, the Runnable that was attached, run soon, on another thread or later on this one,
  /// never inside this call. From any thread. Requires that it sleeps: exactly one of those who
  /// bring work to a sleeper wakes it; see Mailbox.
  virtual void wake(std::shared_ptr<Runnable> self) = 0;
};

/// Shares threads out among many Runnables. Thread-safe.
class Scheduler {
 public:
  virtual ~Scheduler() = default;

  /// `runnable` sleeps at first. The slot must not outlive the scheduler.
  virtual std::unique_ptr<Slot> attach(Runnable& runnable) = 0;

  /// For a Runnable about to run something that may take long: what it has woken need not wait for
  /// this thread.
  virtual void share() {}

  /// For a thread that is about to wake many: until release(), they gather, so that whoever runs
  /// them is not woken for each. Only so many; not from a thread of the scheduler.
  virtual void hold() {}
  virtual void release() {}
  /// As release(), but this thread runs some of them itself, and of what they wake, as one of the
  /// scheduler's. True: more waits, for this thread first of all, so that it must come again soon,
  /// with hold(), and end with release() or by a false. Others that have nothing to do come for
  /// what waits for longer than a moment.
  virtual bool release_and_help() {
    release();
    return false;
  }
};

}  // namespace troupe::actors
