#include "tests/bench/node/local_nodes.h"

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "runtime/base/check.h"
#include "tests/bench/node/row.h"
#include "tests/bench/raw/cpu.h"
#include "tests/support/process.h"

namespace troupe::bench {
namespace {

constexpr auto kPatience = std::chrono::seconds(30);
constexpr auto kSettling = std::chrono::seconds(5);
constexpr int kTriesMax = 50;  // of a driver
constexpr auto kPause = std::chrono::milliseconds(100);

std::vector<std::string> free_addresses(std::uint32_t count) {
  std::vector<std::string> addresses(count);
  for (std::string& each : addresses) each = "127.0.0.1:" + std::to_string(free_port());
  return addresses;
}

void fatal(const std::string& why) {
  std::fprintf(stderr, "%s\n", why.c_str());
  std::_Exit(1);
}

}  // namespace

LocalNodes::LocalNodes(Options options, const Types& types) {
  if (options.on_disk) directory_.emplace();
  const std::vector<std::string> addresses = free_addresses(options.nodes);
  for (std::uint32_t i = 0; i < options.nodes; ++i) {
    node::NodeSettings settings;
    settings.listen = addresses[i];
    settings.http = options.http ? "127.0.0.1:0" : "";
    settings.discover = false;
    settings.bootstrap_expect = options.nodes;
    for (const std::string& each : addresses) {
      if (each != addresses[i]) settings.join.push_back(each);
    }
    if (directory_) settings.data_directory = directory_->path() + "/node" + std::to_string(i);
    nodes_.push_back(std::make_unique<node::NodeRuntime>(
        settings, types(i), Log(silent_log(), "node"), [](const std::optional<Error>& why) {
          if (why) fatal("a node cannot go on: " + why->message);
        }));
    const Result<void> started = nodes_.back()->start();
    if (!started) fatal(started.error().message);
  }
  for (const auto& each : nodes_) {
    if (!each->wait_ready(kPatience)) fatal("a node is not ready: it " + each->status());
  }
  // Leaders go to where they belong, a few at a time, and owners after them.
  if (options.nodes > 1) std::this_thread::sleep_for(kSettling);
}

LocalNodes::~LocalNodes() {
  for (const auto& each : nodes_) each->stop();
}

Result<Payload> LocalNodes::call(std::size_t node, const std::string& type, const std::string& id,
                                 const std::string& method, const std::string& message) {
  ClientCall call;
  call.target = {.type = type, .id = id};
  call.method = method;
  call.message = Payload(message);
  call.timeout = std::chrono::minutes(5);
  return nodes_[node]->client_transport()->call(call);
}

Drive::Drive(LocalNodes& nodes, LoadSlot& slot, std::shared_ptr<Load> load)
    : nodes_(nodes), load_(std::move(load)) {
  slot.load = load_;
  begin_ = load_->clock.now();
  cpu_ = cpu_seconds();
}

void Drive::start(std::size_t node, std::uint64_t first, std::uint64_t count) {
  for (std::uint64_t i = first; i < first + count; ++i) {
    callers_.emplace_back([this, node, i] {
      // Its turn ends early if the shard it is in moves to another node: then it begins again.
      for (int tries = 0; tries < kTriesMax && !load_->stop; ++tries) {
        const Result<Payload> over = nodes_.call(node, "Driver", std::to_string(i), "go");
        if (over) return;
        ++load_->failed;
        std::fprintf(stderr, "driver: %s\n", over.error().message.c_str());
        std::this_thread::sleep_for(kPause);
      }
    });
  }
}

Outcome Drive::run_for(double seconds) {
  const auto wait = [](double length) {
    std::this_thread::sleep_for(std::chrono::duration<double>(length));
  };
  wait(seconds / 5);
  // Not before every driver is at work.
  for (int i = 0; i < 200 && load_->running < callers_.size(); ++i) wait(0.05);
  wait(seconds / 5);
  const auto before = static_cast<double>(load_->answered.sum());
  begin_ = load_->clock.now();
  cpu_ = cpu_seconds();
  wait(seconds);
  Outcome outcome;
  outcome.calls = static_cast<double>(load_->answered.sum()) - before;
  outcome.seconds = std::chrono::duration<double>(load_->clock.now() - begin_).count();
  outcome.cpu_seconds = cpu_seconds() - cpu_;
  load_->stop = true;
  const Outcome whole = finish();
  outcome.failed = whole.failed;
  outcome.p50 = whole.p50;
  outcome.p99 = whole.p99;
  return outcome;
}

Outcome Drive::run_out() { return finish(); }

Outcome Drive::finish() {
  callers_.clear();
  Outcome outcome;
  outcome.calls = static_cast<double>(load_->answered.sum());
  outcome.seconds = std::chrono::duration<double>(load_->clock.now() - begin_).count();
  outcome.cpu_seconds = cpu_seconds() - cpu_;
  outcome.failed = static_cast<double>(load_->failed);
  load_->latencies.with([&](std::vector<double>& all) {
    if (all.empty()) return;
    outcome.p50 = quantile(all, 0.5);
    outcome.p99 = quantile(all, 0.99);
  });
  return outcome;
}

}  // namespace troupe::bench
