#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/base/log.h"
#include "runtime/net/http_message.h"
#include "runtime/net/io_threads.h"
#include <troupe/function.h>
#include <troupe/result.h>
#include <troupe/time.h>

namespace troupe::net {

/// Where an answer goes. Implemented by the server's connections, and by fakes in tests.
class HttpResponseSink {
 public:
  virtual ~HttpResponseSink() = default;

  /// Exactly one of these is called per request, once, from any thread. They do not block.
  virtual void respond(HttpResponse response) = 0;
  /// Nobody will answer: the answer is 500.
  virtual void abandon() = 0;
};

/// The right and the duty to answer one request: once, now or later, from any thread, also after
/// the server has stopped. Destroyed unused, it answers 500. Moved, never copied.
class HttpResponder {
 public:
  explicit HttpResponder(std::shared_ptr<HttpResponseSink> sink) : sink_(std::move(sink)) {}
  HttpResponder(HttpResponder&&) noexcept = default;
  HttpResponder& operator=(HttpResponder&& other) noexcept;
  ~HttpResponder();

  /// Requires that it was not called before, nor moved from.
  void operator()(HttpResponse response);

 private:
  std::shared_ptr<HttpResponseSink> sink_;
};

/// Answers the requests of a server.
class HttpHandler {
 public:
  virtual ~HttpHandler() = default;

  /// Called on an io thread, for several requests at once on several threads, one at a time for
  /// each connection. Must not block.
  virtual void handle(HttpRequest request, HttpResponder respond) = 0;
};

struct HttpServerOptions {
  /// Numeric addresses or names of this machine. Empty text: every interface, IPv4 and IPv6. No
  /// address at all: only the Unix domain socket.
  std::vector<std::string> addresses = {"127.0.0.1"};
  std::uint16_t port = 0;  // the same for each address; 0: any, see HttpServer::port()
  /// Also listens here, unless empty. A socket file left by a dead process is replaced.
  std::string unix_path = {};

  /// Larger bodies are answered 413, larger heads 431. The head costs memory per connection.
  std::size_t body_size_max = 4 * 1024 * 1024;
  std::size_t header_size_max = 8 * 1024;

  /// Between requests: longer saves clients a handshake, shorter frees memory.
  Duration idle_timeout = std::chrono::seconds(120);
  /// For a head from its first byte, and for each 16 KiB of a body: bounds what a slow or silent
  /// client can hold. Answered 408.
  Duration read_timeout = std::chrono::seconds(30);
  /// For each 16 KiB of an answer that the client takes.
  Duration write_timeout = std::chrono::seconds(30);

  /// Open connections; beyond, new ones are answered 503 and closed. Each costs about 8 KiB idle.
  std::size_t connections_max = 10'000;

  /// The answer's body and content type where the server itself refuses: 400, 408, 413, 431, 500,
  /// 503. Called on io threads. None: the message as plain text.
  std::function<HttpResponse(int status, std::string_view message)> error_body = {};
};

/// Serves HTTP/1.0 and 1.1 over TCP and Unix domain sockets: keep-alive, pipelining (answered one
/// at a time, in order), chunked requests, `Expect: 100-continue`, HEAD.
///
/// One acceptor deals the connections to the io threads in turn; a connection stays on its thread.
/// The interface is for one owner, not thread-safe.
class HttpServer {
 public:
  HttpServer(IoThreads& threads, Log log, HttpServerOptions options, HttpHandler& handler);
  /// Stops, without waiting for the begun.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// Listens. Once only. kUnavailable, and nothing listens, where it cannot: "cannot listen on
  /// 127.0.0.1:3500: address already in use; choose another port".
  Result<void> start();

  /// The port listened on; 0 when only the Unix domain socket is. Requires started.
  std::uint16_t port() const;

  /// Refuses the new, closes idle connections, lets begun requests finish for up to `patience`,
  /// then closes what is left. The handler is not called any more when it returns. Not from an io
  /// thread.
  void stop(Duration patience);

  /// Open connections, for metrics. Thread-safe.
  std::size_t connections() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace troupe::net
