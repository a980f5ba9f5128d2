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

#include <grpcpp/create_channel.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <sys/resource.h>

#include "runtime/base/guarded.h"
#include "runtime/transport/grpc_network.h"

namespace troupe::transport {
namespace {

constexpr std::size_t kFrameBytes = 100;
constexpr std::array<std::size_t, 4> kInFlight = {1, 16, 64, 256};

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

struct Figure {
  double frames_per_second = 0;  // there and back is one
  double cpu_microseconds = 0;   // of both ends, a frame there and back
};

// The process's CPU and the echoes that `count` says, over `length`.
template <class Count>
Figure measure(double length, Count count) {
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  const double cpu = cpu_seconds();
  const double before = static_cast<double>(count());
  std::this_thread::sleep_for(std::chrono::duration<double>(length));
  const double echoes = std::max(1.0, static_cast<double>(count()) - before);
  const double wall = std::chrono::duration<double>(Clock::now() - begin).count();
  return {echoes / wall, (cpu_seconds() - cpu) / echoes * 1e6};
}

class EchoReactor final : public grpc::ServerGenericBidiReactor {
 public:
  EchoReactor() { StartRead(&bytes_); }
  void OnReadDone(bool ok) override { ok ? StartWrite(&bytes_) : Finish(grpc::Status::OK); }
  void OnWriteDone(bool ok) override {
    if (ok) StartRead(&bytes_);
  }
  void OnDone() override { delete this; }

 private:
  grpc::ByteBuffer bytes_;
};

class EchoService final : public grpc::CallbackGenericService {
  grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext*) override {
    return new EchoReactor;
  }
};

class BareClient final : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  BareClient(const std::string& address, std::size_t in_flight)
      : stub_(grpc::CreateChannel(address, grpc::InsecureChannelCredentials())),
        in_flight_(in_flight) {
    stub_.PrepareBidiStreamingCall(&context_, "/bench/Echo", {}, this);
    send();
    StartCall();
  }
  ~BareClient() {
    stopping_ = true;
    done_.get_future().wait();
  }
  std::uint64_t echoes() const { return echoes_; }

  void OnWriteDone(bool ok) override {
    if (ok) StartRead(&in_);
  }
  void OnReadDone(bool ok) override {
    if (!ok) return;
    echoes_ += in_flight_;
    if (!stopping_) return send();
    StartWritesDone();
    StartRead(&in_);
  }
  void OnDone(const grpc::Status&) override { done_.set_value(); }

 private:
  void send() {
    const grpc::Slice slice(std::string(kFrameBytes * in_flight_, 'x'));
    out_ = grpc::ByteBuffer(&slice, 1);
    StartWrite(&out_);
  }

  grpc::GenericStub stub_;
  const std::size_t in_flight_;
  grpc::ClientContext context_;
  grpc::ByteBuffer in_;
  grpc::ByteBuffer out_;
  std::atomic<std::uint64_t> echoes_ = 0;
  std::atomic<bool> stopping_ = false;
  std::promise<void> done_;
};

Figure bare(std::size_t in_flight, double length) {
  EchoService service;
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterCallbackGenericService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  Figure figure;
  {
    const BareClient client("127.0.0.1:" + std::to_string(port), in_flight);
    (void)measure(length / 5, [&] { return client.echoes(); });
    figure = measure(length, [&] { return client.echoes(); });
  }
  server->Shutdown();
  return figure;
}

class Node final : public NetworkListener {
 public:
  explicit Node(std::uint64_t number) : id_{.high = number, .low = number} {}

  Hello hello() const override { return {1, "bench", id_, Generation{1}}; }
  void connected(const Hello& peer) override {
    peer_ = peer.node;
    connected_.set_value();
  }
  void disconnected(NodeId) override {}
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
    network_ = std::make_unique<GrpcNetwork>(threads_, resolver_, clock_,
                                             Log(silent_log(), "transport"), *this, options);
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
