#pragma once

#include <memory>
#include <string>

#include "runtime/base/clock.h"
#include "runtime/base/network.h"
#include "runtime/net/resolver.h"
#include "runtime/net/udp_socket.h"
#include "runtime/transport/transport_metrics.h"

namespace troupe::transport {

/// Datagrams to and from host:port, sealed if there is a guard. Names are looked up aside, and
/// remembered for a while; a datagram to one waits for that, nothing else does. `send` is
/// thread-safe, the rest is the owner's.
class Datagrams {
 public:
  /// The references outlive it. Without `guard`, everything is in clear.
  Datagrams(net::IoThreads& threads, net::Resolver& resolver, Clock& clock,
            NetworkListener& listener, std::shared_ptr<DatagramGuard> guard,
            std::shared_ptr<TransportMetrics> metrics);
  ~Datagrams();
  Datagrams(const Datagrams&) = delete;
  Datagrams& operator=(const Datagrams&) = delete;

  /// Receives at `at` (port 0: any), and says at which port. A failed attempt may be repeated.
  Result<std::uint16_t> start(const net::SocketAddress& at);
  void send(const std::string& address, std::string bytes);
  /// When it returns nothing is received any more. Idempotent.
  void stop();

 private:
  struct State;
  const std::shared_ptr<State> state_;
};

}  // namespace troupe::transport
