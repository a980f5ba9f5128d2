#include "runtime/net/connect_probe.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <netinet/in.h>

#include "runtime/net/socket_system.h"

namespace troupe::net {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Protocol = asio::generic::stream_protocol;
using Socket = asio::basic_stream_socket<Protocol, asio::io_context::executor_type>;

class Probe final : public std::enable_shared_from_this<Probe> {
 public:
  Probe(std::shared_ptr<IoThread> thread, std::string where, Done<void> done)
      : thread_(std::move(thread)),
        where_(std::move(where)),
        done_(std::move(done)),
        socket_(thread_->context()),
        timer_(thread_->context()) {}

  void begin(std::vector<SocketAddress> addresses, Time deadline) {
    addresses_ = std::move(addresses);
    timer_.expires_after(std::max(Duration(0), deadline - thread_->wheel().now()));
    timer_.async_wait([self = shared_from_this()](error_code cancelled) {
      if (cancelled) return;
      self->end(fail(Code::kTimeout, self->where_ + " does not take a connection"));
    });
    connect(Error{Code::kUnavailable, "no address of " + where_});
  }

  void end(Result<void> outcome) {
    if (!done_) return;
    timer_.cancel();
    error_code ignored;
    static_cast<void>(socket_.close(ignored));
    std::exchange(done_, nullptr)(std::move(outcome));
  }

 private:
  void connect(const Error& last) {
    if (!done_) return;
    if (addresses_.empty()) return end(fail(last));
    const SystemAddress to = to_system(addresses_.back());
    addresses_.pop_back();
    error_code error;
    if (socket_.is_open()) static_cast<void>(socket_.close(error));
    if (socket_.open(Protocol(to.family(), IPPROTO_TCP), error)) return failed(error.value());
    SystemAddress address = to;
    socket_.async_connect(Protocol::endpoint(address.pointer(), address.size),
                          [self = shared_from_this()](error_code refused) {
                            if (!refused) return self->end({});
                            if (self->done_) self->failed(refused.value());
                          });
  }

  void failed(int number) {
    connect(Error{Code::kUnavailable, "cannot connect to " + where_ + ": " + error_text(number)});
  }

  const std::shared_ptr<IoThread> thread_;
  const std::string where_;
  Done<void> done_;
  Socket socket_;
  asio::steady_timer timer_;
  std::vector<SocketAddress> addresses_;  // not tried yet
};

}  // namespace

void probe(IoThreads& threads, Resolver& resolver, const HostPort& where, Time deadline,
           Done<void> done) {
  const std::shared_ptr<IoThread> thread = threads.pick();
  auto begin = [thread, name = to_string(where), deadline,
                done = std::move(done)](Result<std::vector<SocketAddress>> found) mutable {
    thread->post([thread, name = std::move(name), deadline, done = std::move(done),
                  found = std::move(found)]() mutable {
      if (!found) return done(fail(found.error()));
      std::make_shared<Probe>(thread, std::move(name), std::move(done))
          ->begin(*std::move(found), deadline);
    });
  };
  if (const auto numeric = parse_numeric_host(where.host, where.port)) {
    return begin(std::vector<SocketAddress>{*numeric});
  }
  resolver.resolve(where, std::move(begin));
}

}  // namespace troupe::net
