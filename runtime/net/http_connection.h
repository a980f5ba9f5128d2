#pragma once

#include <atomic>
#include <cstddef>
#include <future>
#include <memory>
#include <set>

#include "runtime/net/http_server.h"
#include "runtime/net/io_threads.h"
#include "runtime/net/socket_address.h"

namespace troupe::net {

class HttpConnection;

/// What all connections of a server share. The handler is called only while the server runs.
struct HttpService {
  HttpService(HttpServerOptions the_options, HttpHandler& the_handler)
      : options(std::move(the_options)), handler(the_handler) {}

  /// The answer with which the server itself refuses.
  HttpResponse refusal(int status, std::string_view message) const;

  const HttpServerOptions options;
  HttpHandler& handler;
  std::atomic<std::size_t> connections = 0;
};

/// The connections of a server on one io thread. Everything happens on that thread.
class HttpConnectionGroup final : public std::enable_shared_from_this<HttpConnectionGroup> {
 public:
  HttpConnectionGroup(std::shared_ptr<IoThread> the_thread,
                      std::shared_ptr<HttpService> the_service)
      : thread(std::move(the_thread)), service(std::move(the_service)) {}

  /// Serves a connected socket, which it takes over, until it ends.
  void open(int socket, const SocketAddress& peer);

  /// Every answer from now on is the last of its connection, and says so.
  void announce_end() { draining_ = true; }
  /// Closes the idle, and the others once they have answered. `empty` is set when none is left.
  void drain(std::shared_ptr<std::promise<void>> empty);
  void close_all();
  bool draining() const { return draining_; }

  /// By a connection that has ended.
  void remove(HttpConnection& connection);

  const std::shared_ptr<IoThread> thread;
  const std::shared_ptr<HttpService> service;

 private:
  std::set<HttpConnection*> open_;
  bool draining_ = false;
  std::shared_ptr<std::promise<void>> empty_;
};

}  // namespace troupe::net
