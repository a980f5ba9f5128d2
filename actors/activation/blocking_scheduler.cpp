#include "actors/activation/blocking_scheduler.h"

#include <atomic>
#include <deque>
#include <utility>

#include "runtime/base/executor.h"
#include "runtime/base/guarded.h"

namespace troupe::actors {

struct BlockingScheduler::State {
  explicit State(std::size_t threads) : pool(threads, threads, "troupe-block") {}

  void enqueue(std::shared_ptr<Runnable> runnable);
  void drain();
  std::shared_ptr<Runnable> take();

  Guarded<std::deque<std::shared_ptr<Runnable>>> awake;
  std::atomic<std::size_t> unfinished{0};  // awake or running
  ThreadPool pool;
};

class BlockingScheduler::PoolSlot final : public Slot {
 public:
  explicit PoolSlot(State& state) : state_(state) {}
  void wake(std::shared_ptr<Runnable> self) override {
    state_.unfinished.fetch_add(1, std::memory_order_relaxed);
    state_.enqueue(std::move(self));
  }

 private:
  State& state_;
};

// A full pool has jobs that have not begun: one of those will find it.
void BlockingScheduler::State::enqueue(std::shared_ptr<Runnable> runnable) {
  awake.with([&](auto& queue) { queue.push_back(std::move(runnable)); });
  static_cast<void>(pool.post([this] { drain(); }));
}

std::shared_ptr<Runnable> BlockingScheduler::State::take() {
  return awake.with([](auto& queue) {
    std::shared_ptr<Runnable> first;
    if (!queue.empty()) {
      first = std::move(queue.front());
      queue.pop_front();
    }
    return first;
  });
}

void BlockingScheduler::State::drain() {
  while (std::shared_ptr<Runnable> next = take()) {
    if (next->run() == Runnable::Outcome::kMore) {
      awake.with([&](auto& queue) { queue.push_back(std::move(next)); });
      continue;
    }
    next.reset();
    if (unfinished.fetch_sub(1, std::memory_order_acq_rel) == 1) unfinished.notify_all();
  }
}

BlockingScheduler::BlockingScheduler(std::size_t threads)
    : state_(std::make_unique<State>(threads)) {}

BlockingScheduler::~BlockingScheduler() { stop(); }

std::unique_ptr<Slot> BlockingScheduler::attach(Runnable&) {
  return std::make_unique<PoolSlot>(*state_);
}

void BlockingScheduler::stop() {
  for (std::size_t left = state_->unfinished.load(); left > 0; left = state_->unfinished.load()) {
    state_->unfinished.wait(left);
  }
  state_->pool.stop();
}

}  // namespace troupe::actors
