#include "runtime/net/http_connection.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runtime/base/check.h"
#include "runtime/net/http_format.h"
#include "runtime/net/http_parser.h"

namespace troupe::net {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
// The concrete executor type: type-erased ones cost a fifth of a request.
using Socket =
    asio::basic_stream_socket<asio::generic::stream_protocol, asio::io_context::executor_type>;

// Progress that earns a slow client another time-out.
constexpr std::size_t kProgressBytes = 16 * 1024;
// After the last answer, what the client still sends is read, so that the system does not destroy
// the answer on its way: so much, for so long.
constexpr std::size_t kLingerBytesMax = 1024 * 1024;
constexpr auto kLingerTime = std::chrono::seconds(2);
// Bodies up to this size are copied behind their head: cheaper than a second buffer.
constexpr std::size_t kCopiedBodyBytesMax = 4 * 1024;
// Larger heads give their memory back.
constexpr std::size_t kKeptHeadBytesMax = 8 * 1024;

asio::generic::stream_protocol protocol(const SocketAddress& peer) {
  switch (peer.family) {
    case SocketAddress::Family::kIpv4:
      return {AF_INET, IPPROTO_TCP};
    case SocketAddress::Family::kIpv6:
      return {AF_INET6, IPPROTO_TCP};
    default:
      return {AF_UNIX, 0};
  }
}

}  // namespace

