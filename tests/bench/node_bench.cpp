// Measures what whole nodes do, beside the raw limit in the same run, and prints one table against
// the budgets of the design. Every measurement has a process of its own.
//
//     node_bench [NAME ...]     local remote http durable1 durable3 reminders pending activations
//     idle idle3 lookup

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "tests/bench/node/isolated.h"
#include "tests/bench/node/rows.h"

namespace troupe::bench {
namespace {

int run(const std::string& program, const std::vector<std::string>& names) {
  const std::string counter =
      std::filesystem::path(program).parent_path() / "../../sdk/examples/counter";
  const std::vector<std::pair<const char*, std::function<std::vector<Row>()>>> all = {
      {"local", local_calls},
      {"remote", remote_calls},
      {"http", http_calls},
      {"durable1", [] { return durable_turns(1); }},
      {"durable3", [] { return durable_turns(3); }},
      {"reminders", reminders},
      {"pending", pending_reminders},
      {"activations", idle_activations},
      {"idle", [&] { return idle_node(counter); }},
      {"idle3", [&] { return idle_cluster(counter); }},
      {"lookup", table_lookup},
  };
  print_header();
  for (const auto& [name, measure] : all) {
    if (!names.empty() && std::ranges::find(names, name) == names.end()) continue;
    std::fflush(stdout);  // or the process of its own would print it too
    for (const Row& row : isolated(name, measure)) print(row);
  }
  return 0;
}

}  // namespace
}  // namespace troupe::bench

int main(int argc, char** argv) { return troupe::bench::run(argv[0], {argv + 1, argv + argc}); }
