#include "runtime/node/run_queue.h"

#include <utility>
#include <vector>

#include "runtime/base/guarded.h"

namespace troupe::node {
namespace {

// How often somebody looks whether work waits in vain: it does so for at most twice as long.
constexpr Duration kLookInterval = std::chrono::milliseconds(2);

}  // namespace

class RunQueue::Runner final : public actors::Runnable,
                               public std::enable_shared_from_this<Runner> {
 public:
  Runner(actors::Scheduler& scheduler, Executor& fallback, Clock& clock, Place place)
      : fallback_(fallback), clock_(clock), place_(place), slot_(scheduler.attach(*this)) {}

  void post(Work work) {
    bool looks = true;
    const bool wake = state_.with([&](State& state) {
      state.works.push_back(std::move(work));
      looks = std::exchange(state.looked_after, true);
      return !std::exchange(state.awake, true);
    });
    if (wake) slot_->wake(shared_from_this());
    if (!looks) look_later();
  }

  // Steps back once after waking, if it is to: who wakes here may be run before others that wait.
  Outcome run() override {
    if (place_ == Place::kBehind && std::exchange(steps_back_, false)) return Outcome::kMore;
    run_all();
    const bool more = state_.with([&](State& state) {
      state.awake = !state.works.empty();
      // Before another thread may run this again.
      steps_back_ = true;
      return state.awake;
    });
    return more ? Outcome::kMore : Outcome::kAsleep;
  }

 private:
  struct State {
    std::vector<Work> works;
    bool awake = false;
    bool running = false;
    bool ran = false;           // since the last look
    bool looked_after = false;  // a look is due
  };

  void run_all() {
    std::vector<Work> works = state_.with([](State& state) -> std::vector<Work> {
      if (state.running) return {};
      state.ran = true;
      state.running = !state.works.empty();
      return std::exchange(state.works, {});
    });
    if (works.empty()) return;
    for (Work& work : works) work();
    works.clear();
    state_.with([](State& state) { state.running = false; });
  }

  void look_later() {
    fallback_.post_at(clock_.now() + kLookInterval, [weak = weak_from_this()] {
      if (const std::shared_ptr<Runner> self = weak.lock()) self->look();
    });
  }

  void look() {
    const bool in_vain = state_.with([](State& state) {
      const bool idle = !std::exchange(state.ran, false);
      state.looked_after = !idle || !state.works.empty();
      return idle && !state.works.empty();
    });
    if (in_vain) run_all();
    if (state_.with([](const State& state) { return state.looked_after; })) look_later();
  }

  Executor& fallback_;
  Clock& clock_;
  const Place place_;
  const std::unique_ptr<actors::Slot> slot_;
  bool steps_back_ = true;  // of who runs
  Guarded<State> state_;
};

RunQueue::RunQueue(actors::Scheduler& scheduler, Executor& fallback, Clock& clock, Place place)
    : runner_(std::make_shared<Runner>(scheduler, fallback, clock, place)) {}
RunQueue::~RunQueue() = default;

void RunQueue::post(Work work) { runner_->post(std::move(work)); }

}  // namespace troupe::node
