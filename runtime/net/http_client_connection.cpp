#include "runtime/net/http_client_connection.h"

#include <array>
#include <cerrno>
#include <cstdint>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "runtime/net/socket_system.h"

namespace troupe::net {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Protocol = asio::generic::stream_protocol;
using Socket = asio::basic_stream_socket<Protocol, asio::io_context::executor_type>;

// A call that meets one dying connection after another is not sent for ever.
constexpr int kAttemptsMax = 3;
// One used a moment ago is looked at by its pending read anyway.
constexpr auto kTrustedFor = std::chrono::milliseconds(200);

class Connection final : public HttpClientConnection,
                         public std::enable_shared_from_this<Connection> {
 public:
  Connection(std::shared_ptr<IoThread> thread, Owner& owner, const HttpClientOptions& options,
             std::string where)
      : thread_(std::move(thread)),
        owner_(&owner),
        connect_timeout_(options.connect_timeout),
        idle_timeout_(options.idle_timeout),
        where_(std::move(where)),
        socket_(thread_->context()),
        parser_(
            {.header_size_max = options.header_size_max, .body_size_max = options.body_size_max}),
        timeout_([this] { expired(); }) {}

  void open(std::vector<SocketAddress> addresses) override {
    addresses_ = std::move(addresses);
    expire_after(connect_timeout_);
    connect_to_next(Error{Code::kUnavailable, "no address of " + where_});
  }

  void open_unix(const std::string& path) override {
    expire_after(connect_timeout_);
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    if (path.size() >= sizeof name.sun_path) return cannot_connect(ENAMETOOLONG);
    path.copy(name.sun_path, path.size());
    connect(Protocol(AF_UNIX, 0), Protocol::endpoint(&name, sizeof name));
  }

  void send(std::shared_ptr<HttpCall> call) override {
    phase_ = Phase::kBusy;
    call_ = std::move(call);
    ++call_->attempts;
    // Not owning: the call is ours until it is finished, and clears its time-out then.
    call_->expired = [this] { end("no answer from " + where_ + " before the deadline"); };
    parser_.expect(call_->to_head);
    written_ = 0;
    answering_ = false;
    flush();
  }

  void close() override {
    owner_ = nullptr;
    if (phase_ == Phase::kClosed) return;
    shut();
    if (const auto call = std::exchange(call_, nullptr)) {
      call->finish(
          fail(Code::kUnknownOutcome, "stopped before the answer of " + where_ + " was complete"));
    }
  }

  bool alive() override {
    if (thread_->wheel().now() - ready_since_ < kTrustedFor) return true;
    char byte = 0;
    return ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
           (errno == EAGAIN || errno == EWOULDBLOCK);
  }

 private:
  enum class Phase : std::uint8_t { kConnecting, kReady, kBusy, kClosed };

  void expire_after(Duration after) {
    TimeoutWheel& wheel = thread_->wheel();
    wheel.set(timeout_, wheel.now() + after);
  }

  void expired() {
    if (phase_ == Phase::kConnecting) return cannot_connect(ETIMEDOUT);
    if (phase_ == Phase::kReady) return end("");
    if (phase_ == Phase::kBusy) expire_after(idle_timeout_);  // the call has its own
  }

  void connect_to_next(const Error& last) {
    if (addresses_.empty()) return fail_connecting(last);
    const SocketAddress address = addresses_.front();
    addresses_.erase(addresses_.begin());
    const SystemAddress to = to_system(address);
    connect(Protocol(to.family(), IPPROTO_TCP), Protocol::endpoint(to.pointer(), to.size));
  }

  void connect(const Protocol& protocol, const Protocol::endpoint& to) {
    error_code error;
    if (socket_.is_open()) static_cast<void>(socket_.close(error));
    if (socket_.open(protocol, error)) return cannot_connect(error.value());
    if (socket_.non_blocking(true, error)) return cannot_connect(error.value());
    if (protocol.family() != AF_UNIX) {
      const int on = 1;
      ::setsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    socket_.async_connect(to, [self = shared_from_this()](error_code failed) {
      if (self->phase_ != Phase::kConnecting) return;
      if (failed) return self->cannot_connect(failed.value());
      self->phase_ = Phase::kReady;
      self->read();
      self->become_ready();
    });
  }

  void cannot_connect(int number) {
    const Error error{Code::kUnavailable,
                      "cannot connect to " + where_ + ": " + error_text(number)};
    if (number == ETIMEDOUT) addresses_.clear();  // the time is for all of them together
    connect_to_next(error);
  }

  void fail_connecting(const Error& error) {
    shut();
    // Later: it may be found out inside open().
    asio::post(thread_->context(), [self = shared_from_this(), error] {
      if (self->owner_) self->owner_->ended(*self, &error);
    });
  }

  void become_ready() {
    phase_ = Phase::kReady;
    ready_since_ = thread_->wheel().now();
    expire_after(idle_timeout_);
    owner_->ready(*this);
  }

  // A read is always pending, so that the end of an idle connection is seen at once.
  void read() {
    const auto room = parser_.prepare();
    socket_.async_read_some(asio::buffer(room.data(), room.size()),
                            [self = shared_from_this()](error_code error, std::size_t size) {
                              if (self->phase_ == Phase::kClosed) return;
                              error ? self->read_failed(error) : self->received(size);
                            });
  }

  void received(std::size_t size) {
    if (phase_ != Phase::kBusy) return end("");  // said without being asked
    answering_ = true;
    parser_.commit(size);
    advance();
    // Last, since what comes of the answer may have begun another call or closed us.
    if (phase_ == Phase::kReady || phase_ == Phase::kBusy) read();
  }

  // False if the answer is not complete yet.
  bool advance() {
    switch (parser_.next()) {
      case HttpResponseParser::Step::kNeedMore:
        return false;
      case HttpResponseParser::Step::kError:
        end("the answer of " + where_ + " cannot be used: " + parser_.error_message());
        return true;
      case HttpResponseParser::Step::kMessage:
        break;
    }
    HttpResponse response = parser_.take();
    const auto call = std::exchange(call_, nullptr);
    const bool stays =
        parser_.keep_alive() && parser_.idle() && written_ == call->head.size() + call->body.size();
    if (stays) {
      become_ready();
    } else {
      end("");
    }
    call->finish(std::move(response));
    return true;
  }

  void read_failed(const error_code& error) {
    if (phase_ != Phase::kBusy) return end("");
    if (error == asio::error::eof && answering_) {
      parser_.commit_end();
      advance();
      return;
    }
    // Nothing of an answer: whether it ran is unknown, unless none of it was sent.
    if (!answering_ && (written_ == 0 || call_->repeatable) && call_->attempts < kAttemptsMax) {
      return repeat();
    }
    end("the connection to " + where_ + " broke before the answer was complete");
  }

  void repeat() {
    auto call = std::exchange(call_, nullptr);
    Owner* const owner = owner_;
    end("");
    owner->again(std::move(call));
  }

  void flush() {
    for (;;) {
      const std::string& head = call_->head;
      const std::string_view body = call_->body.view();
      if (written_ == head.size() + body.size()) return;
      const std::size_t of_head = std::min(written_, head.size());
      const std::array<asio::const_buffer, 2> rest = {
          asio::const_buffer(head.data() + of_head, head.size() - of_head),
          asio::const_buffer(body.data() + (written_ - of_head),
                             body.size() - (written_ - of_head))};
      error_code error;
      const std::size_t size = body.empty() ? socket_.write_some(asio::const_buffer(rest[0]), error)
                                            : socket_.write_some(rest, error);
      if (error == asio::error::would_block) return await_room();
      // The pending read says what became of it: an answer that came before the end, or an error.
      if (error) return;
      written_ += size;
    }
  }

  void await_room() {
    socket_.async_wait(Socket::wait_write,
                       [self = shared_from_this(), call = call_](error_code error) {
                         if (!error && self->call_ == call) self->flush();
                       });
  }

  void shut() {
    phase_ = Phase::kClosed;
    timeout_.clear();
    error_code ignored;
    static_cast<void>(socket_.close(ignored));
  }

  // Ends the connection; a call under way fails, saying why, with an outcome unknown.
  void end(std::string why) {
    if (phase_ == Phase::kClosed) return;
    const auto self = shared_from_this();
    shut();
    owner_->ended(*this, nullptr);
    if (const auto call = std::exchange(call_, nullptr)) {
      call->finish(fail(Code::kUnknownOutcome, std::move(why)));
    }
  }

  const std::shared_ptr<IoThread> thread_;
  Owner* owner_;  // none once closed by it
  const Duration connect_timeout_;
  const Duration idle_timeout_;
  const std::string where_;
  Socket socket_;
  HttpResponseParser parser_;
  Timeout timeout_;
  Phase phase_ = Phase::kConnecting;
  std::vector<SocketAddress> addresses_;  // not tried yet
  std::shared_ptr<HttpCall> call_;        // under way, when busy
  std::size_t written_ = 0;               // of the call's head and body
  bool answering_ = false;                // some of the answer has come
  Time ready_since_;
};

}  // namespace

HttpCall::~HttpCall() { finish(fail(Code::kCancelled, "the HTTP client has stopped")); }

void HttpCall::finish(Result<HttpResponse> result) {
  if (!done) return;
  timeout.clear();
  std::exchange(done, nullptr)(std::move(result));
}

std::shared_ptr<HttpClientConnection> HttpClientConnection::make(std::shared_ptr<IoThread> thread,
                                                                 Owner& owner,
                                                                 const HttpClientOptions& options,
                                                                 std::string where) {
  return std::make_shared<Connection>(std::move(thread), owner, options, std::move(where));
}

}  // namespace troupe::net
