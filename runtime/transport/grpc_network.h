#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "runtime/base/clock.h"
#include "runtime/base/executor.h"
#include "runtime/base/log.h"
#include "runtime/base/network.h"
#include "runtime/net/io_threads.h"
#include "runtime/net/resolver.h"
#include "runtime/transport/transport_metrics.h"
#include "runtime/transport/transport_options.h"

namespace troupe::transport {

/// The Network of a real node: gRPC streams and UDP datagrams, on one port number.
///
/// A node sends over the streams that it opens, one a lane, and receives over those that its peers
/// open:
///
///     A ── calls, control ──→ B        A knows B
///     A ←── calls, control ── B        B knows A
///
/// A peer is connected once it has accepted both streams. The listener hears `disconnected` once
/// when any stream to or from a connected peer breaks, since answers may be lost either way; and
/// `connected` again when all is whole again: the broken streams were opened anew.
///
/// Frames that gather while a write is under way go out together in the next; nothing waits for a
/// timer. Thread-safe, but for start and stop, which are the owner's.
class GrpcNetwork final : public Network {
 public:
  /// All outlive the network.
  struct Dependencies {
    net::IoThreads& threads;
    net::Resolver& resolver;
    Clock& clock;
    Log log;
    NetworkListener& listener;  // called from start() until stop() returns
  };

  GrpcNetwork(const Dependencies& dependencies, TransportOptions options);
  /// As stop().
  ~GrpcNetwork() override;
  GrpcNetwork(const GrpcNetwork&) = delete;
  GrpcNetwork& operator=(const GrpcNetwork&) = delete;

  /// Where the writes of what is sent soon may wait for more of the kind: `post` runs work once
  /// what is under way in the node is through; called from any thread. Before start(); without,
  /// nothing waits.
  void gather_by(std::function<void(Work)> post);

  /// Listens for streams and datagrams. Once only. kUnavailable: "cannot listen on 127.0.0.1:7400:
  /// address already in use; choose another port".
  Result<void> start();

  /// The port listened on. Requires started.
  std::uint16_t port() const;
  /// Where others reach this node, host:port. Requires started.
  const std::string& address() const;

  /// Sends what is queued, for at most `stop_patience`, closes the streams, and the port last. The
  /// listener is told nothing of it, and nothing at all afterwards. Pending introductions answer
  /// kUnavailable. Not from one of the network's own threads. Idempotent.
  void stop();

  void know(NodeId node, std::string address) override;
  void forget(NodeId node) override;
  [[nodiscard]] bool send(NodeId to, Lane lane, std::string frame) override;
  [[nodiscard]] bool send_soon(NodeId to, Lane lane, std::string frame) override;
  void introduce(const std::string& address, std::string question, Done<std::string> done) override;
  void send_datagram(const std::string& address, std::string bytes) override;

  const TransportMetrics& metrics() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace troupe::transport
