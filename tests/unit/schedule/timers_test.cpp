#include "actors/timers/timers.h"

#include <chrono>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/base/random.h"

namespace troupe {
namespace {

using namespace std::chrono_literals;

const Time kStart{1'000s};
const WallTime kWall{1'800'000'000s};

// First at `first` from kWall, then every `period`.
Timer timer(Duration first, Duration period, TickCatchUp catch_up = TickCatchUp::kOne) {
  Timer made;
  made.method = "reprice";
  made.catch_up = catch_up;
  made.schedule.first = kWall + first;
  if (period != Duration::zero()) made.schedule.period = period;
  return made;
}

std::string name(const TimerTick& tick) {
  return tick.name + "#" + std::to_string(tick.number) + "@" +
         std::to_string((tick.scheduled - kWall) / 1ms);
}

std::vector<std::string> take(Timers& timers, Duration after) {
  std::vector<std::string> names;
  for (const auto& tick : timers.take_due(kStart + after)) names.push_back(name(tick));
  return names;
}

// Takes what is due and is done with it at once.
std::vector<std::string> run(Timers& timers, Duration after) {
  std::vector<std::string> names;
  for (const auto& tick : timers.take_due(kStart + after)) {
    names.push_back(name(tick));
    timers.finished(kStart + after, tick);
  }
  return names;
}

using Names = std::vector<std::string>;

TEST(Timers, TickWhenDueInOrder) {
  Timers timers;
  ASSERT_TRUE(timers.set(kStart, kWall, "b", timer(20ms, 0ms)));
  ASSERT_TRUE(timers.set(kStart, kWall, "a", timer(10ms, 0ms)));
  EXPECT_EQ(timers.next_due(), kStart + 10ms);
  EXPECT_EQ(take(timers, 9999us), Names());
  EXPECT_EQ(take(timers, 20ms), (Names{"a#1@10", "b#1@20"}));
  EXPECT_FALSE(timers.next_due());
}

TEST(Timers, TheNextTickIsCountedFromTheScheduledTimeAndArmedWhenTheCallbackEnds) {
  Timers timers;
  ASSERT_TRUE(timers.set(kStart, kWall, "t", timer(100ms, 100ms)));
  const auto ticks = timers.take_due(kStart + 130ms);
  ASSERT_EQ(ticks.size(), 1U);
  EXPECT_FALSE(timers.next_due());
  EXPECT_EQ(take(timers, 500ms), Names()) << "ticks of one timer overlap";
  timers.finished(kStart + 150ms, ticks[0]);
  EXPECT_EQ(timers.next_due(), kStart + 200ms);
}

TEST(Timers, ASlowTickHoldsUpItsOwnTimerOnly) {
  Timers timers;
  ASSERT_TRUE(timers.set(kStart, kWall, "slow", timer(10ms, 10ms)));
  ASSERT_TRUE(timers.set(kStart, kWall, "quick", timer(10ms, 10ms)));
  const auto ticks = timers.take_due(kStart + 10ms);
  ASSERT_EQ(ticks.size(), 2U);
  timers.finished(kStart + 10ms, ticks[0].name == "quick" ? ticks[0] : ticks[1]);
  for (int i = 2; i < 100; ++i) {
    EXPECT_EQ(run(timers, i * 10ms),
              Names{"quick#" + std::to_string(i) + "@" + std::to_string(i * 10)});
  }
}

TEST(Timers, MissedTicksFollowThePolicy) {
  for (const auto& [policy, expected] : std::vector<std::pair<TickCatchUp, Names>>{
           {TickCatchUp::kAll, {"t#2@20", "t#3@30", "t#4@40", "t#5@50", "t#6@60"}},
           {TickCatchUp::kOne, {"t#2@20", "t#3@60"}},
           {TickCatchUp::kSkip, {"t#2@60"}}}) {
    Timers timers;
    ASSERT_TRUE(timers.set(kStart, kWall, "t", timer(10ms, 10ms, policy)));
    const auto first = timers.take_due(kStart + 10ms);
    timers.finished(kStart + 55ms, first[0]);
    Names names;
    for (const Duration now : {55ms, 60ms}) {
      for (Names more = run(timers, now); !more.empty(); more = run(timers, now)) {
        names.insert(names.end(), more.begin(), more.end());
      }
    }
    EXPECT_EQ(names, expected);
  }
}

TEST(Timers, RepeatsAndTtlEndATimer) {
  Timers timers;
  Timer three = timer(0ms, 10ms);
  three.schedule.repeats = 3;
  Timer brief = timer(0ms, 10ms);
  brief.schedule.expiry = kWall + 20ms;
  ASSERT_TRUE(timers.set(kStart, kWall, "three", three));
  ASSERT_TRUE(timers.set(kStart, kWall, "brief", brief));
  Names names;
  for (int i = 0; i < 10; ++i) {
    for (const auto& tick : run(timers, i * 10ms)) names.push_back(tick);
  }
  EXPECT_EQ(names, (Names{"brief#1@0", "three#1@0", "brief#2@10", "three#2@10", "three#3@20"}));
  EXPECT_EQ(timers.count(), 0U);
}

TEST(Timers, CancellingCancelsTheTickThatWaits) {
  Timers timers;
  ASSERT_TRUE(timers.set(kStart, kWall, "t", timer(10ms, 10ms)));
  const auto ticks = timers.take_due(kStart + 10ms);
  ASSERT_NE(timers.begin(ticks[0]), nullptr);
  EXPECT_EQ(timers.begin(ticks[0])->method, "reprice");
  EXPECT_TRUE(timers.cancel("t"));
  EXPECT_EQ(timers.begin(ticks[0]), nullptr);
  timers.finished(kStart + 10ms, ticks[0]);
  EXPECT_FALSE(timers.next_due());
  EXPECT_FALSE(timers.cancel("t"));
}

TEST(Timers, TheSameNameReplacesAndVoidsTheTickThatWaits) {
  Timers timers;
  ASSERT_TRUE(timers.set(kStart, kWall, "t", timer(10ms, 10ms)));
  const auto old = timers.take_due(kStart + 10ms);
  ASSERT_TRUE(timers.set(kStart, kWall, "t", timer(50ms, 0ms)));
  EXPECT_EQ(timers.count(), 1U);
  EXPECT_EQ(timers.begin(old[0]), nullptr);
  timers.finished(kStart + 20ms, old[0]);
  EXPECT_EQ(timers.next_due(), kStart + 50ms);
  EXPECT_EQ(run(timers, 50ms), Names{"t#1@50"});
}

TEST(Timers, FinishingATickTwiceChangesNothing) {
  Timers timers;
  ASSERT_TRUE(timers.set(kStart, kWall, "t", timer(10ms, 10ms)));
  const auto tick = timers.take_due(kStart + 10ms)[0];
  timers.finished(kStart + 10ms, tick);
  timers.finished(kStart + 10ms, tick);
  EXPECT_EQ(run(timers, 20ms), Names{"t#2@20"});
}

TEST(Timers, DoNotNoticeWhenTheWallClockIsSet) {
  Timers timers;
  ASSERT_TRUE(timers.set(kStart, kWall, "before", timer(1h, 0ms)));
  Timer after = timer(1h, 0ms);
  after.schedule.first += 24h;  // registered once the clock was a day ahead
  ASSERT_TRUE(timers.set(kStart, kWall + 24h, "after", after));
  EXPECT_EQ(timers.take_due(kStart + 1h).size(), 2U);
}

TEST(Timers, TooManyAreRefused) {
  Timers timers;
  for (std::size_t i = 0; i < Timers::kCountMax; ++i) {
    ASSERT_TRUE(timers.set(kStart, kWall, std::to_string(i), timer(1s, 0ms)));
  }
  EXPECT_EQ(timers.set(kStart, kWall, "more", timer(1s, 0ms)).error().code, Code::kExhausted);
  EXPECT_TRUE(timers.set(kStart, kWall, "7", timer(1s, 0ms)));
}

// Random histories: no tick early, never two ticks of a timer out, all ticks on the grid.
TEST(Timers, NeverTickEarlyTwiceAtOnceOrOffTheGrid) {
  Random random(11);
  for (int round = 0; round < 100; ++round) {
    Timers timers;
    std::vector<TimerTick> out;
    Duration now{};
    for (int step = 0; step < 300; ++step) {
      now += Duration(static_cast<std::int64_t>(random.below(20'000)));
      const std::string id(1, static_cast<char>('a' + random.below(4)));
      const std::uint64_t dice = random.below(10);
      if (dice == 0) {
        Timer made = timer(now, 7ms, static_cast<TickCatchUp>(random.below(3)));
        ASSERT_TRUE(timers.set(kStart + now, kWall + now, id, made));
      } else if (dice == 1) {
        timers.cancel(id);
      } else if (dice < 6) {
        for (const auto& tick : timers.take_due(kStart + now)) {
          ASSERT_LE(tick.scheduled, kWall + now);
          const Timer* current = timers.begin(tick);
          ASSERT_NE(current, nullptr);
          ASSERT_EQ((tick.scheduled - current->schedule.first) % 7ms, 0us);
          for (const auto& other : out) {
            ASSERT_TRUE(other.name != tick.name || timers.begin(other) == nullptr);
          }
          out.push_back(tick);
        }
      } else if (!out.empty()) {
        const std::size_t done = random.below(out.size());
        timers.finished(kStart + now, out[done]);
        out.erase(out.begin() + static_cast<std::ptrdiff_t>(done));
      }
    }
  }
}

}  // namespace
}  // namespace troupe
