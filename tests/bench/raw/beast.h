#pragma once

#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runtime/base/clock.h"
#include "runtime/base/executor.h"

/// What benchmarks compare the HTTP server with: an echo over Beast; and the load for both.
namespace troupe::bench {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using Tcp = asio::ip::tcp;
using Socket = asio::basic_stream_socket<Tcp, asio::io_context::executor_type>;

inline constexpr std::size_t kThreads = 2;
inline constexpr int kConnections = 32;

/// The bare minimum over Beast: no time-outs, no limits, no hand-over.
class BeastSession : public std::enable_shared_from_this<BeastSession> {
 public:
  explicit BeastSession(Socket socket) : socket_(std::move(socket)) {}

  void read() {
    request_ = {};
    http::async_read(socket_, buffer_, request_,
                     [self = shared_from_this()](boost::system::error_code error, std::size_t) {
                       if (!error) self->write();
                     });
  }

 private:
  void write() {
    response_ = {http::status::ok, request_.version()};
    response_.set(http::field::content_type, "application/json");
    response_.body() = std::move(request_.body());
    response_.prepare_payload();
    http::async_write(socket_, response_,
                      [self = shared_from_this()](boost::system::error_code error, std::size_t) {
                        if (!error) self->read();
                      });
  }

  Socket socket_;
  boost::beast::flat_buffer buffer_;
  http::request<http::string_body> request_;
  http::response<http::string_body> response_;
};

using ReusePort = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

// One context and one acceptor a thread.
inline void serve_beast(int ready, int stop) {
  SystemClock clock;
  std::vector<std::unique_ptr<asio::io_context>> contexts;
  std::vector<std::unique_ptr<Tcp::acceptor>> acceptors;
  std::uint16_t port = 0;
  for (std::size_t i = 0; i < kThreads; ++i) {
    contexts.push_back(std::make_unique<asio::io_context>(1));
    auto acceptor = std::make_unique<Tcp::acceptor>(*contexts.back());
    acceptor->open(Tcp::v4());
    acceptor->set_option(ReusePort(true));
    acceptor->bind({asio::ip::address_v4::loopback(), port});
    acceptor->listen();
    port = acceptor->local_endpoint().port();
    acceptors.push_back(std::move(acceptor));
  }
  struct Accept {
    Tcp::acceptor& acceptor;
    asio::io_context& context;
    void next() const {
      acceptor.async_accept(context, [self = *this](boost::system::error_code error, auto socket) {
        if (error) return;
        socket.set_option(Tcp::no_delay(true));
        Socket concrete(self.context, Tcp::v4(), socket.release());
        std::make_shared<BeastSession>(std::move(concrete))->read();
        self.next();
      });
    }
  };
  std::vector<std::unique_ptr<Loop>> loops;
  for (std::size_t i = 0; i < kThreads; ++i) {
    Accept{*acceptors[i], *contexts[i]}.next();
    loops.push_back(std::make_unique<Loop>(clock, "beast"));
    loops.back()->post([context = contexts[i].get()] { context->run(); });
  }
  if (write(ready, &port, sizeof port) < 0) return;
  char byte = 0;
  if (read(stop, &byte, 1) < 0) return;
  _exit(0);
}

inline int connect_to(std::uint16_t port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(socket, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) std::abort();
  const int on = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return socket;
}

/// In a request, where each time it is sent another number stands.
inline constexpr std::string_view kNumber = "000000000000";

/// Sends on each connection as soon as the answer before is there: connection i the request i, of
/// as many as there are. Returns the number of requests. An answer has 70 bytes or more.
inline long load(std::uint16_t port, Duration how_long, std::vector<std::string> requests) {
  static std::uint64_t sent = 0;
  const SystemClock clock;
  const int poll = epoll_create1(0);
  std::vector<int> sockets;
  std::vector<std::size_t> numbers;
  numbers.reserve(requests.size());
  for (const std::string& each : requests) numbers.push_back(each.find(kNumber));
  const auto ask = [&](std::uint64_t i) {
    std::string& request = requests[i % requests.size()];
    if (const std::size_t at = numbers[i % requests.size()]; at != std::string::npos) {
      const std::string number = std::to_string(++sent);
      request.replace(at + kNumber.size() - number.size(), number.size(), number);
    }
    if (send(sockets[i], request.data(), request.size(), 0) < 0) std::abort();
  };
  for (std::uint64_t i = 0; i < kConnections; ++i) {
    sockets.push_back(connect_to(port));
    epoll_event event{.events = EPOLLIN, .data = {.u64 = i}};
    epoll_ctl(poll, EPOLL_CTL_ADD, sockets.back(), &event);
    ask(i);
  }
  const Time end = clock.now() + how_long;
  long answered = 0;
  std::array<epoll_event, kConnections> events{};
  std::array<char, 4096> bytes{};
  while (clock.now() < end) {
    const int count = epoll_wait(poll, events.data(), kConnections, 1000);
    for (int i = 0; i < count; ++i) {
      const std::uint64_t number = events[static_cast<std::size_t>(i)].data.u64;
      const ssize_t size = recv(sockets[number], bytes.data(), bytes.size(), 0);
      // On loopback so short an answer comes in one piece.
      if (size < 70 || std::string_view(bytes.data(), 12) != "HTTP/1.1 200") std::abort();
      ++answered;
      ask(number);
    }
  }
  for (const int socket : sockets) close(socket);
  close(poll);
  return answered;
}

}  // namespace troupe::bench
