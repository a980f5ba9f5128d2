#include "actors/activation/work_sharing.h"

#include <array>
#include <chrono>
#include <cstddef>

#include <gtest/gtest.h>

namespace troupe::actors {
namespace {

using namespace std::chrono_literals;

constexpr Duration kInterval = 1ms;

class WorkSharings : public ::testing::Test {
 protected:
  using Sharing = WorkSharing<int>;
  static constexpr std::size_t kWorker = 0;
  static constexpr std::size_t kWatcher = 1;

  // Somebody from outside brings `count` jobs; how many threads are woken for them.
  int put(int count) {
    int woken = 0;
    for (int i = 0; i < count; ++i) {
      Sharing::Seat* const seat = sharing.put(&job);
      if (seat == nullptr) continue;
      ++woken;
      last_woken = seat;
    }
    return woken;
  }
  // The thread runs jobs until it is to sleep, but `most` at most.
  int run(std::size_t thread, int most = 1'000) {
    for (int ran = 0; ran < most; ++ran) {
      const Sharing::Next next = sharing.next(seats.at(thread), [this] { return now; });
      if (next.wake != nullptr) last_woken = next.wake;
      watches = next.watch;
      if (next.job == nullptr) return ran;
    }
    return most;
  }
  // Of the one who keeps watch. How many jobs he runs.
  int look() {
    now += kInterval;
    return run(kWatcher);
  }
  // One thread works, another keeps watch, and so many were taken of late in an interval.
  void work_at_a_pace_of(int jobs) {
    put(1);
    run(kWorker, 1);
    run(kWatcher);
    put(jobs);
    run(kWorker, jobs);
    run(kWatcher);  // if it was woken, it comes too late
    look();
    ASSERT_TRUE(watches);
  }

