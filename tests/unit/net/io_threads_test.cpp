#include "runtime/net/io_threads.h"

#include <atomic>

#include <gtest/gtest.h>

#include "runtime/net/timeout_wheel.h"

namespace troupe::net {
namespace {

using namespace std::chrono_literals;

/// Moves when told to, also while others look at it.
class SharedClock final : public Clock {
 public:
  Time now() const override { return Time(Duration(since_.load())); }
  WallTime wall() const override { return WallTime(Duration(since_.load())); }
  void advance(Duration by) { since_ += by.count(); }

 private:
  std::atomic<Duration::rep> since_{Duration(1h).count()};
};

// Whether or not it ticks at the moment, since nothing can time out.
TEST(IoThreads, WhoeverAsksForTheWheelOrTheDateFindsThePresent) {
  constexpr int kPatience = 10'000;
  SharedClock clock;
  IoThreads threads(clock, {.threads = 1, .tick = 1ms});
  const auto thread = threads.thread(0);
  for (int day = 0; day < 10; ++day) {
    clock.advance(24h);
    Time seen{};
    std::string date;
    for (int i = 0; i < kPatience && (seen != clock.now() || date.empty()); ++i) {
      thread->run([&] {
        seen = thread->wheel().now();
        date = thread->date();
      });
      std::this_thread::sleep_for(1ms);
    }
    ASSERT_EQ(seen, clock.now());
    const std::string expected = day < 8 ? "0" + std::to_string(day + 2) : std::to_string(day + 2);
    ASSERT_EQ(date.substr(5, 2), expected);
  }
}

}  // namespace
}  // namespace troupe::net
