// What one HTTP request costs the server's process: a 100-byte POST, echoed, over 32 kept
// connections; our server against a bare Beast echo, turn about in one run.
//
//     http_bench [rounds = 5] [seconds a round = 1]

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/base/clock.h"
#include "runtime/base/executor.h"
#include "runtime/net/http_server.h"

namespace troupe::net {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using Tcp = asio::ip::tcp;
using Socket = asio::basic_stream_socket<Tcp, asio::io_context::executor_type>;

constexpr std::size_t kThreads = 2;
constexpr int kConnections = 32;

// The bare minimum over Beast: no time-outs, no limits, no hand-over.
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
void serve_beast(int ready, int stop) {
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

class Echo final : public HttpHandler {
 public:
  void handle(HttpRequest request, HttpResponder respond) override {
    respond({.status = 200,
             .headers = {},
             .content_type = "application/json",
             .body = std::move(request.body)});
  }
};

void serve_ours(int ready, int stop) {
  SystemClock clock;
  IoThreads threads(clock, {.threads = kThreads});
  Echo echo;
  HttpServer server(threads, Log(silent_log(), "bench"), {}, echo);
  if (!server.start()) std::abort();
  const std::uint16_t port = server.port();
  if (write(ready, &port, sizeof port) < 0) return;
  char byte = 0;
  if (read(stop, &byte, 1) < 0) return;
  _exit(0);
}

const std::string kRequest =
    "POST /v1.0/actors/Cart/1/method/add HTTP/1.1\r\nHost: localhost:3500\r\n"
    "User-Agent: bench\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n" +
    std::string(100, 'x');

int connect_to(std::uint16_t port) {
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

// Sends on each connection as soon as the answer before is there. Returns the number of requests.
long load(std::uint16_t port, Duration how_long) {
  const SystemClock clock;
  const int poll = epoll_create1(0);
  std::vector<int> sockets;
  for (int i = 0; i < kConnections; ++i) {
    sockets.push_back(connect_to(port));
    epoll_event event{.events = EPOLLIN, .data = {.fd = sockets.back()}};
    epoll_ctl(poll, EPOLL_CTL_ADD, sockets.back(), &event);
    if (send(sockets.back(), kRequest.data(), kRequest.size(), 0) < 0) std::abort();
  }
  const Time end = clock.now() + how_long;
  long answered = 0;
  std::array<epoll_event, kConnections> events{};
  std::array<char, 4096> bytes{};
  while (clock.now() < end) {
    const int count = epoll_wait(poll, events.data(), kConnections, 1000);
    for (int i = 0; i < count; ++i) {
      const int socket = events[static_cast<std::size_t>(i)].data.fd;
      const ssize_t size = recv(socket, bytes.data(), bytes.size(), 0);
      // On loopback so short an answer comes in one piece.
      if (size < 100 || std::string_view(bytes.data(), 12) != "HTTP/1.1 200") std::abort();
      ++answered;
      if (send(socket, kRequest.data(), kRequest.size(), 0) < 0) std::abort();
    }
  }
  for (const int socket : sockets) close(socket);
  close(poll);
  return answered;
}

struct Round {
  double microseconds;  // of CPU, per request
  double rate;
};

Round measure(void (*serve)(int, int), Duration how_long) {
  std::array<int, 2> ready{};
  std::array<int, 2> stop{};
  if (pipe(ready.data()) != 0 || pipe(stop.data()) != 0) std::abort();
  const pid_t child = fork();
  if (child == 0) {
    close(stop[1]);
    serve(ready[1], stop[0]);
    _exit(1);
  }
  std::uint16_t port = 0;
  if (read(ready[0], &port, sizeof port) != sizeof port) std::abort();
  const long answered = load(port, how_long);
  close(stop[1]);
  int status = 0;
  rusage usage{};
  wait4(child, &status, 0, &usage);
  for (const int pipe_end : {ready[0], ready[1], stop[0]}) close(pipe_end);
  const double cpu = static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
                     static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
  const double seconds = std::chrono::duration<double>(how_long).count();
  return {cpu / static_cast<double>(answered), static_cast<double>(answered) / seconds};
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

int run(int rounds, int seconds) {
  std::vector<double> ours;
  std::vector<double> beast;
  std::vector<double> ratios;
  for (int i = 0; i < rounds; ++i) {
    const Round b = measure(serve_beast, std::chrono::seconds(seconds));
    const Round o = measure(serve_ours, std::chrono::seconds(seconds));
    beast.push_back(b.microseconds);
    ours.push_back(o.microseconds);
    ratios.push_back(o.microseconds / b.microseconds);
    std::printf("round %d: beast %.2f us (%.0f/s)  ours %.2f us (%.0f/s)\n", i + 1, b.microseconds,
                b.rate, o.microseconds, o.rate);
  }
  std::printf("CPU per request, medians: beast %.2f us, ours %.2f us, ratio %.2f\n", median(beast),
              median(ours), median(ratios));
  return 0;
}

}  // namespace
}  // namespace troupe::net

int main(int argc, char** argv) {
  return troupe::net::run(argc > 1 ? std::atoi(argv[1]) : 5, argc > 2 ? std::atoi(argv[2]) : 1);
}
