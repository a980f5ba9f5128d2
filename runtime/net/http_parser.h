#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
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
///     prepare() → read → commit() → next() → kNeedMore: again; kMessage: take() → next() ...
///
/// Bytes beyond a message (pipelining) are kept for the next. Beside the message under way it holds
/// at most 64 KiB or twice `header_size_max` of bytes, and 4 KiB when idle. Not thread-safe.
class HttpRequestParser {
 public:
  enum class Step : std::uint8_t {
    kNeedMore,  // read more
    kContinue,  // the client waits for `100 Continue` before it sends the body: send that, go on
    kMessage,   // take() it
    kError,     // error_status() and error_message() say why; nothing more can come
  };

  explicit HttpRequestParser(HttpLimits limits);
  ~HttpRequestParser();
  HttpRequestParser(const HttpRequestParser&) = delete;
  HttpRequestParser& operator=(const HttpRequestParser&) = delete;

  /// Room, never empty after kNeedMore, for the next bytes; lives until the next call.
  std::span<char> prepare();
  /// `size` bytes have been put there.
  void commit(std::size_t size);
  Step next();

  /// After kMessage: the request; then next() begins another.
  HttpRequest take();
  /// Of the last head: whether the connection may serve another request.
  bool keep_alive() const;
  bool is_http_1_0() const;

  /// After kError: 400, 413, 431 or 501.
  int error_status() const;
  const std::string& error_message() const;

  /// Nothing of a next message has come.
  bool idle() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The same for answers.
class HttpResponseParser {
 public:
  enum class Step : std::uint8_t { kNeedMore, kMessage, kError };

  explicit HttpResponseParser(HttpLimits limits);
  ~HttpResponseParser();
  HttpResponseParser(const HttpResponseParser&) = delete;
  HttpResponseParser& operator=(const HttpResponseParser&) = delete;

  /// Before each answer: whether it answers HEAD, and so has no body.
  void expect(bool to_head);
  std::span<char> prepare();
  void commit(std::size_t size);
  /// The connection was closed, which completes an answer of no stated length.
  void commit_end();
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
