#include <chrono>
#include <cstdint>
#include <vector>

#include <benchmark/benchmark.h>

#include "actors/schedule/cron.h"
#include "actors/timers/timer_wheel.h"
#include "runtime/base/random.h"

namespace troupe {
namespace {

constexpr std::int64_t kEntries = 1'000'000;
constexpr WheelTick kHour = 3'600'000;
const WallTime kStart{std::chrono::seconds(1'800'000'000)};

std::vector<WheelTick> random_ticks() {
  Random random(1);
  std::vector<WheelTick> ticks(kEntries);
  for (WheelTick& tick : ticks) tick = 1'800'000'000'000 + random.below(kHour);
  return ticks;
}

void wheel_insert(benchmark::State& state) {
  const auto ticks = random_ticks();
  for (auto _ : state) {
    TimerWheel<std::uint64_t> wheel;
    for (const WheelTick tick : ticks) wheel.insert(tick, tick);
    state.counters["bytes_per_entry"] = static_cast<double>(wheel.bytes()) / kEntries;
  }
  state.SetItemsProcessed(state.iterations() * kEntries);
}
BENCHMARK(wheel_insert)->Unit(benchmark::kMillisecond);

void wheel_fire(benchmark::State& state) {
  const auto ticks = random_ticks();
  for (auto _ : state) {
    state.PauseTiming();
    TimerWheel<std::uint64_t> wheel;
    for (const WheelTick tick : ticks) wheel.insert(tick, tick);
    state.ResumeTiming();
    for (WheelTick now = 1'800'000'000'000; wheel.size() > 0; now += 100) {
      while (wheel.take(now)) {
      }
    }
  }
  state.SetItemsProcessed(state.iterations() * kEntries);
}
BENCHMARK(wheel_fire)->Unit(benchmark::kMillisecond);

// Sets, and sets again, as a time-out is for each call.
void wheel_rearm(benchmark::State& state) {
  TimerWheel<std::uint64_t> wheel;
  Random random(2);
  std::vector<WheelHandle> handles;
  for (std::int64_t i = 0; i < kEntries; ++i)
    handles.push_back(wheel.insert(random.below(kHour), 0));
  for (auto _ : state) {
    WheelHandle& handle = handles[random.below(kEntries)];
    wheel.cancel(handle);
    handle = wheel.insert(random.below(kHour), 0);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(wheel_rearm);

void cron_next(benchmark::State& state) {
  const auto cron = Cron::parse("TZ=Europe/Berlin 0 30 2 * * MON-FRI").value();
  WallTime time = kStart;
  for (auto _ : state) {
    time = *cron.next(time);
    if (time > kStart + std::chrono::years(100)) time = kStart;
  }
}
BENCHMARK(cron_next);

}  // namespace
}  // namespace troupe

BENCHMARK_MAIN();
