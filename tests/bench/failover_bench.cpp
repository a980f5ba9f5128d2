// How long actors are not heard of when their node is killed, stopped or drained: three nodes on
// the loopback, a caller for each actor, through the nodes that stay. Reported is each affected
// actor's longest time between two answers.
//
//     failover_bench [ROUNDS]     of each fault; 5 unless said otherwise

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "runtime/base/check.h"
#include "runtime/base/clock.h"
#include "sdk/examples/counter/counter.h"
#include "tests/bench/node/row.h"
#include "tests/support/node_cluster.h"

namespace troupe::bench {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kActors = 48;
constexpr std::size_t kNodes = 3;
// Of a caller between two calls: the machine has time for the rest, and its length is the
// precision.
constexpr Duration kPause = 10ms;
constexpr Duration kWarmUp = 1s;
constexpr Duration kWatch = 6s;

// Calls one actor, one call after the other.
class Caller {
 public:
  Caller(const Clock& clock, Client client, std::string actor)
      : clock_(clock), client_(std::move(client)), actor_(std::move(actor)) {
    thread_ = std::thread([this] { run(); });
  }
  ~Caller() { stop(); }

  void stop() {
    over_ = true;
    if (thread_.joinable()) thread_.join();
  }

  const std::string& actor() const { return actor_; }
  // The rest after stop().
  Duration longest_silence() const { return longest_; }
  int refused() const { return refused_; }
  int unknown() const { return unknown_; }

 private:
  void run() {
    Time last = clock_.now();
    while (!over_) {
      const Result<int> added = client_.actor<Counter>(actor_).call<&Counter::add>(1).result();
      const Time now = clock_.now();
      if (added) {
        longest_ = std::max(longest_, now - last);
        last = now;
      } else if (added.error().code == Code::kUnknownOutcome) {
        ++unknown_;
      } else {
        ++refused_;
      }
      std::this_thread::sleep_for(kPause);
    }
    longest_ = std::max(longest_, clock_.now() - last);
  }

  const Clock& clock_;
  const Client client_;
  const std::string actor_;
  std::atomic<bool> over_ = false;
  Duration longest_{0};
  int refused_ = 0;
  int unknown_ = 0;
  std::thread thread_;
};

struct Fault {
  std::string name;
  double median_target;  // milliseconds
  double worst_target;
  double worst_part;  // the quantile that is meant by it
  std::function<void(Process&)> begin;
  std::function<void(Process&)> end;    // until it runs no more, or again
  std::vector<std::string> flags = {};  // of the nodes
};

struct Outcome {
  std::vector<double> silences;  // milliseconds, of each affected actor
  int refused = 0;
  int unknown = 0;
};

class Trial {
 public:
  explicit Trial(const std::vector<std::string>& flags) : cluster_(TROUPE_COUNTER, kNodes) {
    for (std::size_t node = 0; node < kNodes; ++node) cluster_.start(node, flags);
    check(cluster_.all_ready(), "the nodes found a cluster");
  }

  void run(const Fault& fault, std::size_t victim, Outcome& outcome) {
    settle();
    std::vector<std::unique_ptr<Caller>> callers;
    for (std::size_t i = 0; i < kActors; ++i) {
      const std::size_t through = (victim + 1 + i % (kNodes - 1)) % kNodes;
      callers.push_back(std::make_unique<Caller>(clock_, cluster_.client_of(through, 10s),
                                                 "actor " + std::to_string(i)));
    }
    std::this_thread::sleep_for(kWarmUp);
    const std::string activations = cluster_.get(victim, "/troupe/v1/actors").body;
    const std::string node = cluster_.id(victim);
    Process& process = cluster_.process(victim);
    fault.begin(process);
    std::this_thread::sleep_for(kWatch);
    for (const auto& caller : callers) caller->stop();
    fault.end(process);
    if (!process.runs()) cluster_.start(victim, fault.flags);
    for (const auto& caller : callers) {
      outcome.refused += caller->refused();
      outcome.unknown += caller->unknown();
      if (activations.find(activation(node, caller->actor())) != std::string::npos) {
        outcome.silences.push_back(
            std::chrono::duration<double, std::milli>(caller->longest_silence()).count());
      }
    }
  }

 private:
  // As the list of activations has it.
  static std::string activation(const std::string& node, const std::string& actor) {
    return R"({"node":")" + node + R"(","type":"Counter","id":")" + actor + '"';
  }

  // Until all are there, and nothing is to be made good.
  void settle() {
    check(cluster_.all_ready(), "the nodes are back");
    const auto says = [&](const char* what) {
      return cluster_.get(0, "/troupe/v1/status").body.find(what) != std::string::npos;
    };
    const auto balanced = [&] {
      return says("\"shards_under_replicated\":0,") && says("\"moves_under_way\":0,");
    };
    check(eventually(balanced), "the shards are balanced");
    std::this_thread::sleep_for(3s);  // leaders go back, then
  }

  SystemClock clock_;
  NodeCluster cluster_;
};

void report(const Fault& fault, Outcome& outcome) {
  check(!outcome.silences.empty(), "the node owned actors");
  Row row{.name = fault.name + ": not heard of, median", .unit = "ms"};
  row.ours = quantile(outcome.silences, 0.5);
  row.target = fault.median_target;
  print(row);
  row.name = "  at " + std::string(fault.worst_part < 1 ? "p99" : "worst");
  row.ours = quantile(outcome.silences, fault.worst_part);
  row.target = fault.worst_target;
  print(row);
  row.name = "  calls refused";
  row.unit = "";
  row.ours = outcome.refused;
  row.target = 0;
  print(row);
  row.name = "  calls of unknown outcome";
  row.ours = outcome.unknown;
  row.target = kActors;
  print(row);
  std::fflush(stdout);
}

int run(int rounds) {
  const std::vector<Fault> faults = {
      {.name = "killed",
       .median_target = 1'000,
       .worst_target = 1'500,
       .worst_part = 1,
       .begin = [](Process& process) { process.kill(); },
       .end = [](Process&) {}},
      {.name = "killed, takeover by evidence",
       .median_target = 500,
       .worst_target = 1'500,
       .worst_part = 1,
       .begin = [](Process& process) { process.kill(); },
       .end = [](Process&) {},
       .flags = {"--takeover", "evidence"}},
      {.name = "stopped by a signal",
       .median_target = 1'500,
       .worst_target = 3'000,
       .worst_part = 1,
       .begin = [](Process& process) { process.signal(SIGSTOP); },
       .end = [](Process& process) { process.signal(SIGCONT); }},
      {.name = "drained",
       .median_target = 100,
       .worst_target = 100,
       .worst_part = 0.99,
       .begin = [](Process& process) { process.signal(SIGTERM); },
       .end = [](Process& process) { check(process.wait(30s).has_value(), "it ends"); }},
  };
  print_header();
  for (const Fault& fault : faults) {
    Trial trial(fault.flags);
    Outcome outcome;
    for (int round = 0; round < rounds; ++round) {
      trial.run(fault, static_cast<std::size_t>(round) % kNodes, outcome);
    }
    report(fault, outcome);
  }
  return 0;
}

}  // namespace
}  // namespace troupe::bench

int main(int argc, char** argv) {
  return troupe::bench::run(argc > 1 ? std::max(1, std::atoi(argv[1])) : 5);
}
