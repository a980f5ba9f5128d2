#pragma once

#include <algorithm>
#include <deque>
#include <memory>
#include <utility>

#include "runtime/base/executor.h"
#include "tests/support/sim_timeline.h"
#include <troupe/function.h>
#include <troupe/time.h>

namespace troupe::sim {

/// A process in a simulation: what happens to it happens in order, is saved up while it is paused,
/// and is lost once it has been killed.
class SimProcess : public std::enable_shared_from_this<SimProcess> {
 public:
  explicit SimProcess(SimTimeline& timeline) : timeline_(timeline) {}

  bool alive() const { return alive_; }
  bool paused() const { return paused_; }
  Time now() const { return timeline_.now(); }
  /// When it was last resumed.
  Time resumed_at() const { return resumed_at_; }

  /// Called after each event: for what runs whenever there is something to run.
  Function<void()> after_each;

  /// Happens now, inside this call, unless paused.
  void happens(Function<void()> event) {
    if (!alive_) return;
    if (paused_) return saved_.push_back(std::move(event));
    event();
    if (alive_ && after_each) after_each();
  }
  void at(Time when, Function<void()> event) {
    if (!alive_) return;
    timeline_.at(when, [self = shared_from_this(), event = std::move(event)]() mutable {
      self->happens(std::move(event));
    });
  }

  /// As kill -9: nothing happens to it any more. Its objects may still stand.
  void kill() {
    alive_ = false;
    saved_.clear();
  }
  void pause() { paused_ = true; }
  void resume() {
    paused_ = false;
    resumed_at_ = now();
    for (std::deque<Function<void()>> saved = std::exchange(saved_, {}); !saved.empty();) {
      Function<void()> event = std::move(saved.front());
      saved.pop_front();
      happens(std::move(event));
    }
  }

 private:
  SimTimeline& timeline_;
  bool alive_ = true;
  bool paused_ = false;
  Time resumed_at_{};
  std::deque<Function<void()>> saved_;
};

/// A thread of such a process.
class SimExecutor final : public Executor {
 public:
  explicit SimExecutor(std::shared_ptr<SimProcess> process) : process_(std::move(process)) {}

  void post(Work work) override { process_->at(process_->now(), std::move(work)); }
  void post_at(Time when, Work work) override { process_->at(when, std::move(work)); }

 private:
  std::shared_ptr<SimProcess> process_;
};

}  // namespace troupe::sim
