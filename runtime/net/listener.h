#pragma once

#include <memory>
#include <string>

#include "runtime/net/io_threads.h"
#include "runtime/net/socket_address.h"
#include <troupe/function.h>
#include <troupe/result.h>

namespace troupe::net {

/// A stream socket that listens, on one io thread, and hands out what connects.
class Listener {
 public:
  /// Called on the io thread with a connected, non-blocking socket, which the callee owns.
  using Accepted = Function<void(int socket, const SocketAddress& peer)>;

  /// Listens on `at`, or says why it cannot: "cannot listen on 127.0.0.1:3500: address already in
  /// use; choose another port". An IPv6 wildcard also takes IPv4 if `both_families`.
  static Result<Listener> tcp(std::shared_ptr<IoThread> thread, const SocketAddress& at,
                              bool both_families);
  /// A socket file that nobody listens on any more is replaced. Removed again by close().
  static Result<Listener> unix_domain(std::shared_ptr<IoThread> thread, const std::string& path);

  Listener(Listener&&) noexcept;
  Listener& operator=(Listener&&) noexcept;
  ~Listener();

  SocketAddress local() const;
  void start(Accepted accepted);
  /// When it returns nothing more is accepted. Idempotent.
  void close();

 private:
  struct State;
  explicit Listener(std::shared_ptr<State> state);

  std::shared_ptr<State> state_;
};

}  // namespace troupe::net
