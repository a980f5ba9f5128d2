#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include <troupe/json.h>

namespace {

struct Order {
  std::string id;
  std::string customer;
  std::string comment;
  std::int64_t placed_at_ms = 0;
  double total = 0;
  int items = 0;
  bool paid = false;
};
struct Basket {
  std::vector<Order> orders;
  std::map<std::string, std::int64_t> prices;
};

Order order() {
  return {"0f8fad5b-d9cb-469f-a165-70867728950e",
          "customer-4711",
          "please leave it with the neighbour",
          1'731'000'000'123,
          129.95,
          3,
          true};
}
Basket basket() {
  Basket basket{std::vector<Order>(50, order()), {}};
  for (long i = 0; i < 50; ++i) basket.prices["article-" + std::to_string(i)] = i * 100;
  return basket;
}

template <class T>
void read(benchmark::State& state, const T& value) {
  const std::string text = troupe::to_json(value);
  for (auto _ : state) {
    benchmark::DoNotOptimize(troupe::from_json<T>(text).value());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
  state.counters["bytes"] = static_cast<double>(text.size());
}
template <class T>
void write(benchmark::State& state, const T& value) {
  std::size_t size = 0;
  for (auto _ : state) {
    const std::string text = troupe::to_json(value);
    benchmark::DoNotOptimize(text.data());
    size = text.size();
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(size));
}

BENCHMARK_CAPTURE(read, order, order());
BENCHMARK_CAPTURE(write, order, order());
BENCHMARK_CAPTURE(read, basket, basket());
BENCHMARK_CAPTURE(write, basket, basket());
BENCHMARK_CAPTURE(read, integer, 42);

}  // namespace

BENCHMARK_MAIN();
