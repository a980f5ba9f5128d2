#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "runtime/base/executor.h"
#include "runtime/transport/batch.h"
#include "runtime/transport/greeting.h"
#include "runtime/transport/live_count.h"
#include "runtime/transport/transport_metrics.h"

namespace grpc {
class Channel;
class CompletionQueue;
}  // namespace grpc

namespace troupe::transport {

/// Whether a frame may wait a little for others.
enum class Haste : std::uint8_t { kNow, kSoon };

/// Where the writes of streams begin. All of it outlives the streams.
struct Writers {
  Executor& now;
  /// Runs work once what is under way in the node is through. Perhaps empty.
  const std::function<void(Work)>& soon;
};

/// How a stream ended.
struct StreamEnd {
  bool refused = false;         // the peer said why it will not talk to this node
  bool nobody_listens = false;  // the peer's host said so
  std::string reason = {};
};

/// A stream that this node opened to a peer, for one lane. Thread-safe.
///
/// Lives until gRPC is done with it, whoever else holds it.
class OutgoingStream {
 public:
  /// `greeted` is called on the thread that serves the queue, and must only enqueue; `ended` on the
  /// executor where `live` ends operations.
  struct Events {
    Function<void(Greeting)> greeted;  // at most once: the peer accepts, and says who it is
    Function<void(StreamEnd)> ended;   // once, last
  };

  virtual ~OutgoingStream() = default;

  /// False, and nothing queued, for a full queue or a stream that is closing.
  [[nodiscard]] virtual bool send(std::string frame, Haste haste) = 0;
  /// Sends what is queued, then closes.
  virtual void finish() = 0;
  /// Closes, and forgets what is queued.
  virtual void cancel() = 0;
};

/// What streams live on; all of it outlives them.
struct StreamWorld {
  grpc::CompletionQueue& queue;  // served
  Writers writers;
  TransportMetrics& metrics;
  LiveCount& live;
};

/// Opens a stream over `channel`, of which the first word is `greeting`.
std::shared_ptr<OutgoingStream> open_stream(const StreamWorld& world,
                                            const std::shared_ptr<grpc::Channel>& channel,
                                            const Greeting& greeting, BatchQueue::Limits limits,
                                            OutgoingStream::Events events);

}  // namespace troupe::transport
