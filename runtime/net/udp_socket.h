#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "runtime/net/io_threads.h"
#include "runtime/net/socket_address.h"
#include <troupe/function.h>
#include <troupe/result.h>

namespace troupe::net {

/// Sends and receives datagrams, over IPv4 or IPv6. `send` is thread-safe, the rest is the owner's.
class UdpSocket {
 public:
  /// The largest payload of a datagram over IPv4.
  static constexpr std::size_t kDatagramBytesMax = 65'507;

  /// Called on an io thread; `bytes` live until it returns.
  using Receive = Function<void(const SocketAddress& from, std::string_view bytes)>;

  explicit UdpSocket(IoThreads& threads);
  ~UdpSocket();
  UdpSocket(const UdpSocket&) = delete;
  UdpSocket& operator=(const UdpSocket&) = delete;

  /// Binds to `at` (port 0: any; see local()) and begins to receive. Once only. kUnavailable,
  /// naming address and port, where it cannot.
  Result<void> open(const SocketAddress& at, Receive receive);

  /// Where it is bound. Requires open.
  SocketAddress local() const;

  /// Hands one datagram to the system; never blocks. kInvalid: larger than kDatagramBytesMax.
  /// kExhausted: the system's buffer is full; datagrams may be lost anyway, so just carry on.
  /// kUnavailable: no route, or closed.
  Result<void> send(const SocketAddress& to, std::string_view bytes);

  /// When it returns, `receive` neither runs nor will run again, unless called from it. Idempotent.
  void close();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace troupe::net
