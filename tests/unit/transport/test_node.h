#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/log.h"
#include "runtime/net/io_threads.h"
#include "runtime/net/resolver.h"
#include "runtime/transport/grpc_network.h"

namespace troupe::transport {

inline NodeId node_id(std::uint64_t number) { return {.high = number << 56, .low = number}; }

/// Remembers what a network tells, and waits for it.
class Recorder final : public NetworkListener {
 public:
  struct Heard {
    std::map<NodeId, int> connected;
    std::map<NodeId, int> disconnected;
    std::map<NodeId, int> nobody_listens;
    std::map<NodeId, std::vector<std::string>> frames;
    std::vector<std::pair<std::string, std::string>> datagrams;
    std::vector<std::string> questions;
    std::vector<Done<std::string>> kept;  // unanswered
    int open_batches = 0;
    std::uint64_t batches = 0;  // that have ended
    int frames_outside = 0;     // of any batch
  };

  explicit Recorder(Hello hello) : hello_(std::move(hello)) {}

  Hello hello() const override { return hello_; }
  void connected(const Hello& peer) override {
    note([&](Heard& heard) { ++heard.connected[peer.node]; });
  }
  void disconnected(NodeId peer) override {
    note([&](Heard& heard) { ++heard.disconnected[peer]; });
  }
  void nobody_listens(NodeId peer) override {
    note([&](Heard& heard) { ++heard.nobody_listens[peer]; });
  }
  void received(NodeId from, std::string_view frame) override {
    if (on_frame) return on_frame(from, frame);
    note([&](Heard& heard) {
      heard.frames[from].emplace_back(frame);
      if (heard.open_batches == 0) ++heard.frames_outside;
    });
  }
  void work_begins() override {
    if (on_begin) on_begin();
    note([](Heard& heard) { ++heard.open_batches; });
  }
  bool work_ends(bool may_stay) override {
    note([](Heard& heard) {
      --heard.open_batches;
      ++heard.batches;
    });
    return on_end && on_end(may_stay);
  }
  void introduced(std::string question, Done<std::string> respond) override {
    if (answer) {
      const std::string given = question;
      note([&](Heard& heard) { heard.questions.push_back(std::move(question)); });
      return respond(answer(given));
    }
    note([&](Heard& heard) {
      heard.questions.push_back(std::move(question));
      heard.kept.push_back(std::move(respond));
    });
  }
  void received_datagram(const std::string& from, std::string_view bytes) override {
    note([&](Heard& heard) { heard.datagrams.emplace_back(from, bytes); });
  }

  /// Whether `condition` comes true; far longer than it takes, lest a busy machine fail a test.
  template <class Condition>
  bool wait(Condition condition) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(30), [&] { return condition(heard_); });
  }
  Heard take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(heard_, {});
  }
  template <class Use>
  auto look(Use use) {
    const std::lock_guard lock(mutex_);
    return use(heard_);
  }

  /// Set before the network starts. Called instead of remembering.
  Function<void(NodeId, std::string_view)> on_frame;
  Function<Result<std::string>(std::string)> answer;
  /// Called as each piece of work begins.
  Function<void()> on_begin;
  /// What the end of each piece of work says; may take its time if that is true.
  Function<bool(bool may_stay)> on_end;

 private:
  template <class Change>
  void note(Change change) {
    const std::lock_guard lock(mutex_);
    change(heard_);
    changed_.notify_all();
  }

  const Hello hello_;
  std::mutex mutex_;
  std::condition_variable changed_;
  Heard heard_;
};

/// A network on a free port of the loopback address, with all that it needs.
struct TestNode {
  static TransportOptions options_at(std::uint16_t port) {
    TransportOptions options;
    options.port = port;
    options.stop_patience = std::chrono::seconds(10);
    return options;
  }

  explicit TestNode(std::uint64_t number, std::string cluster = "blue", std::uint16_t port = 0)
      : TestNode(number, std::move(cluster), options_at(port)) {}
  TestNode(std::uint64_t number, std::string cluster, TransportOptions options)
      : TestNode({.cluster = std::move(cluster),
                  .node = node_id(number),
                  .generation = Generation{number}},
                 std::move(options)) {}
  TestNode(Hello hello, TransportOptions options)
      : id(hello.node),
        recorder(std::move(hello)),
        network({.threads = threads,
                 .resolver = resolver,
                 .clock = clock,
                 .log = Log(silent_log(), "transport"),
                 .listener = recorder},
                std::move(options)) {}
  ~TestNode() {
    network.stop();
    resolver.stop();
    threads.stop();
  }

  void know(const TestNode& other) { network.know(other.id, other.network.address()); }
  bool wait_connected(const TestNode& other, int times = 1) {
    return recorder.wait([&](auto& heard) { return heard.connected[other.id] >= times; });
  }
  bool wait_disconnected(const TestNode& other, int times = 1) {
    return recorder.wait([&](auto& heard) { return heard.disconnected[other.id] >= times; });
  }
  bool wait_frames(const TestNode& from, std::size_t count) {
    return recorder.wait([&](auto& heard) { return heard.frames[from.id].size() >= count; });
  }
  std::vector<std::string> frames(const TestNode& from) {
    return recorder.look([&](auto& heard) { return heard.frames[from.id]; });
  }

  const NodeId id;
  SystemClock clock;
  net::IoThreads threads{clock, {.threads = 1}};
  net::Resolver resolver{1};
  Recorder recorder;
  GrpcNetwork network;
};

}  // namespace troupe::transport
