#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "runtime/net/http_message.h"

namespace troupe::net {

struct HttpLimits {
  std::size_t header_size_max = 8 * 1024;
  std::size_t body_size_max = 4 * 1024 * 1024;
};

/// Turns the bytes of a connection into requests, one after another. Pure: no socket, no clock.
///
///     feed bytes → next() → kNeedMore ... → kHead → kNeedMore ... → kMessage → take() → next() ...
///
/// Bytes beyond a message (pipelining) are kept for the next. Never holds more than one head, or
/// one piece fed, of bytes not yet taken apart. Not thread-safe.
class HttpRequestParser {
 public:
  enum class Step {
    kNeedMore,  // feed
    kHead,      // the head is complete and a body follows: said once, see wants_continue()
    kMessage,   // take() it
    kError,     // error_status() and error_message() say why; nothing more can come
  };

  explicit HttpRequestParser(HttpLimits limits);
  ~HttpRequestParser();
  HttpRequestParser(HttpRequestParser&&) noexcept;
  HttpRequestParser& operator=(HttpRequestParser&&) noexcept;

  void feed(std::string_view bytes);
  Step next();

  /// After kHead: the client waits for `100 Continue` before it sends the body.
  bool wants_continue() const;
  /// After kMessage: the request; then next() begins another.
  HttpRequest take();
  /// Of the last head: whether the connection may serve another request, and the protocol is 1.0.
  bool keep_alive() const;
  bool is_http_1_0() const;

  /// After kError: 400, 413, 431 or 501.
  int error_status() const;
  const std::string& error_message() const;

  /// Nothing of a next message has come.
  bool idle() const;
  /// Bytes of the body so far.
  std::size_t body_size() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The same for answers.
class HttpResponseParser {
 public:
  enum class Step { kNeedMore, kMessage, kError };

  explicit HttpResponseParser(HttpLimits limits);
  ~HttpResponseParser();
  HttpResponseParser(HttpResponseParser&&) noexcept;
  HttpResponseParser& operator=(HttpResponseParser&&) noexcept;

  /// Before each answer: whether it answers HEAD, and so has no body.
  void expect(bool to_head);
  void feed(std::string_view bytes);
  /// The connection was closed: may complete an answer that had no length.
  void feed_end();
  Step next();

  /// After kMessage. Interim answers (1xx) are passed over.
  HttpResponse take();
  bool keep_alive() const;
  const std::string& error_message() const;
  /// Nothing of an answer has come.
  bool idle() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace troupe::net