/// One client's connection.
///
///     idle → reading → handling → writing → idle ...
///                 ↘ (refused, or the last) ↘ lingering → closed
///
/// Kept alive by what is under way: a read, a write, or a responder that has not answered. All but
/// `respond` happens on the group's thread.
class HttpConnection final : public HttpResponseSink,
                             public std::enable_shared_from_this<HttpConnection> {
 public:
  HttpConnection(std::shared_ptr<HttpConnectionGroup> group, const SocketAddress& peer)
      : group_(std::move(group)),
        peer_(peer),
        socket_(group_->thread->context()),
        parser_({.header_size_max = group_->service->options.header_size_max,
                 .body_size_max = group_->service->options.body_size_max}),
        timeout_([this] { expired(); }) {}

  /// False if the system does not let the socket be waited for. Else it is ours.
  bool take(int socket) {
    error_code error;
    if (socket_.assign(protocol(peer_), socket, error)) return false;
    static_cast<void>(socket_.non_blocking(true, error));
    return true;
  }

  void start() {
    const int on = 1;
    if (peer_.family != SocketAddress::Family::kUnix) {
      ::setsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    expire_after(options().idle_timeout);
    read();
  }

  /// Answers 503 and ends.
  void refuse() {
    const auto self = shared_from_this();
    start_refusing(503, "too many connections");
  }

  void drain() {
    if (phase_ == Phase::kReading && parser_.idle()) close();
  }

  void close() {
    if (phase_ == Phase::kClosed) return;
    phase_ = Phase::kClosed;
    timeout_.clear();
    error_code ignored;
    static_cast<void>(socket_.close(ignored));
    group_->remove(*this);
  }

  void abandon() override {
    respond(group_->service->refusal(500, "the request was dropped without an answer"));
  }

  void respond(HttpResponse response) override {
    if (handling_ == this) {  // inside handle(): pump() goes on with it
      answer_ = std::move(response);
      return;
    }
    group_->thread->post([self = shared_from_this(), response = std::move(response)]() mutable {
      if (self->phase_ != Phase::kHandling) return;  // closed meanwhile
      if (self->answer(std::move(response))) self->pump();
    });
  }

 private:
  enum class Phase : std::uint8_t { kReading, kHandling, kWriting, kLingering, kClosed };

  // The connection whose handler runs on this thread.
  static thread_local const HttpConnection* handling_;

  const HttpServerOptions& options() const { return group_->service->options; }

  void expire_after(Duration after) {
    TimeoutWheel& wheel = group_->thread->wheel();
    wheel.set(timeout_, wheel.now() + after);
  }

  void read() {
    const std::span<char> room = parser_.prepare();
    socket_.async_read_some(asio::buffer(room.data(), room.size()),
                            [self = shared_from_this()](error_code error, std::size_t size) {
                              if (self->phase_ == Phase::kClosed) return;
                              if (error) return self->close();
                              self->received(size);
                            });
  }

  void received(std::size_t size) {
    progress_ += size;
    parser_.commit(size);
    pump();
  }

  // Goes from request to request for as long as nothing makes it wait.
  void pump() {
    while (phase_ == Phase::kReading) {
      switch (parser_.next()) {
        case HttpRequestParser::Step::kNeedMore:
          return await_more();
        case HttpRequestParser::Step::kContinue:
          if (!write("HTTP/1.1 100 Continue\r\n\r\n", {}, After::kRead)) return;
          break;
        case HttpRequestParser::Step::kError:
          return start_refusing(parser_.error_status(), parser_.error_message());
        case HttpRequestParser::Step::kMessage:
          if (!handle()) return;
          break;
      }
    }
  }

  void await_more() {
    if (parser_.idle()) {
      if (group_->draining()) return close();
      partial_ = false;
      expire_after(options().idle_timeout);
    } else if (!partial_ || progress_ >= kProgressBytes) {
      partial_ = true;
      progress_ = 0;
      expire_after(options().read_timeout);
    }
    read();
  }

  // True if it is answered already and the next may begin.
  bool handle() {
    phase_ = Phase::kHandling;
    HttpRequest request = parser_.take();
    request.peer = peer_;
    to_head_ = request.method == "HEAD";
    const HttpConnection* outer = std::exchange(handling_, this);
    group_->service->handler.handle(std::move(request), HttpResponder(shared_from_this()));
    handling_ = outer;
    if (!answer_ || phase_ != Phase::kHandling) return false;
    HttpResponse response = *std::move(answer_);
    answer_.reset();
    return answer(std::move(response));
  }

  // True if it is written already and the next request may begin.
  bool answer(HttpResponse response) {
    const bool last = !parser_.keep_alive() || group_->draining();
    const HttpFraming framing{.to_head = to_head_,
                              .keep_alive = !last,
                              .http_1_0 = parser_.is_http_1_0(),
                              .date = group_->thread->date()};
    return send(std::move(response), framing);
  }

  void start_refusing(int status, const std::string& message) {
    const HttpFraming framing{.keep_alive = false, .date = group_->thread->date()};
    send(group_->service->refusal(status, message), framing);
  }

  bool send(HttpResponse response, const HttpFraming& framing) {
    std::string head = std::move(out_);
    head.clear();
    append_head(head, response, framing);
    Payload body;
    if (has_body(response, framing)) {
      if (response.body.size() <= kCopiedBodyBytesMax) {
        head.append(response.body.view());
      } else {
        body = std::move(response.body);
      }
    }
    return write(std::move(head), std::move(body),
                 framing.keep_alive ? After::kRead : After::kLinger);
  }

  enum class After : std::uint8_t { kRead, kLinger };

  // True if all is written and the next request may begin.
  bool write(std::string head, Payload body, After after) {
    phase_ = Phase::kWriting;
    out_ = std::move(head);
    body_ = std::move(body);
    after_ = after;
    written_ = 0;
    progress_ = 0;
    return flush();
  }

  bool flush() {
    for (;;) {
      const std::size_t total = out_.size() + body_.size();
      if (written_ == total) return finish_write();
      const std::size_t of_head = std::min(written_, out_.size());
      const std::array<asio::const_buffer, 2> rest = {
          asio::const_buffer(out_.data() + of_head, out_.size() - of_head),
          asio::const_buffer(body_.view().data() + (written_ - of_head),
                             body_.size() - (written_ - of_head))};
      error_code error;
      const std::size_t size = body_.empty()
                                   ? socket_.write_some(asio::const_buffer(rest[0]), error)
                                   : socket_.write_some(rest, error);
      if (error == asio::error::would_block) return await_room(), false;
      if (error) return close(), false;
      written_ += size;
      progress_ += size;
    }
  }

  void await_room() {
    if (!awaiting_room_ || progress_ >= kProgressBytes) {
      awaiting_room_ = true;
      progress_ = 0;
      expire_after(options().write_timeout);
    }
    socket_.async_wait(Socket::wait_write, [self = shared_from_this()](error_code error) {
      if (self->phase_ != Phase::kWriting) return;
      if (error) return self->close();
      if (self->flush()) self->pump();
    });
  }

  bool finish_write() {
    awaiting_room_ = false;
    body_ = {};
    if (out_.capacity() > kKeptHeadBytesMax) out_ = {};
    if (after_ == After::kLinger) {
      linger();
      return false;
    }
    phase_ = Phase::kReading;
    partial_ = false;
    progress_ = 0;
    return true;
  }

  void linger() {
    phase_ = Phase::kLingering;
    error_code error;
    if (socket_.shutdown(Socket::shutdown_send, error)) return close();
    out_.resize(4 * 1024);
    expire_after(kLingerTime);
    discard(0);
  }

  void discard(std::size_t so_far) {
    socket_.async_read_some(
        asio::buffer(out_.data(), out_.size()),
        [self = shared_from_this(), so_far](error_code error, std::size_t size) {
          if (self->phase_ != Phase::kLingering) return;
          if (error || so_far + size > kLingerBytesMax) return self->close();
          self->discard(so_far + size);
        });
  }

  void expired() {
    const auto self = shared_from_this();
    switch (phase_) {
      case Phase::kReading:
        if (parser_.idle()) return close();
        return start_refusing(408, "the request did not come in time");
      case Phase::kHandling:  // no hurry: the handler knows its own deadlines
        return expire_after(options().idle_timeout);
      case Phase::kWriting:
      case Phase::kLingering:
        return close();
      case Phase::kClosed:
        return;
    }
  }

  const std::shared_ptr<HttpConnectionGroup> group_;
  const SocketAddress peer_;
  Socket socket_;
  HttpRequestParser parser_;
  Timeout timeout_;
  Phase phase_ = Phase::kReading;
  bool partial_ = false;  // the first bytes of a request have come, and wait for more
  bool awaiting_room_ = false;
  bool to_head_ = false;
  After after_ = After::kRead;
  std::size_t progress_ = 0;  // bytes since the time-out was last put off
  std::size_t written_ = 0;   // of out_ and body_
  std::string out_;
  Payload body_;
  std::optional<HttpResponse> answer_;
};

thread_local const HttpConnection* HttpConnection::handling_ = nullptr;

HttpResponse HttpService::refusal(int status, std::string_view message) const {
  HttpResponse response{.status = status, .headers = {}, .content_type = "text/plain", .body = {}};
  if (options.error_body) {
    response = options.error_body(status, message);
    response.status = status;
  } else {
    response.body = std::string(message) + "\n";
  }
  return response;
}

void HttpConnectionGroup::open(int socket, const SocketAddress& peer) {
  const std::size_t others = service->connections.load();
  const auto connection = std::make_shared<HttpConnection>(shared_from_this(), peer);
  // A refusal lingers too, so even those have a bound.
  if (draining_ || others >= 2 * service->options.connections_max || !connection->take(socket)) {
    ::close(socket);
    return;
  }
  service->connections.fetch_add(1);
  open_.insert(connection.get());
  if (others >= service->options.connections_max) return connection->refuse();
  connection->start();
}

void HttpConnectionGroup::drain(std::shared_ptr<std::promise<void>> empty) {
  draining_ = true;
  empty_ = std::move(empty);
  const std::set<HttpConnection*> all = open_;
  for (HttpConnection* connection : all) connection->drain();
  if (open_.empty() && empty_) std::exchange(empty_, nullptr)->set_value();
}

void HttpConnectionGroup::close_all() {
  const std::set<HttpConnection*> all = open_;
  for (HttpConnection* connection : all) connection->close();
}

void HttpConnectionGroup::remove(HttpConnection& connection) {
  service->connections.fetch_sub(1);
  open_.erase(&connection);
  if (draining_ && open_.empty() && empty_) std::exchange(empty_, nullptr)->set_value();
}

}  // namespace troupe::net
