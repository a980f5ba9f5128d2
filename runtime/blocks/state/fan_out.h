#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include <troupe/function.h>

namespace troupe::blocks::state {

/// Runs `count` operations, at most `most` at a time, and gathers what came of them in their order.
///
/// `begin(i, done)` begins the i-th and calls `done` once, on any thread, perhaps inside. `all` is
/// called once, where the last one ended.
template <class T>
class FanOut final : public std::enable_shared_from_this<FanOut<T>> {
 public:
  using Begin = Function<void(std::size_t, Function<void(T)>)>;

  static void run(std::size_t count, std::size_t most, Begin begin,
                  Function<void(std::vector<T>)> all) {
    if (count == 0) return all({});
    auto self = std::make_shared<FanOut>(count, std::move(begin), std::move(all));
    for (std::size_t lane = 0; lane < std::min(count, most); ++lane) self->go_on();
  }

  FanOut(std::size_t count, Begin begin, Function<void(std::vector<T>)> all)
      : count_(count), begin_(std::move(begin)), all_(std::move(all)), left_(count) {
    results_.resize(count);
  }

 private:
  struct Slot {
    std::unique_ptr<T> value;
  };

  // One lane: what ends inside its beginning is followed here, not by recursion.
  void go_on() {
    for (;;) {
      const std::size_t i = next_.fetch_add(1);
      if (i >= count_) return;
      const auto ended = std::make_shared<std::atomic<int>>(0);
      begin_(i, [self = this->shared_from_this(), i, ended](T result) {
        self->results_[i].value = std::make_unique<T>(std::move(result));
        const bool last = self->left_.fetch_sub(1) == 1;
        if (last) return self->finish();
        if (ended->exchange(1) == 1) self->go_on();
      });
      if (ended->exchange(1) == 0) return;  // not yet: its end goes on
    }
  }

  void finish() {
    std::vector<T> results;
    results.reserve(count_);
    for (Slot& each : results_) results.push_back(std::move(*each.value));
    all_(std::move(results));
  }

  const std::size_t count_;
  Begin begin_;
  Function<void(std::vector<T>)> all_;
  std::vector<Slot> results_;
  std::atomic<std::size_t> next_{0};
  std::atomic<std::size_t> left_;
};

}  // namespace troupe::blocks::state
