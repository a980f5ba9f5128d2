#include "runtime/base/executor.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <pthread.h>

namespace troupe {
namespace {

// Longer, and the system's clock, which counts nanoseconds, would run over.
constexpr Duration kLongestWait = std::chrono::hours(24);

void name_this_thread(const std::string& name) {
  pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
}

struct Timed {
  Time when;
  std::uint64_t order;  // first posted, first run
  Work work;
};

// For the heap of std::push_heap, whose front is the greatest.
bool later(const Timed& a, const Timed& b) {
  return std::pair(a.when, a.order) > std::pair(b.when, b.order);
}

}  // namespace

struct Loop::State {
  explicit State(Clock& the_clock) : clock(the_clock) {}

  void run();
  bool take(std::vector<Work>& batch);

  Clock& clock;
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<Work> ready;
  std::vector<Timed> timed;  // a heap
  std::uint64_t next_order = 0;
  bool waiting = false;
  bool stopping = false;
  std::thread thread;
};

Loop::Loop(Clock& clock, std::string name) : state_(std::make_shared<State>(clock)) {
  state_->thread = std::thread([state = state_, name = std::move(name)] {
    name_this_thread(name);
    state->run();
  });
}

Loop::~Loop() { stop(); }

void Loop::post(Work work) {
  bool wake = false;
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->stopping) return;
    state_->ready.push_back(std::move(work));
    wake = std::exchange(state_->waiting, false);
  }
  if (wake) state_->changed.notify_one();
}

void Loop::post_at(Time when, Work work) {
  bool wake = false;
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->stopping) return;
    const std::uint64_t order = state_->next_order++;
    state_->timed.push_back({.when = when, .order = order, .work = std::move(work)});
    std::ranges::push_heap(state_->timed, later);
    // It wakes by itself for what is due before this.
    if (state_->timed.front().order == order) wake = std::exchange(state_->waiting, false);
  }
  if (wake) state_->changed.notify_one();
}

void Loop::stop() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
    state_->waiting = false;
  }
  state_->changed.notify_one();
  if (state_->thread.joinable()) state_->thread.join();
}

void Loop::State::run() {
  std::vector<Work> batch;
  while (take(batch)) {
    for (Work& work : batch) work();
    batch.clear();
  }
  // What was dropped is destroyed here, unlocked: its captures may post.
  std::vector<Work> dropped;
  std::vector<Timed> never;
  const std::lock_guard lock(mutex);
  dropped.swap(ready);
  never.swap(timed);
}

// Waits for work. False once the loop has stopped.
bool Loop::State::take(std::vector<Work>& batch) {
  std::unique_lock lock(mutex);
  for (;;) {
    const Time now = clock.now();
    while (!timed.empty() && timed.front().when <= now) {
      std::ranges::pop_heap(timed, later);
      ready.push_back(std::move(timed.back().work));
      timed.pop_back();
    }
    if (!ready.empty()) {
      batch.swap(ready);
      return true;
    }
    if (stopping) return false;
    waiting = true;
    if (timed.empty()) {
      changed.wait(lock, [&] { return !waiting; });
    } else {
      changed.wait_for(lock, std::min(timed.front().when - now, kLongestWait),
                       [&] { return !waiting; });
      waiting = false;
    }
  }
}

struct ThreadPool::State {
  void run();

  std::size_t queue_length_max = 0;
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Work> queue;
  bool stopping = false;
  std::vector<std::thread> threads;
};

ThreadPool::ThreadPool(std::size_t threads, std::size_t queue_length_max, const std::string& name)
    : state_(std::make_shared<State>()) {
  state_->queue_length_max = queue_length_max;
  for (std::size_t i = 0; i < threads; ++i) {
    state_->threads.emplace_back([state = state_, name] {
      name_this_thread(name);
      state->run();
    });
  }
}

ThreadPool::~ThreadPool() { stop(); }

bool ThreadPool::post(Work work) {
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->stopping || state_->queue.size() >= state_->queue_length_max) return false;
    state_->queue.push_back(std::move(work));
  }
  state_->changed.notify_one();
  return true;
}

void ThreadPool::stop() {
  std::deque<Work> dropped;
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
    dropped.swap(state_->queue);
  }
  state_->changed.notify_all();
  for (std::thread& thread : state_->threads) {
    if (thread.joinable()) thread.join();
  }
}

void ThreadPool::State::run() {
  std::unique_lock lock(mutex);
  for (;;) {
    changed.wait(lock, [&] { return stopping || !queue.empty(); });
    if (queue.empty()) return;
    Work work = std::move(queue.front());
    queue.pop_front();
    lock.unlock();
    work();
    work = nullptr;
    lock.lock();
  }
}

}  // namespace troupe
