#pragma once

#include <memory>

#include "runtime/base/clock.h"
#include "runtime/base/executor.h"
#include "runtime/base/network.h"

namespace grpc {
class CompletionQueue;
}

namespace troupe::transport {

/// Serves a completion queue of gRPC's: one thread takes what ends there and does what follows,
/// and lets the listener run turns of actors.
///
/// Two threads that serve one queue wake one another for each packet, and wake a third for the
/// turns; that costs more than the packet and the turns. So one does it all. But the listener may
/// keep it for longer than it should, in a turn that is long. Then a second one serves the queue
/// within some milliseconds, and is not lent to the listener until the first is back: leases and
/// replication do not wait for turns.
class QueueThreads {
 public:
  /// `watch` looks after a thread that the listener keeps. All outlive this.
  QueueThreads(Clock& clock, Executor& watch, NetworkListener& listener);
  ~QueueThreads();
  QueueThreads(const QueueThreads&) = delete;
  QueueThreads& operator=(const QueueThreads&) = delete;

  /// Serves `queue` until it has shut down and is empty. Once.
  void start(grpc::CompletionQueue& queue);
  /// Returns when it is. Requires that `queue` is shutting down. Idempotent.
  void stop();

 private:
  struct State;
  const std::shared_ptr<State> state_;
};

}  // namespace troupe::transport
