#pragma once

#include <atomic>
#include <cstddef>
#include <deque>

#include <caf/policy/unprofiled.hpp>
#include <caf/resumable.hpp>
#include <caf/scheduler/abstract_coordinator.hpp>

#include "runtime/base/guarded.h"

namespace troupe::actors {

/// One queue for all threads of a CAF scheduler, as caf::policy::work_sharing, but thrifty with
/// wake-ups: nobody is woken while the queue is locked, nor while another is on its way. Who comes
/// to work wakes the next if more waits than it can take, so that a burst of work from outside
/// costs one wake-up as long as one thread keeps up with it.
class CafSharing : public caf::policy::unprofiled {
 public:
  class coordinator_data {  // NOLINT(readability-identifier-naming): CAF's name
   public:
    explicit coordinator_data(caf::scheduler::abstract_coordinator*) {}

    void put(caf::resumable* job) {
      const bool wake = state_.with([&](State& state) {
        state.jobs.push_back(job);
        return state.should_wake();
      });
      if (wake) wake_one();
    }

    caf::resumable* take() {
      for (;;) {
        const int seen = wakes_.load(std::memory_order_acquire);
        bool wake = false;
        caf::resumable* const job = state_.with([&](State& state) -> caf::resumable* {
          if (state.jobs.empty()) {
            ++state.asleep;
            return nullptr;
          }
          caf::resumable* const first = state.jobs.front();
          state.jobs.pop_front();
          wake = !state.jobs.empty() && state.should_wake();
          return first;
        });
        if (wake) wake_one();
        if (job != nullptr) return job;
        wakes_.wait(seen, std::memory_order_acquire);
        state_.with([](State& state) {
          --state.asleep;
          state.waking = false;
        });
      }
    }

    caf::resumable* take_if_any() {
      return state_.with([](State& state) -> caf::resumable* {
        if (state.jobs.empty()) return nullptr;
        caf::resumable* const first = state.jobs.front();
        state.jobs.pop_front();
        return first;
      });
    }

   private:
    struct State {
      std::deque<caf::resumable*> jobs;
      std::size_t asleep = 0;  // threads, those just woken included
      bool waking = false;     // one of them has been woken, and is not at work yet

      bool should_wake() {
        if (asleep == 0 || waking) return false;
        waking = true;
        return true;
      }
    };

    void wake_one() {
      wakes_.fetch_add(1, std::memory_order_release);
      wakes_.notify_one();
    }

    Guarded<State> state_;
    std::atomic<int> wakes_{0};
  };

  struct worker_data {  // NOLINT(readability-identifier-naming): CAF's name
    explicit worker_data(caf::scheduler::abstract_coordinator*) {}
  };

  template <class Coordinator>
  void central_enqueue(Coordinator* self, caf::resumable* job) {
    d(self).put(job);
  }
  template <class Worker>
  void external_enqueue(Worker* self, caf::resumable* job) {
    d(self->parent()).put(job);
  }
  template <class Worker>
  void internal_enqueue(Worker* self, caf::resumable* job) {
    d(self->parent()).put(job);
  }
  template <class Worker>
  void resume_job_later(Worker* self, caf::resumable* job) {
    d(self->parent()).put(job);
  }
  template <class Worker>
  caf::resumable* dequeue(Worker* self) {
    return d(self->parent()).take();
  }
  template <class Worker, class Use>
  void foreach_resumable(Worker*, Use) {}
  template <class Coordinator, class Use>
  void foreach_central_resumable(Coordinator* self, Use use) {
    while (caf::resumable* const job = d(self).take_if_any()) use(job);
  }
};

}  // namespace troupe::actors
