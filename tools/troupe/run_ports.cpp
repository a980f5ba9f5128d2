#include "tools/troupe/run_ports.h"

#include <array>
#include <bit>
#include <cerrno>
#include <string_view>
#include <vector>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace troupe::tools {
namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// A port that is ours as long as this lives.
class HeldPort {
 public:
  // 0: any.
  explicit HeldPort(std::uint16_t port)
      : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const int yes = 1;
    ::setsockopt(socket_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    sockaddr_in address = loopback(port);
    socklen_t size = sizeof address;
    auto* const where = std::bit_cast<sockaddr*>(&address);
    if (::bind(socket_, where, size) == 0 && ::getsockname(socket_, where, &size) == 0) {
      port_ = ntohs(address.sin_port);
    }
  }
  HeldPort(HeldPort&& other) noexcept : socket_(other.socket_), port_(other.port_) {
    other.socket_ = -1;
  }
  HeldPort& operator=(HeldPort&&) = delete;
  ~HeldPort() {
    if (socket_ >= 0) ::close(socket_);
  }

  // 0: it is taken.
  std::uint16_t port() const { return port_; }

 private:
  int socket_;
  std::uint16_t port_ = 0;
};

Failure taken(std::uint16_t port, std::string_view flag) {
  return fail(Code::kUnavailable,
              "port " + std::to_string(port) + " (--" + std::string(flag) +
                  ") is taken or not allowed; choose another, or leave it out for a free one");
}

}  // namespace

Result<RunPorts> choose_ports(const AppRun& run) {
  struct Wanted {
    std::string_view flag;
    std::uint16_t& port;
    bool always;
  };
  RunPorts ports;
  const std::array wanted = {Wanted{"dapr-http-port", ports.http, true},
                             Wanted{"dapr-grpc-port", ports.grpc, true},
                             Wanted{"dapr-internal-grpc-port", ports.peers, false},
                             Wanted{"metrics-port", ports.metrics, false}};
  std::vector<HeldPort> held;  // all at once, so that no free one is chosen twice
  if (const std::uint16_t app = run.port("app-port"); app != 0 && !run.command.empty()) {
    held.emplace_back(app);
    if (held.back().port() == 0) {
      return fail(Code::kUnavailable, "port " + std::to_string(app) +
                                          " (--app-port) is taken: something else listens where "
                                          "the app is to listen");
    }
  }
  for (const bool asked_for : {true, false}) {
    for (const Wanted& each : wanted) {
      const std::uint16_t port = run.port(each.flag);
      if ((port != 0) != asked_for || (port == 0 && !each.always)) continue;
      held.emplace_back(port);
      if (held.back().port() == 0) return taken(port, each.flag);
      each.port = held.back().port();
    }
  }
  return ports;
}

bool is_listening(std::uint16_t port) {
  const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(port);
  const bool there =
      ::connect(probe, std::bit_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(probe);
  return there;
}

}  // namespace troupe::tools
