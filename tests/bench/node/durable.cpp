#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <numeric>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/bench/node/local_nodes.h"
#include "tests/bench/node/rows.h"
#include "tests/bench/raw/cpu.h"
#include "tests/bench/raw/rocksdb.h"

namespace troupe::bench {
namespace {

constexpr int kTurns = 3;
constexpr std::uint64_t kBusy = 256;

struct Rate {
  double per_second = 0;
  double cpu_us = 0;  // for one, of all threads of this process
};

// So many actors, a turn of each in flight, beside as many clients of the bare logs.
struct Compared {
  std::vector<double> raw_rate;
  std::vector<double> raw_cpu;
  std::vector<double> ours;
  std::vector<double> cpu;
  std::vector<double> p50;
  std::vector<double> p99;

  Row row(std::uint32_t replicas, std::uint64_t actors) const {
    return {.name = "durable turn, " + std::to_string(replicas) +
                    (replicas == 1 ? " replica, " : " replicas, ") + std::to_string(actors) +
                    " in flight",
            .unit = "turns/s",
            .ours = median(ours),
            .raw = median(raw_rate),
            .target = 0,
            .at_most = false,
            .cpu = median(cpu),
            .p50 = median(p50),
            .p99 = median(p99)};
  }
};

class Comparison {
 public:
  explicit Comparison(std::uint32_t replicas)
      : replicas_(replicas),
        nodes_({.nodes = replicas, .on_disk = true}, [this](std::uint32_t /*node*/) {
          return std::vector<ActorType>{driver_type(slot_), saver_type()};
        }) {
    for (std::uint32_t i = 0; i < replicas; ++i) {
      logs_.push_back(open(root_.path() + "/raw" + std::to_string(i)));
    }
  }

  // The limit and ours in turns.
  Compared run(std::uint64_t actors) {
    Compared compared;
    for (int i = 0; i < kTurns; ++i) {
      const Rate limit = logs_at_once([&](Engine& log) { return raw(log, actors); });
      compared.raw_rate.push_back(limit.per_second);
      compared.raw_cpu.push_back(limit.cpu_us);
      Drive drive(nodes_, *slot_, std::make_shared<Load>(save));
      for (std::uint64_t driver = 0; driver < actors; ++driver) {
        drive.start(driver % replicas_, driver, 1);
      }
      const Outcome outcome = drive.run_for(2);
      compared.ours.push_back(outcome.rate());
      compared.cpu.push_back(outcome.cpu_us());
      compared.p50.push_back(outcome.p50);
      compared.p99.push_back(outcome.p99);
    }
    return compared;
  }

  double bulk() {
    std::vector<double> rates;
    for (int i = 0; i < kTurns; ++i) rates.push_back(logs_at_once(bulk_load).per_second);
    return median(rates);
  }

 private:
  static bool save(std::uint64_t driver, std::uint64_t /*number*/, NestedCall& call) {
    call.target = {.type = "Saver", .id = std::to_string(driver)};
    call.method = "save";
    return true;
  }

  // Rows on every one of the logs, all written at once.
  Rate logs_at_once(const std::function<double(Engine&)>& write) {
    std::vector<double> rates(logs_.size());
    const double before = cpu_seconds();
    {
      std::vector<std::jthread> threads;
      for (std::size_t i = 0; i < logs_.size(); ++i) {
        threads.emplace_back([&, i] { rates[i] = write(*logs_[i]); });
      }
    }
    const double seconds = std::chrono::duration<double>(kRound).count();
    const double rows = std::accumulate(rates.begin(), rates.end(), 0.0) * seconds;
    return {.per_second = std::ranges::min(rates),
            .cpu_us = (cpu_seconds() - before) * 1e6 * static_cast<double>(logs_.size()) / rows};
  }

  const std::uint32_t replicas_;
  const TemporaryDirectory root_;
  std::vector<std::unique_ptr<Engine>> logs_;
  const std::shared_ptr<LoadSlot> slot_ = std::make_shared<LoadSlot>();
  LocalNodes nodes_;
};

}  // namespace

std::vector<Row> durable_turns(std::uint32_t replicas) {
  Comparison comparison(replicas);
  const double target = replicas == 1 ? 0.6 : 0.4;
  const Compared busy = comparison.run(kBusy);
  Row main = busy.row(replicas, kBusy);
  main.target = target;
  Row bulk{.name = "  beside a bulk load of 256-row batches",
           .unit = "turns/s",
           .ours = main.ours,
           .raw = comparison.bulk(),
           .target = 0,
           .at_most = false};
  Row cpu{.name = "  CPU of one, beside a row's",
          .unit = "us CPU",
          .ours = median(busy.cpu),
          .raw = median(busy.raw_cpu),
          .target = 1 / target};
  std::vector<Row> rows{std::move(main), std::move(cpu), std::move(bulk)};
  for (const std::uint64_t actors : {std::uint64_t{16}, std::uint64_t{1}}) {
    rows.push_back(comparison.run(actors).row(replicas, actors));
  }
  return rows;
}

}  // namespace troupe::bench