  int job = 0;
  Time now{1h};
  Sharing sharing{kInterval};
  std::array<Sharing::Seat, 3> seats;
  Sharing::Seat* last_woken = nullptr;
  bool watches = false;  // who ran last
};

TEST_F(WorkSharings, SleepersAreWokenForTheFirstJobOnly) {
  run(0);
  run(1);
  EXPECT_EQ(put(10), 1);
}

TEST_F(WorkSharings, WhoComesToWorkWakesTheNextIfNobodyKeepsWatch) {
  run(0);
  run(1);
  put(10);
  ASSERT_EQ(last_woken, &seats[1]);
  run(1, 1);
  EXPECT_EQ(last_woken, &seats.front());
}

TEST_F(WorkSharings, OneOfThoseThatSleepBesideAWorkerKeepsWatch) {
  put(1);
  run(0, 1);
  run(1);
  EXPECT_TRUE(watches);
  run(2);
  EXPECT_FALSE(watches) << "one is enough";
}

TEST_F(WorkSharings, NobodyIsWokenForWhatIsTakenInTime) {
  work_at_a_pace_of(20);
  EXPECT_EQ(put(20), 0) << "as many as were taken in an interval";
  EXPECT_EQ(put(1), 1) << "more than that";
}

TEST_F(WorkSharings, TheWatchHelpsWhenAJobKeepsItsThread) {
  work_at_a_pace_of(20);
  EXPECT_EQ(put(5), 0);
  EXPECT_EQ(look(), 5);
}

TEST_F(WorkSharings, TheWatchDoesNotHelpOneWhoKeepsUp) {
  work_at_a_pace_of(20);
  put(20);
  run(kWorker, 10);
  EXPECT_EQ(look(), 0) << "no more waits than was taken";
  EXPECT_TRUE(watches);
}

TEST_F(WorkSharings, TheWatchHelpsOneWhoFallsBehind) {
  work_at_a_pace_of(20);
  put(20);
  run(kWorker, 9);
  EXPECT_EQ(look(), 11);
}

TEST_F(WorkSharings, AfterJobsThatKeepTheirThreadsSomebodyIsWokenAtOnce) {
  work_at_a_pace_of(20);
  put(5);
  EXPECT_EQ(look(), 5);
  EXPECT_TRUE(watches);
  EXPECT_EQ(put(1), 1);
}

TEST_F(WorkSharings, APaceIsForgottenSlowly) {
  work_at_a_pace_of(20);
  look();
  EXPECT_EQ(put(16), 0);
  run(kWorker, 16);
  for (int i = 0; i < 100; ++i) look();
  EXPECT_EQ(put(16), 1);
}

TEST_F(WorkSharings, NobodyWatchesOverNobody) {
  work_at_a_pace_of(20);
  put(1);
  run(kWorker);
  EXPECT_FALSE(watches);
  EXPECT_EQ(look(), 0);
  EXPECT_TRUE(watches) << "more may come at once: there was work since the last look";
  look();
  EXPECT_FALSE(watches);
}

TEST_F(WorkSharings, AnIdlePoolIsWokenThoughOneKeepsWatch) {
  work_at_a_pace_of(20);
  run(kWorker);
  EXPECT_EQ(put(1), 1);
  EXPECT_EQ(last_woken, &seats[kWorker]) << "rather than who keeps watch";
  EXPECT_EQ(run(kWorker), 1);
}

TEST_F(WorkSharings, AWakeUpThatCrossesALookIsHeardOnce) {
  work_at_a_pace_of(20);
  EXPECT_EQ(put(21), 1);
  ASSERT_EQ(last_woken, &seats[kWatcher]);
  EXPECT_EQ(look(), 21) << "it looked, but was woken meanwhile";
  EXPECT_EQ(run(kWatcher), 0) << "the ring comes late";
  put(1);
  EXPECT_EQ(run(kWorker) + run(kWatcher), 1);
}

TEST_F(WorkSharings, AGuestThatKeepsUpWakesNobody) {
  work_at_a_pace_of(10);
  run(kWorker);
  for (int batch = 0; batch < 5; ++batch) {
    sharing.enter();
    EXPECT_EQ(put(10), 0);
    int ran = 0;
    for (Sharing::Next next = sharing.next_for_guest(); next.job != nullptr; ++ran) {
      EXPECT_EQ(next.wake, nullptr);
      next = sharing.next_for_guest();
    }
    EXPECT_EQ(ran, 10);
    EXPECT_EQ(sharing.leave(), nullptr);
    EXPECT_EQ(look(), 0);
    EXPECT_TRUE(watches);
  }
}

TEST_F(WorkSharings, WhatKeepsAGuestKeepsNothingElse) {
  work_at_a_pace_of(10);
  run(kWorker);
  sharing.enter();
  EXPECT_EQ(put(3), 0);
  ASSERT_NE(sharing.next_for_guest().job, nullptr);
  EXPECT_EQ(look() + look(), 2);
}

TEST_F(WorkSharings, SomebodyIsWokenForWhatAGuestLeavesBehind) {
  work_at_a_pace_of(10);
  run(kWorker);
  sharing.enter();
  EXPECT_EQ(put(10), 0);
  for (int i = 0; i < 3; ++i) ASSERT_NE(sharing.next_for_guest().job, nullptr);
  EXPECT_EQ(sharing.leave(), &seats[kWorker]);
  EXPECT_EQ(run(kWorker), 7);
}

// Nobody is woken for the next guest, though between them there is nothing to do.
TEST_F(WorkSharings, WhoWasWokenForAGuestKeepsWatchWhenItHasGone) {
  run(kWorker);
  run(kWatcher);
  sharing.enter();
  ASSERT_EQ(put(1), 1);
  ASSERT_NE(sharing.next_for_guest().job, nullptr);
  ASSERT_EQ(sharing.leave(), nullptr);
  EXPECT_EQ(run(kWatcher), 0) << "it comes too late";
  EXPECT_TRUE(watches);
  look();
  sharing.enter();
  EXPECT_EQ(put(1), 0);
}

}  // namespace
}  // namespace troupe::actors
