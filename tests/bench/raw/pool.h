#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/executor.h"
#include "runtime/base/guarded.h"
#include "tests/bench/raw/caf.h"

/// The least that a call between actors can be: a pool of threads, a mailbox with a lock each, and
/// nothing else. No names, no deadlines, no errors, nothing bounded.
namespace troupe::bench {

class Box {
 public:
  using Message = std::shared_ptr<const std::string>;
  using Handler = std::function<void(Message)>;
  explicit Box(ThreadPool& pool) : pool_(pool) {}
  void send(Message message) {
    const bool wake = queue_.with([&](Queue& queue) {
      queue.messages.push_back(std::move(message));
      return !std::exchange(queue.awake, true);
    });
    if (wake) static_cast<void>(pool_.post([this] { run(); }));
  }
  Handler handler;

 private:
  struct Queue {
    std::deque<Message> messages;
    bool awake = false;
  };
  void run() {
    for (;;) {
      Message message = queue_.with([](Queue& queue) {
        Message first;
        if (queue.messages.empty()) {
          queue.awake = false;
        } else {
          first = std::move(queue.messages.front());
          queue.messages.pop_front();
        }
        return first;
      });
      if (!message) return;
      handler(std::move(message));
    }
  }
  ThreadPool& pool_;
  Guarded<Queue> queue_;
};

/// CPU nanoseconds of a call and its reply between two of its boxes.
inline double hand_written_pool() {
  ThreadPool pool(2, 1 << 20, "bench");
  Countdown ended;
  std::vector<std::unique_ptr<Box>> boxes;
  std::vector<int> left(kPairs, kRounds);
  for (int i = 0; i < kPairs; ++i) {
    boxes.push_back(std::make_unique<Box>(pool));
    boxes.push_back(std::make_unique<Box>(pool));
    Box& caller = *boxes[boxes.size() - 2];
    Box& target = *boxes.back();
    target.handler = [&caller](Box::Message message) { caller.send(std::move(message)); };
    caller.handler = [&target, &ended,
                      count = &left[static_cast<std::size_t>(i)]](Box::Message message) {
      if ((*count)-- == 0) return ended.one();
      target.send(std::move(message));
    };
  }
  const auto payload = std::make_shared<const std::string>(100, 'x');
  const double cost = measure([&] {
    for (std::size_t i = 0; i < boxes.size(); i += 2) boxes[i]->send(payload);
    ended.wait();
  });
  pool.stop();
  return cost;
}

}  // namespace troupe::bench
