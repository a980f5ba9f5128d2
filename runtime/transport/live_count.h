#pragma once

#include <cstddef>
#include <future>
#include <vector>

#include "runtime/base/guarded.h"
#include <troupe/time.h>

namespace troupe::transport {

/// Counts the operations that gRPC still works on, so that stop() can wait for the last of them.
/// Thread-safe.
class LiveCount {
 public:
  void add() {
    state_.with([](State& state) { ++state.count; });
  }

  void remove() {
    std::vector<std::promise<void>> waiting;
    state_.with([&](State& state) {
      if (--state.count == 0) waiting.swap(state.waiting);
    });
    for (std::promise<void>& each : waiting) each.set_value();
  }

  /// Whether none is left, at the latest after `patience`.
  bool wait(Duration patience) {
    std::promise<void> none;
    std::future<void> over = none.get_future();
    const bool idle = state_.with([&](State& state) {
      if (state.count != 0) state.waiting.push_back(std::move(none));
      return state.count == 0;
    });
    return idle || over.wait_for(patience) == std::future_status::ready;
  }

 private:
  struct State {
    std::size_t count = 0;
    std::vector<std::promise<void>> waiting;
  };
  Guarded<State> state_;
};

}  // namespace troupe::transport
