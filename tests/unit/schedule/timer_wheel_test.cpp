#include "actors/timers/timer_wheel.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/base/random.h"

namespace troupe {
namespace {

using Wheel = TimerWheel<std::uint64_t>;

std::vector<std::uint64_t> take_all(Wheel& wheel, WheelTick now) {
  std::vector<std::uint64_t> values;
  while (const auto taken = wheel.take(now)) values.push_back(taken->value);
  return values;
}

TEST(TimerWheel, TakesWhatIsDueInOrderAndNothingBefore) {
  Wheel wheel;
  for (const WheelTick due : {5000U, 70U, 0U, 64U, 63U, 1'000'000U}) wheel.insert(due, due);
  EXPECT_EQ(take_all(wheel, 62), (std::vector<std::uint64_t>{0}));
  EXPECT_EQ(take_all(wheel, 63), (std::vector<std::uint64_t>{63}));
  EXPECT_EQ(take_all(wheel, 4999), (std::vector<std::uint64_t>{64, 70}));
  EXPECT_EQ(take_all(wheel, Wheel::kLast), (std::vector<std::uint64_t>{5000, 1'000'000}));
  EXPECT_EQ(wheel.size(), 0U);
}

TEST(TimerWheel, WhatIsCancelledIsNotTaken) {
  Wheel wheel;
  wheel.insert(10, 1);
  const WheelHandle gone = wheel.insert(10, 2);
  const WheelHandle ready = wheel.insert(5, 3);
  wheel.insert(10, 4);
  EXPECT_EQ(wheel.first(7), ready);
  wheel.cancel(ready);
  wheel.cancel(gone);
  EXPECT_EQ(take_all(wheel, 10), (std::vector<std::uint64_t>{1, 4}));
}

TEST(TimerWheel, HoldsTimesBeyondItsRangeToTheLast) {
  Wheel wheel;
  wheel.insert(~std::uint64_t{0}, 1);
  EXPECT_FALSE(wheel.take(Wheel::kLast - 1));
  EXPECT_EQ(wheel.take(Wheel::kLast)->due, Wheel::kLast);
}

TEST(TimerWheel, WhenTimeGoesBackALittleNothingIsDueUntilItHasCaughtUp) {
  Wheel wheel;
  wheel.insert(10'000, 1);
  EXPECT_EQ(take_all(wheel, 10'000).size(), 1U);
  wheel.insert(9'500, 2);
  EXPECT_FALSE(wheel.take(9'600));
  EXPECT_EQ(take_all(wheel, 10'000), (std::vector<std::uint64_t>{2}));
}

TEST(TimerWheel, WhenTimeGoesBackFarEntriesWaitForTheirTimeAgain) {
  Wheel wheel;
  for (const WheelTick due : {1'000'000U, 1'000'001U, 2'000'000U}) wheel.insert(due, due);
  EXPECT_EQ(wheel.take(1'000'001)->value, 1'000'000U);
  wheel.insert(500'000, 500'000);
  EXPECT_FALSE(wheel.take(400'000));
  EXPECT_EQ(take_all(wheel, 500'000), (std::vector<std::uint64_t>{500'000}));
  EXPECT_FALSE(wheel.take(1'000'000));
  EXPECT_EQ(take_all(wheel, 2'000'000), (std::vector<std::uint64_t>{1'000'001, 2'000'000}));
}

TEST(TimerWheel, AMillionEntriesTakeAtMost32BytesEachAndNoneWhenEmpty) {
  Wheel wheel;
  Random random(1);
  const std::size_t empty = wheel.bytes();
  for (int i = 0; i < 1'000'000; ++i) wheel.insert(random.below(1U << 30), 0);
  EXPECT_LE(wheel.bytes() / wheel.size(), 32U);
  take_all(wheel, Wheel::kLast);
  EXPECT_EQ(wheel.bytes(), empty);
}

// Against a sorted map, with time going mostly forward, sometimes back.
TEST(TimerWheel, AgreesWithASortedMap) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    Random random(seed);
    Wheel wheel;
    std::map<std::uint64_t, std::pair<WheelTick, WheelHandle>> model;  // by value
    std::uint64_t last_value = 0;
    WheelTick now = random.below(1ULL << 41);
    WheelTick furthest = 0;
    for (int step = 0; step < 3000; ++step) {
      const std::uint64_t dice = random.below(10);
      if (dice < 5) {
        const WheelTick ahead = random.below(1ULL << random.below(36));
        const WheelTick due = random.chance(0.2) ? now - std::min(now, ahead) : now + ahead;
        ++last_value;
        model[last_value] = {due, wheel.insert(due, last_value)};
      } else if (dice < 6 && !model.empty()) {
        auto gone = model.lower_bound(random.below(last_value) + 1);
        if (gone == model.end()) gone = model.begin();
        ASSERT_EQ(wheel.value(gone->second.second), gone->first);
        ASSERT_EQ(wheel.due(gone->second.second), gone->second.first);
        wheel.cancel(gone->second.second);
        model.erase(gone);
      } else {
        now += random.below(1ULL << random.below(30));
        if (random.chance(0.05)) now -= std::min<WheelTick>(now, 1 + random.below(1U << 20));
        std::uint64_t takes = 1 + random.below(30);
        const bool catching_up = now < furthest && now + Wheel::kPatience >= furthest;
        const auto wake = wheel.next_wake();
        bool exhausted = false;
        while (takes-- > 0) {
          const auto taken = wheel.take(now);
          if (!taken) {
            exhausted = true;
            break;
          }
          const auto known = model.find(taken->value);
          ASSERT_NE(known, model.end());
          ASSERT_EQ(known->second.first, taken->due);
          ASSERT_LE(taken->due, now) << "too early, seed " << seed;
          ASSERT_TRUE(now < furthest || (wake && *wake <= now));
          model.erase(known);
        }
        furthest = std::max(furthest, now);
        if (now + Wheel::kPatience < furthest) furthest = now;
        for (const auto& [value, entry] : model) {
          ASSERT_TRUE(!exhausted || catching_up || entry.first > now) << "missed, seed " << seed;
        }
      }
      ASSERT_EQ(wheel.size(), model.size());
      ASSERT_EQ(wheel.next_wake().has_value(), !model.empty());
    }
  }
}

TEST(TimerWheel, WakesAtMostOncePerLevelBeforeAnEntryIsDue) {
  Random random(5);
  for (int i = 0; i < 500; ++i) {
    Wheel wheel;
    wheel.insert(random.below(1U << 20), 0);
    take_all(wheel, 1U << 20);
    const WheelTick due = (1U << 20) + random.below(1ULL << (1 + random.below(46)));
    wheel.insert(due, 1);
    int wakes = 0;
    std::optional<Wheel::Taken> taken;
    while (!taken) {
      ASSERT_LE(*wheel.next_wake(), due);
      taken = wheel.take(*wheel.next_wake());
      ++wakes;
    }
    EXPECT_LE(wakes, 8);
    EXPECT_EQ(taken->due, due);
  }
}

TEST(TimerWheelDeathTest, CancellingWhatWasTakenIsABug) {
  Wheel wheel;
  wheel.insert(1, 1);
  const WheelHandle handle = wheel.insert(0, 1);
  wheel.take(0);
  EXPECT_DEATH(wheel.cancel(handle), "cancelled entries are in the wheel");
}

}  // namespace
}  // namespace troupe
