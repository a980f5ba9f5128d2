#pragma once

#include <atomic>
#include <string>
#include <utility>

#include "runtime/base/ids.h"
#include <troupe/time.h>

namespace troupe::actors {

/// This node's right to run the actors of one type in one shard, under one epoch.
///
/// The node loop prolongs and ends it; activations check it before a turn begins and before
/// anything leaves. Once ended it never holds again: a new right has a higher epoch. Thread-safe.
class Right {
 public:
  Right(ShardId the_shard, std::string the_type, Epoch the_epoch)
      : shard(the_shard), type(std::move(the_type)), epoch(the_epoch) {}

  /// Turns may begin, and what they did may leave.
  bool holds(Time now) const {
    return state_.load(std::memory_order_acquire) == State::kHeld &&
           now.time_since_epoch().count() < valid_until_.load(std::memory_order_acquire);
  }
  /// No new turn begins; those begun may finish. For a planned move.
  bool draining() const { return state_.load(std::memory_order_acquire) == State::kDraining; }
  /// What a turn did may leave: held or draining, and in time.
  bool lets_out(Time now) const {
    return state_.load(std::memory_order_acquire) != State::kEnded &&
           now.time_since_epoch().count() < valid_until_.load(std::memory_order_acquire);
  }
  /// Whether this node has anything that runs the actors of its type: a program beside the node
  /// may be away for a while.
  bool hosted() const { return hosted_.load(std::memory_order_acquire); }
  bool ended() const { return state_.load(std::memory_order_acquire) == State::kEnded; }
  Time valid_until() const { return Time(Duration(valid_until_.load(std::memory_order_acquire))); }

  /// For the node loop only.
  void prolong(Time until) {
    valid_until_.store(until.time_since_epoch().count(), std::memory_order_release);
  }
  void drain() {
    State held = State::kHeld;
    state_.compare_exchange_strong(held, State::kDraining);
  }
  void host(bool hosted) { hosted_.store(hosted, std::memory_order_release); }
  void end() { state_.store(State::kEnded, std::memory_order_release); }

  const ShardId shard;
  const std::string type;
  const Epoch epoch;

 private:
  enum class State : std::uint8_t { kHeld, kDraining, kEnded };

  std::atomic<State> state_{State::kHeld};
  std::atomic<bool> hosted_{true};
  std::atomic<Duration::rep> valid_until_{0};
};

}  // namespace troupe::actors
