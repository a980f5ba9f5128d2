#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <utility>

#include "runtime/base/clock.h"
#include "runtime/base/executor.h"
#include <troupe/function.h>
#include <troupe/result.h>

namespace troupe::blocks::state {

/// Threads for stores whose libraries block. What waits is bounded; what has waited beyond its
/// deadline is dropped undone; everything is answered, also when it stops. Thread-safe.
class Worker final {
 public:
  /// `clock` outlives it.
  Worker(Clock& clock, std::size_t threads, const std::string& name)
      : clock_(clock), threads_(threads, kQueueMax, name) {}
  ~Worker() { stop(); }

  /// `done` gets what `work` gives, on one of the threads; or kTimeout, kExhausted, kUnavailable,
  /// and `work` was not run.
  template <class T, class Work>
  void run(Time deadline, Done<T> done, Work work) {
    auto answer = std::make_shared<Answer<T>>(std::move(done));
    const bool posted = threads_.post([this, deadline, answer, work = std::move(work)]() mutable {
      if (stopped_) return;
      if (clock_.now() >= deadline) {
        return answer->give(fail(Code::kTimeout, "the store had too much to do before this"));
      }
      answer->give(work());
    });
    if (!posted && !stopped_) {
      answer->give(fail(Code::kExhausted, "the store has too much to do already"));
    }
  }

  /// Finishes what runs, answers what waits.
  void stop() {
    stopped_ = true;
    threads_.stop();
  }

 private:
  static constexpr std::size_t kQueueMax = 10'000;

  template <class T>
  class Answer {
   public:
    explicit Answer(Done<T> done) : done_(std::move(done)) {}
    Answer(const Answer&) = delete;
    Answer& operator=(const Answer&) = delete;
    ~Answer() {
      if (done_) give(fail(Code::kUnavailable, "the store is closed"));
    }

    void give(Result<T> result) { std::exchange(done_, nullptr)(std::move(result)); }

   private:
    Done<T> done_;
  };

  Clock& clock_;
  std::atomic<bool> stopped_{false};
  ThreadPool threads_;
};

}  // namespace troupe::blocks::state
