#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

#include <troupe/time.h>

namespace troupe::actors {

/// Who works when several threads share one queue, thrifty with wake-ups. A core: no thread, clock
/// or lock inside; the shell lets threads sleep and wakes them. Not thread-safe.
///
/// To wake a thread costs more than most jobs do, and what a burst has to say is said in pieces
/// when it is shared out. So one thread goes on alone while it keeps up: while no more waits than
/// is taken, of late, in one `interval`. Of those that sleep meanwhile one keeps watch. Once an
/// interval it looks whether that is still so, or jobs are many, or one of them keeps its thread;
/// then it goes to work. With nobody to keep watch somebody is woken at once.
///
/// Whatever waits, somebody comes for it: one who works, and another keeps watch over him if there
/// is another; or one who has been woken.
template <class Job>
class WorkSharing {
 public:
  /// A thread's place. Lives as long as the queue.
  class Seat {
    friend class WorkSharing;
    enum class Is : std::uint8_t { kNew, kAtWork, kAsleep, kWoken } is_ = Is::kNew;
  };

  /// What a thread does: wakes another, if it should, and then runs `job`, or if there is none
  /// sleeps until it is woken, or, if it keeps watch, until it is time to look.
  struct Next {
    Job* job = nullptr;
    bool watch = false;
    Seat* wake = nullptr;
  };

  /// For a thread that works here now and then, and sleeps elsewhere: from here until it leaves it
  /// is one of those at work, and next_for_guest() gives it jobs. Puts meanwhile wake nobody as
  /// long as it keeps up.
  void enter() {
    ++awake_;
    guests_ = true;
  }
  /// Nothing to do: it may leave.
  Next next_for_guest() {
    Job* const job = take();
    return {.job = job, .wake = somebody_more()};
  }
  /// Whom to wake for what it leaves behind, if anybody.
  Seat* leave() {
    --awake_;
    return somebody_more();
  }

  /// `interval`: from one look to the next.
  explicit WorkSharing(Duration interval) : interval_(interval) {}

  /// Whom to wake, if anybody.
  Seat* put(Job* job) {
    jobs_.push_back(job);
    return somebody_more();
  }

  /// For the thread at `seat` when it has nothing to do: it is new, its job has ended, it has been
  /// woken, or it kept watch for an interval. `now` says the time, if it is asked.
  template <class Now>
  Next next(Seat& seat, Now&& now) {
    if (seat.is_ == Seat::Is::kAsleep) {
      if (&seat == watcher_ && !look(now())) return {.watch = watcher_ != nullptr};
      if (jobs_.empty()) return {.watch = &seat == watcher_};  // woken by nobody
      rouse(seat);
    }
    if (seat.is_ == Seat::Is::kWoken) --woken_;
    if (seat.is_ == Seat::Is::kNew) ++awake_;
    seat.is_ = Seat::Is::kAtWork;
    if (jobs_.empty()) return {.watch = fall_asleep(seat, now())};
    Job* const job = take();
    return {.job = job, .wake = somebody_more()};
  }

  /// The first of what waits; null if nothing does.
  Job* take() {
    if (jobs_.empty()) return nullptr;
    Job* const first = jobs_.front();
    jobs_.pop_front();
    ++taken_;
    return first;
  }

 private:
  Seat* somebody_more() {
    const bool kept_up = awake_ > 0 && watcher_ != nullptr && jobs_.size() <= pace_;
    if (jobs_.empty() || asleep_.empty() || woken_ > 0 || kept_up) return nullptr;
    // Rather not the one who keeps watch.
    const bool spare = asleep_.size() > 1 && asleep_.back() == watcher_;
    Seat* const seat = spare ? asleep_.end()[-2] : asleep_.back();
    rouse(*seat);
    seat->is_ = Seat::Is::kWoken;
    ++woken_;
    return seat;
  }

  // Of the one who keeps watch: whether to help. Nobody watches over nobody.
  bool look(Time now) {
    const std::size_t before = taken_;
    measure(now);
    const bool behind = jobs_.size() > before;
    if (awake_ == 0 && before == 0) {
      watcher_ = nullptr;
      guests_ = false;
    }
    return behind;
  }

  // Rises at once and sinks slowly: bursts come with pauses. But a pace that is not kept is none.
  void measure(Time now) {
    const Duration passed = now - since_;
    if (passed < interval_) return;
    const auto intervals = static_cast<std::size_t>(passed / interval_);
    const std::size_t taken = std::exchange(taken_, 0) / intervals;
    pace_ = jobs_.empty() ? std::max(taken, pace_ - pace_ / kForgetting) : taken;
    since_ = now;
  }

  bool fall_asleep(Seat& seat, Time now) {
    measure(now);
    seat.is_ = Seat::Is::kAsleep;
    asleep_.push_back(&seat);
    --awake_;
    if (watcher_ != nullptr || (awake_ == 0 && !guests_)) return false;
    watcher_ = &seat;
    return true;
  }

  void rouse(Seat& seat) {
    std::erase(asleep_, &seat);
    ++awake_;
    if (watcher_ == &seat) watcher_ = nullptr;
  }

  static constexpr std::size_t kForgetting = 8;

  const Duration interval_;
  std::deque<Job*> jobs_;
  std::vector<Seat*> asleep_;  // who fell asleep last is the last
  Seat* watcher_ = nullptr;    // one of them
  bool guests_ = false;        // of late: they come again
  std::size_t awake_ = 0;
  std::size_t woken_ = 0;  // of these, on their way
  Time since_{};
  std::size_t taken_ = 0;  // since then
  std::size_t pace_ = 0;   // so many in an interval
};

}  // namespace troupe::actors
