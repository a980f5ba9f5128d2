#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "runtime/base/clock.h"
#include <troupe/function.h>
#include <troupe/time.h>

namespace troupe::sim {

/// A clock whose hands a simulation moves. Nodes may each have one, stepped apart in wall time.
class SimClock final : public Clock {
 public:
  Time now() const override { return now_; }
  WallTime wall() const override { return WallTime(now_.time_since_epoch() + offset_); }

  /// Requires time >= now().
  void set(Time time) { now_ = time; }
  /// As the operator steps the calendar.
  void step_wall(Duration by) { offset_ += by; }

 private:
  Time now_{std::chrono::hours(1)};
  Duration offset_ = std::chrono::hours(24 * 365 * 56);
};

/// What will happen, in order of time, then in the order in which it was arranged. Runs in the
/// caller's thread; an event may arrange others.
class SimTimeline {
 public:
  explicit SimTimeline(SimClock& clock) : clock_(clock) {}

  Time now() const { return clock_.now(); }

  void at(Time time, Function<void()> event) {
    events_.push_back({std::max(time, now()), ++sequence_, std::move(event)});
    std::ranges::push_heap(events_, later);
  }
  void after(Duration delay, Function<void()> event) { at(now() + delay, std::move(event)); }

  /// Plays everything up to `end`, where the clock stands afterwards, or until `stop()` is true.
  template <class Stop>
  void run_until(Time end, Stop stop) {
    while (!stop() && !events_.empty() && events_.front().time <= end) {
      std::ranges::pop_heap(events_, later);
      Event event = std::move(events_.back());
      events_.pop_back();
      clock_.set(event.time);
      event.happen();
    }
    if (!stop()) clock_.set(end);
  }

 private:
  struct Event {
    Time time;
    std::uint64_t sequence;
    Function<void()> happen;
  };

  static bool later(const Event& a, const Event& b) {
    return a.time != b.time ? a.time > b.time : a.sequence > b.sequence;
  }

  SimClock& clock_;
  std::uint64_t sequence_ = 0;
  std::vector<Event> events_;  // a heap, the next in front
};

}  // namespace troupe::sim
