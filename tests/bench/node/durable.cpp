#include <algorithm>
#include <memory>
#include <thread>

#include "tests/bench/node/local_nodes.h"
#include "tests/bench/node/rows.h"
#include "tests/bench/raw/rocksdb.h"

namespace troupe::bench {
namespace {

constexpr int kTurns = 3;
constexpr std::uint64_t kActors = 256;

// Rows a second that are on every one of `logs` logs, all written at once.
double logs_at_once(const std::vector<std::unique_ptr<Engine>>& logs) {
  const SystemClock clock;
  std::vector<double> rates(logs.size());
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < logs.size(); ++i) {
    threads.emplace_back([&, i] { rates[i] = raw(*logs[i], clock); });
  }
  threads.clear();
  return std::ranges::min(rates);
}

}  // namespace

std::vector<Row> durable_turns(std::uint32_t replicas) {
  const TemporaryDirectory root;
  std::vector<std::unique_ptr<Engine>> logs;
  for (std::uint32_t i = 0; i < replicas; ++i) {
    logs.push_back(open(root.path() + "/raw" + std::to_string(i)));
  }
  const auto slot = std::make_shared<LoadSlot>();
  LocalNodes nodes({.nodes = replicas, .on_disk = true}, [&](std::uint32_t /*node*/) {
    return std::vector<ActorType>{driver_type(slot), saver_type()};
  });
  std::vector<double> raw;
  std::vector<double> ours;
  std::vector<double> cpu;
  std::vector<double> p50;
  std::vector<double> p99;
  const auto save = [](std::uint64_t driver, std::uint64_t, NestedCall& call) {
    call.target = {.type = "Saver", .id = std::to_string(driver)};
    call.method = "save";
    return true;
  };
  for (int i = 0; i < kTurns; ++i) {
    raw.push_back(logs_at_once(logs));
    Drive drive(nodes, *slot, std::make_shared<Load>(save));
    for (std::uint64_t driver = 0; driver < kActors; ++driver) {
      drive.start(driver % replicas, driver, 1);
    }
    const Outcome outcome = drive.run_for(2);
    ours.push_back(outcome.rate());
    cpu.push_back(outcome.cpu_seconds / outcome.calls * 1e6);
    p50.push_back(outcome.p50);
    p99.push_back(outcome.p99);
  }
  return {{.name = "durable turn, " + std::to_string(replicas) +
                   (replicas == 1 ? " replica" : " replicas") + ", 256 in flight",
           .unit = "turns/s",
           .ours = median(ours),
           .raw = median(raw),
           .target = replicas == 1 ? 0.6 : 0.4,
           .at_most = false,
           .cpu = median(cpu),
           .p50 = median(p50),
           .p99 = median(p99)}};
}

}  // namespace troupe::bench
