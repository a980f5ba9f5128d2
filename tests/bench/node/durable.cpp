#include <algorithm>
#include <chrono>
#include <memory>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "tests/bench/node/local_nodes.h"
#include "tests/bench/node/rows.h"
#include "tests/bench/raw/cpu.h"
#include "tests/bench/raw/rocksdb.h"

namespace troupe::bench {
namespace {

constexpr int kTurns = 3;
constexpr std::uint64_t kActors = 256;

struct Rate {
  double per_second = 0;
  double cpu_us = 0;  // for one, of all threads of this process
};

// Rows on every one of `logs` logs, all written at once.
Rate logs_at_once(const std::vector<std::unique_ptr<Engine>>& logs, double (*write)(Engine&)) {
  std::vector<double> rates(logs.size());
  const double before = cpu_seconds();
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < logs.size(); ++i) {
      threads.emplace_back([&, i] { rates[i] = write(*logs[i]); });
    }
  }
  const double seconds = std::chrono::duration<double>(kRound).count();
  const double rows = std::accumulate(rates.begin(), rates.end(), 0.0) * seconds;
  return {.per_second = std::ranges::min(rates),
          .cpu_us = (cpu_seconds() - before) * 1e6 * static_cast<double>(logs.size()) / rows};
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
  std::vector<double> raw_rate;
  std::vector<double> raw_cpu;
  std::vector<double> bulk_rate;
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
    const Rate limit = logs_at_once(logs, raw);
    raw_rate.push_back(limit.per_second);
    raw_cpu.push_back(limit.cpu_us);
    bulk_rate.push_back(logs_at_once(logs, bulk_load).per_second);
    Drive drive(nodes, *slot, std::make_shared<Load>(save));
    for (std::uint64_t driver = 0; driver < kActors; ++driver) {
      drive.start(driver % replicas, driver, 1);
    }
    const Outcome outcome = drive.run_for(2);
    ours.push_back(outcome.rate());
    cpu.push_back(outcome.cpu_us());
    p50.push_back(outcome.p50);
    p99.push_back(outcome.p99);
  }
  const std::string name = "durable turn, " + std::to_string(replicas) +
                           (replicas == 1 ? " replica" : " replicas") + ", 256 in flight";
  return {{.name = name,
           .unit = "turns/s",
           .ours = median(ours),
           .raw = median(raw_rate),
           .target = replicas == 1 ? 0.6 : 0.4,
           .at_most = false,
           .cpu = median(cpu),
           .p50 = median(p50),
           .p99 = median(p99)},
          {.name = "  CPU of one, beside a row's",
           .unit = "us CPU",
           .ours = median(cpu),
           .raw = median(raw_cpu),
           .target = replicas == 1 ? 1 / 0.6 : 1 / 0.4},
          {.name = "  beside a bulk load of 256-row batches",
           .unit = "turns/s",
           .ours = median(ours),
           .raw = median(bulk_rate),
           .target = 0,
           .at_most = false}};
}

}  // namespace troupe::bench
