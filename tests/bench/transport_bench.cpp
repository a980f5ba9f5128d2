// What a frame to another node and its echo cost: 100 bytes, both ends in this process, over the
// loopback address; our network against a bare gRPC stream whose every message carries all frames
// in flight, in lock step (the best that batching can do), turn about in one run.
//
//     transport_bench [rounds = 3] [seconds a round = 1]

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "runtime/base/guarded.h"
#include "runtime/transport/grpc_network.h"
#include "tests/bench/raw/stream.h"

namespace troupe::transport {
namespace {

using bench::bare;
using bench::Figure;
using bench::kFrameBytes;
using bench::measure;

constexpr std::array<std::size_t, 4> kInFlight = {1, 16, 64, 256};

class Node final : public NetworkListener {
 public:
  explicit Node(std::uint64_t number) : id_{.high = number, .low = number} {}

  Hello hello() const override { return {1, "bench", id_, Generation{1}}; }
  void connected(const Hello& peer) override {
    peer_ = peer.node;
    connected_.set_value();
  }
  void disconnected(NodeId) override {}
  void nobody_listens(NodeId) override {}
  void received(NodeId from, std::string_view frame) override {
    ++received_;
    const Lane lane = echoes_ ? Lane::kControl : Lane::kCalls;
    if (stopping_) return;
    if (!network_->send(from, lane, std::string(frame)) && !stopping_) std::abort();
  }
  void introduced(std::string, Done<std::string>) override {}
  void received_datagram(const std::string&, std::string_view) override {}

  void start(bool echoes) {
    echoes_ = echoes;
    TransportOptions options;
    options.port = 0;
    const GrpcNetwork::Dependencies dependencies{.threads = threads_,
                                                 .resolver = resolver_,
                                                 .clock = clock_,
                                                 .log = Log(silent_log(), "transport"),
                                                 .listener = *this};
    network_ = std::make_unique<GrpcNetwork>(dependencies, options);
    if (!network_->start()) std::abort();
  }
  void know(Node& other) { network_->know(other.id_, other.network_->address()); }
  void wait() { connected_.get_future().wait(); }
  void begin(std::size_t in_flight) {
    for (std::size_t i = 0; i < in_flight; ++i) {
      if (!network_->send(peer_, Lane::kCalls, std::string(kFrameBytes, 'x'))) std::abort();
    }
  }
  void fall_silent() { stopping_ = true; }
  void stop() { network_->stop(); }
  std::uint64_t received() const { return received_; }
  double batch_length() const {
    const TransportMetrics& metrics = network_->metrics();
    return static_cast<double>(metrics.frames_sent) / static_cast<double>(metrics.batches_sent);
  }

 private:
  const NodeId id_;
  NodeId peer_;
  bool echoes_ = false;
  std::atomic<bool> stopping_ = false;
  std::atomic<std::uint64_t> received_ = 0;
  std::promise<void> connected_;
  SystemClock clock_;
  net::IoThreads threads_{clock_, {.threads = 1}};
  net::Resolver resolver_{1};
  std::unique_ptr<GrpcNetwork> network_;
};

Figure ours(std::size_t in_flight, double length, double& batch_length) {
  Node a(1);
  Node b(2);
  a.start(false);
  b.start(true);
  a.know(b);
  b.know(a);
  a.wait();
  b.wait();
  a.begin(in_flight);
  (void)measure(length / 5, [&] { return a.received(); });
  const Figure figure = measure(length, [&] { return a.received(); });
  batch_length = a.batch_length();
  b.fall_silent();
  a.fall_silent();
  a.stop();
  b.stop();
  return figure;
}

Figure median(std::vector<Figure> figures) {
  std::ranges::sort(figures, {}, &Figure::frames_per_second);
  return figures[figures.size() / 2];
}

void run(int rounds, double length) {
  std::printf("in flight |   bare stream         |   troupe               | rate  | CPU\n");
  std::printf("          |  echoes/s  us CPU     |  echoes/s  us CPU batch| ratio | ratio\n");
  for (const std::size_t in_flight : kInFlight) {
    std::vector<Figure> of_bare;
    std::vector<Figure> of_ours;
    double batch_length = 0;
    for (int i = 0; i < rounds; ++i) {
      of_bare.push_back(bare(in_flight, length));
      of_ours.push_back(ours(in_flight, length, batch_length));
    }
    const Figure b = median(of_bare);
    const Figure o = median(of_ours);
    std::printf("%9zu | %9.0f %7.2f     | %9.0f %7.2f %5.1f | %5.2f | %5.2f\n", in_flight,
                b.frames_per_second, b.cpu_microseconds, o.frames_per_second, o.cpu_microseconds,
                batch_length, o.frames_per_second / b.frames_per_second,
                o.cpu_microseconds / b.cpu_microseconds);
  }
}

}  // namespace
}  // namespace troupe::transport

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 3;
  const double length = argc > 2 ? std::atof(argv[2]) : 1;
  troupe::transport::run(rounds, length);
}
