#pragma once

#include <memory>
#include <string>

#include "runtime/base/clock.h"
#include <troupe/function.h>
#include <troupe/time.h>

namespace troupe {

using Work = Function<void()>;

/// Runs what is posted to it, one after another, in the order posted.
class Executor {
 public:
  virtual ~Executor() = default;

  /// From any thread. The work runs later, never inside this call. Work posted to an executor that
  /// has stopped is dropped, unrun.
  virtual void post(Work work) = 0;

  /// As `post`, but not before `when`.
  virtual void post_at(Time when, Work work) = 0;
};

/// An executor with a thread of its own.
///
/// `stop` (and the destructor) runs what is already due, drops the rest and joins the thread. Must
/// not be called from the loop's own thread.
class Loop final : public Executor {
 public:
  /// `name`: of the thread, at most 15 characters.
  Loop(Clock& clock, std::string name);
  ~Loop() override;

  void post(Work work) override;
  void post_at(Time when, Work work) override;
  void stop();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

/// A bounded number of threads that run what is posted, in no particular order: for work that
/// blocks.
class ThreadPool final {
 public:
  ThreadPool(std::size_t threads, std::size_t queue_length_max, const std::string& name);
  ~ThreadPool();

  /// False, and nothing done, when the queue is full or the pool has stopped.
  [[nodiscard]] bool post(Work work);

  /// Finishes what runs, drops what waits, joins the threads.
  void stop();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace troupe
