#pragma once

#include <memory>
#include <optional>
#include <string>

#include "runtime/base/clock.h"
#include "runtime/base/executor.h"
#include "runtime/base/log.h"
#include "runtime/base/network.h"
#include "runtime/net/socket_address.h"
#include "runtime/transport/greeting.h"
#include "runtime/transport/transport_metrics.h"
#include "runtime/transport/transport_options.h"
#include "runtime/transport/wire.h"

namespace troupe::transport {

/// The side that listens: accepts the streams that peers open, refuses strangers, and answers
/// introductions.
class PeerServer {
 public:
  /// Whom it serves. Called on the thread that serves the queue; must only enqueue.
  class Host {
   public:
    virtual ~Host() = default;

    /// What this node says of itself now, over `lane`.
    virtual Greeting greeting(Lane lane, NodeId expected) = 0;
    /// Why `peer` is too old to be heard, if it is.
    virtual std::optional<std::string> outdated(const Greeting& peer) = 0;
    /// Does `work` after `delay`, unless the node stops before; not on that thread.
    virtual void later(Duration delay, Work work) = 0;
    /// A stream from `peer` begins; an older one for the same lane is lost first.
    virtual void incoming_began(const Greeting& peer) = 0;
    virtual void incoming_lost(NodeId peer, Lane lane) = 0;
  };

  /// All outlive the server.
  struct Dependencies {
    Clock& clock;
    std::shared_ptr<Executor> undertaker;  // where what peers began is destroyed
    Host& host;
    NetworkListener& listener;
    Log log;
    TransportMetrics& metrics;
  };

  explicit PeerServer(const Dependencies& dependencies);
  ~PeerServer();
  PeerServer(const PeerServer&) = delete;
  PeerServer& operator=(const PeerServer&) = delete;

  /// Listens at `at` (port 0: any), and says at which port. Nobody is let in before accept().
  Result<std::uint16_t> start(const net::SocketAddress& at, const Credentials& credentials,
                              const TransportOptions& options);

  /// Of this server, and for the calls that the node begins: those must be over before stop().
  /// Requires a successful start().
  grpc::CompletionQueue& queue();
  /// Lets peers in, and serves the queue from now on, on a thread of its own. Once, after start().
  void accept();

  /// Breaks off what is open. When it returns nobody is called any more. Idempotent.
  void stop();

  struct State;  // its own

 private:
  const std::shared_ptr<State> state_;
};

}  // namespace troupe::transport
