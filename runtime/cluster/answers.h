#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>

#include "runtime/base/clock.h"
#include "runtime/base/executor.h"
#include "runtime/base/network.h"
#include "runtime/cluster/frames.h"
#include <troupe/time.h>

namespace troupe::cluster {

/// Replies to calls from other nodes, on their way back.
///
/// A caller that reaches this node may not be reached by it yet: its process, or this one, has just
/// begun. So what cannot be sent is tried again for 5 s; if that lasts the connection is gone, and
/// the caller asks again by itself.
class Answers {
 public:
  /// All outlive it.
  Answers(Clock& clock, Executor& loop, Network& network);
  ~Answers() { *alive_ = false; }

  /// Thread-safe. Beyond 10,000 that wait, replies that cannot be sent are dropped.
  void send(NodeId to, const ReplyFrame& reply);
  std::size_t waiting() const { return waiting_.load(std::memory_order_relaxed); }

 private:
  void try_again(NodeId to, std::string bytes, Time until);

  Clock& clock_;
  Executor& loop_;
  Network& network_;
  std::atomic<std::size_t> waiting_ = 0;
  std::shared_ptr<std::atomic<bool>> alive_ = std::make_shared<std::atomic<bool>>(true);
};

}  // namespace troupe::cluster
