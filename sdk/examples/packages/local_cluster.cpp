#include "sdk/examples/packages/local_cluster.h"

#include <bit>
#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <utility>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

using troupe::Code;
using troupe::fail;
using troupe::Result;

namespace {

constexpr auto kStopPatience = std::chrono::seconds(30);
constexpr auto kCallTimeout = std::chrono::seconds(20);

// A socket on `port` of the loopback, closed at its end.
class Bound {
 public:
  Bound(int type, std::uint16_t port) : socket_(socket(AF_INET, type | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto any = std::bit_cast<sockaddr>(address);
    socklen_t size = sizeof any;
    fine_ = bind(socket_, &any, size) == 0 && getsockname(socket_, &any, &size) == 0;
    port_ = ntohs(std::bit_cast<sockaddr_in>(any).sin_port);
  }
  ~Bound() { close(socket_); }
  Bound(const Bound&) = delete;
  Bound& operator=(const Bound&) = delete;

  bool fine() const { return fine_; }
  std::uint16_t port() const { return port_; }

 private:
  int socket_;
  std::uint16_t port_ = 0;
  bool fine_ = false;
};

// A port that nobody has now, TCP nor UDP.
std::optional<std::uint16_t> free_port(std::set<std::uint16_t>& taken) {
  for (int attempt = 0; attempt < 100; ++attempt) {
    const Bound stream(SOCK_STREAM, 0);
    const Bound datagrams(SOCK_DGRAM, stream.port());
    if (stream.fine() && datagrams.fine() && taken.insert(stream.port()).second) {
      return stream.port();
    }
  }
  return std::nullopt;
}

}  // namespace

LocalCluster::LocalCluster(LocalClusterOptions options) : options_(std::move(options)) {}

Result<void> LocalCluster::start() {
  std::set<std::uint16_t> taken;
  for (std::size_t i = 0; i < options_.nodes_max; ++i) {
    auto node = std::make_unique<Node>();
    node->name = "node" + std::to_string(i + 1);
    for (std::string* address : {&node->peers, &node->http}) {
      const std::optional<std::uint16_t> port = free_port(taken);
      if (!port) return fail(Code::kExhausted, "no free port on 127.0.0.1");
      *address = "127.0.0.1:" + std::to_string(*port);
    }
    nodes_.push_back(std::move(node));
  }
  while (started_ < options_.founders) {
    Result<void> started = run(started_++);
    if (!started) return started;
  }
  return {};
}

Result<void> LocalCluster::add() { return run(started_++); }

Result<void> LocalCluster::stop(std::size_t node) {
  Result<void> stopped = nodes_[node]->process.stop(kStopPatience);
  if (stopped) return stopped;
  return fail(stopped.error().code, nodes_[node]->name + ": " + stopped.error().message);
}

Result<void> LocalCluster::restart(std::size_t node) { return run(node); }

Result<void> LocalCluster::stop_all() {
  Result<void> outcome;
  for (std::size_t i = started_; i-- > 0;) {
    const Result<void> stopped = stop(i);
    if (!stopped) outcome = stopped;
  }
  return outcome;
}

Result<void> LocalCluster::run(std::size_t node) {
  const Node& self = *nodes_[node];
  std::string founders;
  for (std::size_t i = 0; i < options_.founders; ++i) {
    founders += (i == 0 ? "" : ",") + nodes_[i]->peers;
  }
  const std::string data = options_.directory + "/" + self.name;
  std::vector<std::string> arguments{options_.program,
                                     "--name",
                                     self.name,
                                     "--data-dir",
                                     data,
                                     "--listen",
                                     self.peers,
                                     "--http",
                                     self.http,
                                     "--join",
                                     founders,
                                     "--shards",
                                     std::to_string(options_.shards),
                                     "--no-discovery",
                                     "--log-level",
                                     "info"};
  if (node < options_.founders) {
    arguments.insert(arguments.end(), {"--bootstrap-expect", std::to_string(options_.founders)});
  }
  return nodes_[node]->process.start(arguments, data + ".log");
}

std::size_t LocalCluster::up() {
  std::size_t count = 0;
  for (const auto& node : nodes_) count += node->process.runs() ? 1 : 0;
  return count;
}

troupe::Client LocalCluster::client(std::size_t node) const {
  troupe::ClientOptions options{.addresses = {}, .timeout = kCallTimeout};
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    options.addresses.push_back(nodes_[(node + i) % nodes_.size()]->http);
  }
  return troupe::Client(options);
}

troupe::Client LocalCluster::client_of(std::size_t node) const {
  return troupe::Client(
      troupe::ClientOptions{.addresses = {nodes_[node]->http}, .timeout = kCallTimeout});
}
