#include "runtime/net/timeout_wheel.h"

#include <chrono>
#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/base/random.h"

namespace troupe::net {
namespace {

using namespace std::chrono_literals;

constexpr Duration kTick = 10ms;

class WheelTest : public testing::Test {
 protected:
  Time start{Duration(1'234'567'891)};
  TimeoutWheel wheel{start, kTick};
};

TEST_F(WheelTest, ATimeoutIsNeverEarlyAndAtMostATickLate) {
  Random random(1);
  struct Case {
    Time deadline;
    Time fired;
    std::unique_ptr<Timeout> timeout;
  };
  std::vector<Case> cases(2'000);
  Time now = start;
  for (Case& one : cases) {
    one.timeout = std::make_unique<Timeout>([&one, &now] { one.fired = now; });
    // Beyond several turns of the wheel, too.
    one.deadline = start + Duration(static_cast<std::int64_t>(random.below(20'000'000)));
    wheel.set(*one.timeout, one.deadline);
  }
  while (wheel.size() > 0) {
    now += kTick;
    wheel.advance(now);
  }
  for (const Case& one : cases) {
    EXPECT_GE(one.fired, one.deadline);
    EXPECT_LE(one.fired, one.deadline + 2 * kTick);
  }
}

TEST_F(WheelTest, PuttingOffAndBringingForwardBothCount) {
  Time now = start;
  Time fired{};
  Timeout timeout([&] { fired = now; });
  wheel.set(timeout, start + 100ms);
  wheel.set(timeout, start + 300ms);
  wheel.advance(now = start + 200ms);
  EXPECT_EQ(fired, Time{});
  wheel.set(timeout, start + 250ms);
  EXPECT_EQ(wheel.size(), 1U);
  wheel.advance(now = start + 270ms);
  EXPECT_EQ(fired, now);
  EXPECT_FALSE(timeout.armed());
}

TEST_F(WheelTest, AClearedTimeoutDoesNotFire) {
  bool fired = false;
  Timeout timeout([&] { fired = true; });
  wheel.set(timeout, start + 50ms);
  timeout.clear();
  wheel.advance(start + 1s);
  EXPECT_FALSE(fired);
  EXPECT_EQ(wheel.size(), 0U);
}

TEST_F(WheelTest, AnExpiryMayClearSetAndDestroyOthers) {
  int fired = 0;
  auto destroyed = std::make_unique<Timeout>([&] { ++fired; });
  Timeout cleared([&] { ++fired; });
  Timeout again([&] { ++fired; });
  Timeout first([&] {
    ++fired;
    destroyed.reset();
    cleared.clear();
    wheel.set(again, wheel.now() + 100ms);
  });
  // Those filed last come first.
  wheel.set(*destroyed, start + 50ms);
  wheel.set(cleared, start + 50ms);
  wheel.set(again, start + 50ms);
  wheel.set(first, start + 50ms);
  wheel.advance(start + 100ms);
  EXPECT_EQ(fired, 1);
  wheel.advance(start + 300ms);
  EXPECT_EQ(fired, 2);
}

TEST_F(WheelTest, ALongPauseExpiresEverythingDue) {
  int fired = 0;
  std::vector<std::unique_ptr<Timeout>> timeouts;
  for (int i = 0; i < 1'000; ++i) {
    timeouts.push_back(std::make_unique<Timeout>([&] { ++fired; }));
    wheel.set(*timeouts.back(), start + i * kTick);
  }
  wheel.advance(start + 1h);
  EXPECT_EQ(fired, 1'000);
}

}  // namespace
}  // namespace troupe::net
