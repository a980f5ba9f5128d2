#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <thread>

#include <grpcpp/create_channel.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include "tests/bench/raw/cpu.h"

/// What benchmarks compare the traffic of nodes with: a bare gRPC stream whose every message
/// carries all frames in flight, in lock step.
namespace troupe::bench {

inline constexpr std::size_t kFrameBytes = 100;
struct Figure {
  double frames_per_second = 0;  // there and back is one
  double cpu_microseconds = 0;   // of both ends, a frame there and back
};

// The process's CPU and the echoes that `count` says, over `length`.
template <class Count>
inline Figure measure(double length, Count count) {
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  const double cpu = cpu_seconds();
  const auto before = static_cast<double>(count());
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
  ~BareClient() override {
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

inline Figure bare(std::size_t in_flight, double length) {
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

}  // namespace troupe::bench
