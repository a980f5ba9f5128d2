#pragma once

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "runtime/net/http_message.h"
#include "runtime/net/io_threads.h"
#include "runtime/net/resolver.h"
#include "runtime/net/socket_address.h"
#include <troupe/function.h>
#include <troupe/result.h>
#include <troupe/time.h>

namespace troupe::net {

/// Whom a client asks: a host and port, or the path of a Unix domain socket.
struct HttpOrigin {
  HostPort where = {};
  std::string unix_path = {};  // if not empty, connected to instead

  friend auto operator<=>(const HttpOrigin&, const HttpOrigin&) = default;
};

struct HttpClientOptions {
  /// Open at once to one origin, shared out among the io threads (at least one each): more lets
  /// more calls run side by side, fewer spares the server.
  std::size_t connections_per_origin_max = 256;
  /// Requests waiting for a connection to one origin; beyond, kExhausted.
  std::size_t queue_length_max = 10'000;
  /// Origins known at once; beyond, those without requests are forgotten, else kExhausted.
  std::size_t origins_max = 10'000;
  Duration connect_timeout = std::chrono::seconds(5);
  /// A connection unused for so long is closed. Below what servers use (60 s and more), so that it
  /// is we who close.
  Duration idle_timeout = std::chrono::seconds(30);
  std::size_t body_size_max = 4 * 1024 * 1024;
  std::size_t header_size_max = 64 * 1024;
};

/// How one request may be treated.
struct HttpSendOptions {
  /// May be sent again when the connection broke before any of the answer came, though it may have
  /// run. Without, only what certainly did not reach the server is sent again.
  bool repeatable = false;
};

/// Asks HTTP/1.1 servers over kept connections. `send` is thread-safe, the rest is the owner's.
class HttpClient {
 public:
  HttpClient(IoThreads& threads, Resolver& resolver, HttpClientOptions options);
  /// As stop().
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  /// Sends `request` and gives the answer, whatever its status; redirects are not followed. Host
  /// and Content-Length are filled in. `done` runs on an io thread, never inside this call
  /// (but when the io threads have stopped).
  ///
  /// Errors say whether the request may have run. Certainly not: kInvalid (no proper method, target
  /// or header), kUnavailable (no connection), kExhausted (the queue is full), kTimeout (`deadline`
  /// passed while it waited), kCancelled (stopped). Perhaps: kUnknownOutcome (`deadline` passed, or
  /// the connection broke, or the answer made no sense or was too large, after it was sent).
  void send(HttpOrigin origin, HttpRequest request, Time deadline, Done<HttpResponse> done,
            HttpSendOptions options = {});

  /// Fails what is begun and closes all connections. When it returns, every `done` has been called.
  /// Not from an io thread. Idempotent.
  void stop();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace troupe::net
