// What a lookup in the placement table costs; to stay below 50 ns.

#include <string>

#include <benchmark/benchmark.h>

#include "placement/table/table.h"

namespace troupe::placement {
namespace {

Table& table() {
  static Table table(4096);
  for (std::uint32_t shard = 0; shard < 4096 && table.version(ShardId{shard}).term == 0; ++shard) {
    Row row;
    row.version = {.term = 1, .index = 1};
    row.shard = ShardId{shard};
    row.owners = {{"Cart", NodeId{1, shard}, Generation{1}, Epoch{1}}};
    table.apply(std::move(row));
  }
  return table;
}

void lookup_of_a_shard(benchmark::State& state) {
  const Table& rows = table();
  std::uint32_t shard = 0;
  for (auto _ : state) {
    const Table::RowRef row = rows.lookup(ShardId{shard++ & 4095});
    benchmark::DoNotOptimize(row->version.index);
  }
}
BENCHMARK(lookup_of_a_shard)->Threads(1)->Threads(2);

void lookup_of_an_owner(benchmark::State& state) {
  const Table& rows = table();
  const std::string id = "customer-17";
  for (auto _ : state) {
    const Table::RowRef row = rows.lookup("Cart", id);
    benchmark::DoNotOptimize(row->owner("Cart")->epoch);
  }
}
BENCHMARK(lookup_of_an_owner)->Threads(1)->Threads(2);

}  // namespace
}  // namespace troupe::placement

BENCHMARK_MAIN();
