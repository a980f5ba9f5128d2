// How many changes a second one shard takes from callers outside who name their calls, and whether
// it refuses any for what it has to remember: one node with one shard, callers with an actor each.
//
//     keyed_bench [SECONDS [CALLERS [PROGRAM]]]     30, 64, and sdk/examples/counter unless said

#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "runtime/base/check.h"
#include "sdk/examples/counter/counter.h"
#include "tests/support/node_cluster.h"

namespace troupe::bench {
namespace {

using namespace std::chrono_literals;

struct Counts {
  std::atomic<long> changed{0};
  std::atomic<long> refused{0};  // for good: each after some attempts
  std::atomic<bool> over{false};
};

void call(const Client& client, const std::string& id, Counts& counts) {
  while (!counts.over) {
    const bool changed = client.actor<Counter>(id).call<&Counter::add>(1).result().has_value();
    ++(changed ? counts.changed : counts.refused);
  }
}

void run(int seconds, int callers, const std::string& program) {
  const TemporaryDirectory directory;
  const std::string http = "127.0.0.1:" + std::to_string(free_port());
  Process node;
  node.start({program, "--no-discovery", "--data-dir", directory.path() + "/node", "--listen",
              "127.0.0.1:" + std::to_string(free_port()), "--http", http, "--shards", "1"},
             directory.path() + "/log");
  const Client client(ClientOptions{.addresses = {http}});
  check(eventually([&] {
          return client.actor<Counter>("first").call<&Counter::add>(1).result().has_value();
        }),
        "the node is ready");
  Counts counts;
  std::vector<std::thread> threads;
  for (int i = 0; i < callers; ++i) {
    threads.emplace_back([&, id = std::to_string(i)] { call(client, id, counts); });
  }
  std::printf("%8s %12s %12s\n", "second", "changes/s", "refused/s");
  constexpr int kStep = 5;
  long changed = 0;
  long refused = 0;
  for (int second = kStep; second <= seconds; second += kStep) {
    pause(std::chrono::seconds(kStep));
    const long changed_now = counts.changed;
    const long refused_now = counts.refused;
    std::printf("%8d %12ld %12ld\n", second, (changed_now - changed) / kStep,
                (refused_now - refused) / kStep);
    changed = changed_now;
    refused = refused_now;
  }
  counts.over = true;
  for (std::thread& each : threads) each.join();
  std::printf("changed %ld, refused %ld\n", counts.changed.load(), counts.refused.load());
}

}  // namespace
}  // namespace troupe::bench

int main(int argc, char** argv) {
  const int seconds = argc > 1 ? std::atoi(argv[1]) : 30;
  const int callers = argc > 2 ? std::atoi(argv[2]) : 64;
  troupe::bench::run(seconds, callers, argc > 3 ? argv[3] : TROUPE_COUNTER);
}
