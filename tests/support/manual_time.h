#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <utility>

#include "runtime/base/clock.h"
#include "runtime/base/executor.h"

namespace troupe::testing {

/// A clock that moves when told to. Not thread-safe.
class ManualClock final : public Clock {
 public:
  Time now() const override { return now_; }
  WallTime wall() const override { return wall_; }

  void advance(Duration by) {
    now_ += by;
    wall_ += by;
  }

 private:
  Time now_{std::chrono::hours(1)};
  WallTime wall_{std::chrono::hours(24 * 365 * 50)};
};

/// Runs on the thread that says so, by a ManualClock. Not thread-safe.
class ManualExecutor final : public Executor {
 public:
  explicit ManualExecutor(ManualClock& clock) : clock_(clock) {}

  void post(Work work) override { ready_.push_back(std::move(work)); }
  void post_at(Time when, Work work) override {
    timed_.emplace(std::pair(when, next_++), std::move(work));
  }

  /// Runs one thing that is due. False if there is none.
  bool step() {
    if (ready_.empty() && !timed_.empty() && timed_.begin()->first.first <= clock_.now()) {
      ready_.push_back(std::move(timed_.extract(timed_.begin()).mapped()));
    }
    if (ready_.empty()) return false;
    Work work = std::move(ready_.front());
    ready_.pop_front();
    work();
    return true;
  }
  /// When the next timed work is due; Time::max() if there is none.
  Time next() const { return timed_.empty() ? Time::max() : timed_.begin()->first.first; }

 private:
  ManualClock& clock_;
  std::deque<Work> ready_;
  std::map<std::pair<Time, std::uint64_t>, Work> timed_;
  std::uint64_t next_ = 0;
};

}  // namespace troupe::testing
