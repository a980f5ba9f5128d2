#include "runtime/transport/queue_threads.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <utility>

#include <grpcpp/completion_queue.h>

#include "runtime/base/guarded.h"
#include "runtime/transport/grpc_calls.h"

namespace troupe::transport {
namespace {

// How often somebody looks whether the thread is kept: another serves after at most twice as long.
constexpr Duration kLookInterval = std::chrono::milliseconds(2);

}  // namespace

struct QueueThreads::State final : std::enable_shared_from_this<State> {
  State(Clock& the_clock, Executor& the_watch, NetworkListener& the_listener)
      : clock(the_clock), watch(the_watch), listener(the_listener) {}

  void serve(std::uint64_t mine) {
    bool goes_on = false;  // the listener, with what it has begun here
    void* tag = nullptr;
    bool ok = false;
    while (reign.load(std::memory_order_acquire) == mine) {
      const gpr_timespec until =
          goes_on ? gpr_time_0(GPR_CLOCK_MONOTONIC) : gpr_inf_future(GPR_CLOCK_MONOTONIC);
      const Status status = queue->AsyncNext(&tag, &ok, until);
      if (status == Status::SHUTDOWN) break;
      listener.work_begins();
      if (status == Status::GOT_EVENT) Operation::end(tag, ok);
      const bool may_stay = begin_stay();
      goes_on = listener.work_ends(may_stay);
      if (may_stay) end_stay();
    }
    if (!goes_on) return;
    listener.work_begins();
    static_cast<void>(listener.work_ends(false));
  }

  void begin_reign() { hand_over(end_reign()); }

  std::uint64_t end_reign() { return reign.fetch_add(1, std::memory_order_acq_rel) + 1; }
  void hand_over(std::uint64_t next) {
    threads[next % threads.size()].post([this, next] { serve(next); });
  }

  bool begin_stay() {
    bool watched = true;
    const bool may = stays.with([&](Stays& now) {
      if (now.kept) return false;
      now.staying = true;
      ++now.count;
      watched = std::exchange(now.watched, true);
      return true;
    });
    if (!watched) look_later();
    return may;
  }

  void end_stay() {
    stays.with([](Stays& now) {
      now.staying = false;
      now.kept = false;
    });
  }

  void look_later() {
    watch.post_at(clock.now() + kLookInterval, [weak = weak_from_this()] {
      if (const std::shared_ptr<State> self = weak.lock()) self->look();
    });
  }

  // Two looks at the same stay: its thread is kept. It serves no more from before its stay can
  // end, or two would.
  void look() {
    const auto [next, again] = stays.with([this](Stays& now) {
      const bool same = std::exchange(now.seen, now.count) == now.count;
      const bool takes_over = same && now.staying && !now.kept && !now.stopping;
      if (takes_over) now.kept = true;
      now.watched = !same || (now.staying && !now.kept);
      return std::pair(takes_over ? std::optional(end_reign()) : std::nullopt, now.watched);
    });
    if (next) hand_over(*next);
    if (again) look_later();
  }

  using Status = grpc::CompletionQueue::NextStatus;
  struct Stays {
    std::uint64_t count = 0;
    std::uint64_t seen = 0;  // at the last look
    bool staying = false;
    bool kept = false;     // that one: another thread serves meanwhile
    bool watched = false;  // a look is due
    bool stopping = false;
  };

  Clock& clock;
  Executor& watch;
  NetworkListener& listener;
  grpc::CompletionQueue* queue = nullptr;
  std::atomic<std::uint64_t> reign = 0;  // of the thread that serves: they take turns
  Guarded<Stays> stays;
  std::array<Loop, 2> threads{Loop(clock, "peers"), Loop(clock, "peers")};
};

QueueThreads::QueueThreads(Clock& clock, Executor& watch, NetworkListener& listener)
    : state_(std::make_shared<State>(clock, watch, listener)) {}

QueueThreads::~QueueThreads() { stop(); }

void QueueThreads::start(grpc::CompletionQueue& queue) {
  state_->queue = &queue;
  state_->begin_reign();
}

// Whoever was about to take over may have come too late: what is left is handled here.
void QueueThreads::stop() {
  state_->stays.with([](auto& stays) { stays.stopping = true; });
  for (Loop& thread : state_->threads) thread.stop();
  if (grpc::CompletionQueue* const queue = std::exchange(state_->queue, nullptr)) drain(*queue);
}

}  // namespace troupe::transport
