#pragma once

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "runtime/base/check.h"
#include "runtime/base/clock.h"
#include "runtime/net/socket_system.h"

namespace troupe::net {

/// A plain, blocking client (or accepted) socket that says exactly the bytes a test wants said.
class TestSocket {
 public:
  /// Takes over `socket`.
  explicit TestSocket(int socket) : socket_(socket) { check(socket >= 0, "a test has a socket"); }
  TestSocket(TestSocket&& other) noexcept : socket_(std::exchange(other.socket_, -1)) {}
  TestSocket& operator=(TestSocket&&) = delete;
  ~TestSocket() { close(); }

  static TestSocket connect(std::uint16_t port, const char* host = "127.0.0.1") {
    const SystemAddress to = to_system(parse_numeric_host(host, port).value());
    TestSocket socket(::socket(to.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
    check(::connect(socket.socket_, to.pointer(), to.size) == 0, "a test connects");
    return socket;
  }

  static TestSocket connect_unix(const std::string& path) {
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    path.copy(name.sun_path, sizeof name.sun_path - 1);
    TestSocket socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    check(::connect(socket.socket_, reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0,
          "a test connects");
    return socket;
  }

  void send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;  // the peer has gone: the test sees it when it reads
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  void end_sending() const { ::shutdown(socket_, SHUT_WR); }

  /// At least `size` bytes, fewer only if the peer ends before.
  std::string receive(std::size_t size) {
    std::array<char, 64 * 1024> piece{};
    while (received_.size() < size) {
      const ssize_t got = ::recv(socket_, piece.data(), piece.size(), 0);
      if (got <= 0) break;
      received_.append(piece.data(), static_cast<std::size_t>(got));
    }
    const std::string taken = received_.substr(0, size);
    received_.erase(0, taken.size());
    return taken;
  }

  std::string receive_all() { return receive(std::string::npos / 2); }

  /// Up to and including `mark`, or what comes before the peer ends.
  std::string receive_until(std::string_view mark) {
    std::string text;
    while (!text.ends_with(mark)) {
      const std::string next = receive(1);
      if (next.empty()) break;
      text += next;
    }
    return text;
  }

  /// One answer, which states the length of its body.
  std::string receive_answer() {
    std::string head = receive_until("\r\n\r\n");
    const std::size_t field = head.find("Content-Length: ");
    if (field == std::string::npos) return head;
    return head + receive(std::stoul(head.substr(field + 16)));
  }

  /// The connection ends with a reset.
  void reset() {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close();
  }

  void close() {
    if (socket_ >= 0) ::close(std::exchange(socket_, -1));
  }

 private:
  int socket_;
  std::string received_;
};

/// A clock that stands still until it is told.
class TestClock final : public Clock {
 public:
  Time now() const override { return Time(Duration(microseconds_)); }
  WallTime wall() const override { return WallTime(Duration(784'111'777'000'000)); }
  void advance(Duration by) { microseconds_ += by.count(); }

 private:
  std::atomic<std::int64_t> microseconds_ = 1'000'000;
};

}  // namespace troupe::net
