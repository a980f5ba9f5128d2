#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <utility>

#include "runtime/base/random.h"
#include "tests/support/sim_timeline.h"
#include <troupe/function.h>
#include <troupe/time.h>

namespace troupe::sim {

/// A disk with a write-ahead log: batches become durable whole and in order, each after a while.
/// What a crash finds unsynced survives up to a random batch, and is lost from there on.
template <class Batch>
class SimDisk {
 public:
  /// `apply` puts a batch into the durable state, which the owner keeps.
  SimDisk(SimTimeline& timeline, Random& random, Function<void(Batch&)> apply)
      : timeline_(timeline), random_(random), apply_(std::move(apply)) {}

  Duration latency_min = std::chrono::microseconds(100);
  Duration latency_max = std::chrono::milliseconds(3);

  /// `done` is called when it is durable, never from inside this call, and not after a crash.
  void write(Batch batch, Function<void()> done) {
    const auto spread = static_cast<std::uint64_t>((latency_max - latency_min).count());
    const Duration latency =
        latency_min + Duration(static_cast<Duration::rep>(random_.below(spread + 1)));
    free_at_ = std::max(free_at_, timeline_.now() + latency);
    unsynced_.push_back({std::move(batch), std::move(done)});
    timeline_.at(free_at_, [this, life = life_] {
      if (life == life_) sync_one();
    });
  }

  void crash() {
    for (auto kept = random_.below(unsynced_.size() + 1); kept > 0; --kept) {
      apply_(unsynced_.front().batch);
      unsynced_.pop_front();
    }
    forget();
  }

  /// Loses all that is unsynced.
  void forget() {
    unsynced_.clear();
    free_at_ = {};
    ++life_;
  }

 private:
  struct Write {
    Batch batch;
    Function<void()> done;
  };

  void sync_one() {
    Write write = std::move(unsynced_.front());
    unsynced_.pop_front();
    apply_(write.batch);
    write.done();
  }

  SimTimeline& timeline_;
  Random& random_;
  Function<void(Batch&)> apply_;
  std::deque<Write> unsynced_;
  Time free_at_;
  std::uint64_t life_ = 0;
};

}  // namespace troupe::sim
