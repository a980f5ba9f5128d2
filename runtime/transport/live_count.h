#pragma once

#include <cstddef>
#include <future>
#include <memory>
#include <utility>
#include <vector>

#include "runtime/base/executor.h"
#include "runtime/base/guarded.h"
#include <troupe/time.h>

namespace troupe::transport {

/// Counts the operations that gRPC still works on, so that stop() can wait until the last of them
/// is over and gone. Thread-safe.
///
/// An operation ends on one of gRPC's threads, and must not be destroyed there: with the last
/// channel gRPC joins these threads, of which one would then join itself.
class LiveCount {
 public:
  /// Operations are destroyed on `undertaker`.
  explicit LiveCount(std::shared_ptr<Executor> undertaker) : undertaker_(std::move(undertaker)) {}

  void add() {
    state_.with([](State& state) { ++state.count; });
  }

  /// The end of what was added: runs `last`, then destroys `operation`, then counts it out, all on
  /// the undertaker. The caller uses neither the operation nor this count afterwards.
  template <class Operation>
  void retire(std::shared_ptr<Operation> operation, Work last) {
    // Posting may still be returning when everything else has been destroyed.
    const std::shared_ptr<Executor> undertaker = undertaker_;
    undertaker->post([this, operation = std::move(operation), last = std::move(last)]() mutable {
      last();
      last = nullptr;
      operation.reset();
      remove();
    });
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
  void remove() {
    std::vector<std::promise<void>> waiting;
    state_.with([&](State& state) {
      if (--state.count == 0) waiting.swap(state.waiting);
    });
    for (std::promise<void>& each : waiting) each.set_value();
  }

  struct State {
    std::size_t count = 0;
    std::vector<std::promise<void>> waiting;
  };
  const std::shared_ptr<Executor> undertaker_;
  Guarded<State> state_;
};

}  // namespace troupe::transport
