// How long a node that joins three others takes until it holds its share of the shards, and what
// callers notice of it.
//
//     join_bench [MEGABYTES [SHARDS]]     of data in each shard; 1 and 256 unless said otherwise

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
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

constexpr std::size_t kNodes = 3;
constexpr std::size_t kReplicas = 3;
constexpr std::size_t kValueBytes = 1'000'000;
constexpr std::size_t kWriters = 8;
constexpr Duration kBalancedWithin = 10min;
constexpr Duration kQuiet = 2s;

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

class Joining {
 public:
  Joining(std::size_t megabytes, std::size_t shards) : megabytes_(megabytes), shards_(shards) {
    for (std::size_t node = 0; node < kNodes; ++node) cluster_.start(node, flags());
    check(cluster_.all_ready(), "the nodes found a cluster");
  }

  void run() {
    Row row{.name = "filling " + std::to_string(shards_) + " shards of " +
                    std::to_string(megabytes_) + " MB, three replicas",
            .unit = "s"};
    Time began = clock_.now();
    fill();
    row.ours = seconds(clock_.now() - began);
    print(row);
    std::fflush(stdout);

    std::vector<double> calls;
    std::atomic<bool> over = false;
    std::thread caller([&] { call(over, calls); });
    began = clock_.now();
    const std::size_t joined = cluster_.add(flags());
    check(cluster_.ready(joined), "the node joins");
    // Between two steps it may look as if nothing were to be done.
    Time last_move = clock_.now();
    check(eventually(
              [&] {
                const Time now = clock_.now();
                if (!balanced(joined)) last_move = now;
                return now - last_move > kQuiet;
              },
              kBalancedWithin),
          "the shards are balanced");
    row = {.name = "a node joins: until balanced", .unit = "s", .target = 30};
    row.ours = seconds(last_move - began);
    over = true;
    caller.join();
    print(row);
    row = {.name = "  a call meanwhile, at p99", .unit = "ms", .target = 100};
    row.ours = quantile(calls, 0.99);
    print(row);
    row = {.name = "  at worst", .unit = "ms", .target = 1000};
    row.ours = quantile(calls, 1);
    print(row);
  }

 private:
  std::vector<std::string> flags() const { return {"--shards", std::to_string(shards_)}; }

  // Actors of one value each, so many that every shard has about as many.
  void fill() {
    std::atomic<std::size_t> next = 0;
    std::vector<std::thread> writers;
    for (std::size_t writer = 0; writer < kWriters; ++writer) {
      writers.emplace_back([&, writer] {
        Http http;
        const net::HostPort to{"127.0.0.1", cluster_.http_port(writer % kNodes)};
        for (std::size_t i = next++; i < shards_ * megabytes_; i = next++) {
          // Nothing that a compressor makes small.
          std::string value(kValueBytes, ' ');
          std::uint64_t state = i + 1;
          for (char& each : value) {
            state = state * 6364136223846793005U + 1442695040888963407U;
            each = static_cast<char>('0' + (state >> 33) % 64);
            if (each == '\\') each = 'z';
          }
          const std::string body =
              R"([{"operation":"upsert","request":{"key":"value","value":")" + value + R"("}}])";
          const std::string target = "/v1.0/actors/Counter/value%20" + std::to_string(i) + "/state";
          Answer answer;
          const bool written = eventually(
              [&] {
                answer = http.send(to, "POST", target, body);
                return answer.status == 204;
              },
              60s);
          if (!written) std::fprintf(stderr, "%d %s\n", answer.status, answer.body.c_str());
          check(written, "a value is written");
        }
      });
    }
    for (std::thread& writer : writers) writer.join();
  }

  void call(const std::atomic<bool>& over, std::vector<double>& calls) {
    const Client client = cluster_.client(0, 30s);
    for (std::size_t i = 0; !over; ++i) {
      const Time began = clock_.now();
      const Result<int> added =
          client.actor<Counter>("caller " + std::to_string(i % 64)).call<&Counter::add>(1).result();
      check(added.has_value(), "a call is answered");
      calls.push_back(seconds(clock_.now() - began) * 1e3);
      pause(5ms);
    }
  }

  // It holds its share, as nearly as the allocator asks for, and nothing is under way.
  bool balanced(std::size_t joined) {
    const std::string status = cluster_.get(0, "/troupe/v1/status").body;
    const std::string own = cluster_.get(joined, "/troupe/v1/status").body;
    return number_of(status, "shards_under_replicated") == 0 &&
           number_of(status, "moves_under_way") == 0 &&
           (number_of(own, "replicas_here") + 1) * 1.1 >=
               static_cast<double>(shards_) * kReplicas / (kNodes + 1);
  }
  static double number_of(const std::string& json, const std::string& name) {
    const std::size_t at = json.find('"' + name + "\":");
    return at == std::string::npos ? -1 : std::atof(json.c_str() + at + name.size() + 3);
  }

  const std::size_t megabytes_;
  const std::size_t shards_;
  SystemClock clock_;
  NodeCluster cluster_{TROUPE_COUNTER, kNodes};
};

}  // namespace
}  // namespace troupe::bench

int main(int argc, char** argv) {
  const auto number = [&](int at, int otherwise) {
    return static_cast<std::size_t>(argc > at ? std::max(1, std::atoi(argv[at])) : otherwise);
  };
  troupe::bench::print_header();
  troupe::bench::Joining(number(1, 1), number(2, 256)).run();
}
