#include <memory>

#include "tests/bench/node/local_nodes.h"
#include "tests/bench/node/rows.h"
#include "tests/bench/raw/caf.h"
#include "tests/bench/raw/pool.h"
#include "tests/bench/raw/stream.h"

namespace troupe::bench {
namespace {

constexpr int kTurns = 3;

bool ping(std::uint64_t driver, std::uint64_t /*number*/, NestedCall& call) {
  static const std::vector<Payload> messages = [] {
    std::vector<Payload> one_each;
    for (int i = 0; i < kPairs; ++i) one_each.emplace_back(std::string(100, 'x'));
    return one_each;
  }();
  call.target = {.type = "Echo", .id = std::to_string(driver)};
  call.method = "ping";
  call.message = messages[driver % kPairs];
  return true;
}

}  // namespace

// 256 pairs on one node, against as many pairs of event-based actors, and of bare mailboxes.
std::vector<Row> local_calls() {
  std::vector<double> raw;
  std::vector<double> pool;
  std::vector<double> ours;
  const auto slot = std::make_shared<LoadSlot>();
  LocalNodes nodes({.nodes = 1}, [&](std::uint32_t /*node*/) {
    return std::vector<ActorType>{driver_type(slot), echo_type()};
  });
  for (int i = 0; i < kTurns; ++i) {
    raw.push_back(bare_caf() / 1'000);
    pool.push_back(hand_written_pool() / 1'000);
    Drive drive(nodes, *slot, std::make_shared<Load>(ping, false));
    drive.start(0, 0, kPairs);
    const Outcome outcome = drive.run_for(2);
    ours.push_back(outcome.cpu_us());
  }
  return {{.name = "call on one node, 256 pairs",
           .unit = "us CPU",
           .ours = median(ours),
           .raw = median(raw),
           .target = 0.7},
          {.name = "the same, beside a hand-written pool",
           .unit = "us CPU",
           .ours = median(ours),
           .raw = median(pool),
           .target = 3}};
}

namespace {

// Callers on one node, the called on the other; against one bare stream with as many frames in each
// batch.
Row remote_calls(LocalNodes& nodes, LoadSlot& slot, std::size_t in_flight) {
  std::vector<double> raw;
  std::vector<double> raw_cpu;
  std::vector<double> ours;
  std::vector<double> cpu;
  std::vector<double> p50;
  std::vector<double> p99;
  for (int i = 0; i < kTurns; ++i) {
    const Figure limit = bare(in_flight, 1);
    raw.push_back(limit.frames_per_second);
    raw_cpu.push_back(limit.cpu_microseconds);
    Drive drive(nodes, slot, std::make_shared<Load>(ping));
    drive.start(0, 0, in_flight);
    const Outcome outcome = drive.run_for(2);
    ours.push_back(outcome.rate());
    cpu.push_back(outcome.cpu_us());
    p50.push_back(outcome.p50);
    p99.push_back(outcome.p99);
  }
  return {.name = "call to another node, " + std::to_string(in_flight) + " in flight",
          .unit = "calls/s",
          .ours = median(ours),
          .raw = median(raw),
          .target = 0.5,
          .at_most = false,
          .cpu = median(cpu),
          .raw_cpu = median(raw_cpu),
          .p50 = median(p50),
          .p99 = median(p99)};
}

}  // namespace

std::vector<Row> remote_calls() {
  const auto slot = std::make_shared<LoadSlot>();
  LocalNodes nodes({.nodes = 2}, [&](std::uint32_t node) {
    return std::vector<ActorType>{node == 0 ? driver_type(slot) : echo_type()};
  });
  std::vector<Row> rows;
  for (const std::size_t in_flight : {std::size_t{64}, std::size_t{1}}) {
    rows.push_back(remote_calls(nodes, *slot, in_flight));
  }
  return rows;
}

}  // namespace troupe::bench
