#include "actors/reminders/reminder_wheel.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/base/random.h"

namespace troupe {
namespace {

using namespace std::chrono_literals;

constexpr ShardId kShard{3};
constexpr Epoch kEpoch{5};
constexpr std::size_t kAll = 1'000'000;
const WallTime kStart{1'800'000'000s};

Registration reg(std::uint64_t value) { return Registration{value}; }

std::vector<std::uint64_t> take(ReminderWheel& wheel, WallTime now, std::size_t most = kAll) {
  std::vector<std::uint64_t> out;
  for (const auto& due : wheel.take_due(now, most)) out.push_back(due.registration.value);
  return out;
}

using Numbers = std::vector<std::uint64_t>;

TEST(ReminderWheel, ReturnsWhatIsDueAndNothingBefore) {
  ReminderWheel wheel;
  wheel.own(kShard, kEpoch);
  wheel.arm(kShard, kEpoch, reg(1), kStart + 10ms);
  wheel.arm(kShard, kEpoch, reg(2), kStart + 5ms);
  EXPECT_LE(*wheel.next_wake(), kStart + 5ms);
  EXPECT_EQ(take(wheel, kStart + 4999us), Numbers());
  const auto due = wheel.take_due(kStart + 10ms, kAll);
  ASSERT_EQ(due.size(), 2U);
  EXPECT_EQ(due[0], (DueReminder{kShard, kEpoch, reg(2), kStart + 5ms}));
  EXPECT_EQ(due[1].registration, reg(1));
}

TEST(ReminderWheel, ATimeBetweenMillisecondsIsRoundedUp) {
  ReminderWheel wheel;
  wheel.own(kShard, kEpoch);
  wheel.arm(kShard, kEpoch, reg(1), kStart + 1us);
  EXPECT_EQ(take(wheel, kStart + 999us), Numbers());
  EXPECT_EQ(take(wheel, kStart + 1ms), Numbers{1});
}

TEST(ReminderWheel, AReminderThatIsOutIsNotReturnedAgain) {
  ReminderWheel wheel;
  wheel.own(kShard, kEpoch);
  wheel.arm(kShard, kEpoch, reg(1), kStart);
  EXPECT_EQ(take(wheel, kStart), Numbers{1});
  EXPECT_EQ(take(wheel, kStart + 24h), Numbers());
  EXPECT_EQ(wheel.out(), 1U);
  EXPECT_FALSE(wheel.next_wake());
  wheel.arm(kShard, kEpoch, reg(1), kStart + 1h);  // its tick was committed
  EXPECT_EQ(wheel.out(), 0U);
  EXPECT_EQ(take(wheel, kStart + 1h), Numbers{1});
}

TEST(ReminderWheel, RetryIsForThoseThatAreOut) {
  ReminderWheel wheel;
  wheel.own(kShard, kEpoch);
  wheel.arm(kShard, kEpoch, reg(1), kStart);
  wheel.retry(kShard, kEpoch, reg(1), kStart + 1h);
  EXPECT_EQ(take(wheel, kStart), Numbers{1});
  wheel.retry(kShard, kEpoch, reg(1), kStart + 1s);
  EXPECT_EQ(take(wheel, kStart), Numbers());
  EXPECT_EQ(take(wheel, kStart + 1s), Numbers{1});
  wheel.remove(kShard, kEpoch, reg(1));
  wheel.retry(kShard, kEpoch, reg(1), kStart + 1s);
  EXPECT_EQ(take(wheel, kStart + 24h), Numbers());
}

TEST(ReminderWheel, WhatIsRemovedIsNotReturned) {
  ReminderWheel wheel;
  wheel.own(kShard, kEpoch);
  wheel.arm(kShard, kEpoch, reg(1), kStart);
  wheel.arm(kShard, kEpoch, reg(2), kStart);
  wheel.remove(kShard, kEpoch, reg(1));
  wheel.remove(kShard, kEpoch, reg(9));
  EXPECT_EQ(take(wheel, kStart), Numbers{2});
  wheel.remove(kShard, kEpoch, reg(2));
  EXPECT_EQ(wheel.out(), 0U);
}

TEST(ReminderWheel, ALostShardIsForgotten) {
  ReminderWheel wheel;
  wheel.own(kShard, kEpoch);
  wheel.own(ShardId{4}, kEpoch);
  wheel.arm(kShard, kEpoch, reg(1), kStart);
  wheel.arm(kShard, kEpoch, reg(2), kStart + 1s);
  wheel.arm(ShardId{4}, kEpoch, reg(3), kStart + 1s);
  EXPECT_EQ(take(wheel, kStart), Numbers{1});
  wheel.lose(kShard, kEpoch);
  EXPECT_EQ(wheel.out(), 0U);
  wheel.arm(kShard, kEpoch, reg(1), kStart);
  EXPECT_EQ(take(wheel, kStart + 1h), Numbers{3});
}

TEST(ReminderWheel, OnlyTheCurrentEpochIsHeard) {
  ReminderWheel wheel;
  wheel.own(kShard, kEpoch);
  wheel.arm(kShard, kEpoch, reg(1), kStart);
  EXPECT_EQ(take(wheel, kStart), Numbers{1});
  wheel.own(kShard, kEpoch);    // again
  wheel.own(kShard, Epoch{4});  // late
  EXPECT_EQ(wheel.out(), 1U);
  wheel.own(kShard, Epoch{6});
  EXPECT_EQ(wheel.out(), 0U);
  wheel.arm(kShard, kEpoch, reg(1), kStart);
  wheel.lose(kShard, kEpoch);
  wheel.arm(kShard, Epoch{6}, reg(2), kStart);
  wheel.remove(kShard, kEpoch, reg(2));
  EXPECT_EQ(take(wheel, kStart), Numbers{2});
}

TEST(ReminderWheel, AWindowBoundsWhatIsOut) {
  ReminderWheel wheel({.in_flight_max = 10, .in_flight_per_shard_max = 6});
  for (std::uint32_t shard = 0; shard < 2; ++shard) {
    wheel.own(ShardId{shard}, kEpoch);
    for (std::uint64_t i = 0; i < 100; ++i) {
      wheel.arm(ShardId{shard}, kEpoch, reg(shard * 100 + i), kStart);
    }
  }
  const auto first = wheel.take_due(kStart, kAll);
  EXPECT_EQ(first.size(), 10U);
  EXPECT_EQ(take(wheel, kStart), Numbers());
  EXPECT_FALSE(wheel.next_wake());
  wheel.remove(first[0].shard, kEpoch, first[0].registration);
  EXPECT_EQ(take(wheel, kStart).size(), 1U);
  // One shard alone keeps to its share.
  wheel.lose(ShardId{1}, kEpoch);
  take(wheel, kStart);
  EXPECT_EQ(wheel.out(), 6U);
  EXPECT_FALSE(wheel.next_wake());
}

TEST(ReminderWheel, ShardsTakeTurnsHoweverMuchIsDueInOne) {
  ReminderWheel wheel;
  for (std::uint32_t shard = 0; shard < 4; ++shard) wheel.own(ShardId{shard}, kEpoch);
  for (std::uint64_t i = 0; i < 1000; ++i) wheel.arm(ShardId{0}, kEpoch, reg(i), kStart - 1h);
  for (std::uint32_t shard = 1; shard < 4; ++shard) {
    for (std::uint64_t i = 0; i < 3; ++i) {
      wheel.arm(ShardId{shard}, kEpoch, reg(shard * 10'000 + i), kStart);
    }
  }
  std::map<ShardId, int> taken;
  for (int i = 0; i < 12; ++i) {
    for (const auto& due : wheel.take_due(kStart, 1)) ++taken[due.shard];
  }
  for (std::uint32_t shard = 0; shard < 4; ++shard) EXPECT_EQ(taken[ShardId{shard}], 3) << shard;
}

TEST(ReminderWheel, AClockSetBackMakesRemindersWaitAndNoneIsLost) {
  ReminderWheel wheel;
  wheel.own(kShard, kEpoch);
  wheel.arm(kShard, kEpoch, reg(1), kStart);
  wheel.arm(kShard, kEpoch, reg(2), kStart + 10min);
  EXPECT_EQ(take(wheel, kStart), Numbers{1});
  wheel.arm(kShard, kEpoch, reg(3), kStart - 30min);
  EXPECT_EQ(take(wheel, kStart - 1h), Numbers());
  EXPECT_EQ(take(wheel, kStart - 30min), Numbers{3});
  EXPECT_EQ(take(wheel, kStart + 9min), Numbers());
  EXPECT_EQ(take(wheel, kStart + 10min), Numbers{2});
}

TEST(ReminderWheel, AClockSetForwardMakesThemDue) {
  ReminderWheel wheel;
  wheel.own(kShard, kEpoch);
  wheel.arm(kShard, kEpoch, reg(1), kStart + 1h);
  EXPECT_EQ(take(wheel, kStart + 2h), Numbers{1});
}

TEST(ReminderWheel, TakesTimesFromTheYear0To9999) {
  ReminderWheel wheel;
  wheel.own(kShard, kEpoch);
  wheel.arm(kShard, kEpoch, reg(1), kFirstWallTime);
  wheel.arm(kShard, kEpoch, reg(2), kLastWallTime);
  EXPECT_EQ(take(wheel, kFirstWallTime), Numbers());  // before 1970 nothing runs
  EXPECT_EQ(take(wheel, kStart), Numbers{1});
  EXPECT_EQ(take(wheel, kLastWallTime), Numbers());
  EXPECT_EQ(take(wheel, kLastWallTime + 1ms), Numbers{2});
}

TEST(ReminderWheel, AMillionTakeAtMost64BytesEach) {
  ReminderWheel wheel;
  Random random(1);
  for (std::uint32_t shard = 0; shard < 256; ++shard) wheel.own(ShardId{shard}, kEpoch);
  for (std::uint64_t i = 0; i < 1'000'000; ++i) {
    wheel.arm(ShardId{static_cast<std::uint32_t>(i % 256)}, kEpoch, reg(i),
              kStart + Duration(static_cast<std::int64_t>(random.below(1ULL << 42))));
  }
  EXPECT_EQ(wheel.waiting(), 1'000'000U);
  EXPECT_LE(wheel.bytes() / wheel.waiting(), 64U);
  RecordProperty("bytes_per_reminder", static_cast<int>(wheel.bytes() / wheel.waiting()));
}

// Random histories against a plain model: each (shard, registration) absent, waiting or out.
TEST(ReminderWheel, AgreesWithAPlainModel) {
  struct Known {
    WallTime due;
    bool out = false;
  };
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    Random random(seed);
    ReminderWheel wheel({.in_flight_max = 40, .in_flight_per_shard_max = 15});
    std::map<ShardId, Epoch> epochs;
    std::map<std::pair<ShardId, Registration>, Known> model;
    const auto out_of = [&](std::optional<ShardId> shard) {
      return static_cast<std::size_t>(std::ranges::count_if(model, [&](const auto& entry) {
        return entry.second.out && (!shard || entry.first.first == *shard);
      }));
    };
    WallTime now = kStart;
    for (int step = 0; step < 2000; ++step) {
      const ShardId shard{static_cast<std::uint32_t>(random.below(5))};
      const auto epoch = epochs.find(shard);
      const std::pair id{shard, reg(random.below(60))};
      switch (random.below(12)) {
        case 0:
          if (!random.chance(0.1)) break;
          std::erase_if(model, [&](const auto& entry) { return entry.first.first == shard; });
          if (epoch != epochs.end() && random.chance(0.5)) {
            wheel.lose(shard, epoch->second);
            epochs.erase(epoch);
          } else {
            epochs[shard] = Epoch{static_cast<std::uint64_t>(step) + 1};
            wheel.own(shard, epochs[shard]);
          }
          break;
        case 1:
          wheel.remove(shard, epoch == epochs.end() ? Epoch{1} : epoch->second, id.second);
          if (epoch != epochs.end()) model.erase(id);
          break;
        case 2: {
          if (epoch == epochs.end()) break;
          wheel.retry(shard, epoch->second, id.second, now + 5ms);
          const auto known = model.find(id);
          if (known != model.end() && known->second.out) known->second = {.due = now + 5ms};
          break;
        }
        case 3:
        case 4: {
          now += Duration(static_cast<std::int64_t>(random.below(1ULL << random.below(24))));
          for (const auto& due : wheel.take_due(now, random.below(60))) {
            const auto known = model.find({due.shard, due.registration});
            ASSERT_NE(known, model.end());
            ASSERT_FALSE(known->second.out) << "out twice";
            ASSERT_LE(known->second.due, now) << "too early";
            known->second.out = true;
          }
          break;
        }
        case 5:
          wheel.take_due(now, 0);
          break;
        default: {
          const WallTime due =
              now + Duration(static_cast<std::int64_t>(random.below(1ULL << random.below(30)))) -
              5ms;
          wheel.arm(shard, epoch == epochs.end() ? Epoch{1} : epoch->second, id.second, due);
          if (epoch != epochs.end()) model[id] = {.due = due};
        }
      }
      ASSERT_EQ(wheel.out(), out_of({}));
      ASSERT_EQ(wheel.waiting() + wheel.out(), model.size());
      ASSERT_LE(wheel.out(), 40U);
      for (const auto& [owned, at] : epochs) ASSERT_LE(out_of(owned), 15U);
    }
    // In the end everything that waits comes, as windows allow.
    now += 24h;
    for (auto due = wheel.take_due(now, kAll); !due.empty() || wheel.out() > 0;
         due = wheel.take_due(now, kAll)) {
      for (auto it = model.begin(); it != model.end();) {
        const bool taken = it->second.out || std::ranges::any_of(due, [&](const DueReminder& d) {
                             return std::pair(d.shard, d.registration) == it->first;
                           });
        if (taken) wheel.remove(it->first.first, epochs[it->first.first], it->first.second);
        it = taken ? model.erase(it) : std::next(it);
      }
    }
    ASSERT_TRUE(model.empty()) << "lost, seed " << seed;
    ASSERT_EQ(wheel.waiting(), 0U);
  }
}

}  // namespace
}  // namespace troupe
