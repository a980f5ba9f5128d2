#pragma once

#include <chrono>

#include <caf/policy/unprofiled.hpp>
#include <caf/resumable.hpp>
#include <caf/scheduler/abstract_coordinator.hpp>

#include "actors/activation/work_sharing.h"
#include "runtime/base/clock.h"
#include "runtime/base/doorbell.h"
#include "runtime/base/guarded.h"

namespace troupe::actors {

/// One queue for all threads of a CAF scheduler, as caf::policy::work_sharing, but thrifty with
/// wake-ups: see WorkSharing. Nobody is woken while the queue is locked.
class CafSharing : public caf::policy::unprofiled {
 public:
  using Sharing = WorkSharing<caf::resumable>;

  // What jobs wait for at most while others are free: twice this, if one keeps its thread; once, if
  // they are just many. Shorter, and looking costs more while there is little to do.
  static constexpr Duration kLookInterval = std::chrono::milliseconds(1);

  struct Seat : Sharing::Seat {
    Doorbell bell;
  };

  class coordinator_data {  // NOLINT(readability-identifier-naming): CAF's name
   public:
    explicit coordinator_data(caf::scheduler::abstract_coordinator*) {}

    void put(caf::resumable* job) {
      wake(sharing_.with([&](Sharing& sharing) { return sharing.put(job); }));
    }

    caf::resumable* take(Seat& seat) {
      for (;;) {
        const Sharing::Next next = sharing_.with(
            [&](Sharing& sharing) { return sharing.next(seat, [this] { return clock_.now(); }); });
        wake(next.wake);
        if (next.job != nullptr) return next.job;
        if (next.watch) {
          static_cast<void>(seat.bell.wait_for(kLookInterval));
        } else {
          seat.bell.wait();
        }
      }
    }

    // For a guest, see WorkSharing: between enter() and leave().
    void enter() {
      sharing_.with([](Sharing& sharing) { sharing.enter(); });
    }
    caf::resumable* take_as_guest() {
      const Sharing::Next next =
          sharing_.with([](Sharing& sharing) { return sharing.next_for_guest(); });
      wake(next.wake);
      return next.job;
    }
    void leave() {
      wake(sharing_.with([](Sharing& sharing) { return sharing.leave(); }));
    }

    caf::resumable* take_if_any() {
      return sharing_.with([](Sharing& sharing) { return sharing.take(); });
    }

   private:
    static void wake(Sharing::Seat* seat) {
      if (seat != nullptr) static_cast<Seat*>(seat)->bell.ring();
    }

    const SystemClock clock_;
    Guarded<Sharing> sharing_{Sharing(kLookInterval)};
  };

  struct worker_data {  // NOLINT(readability-identifier-naming): CAF's name
    explicit worker_data(caf::scheduler::abstract_coordinator*) {}
    worker_data(const worker_data&) {}  // CAF copies a new one into each worker

    Seat seat;
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
    return d(self->parent()).take(d(self).seat);
  }
  template <class Worker, class Use>
  void foreach_resumable(Worker*, Use) {}
  template <class Coordinator, class Use>
  void foreach_central_resumable(Coordinator* self, Use use) {
    while (caf::resumable* const job = d(self).take_if_any()) use(job);
  }
};

}  // namespace troupe::actors
