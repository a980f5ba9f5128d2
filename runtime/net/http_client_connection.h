#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "runtime/net/http_client.h"
#include "runtime/net/http_parser.h"
#include "runtime/net/io_threads.h"

namespace troupe::net {

/// One request on its way through the client. Moves from queue to connection; ends by finish().
struct HttpCall {
  HttpCall() : timeout([this] { expired(); }) {}
  ~HttpCall();

  /// Calls `done`, unless that has happened.
  void finish(Result<HttpResponse> result);

  std::string head;
  Payload body = {};
  bool to_head = false;
  bool repeatable = false;
  int attempts = 0;
  Time deadline = {};
  Done<HttpResponse> done = {};
  Function<void()> expired = {};  // set by whoever holds the call
  Timeout timeout;
};

/// A client's connection to one origin, on one io thread, where all happens.
class HttpClientConnection {
 public:
  /// What becomes of it, told to the pool that opened it. Outlives it or closes it.
  class Owner {
   public:
    virtual ~Owner() = default;

    /// Ready for a call: has connected, or has finished the one before.
    virtual void ready(HttpClientConnection& connection) = 0;
    /// Has ended, and is not used again. `connect_error` if it never connected.
    virtual void ended(HttpClientConnection& connection, const Error* connect_error) = 0;
    /// The call has certainly not run, or may run again.
    virtual void again(std::shared_ptr<HttpCall> call) = 0;
  };

  virtual ~HttpClientConnection() = default;

  /// Connects to the first of `addresses` that answers.
  virtual void open(std::vector<SocketAddress> addresses) = 0;
  virtual void open_unix(const std::string& path) = 0;
  /// Requires ready.
  virtual void send(std::shared_ptr<HttpCall> call) = 0;
  /// Ends it without telling the owner; a call under way fails with kUnknownOutcome.
  virtual void close() = 0;
  /// Whether a ready connection can still be used, as far as can be seen from here.
  virtual bool alive() = 0;

  /// `where`: the origin, for messages.
  static std::shared_ptr<HttpClientConnection> make(std::shared_ptr<IoThread> thread, Owner& owner,
                                                    const HttpClientOptions& options,
                                                    std::string where);
};

}  // namespace troupe::net
