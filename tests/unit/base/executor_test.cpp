#include "runtime/base/executor.h"

#include <atomic>
#include <chrono>
#include <future>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/base/clock.h"
#include "runtime/base/deadline.h"

namespace troupe {
namespace {

TEST(Loop, RunsInTheOrderPosted) {
  SystemClock clock;
  Loop loop(clock, "test");
  std::vector<int> order;
  std::promise<void> finished;
  for (int i = 0; i < 100; ++i) loop.post([&order, i] { order.push_back(i); });
  loop.post([&] { finished.set_value(); });
  finished.get_future().wait();
  ASSERT_EQ(order.size(), 100U);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
}

TEST(Loop, RunsWhatIsTimedWhenItIsDue) {
  SystemClock clock;
  Loop loop(clock, "test");
  std::promise<Time> ran;
  const Time due = clock.now() + std::chrono::milliseconds(5);
  loop.post_at(due, [&] { ran.set_value(clock.now()); });
  EXPECT_GE(ran.get_future().get(), due);
}

TEST(Loop, WakesForWhatIsDueBeforeWhatItWaitsFor) {
  SystemClock clock;
  Loop loop(clock, "test");
  const Time now = clock.now();
  loop.post_at(now + std::chrono::hours(1), [] {});
  std::promise<void> asleep;
  loop.post([&] { asleep.set_value(); });
  asleep.get_future().wait();
  // Whether it is asleep by now nobody can tell: often it is.
  for (int i = 0; i < 20; ++i) {
    std::promise<void> ran;
    loop.post_at(clock.now() + std::chrono::hours(2), [] {});
    loop.post_at(clock.now() + std::chrono::milliseconds(2), [&] { ran.set_value(); });
    ASSERT_EQ(ran.get_future().wait_for(std::chrono::seconds(20)), std::future_status::ready);
  }
}

// Tells how often it is looked at.
class CountedClock final : public Clock {
 public:
  Time now() const override {
    looks.fetch_add(1);
    return clock.now();
  }
  WallTime wall() const override { return clock.wall(); }

  SystemClock clock;
  mutable std::atomic<int> looks = 0;
};

TEST(Loop, SleepsUntilWhatIsDueAtTheEndOfAllTime) {
  constexpr int kRounds = 200;
  CountedClock clock;
  Loop loop(clock, "test");
  loop.post_at(Time::max(), [] { FAIL() << "it is not due"; });
  for (int i = 0; i < kRounds; ++i) {
    std::promise<void> ran;
    loop.post([&] { ran.set_value(); });
    ran.get_future().wait();
  }
  // Once before it sleeps and once when it is woken.
  EXPECT_LE(clock.looks, 2 * kRounds + 2);
}

TEST(Deadline, IsNotBeforeNowHoweverLongTheWait) {
  const Time now{std::chrono::hours(1)};
  EXPECT_EQ(after(now, std::chrono::seconds(2)), now + std::chrono::seconds(2));
  EXPECT_EQ(after(now, Duration::max()), Time::max());
  EXPECT_EQ(after(now, Time::max() - now), Time::max());
  EXPECT_LT(after(now, Duration::min()), now);
}

TEST(Loop, DropsWorkPostedAfterItStopped) {
  SystemClock clock;
  Loop loop(clock, "test");
  loop.stop();
  bool ran = false;
  loop.post([&] { ran = true; });
  loop.stop();
  EXPECT_FALSE(ran);
}

TEST(ThreadPool, RefusesWhatItsQueueCannotHold) {
  ThreadPool pool(1, 1, "test");
  std::promise<void> gate;
  std::promise<void> begun;
  auto opened = gate.get_future().share();
  ASSERT_TRUE(pool.post([&begun, opened] {
    begun.set_value();
    opened.wait();
  }));
  begun.get_future().wait();
  EXPECT_TRUE(pool.post([] {}));
  EXPECT_FALSE(pool.post([] {}));
  gate.set_value();
}

}  // namespace
}  // namespace troupe
