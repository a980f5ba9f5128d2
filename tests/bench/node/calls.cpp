#include <memory>

#include "tests/bench/node/local_nodes.h"
#include "tests/bench/node/rows.h"
#include "tests/bench/raw/caf.h"
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

// 256 pairs on one node, against as many pairs of event-based actors.
std::vector<Row> local_calls() {
  std::vector<double> raw;
  std::vector<double> ours;
  const auto slot = std::make_shared<LoadSlot>();
  LocalNodes nodes({.nodes = 1}, [&](std::uint32_t /*node*/) {
    return std::vector<ActorType>{driver_type(slot), echo_type()};
  });
  for (int i = 0; i < kTurns; ++i) {
    raw.push_back(bare_caf() / 1'000);
    Drive drive(nodes, *slot, std::make_shared<Load>(ping, false));
    drive.start(0, 0, kPairs);
    const Outcome outcome = drive.run_for(2);
    ours.push_back(outcome.cpu_seconds / outcome.calls * 1e6);
  }
  return {{.name = "call on one node, 256 pairs",
           .unit = "us CPU",
           .ours = median(ours),
           .raw = median(raw),
           .target = 0.7}};
}

// Callers on one node, the called on the other, 64 in flight; against one bare stream with as many
// frames in each batch.
std::vector<Row> remote_calls() {
  constexpr std::size_t kInFlight = 64;
  std::vector<double> raw;
  std::vector<double> ours;
  std::vector<double> p50;
  std::vector<double> p99;
  const auto slot = std::make_shared<LoadSlot>();
  LocalNodes nodes({.nodes = 2}, [&](std::uint32_t node) {
    return std::vector<ActorType>{node == 0 ? driver_type(slot) : echo_type()};
  });
  for (int i = 0; i < kTurns; ++i) {
    raw.push_back(bare(kInFlight, 1).frames_per_second);
    Drive drive(nodes, *slot, std::make_shared<Load>(ping));
    drive.start(0, 0, kInFlight);
    const Outcome outcome = drive.run_for(2);
    ours.push_back(outcome.rate());
    p50.push_back(outcome.p50);
    p99.push_back(outcome.p99);
  }
  return {{.name = "call to another node, 64 in flight",
           .unit = "calls/s",
           .ours = median(ours),
           .raw = median(raw),
           .target = 0.5,
           .at_most = false,
           .p50 = median(p50),
           .p99 = median(p99)}};
}

}  // namespace troupe::bench
