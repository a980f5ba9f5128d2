#include "actors/reminders/reminder_record.h"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/base/random.h"

namespace troupe {
namespace {

using namespace std::chrono_literals;
using Kind = TickOutcome::Kind;

const WallTime kStart{1'800'000'000s};

ReminderRecord record(Period period, TickCatchUp catch_up = TickCatchUp::kOne) {
  ReminderRecord made;
  made.key = {.type = "Cart", .id = "alice"};
  made.name = "nudge";
  made.method = "nudge";
  made.registration = registration_at(7, 0);
  made.schedule.first = kStart;
  made.schedule.period = std::move(period);
  made.catch_up = catch_up;
  return registered(made);
}

// The scheduled times, in seconds after kStart, of the ticks that run when a node looks at `now`
// and each turn ends as soon as it begins.
std::vector<long> run_at(std::optional<ReminderRecord>& reminder, WallTime now, int most = 10'000) {
  std::vector<long> ran;
  while (reminder && judge(*reminder, now) != Verdict::kWait && most-- > 0) {
    const bool skip = judge(*reminder, now) == Verdict::kSkip;
    if (!skip) ran.push_back((reminder->scheduled - kStart) / 1s);
    reminder = advance(*reminder, {.kind = skip ? Kind::kSkipped : Kind::kDone, .fired = now}, now);
  }
  return ran;
}

TEST(Registration, IsUniqueForEachPositionOfEachEntry) {
  EXPECT_EQ(registration_at(7, 0).value, 28'672U);
  EXPECT_LT(registration_at(7, 4095), registration_at(8, 0));
}

TEST(Reminder, TicksAreNumberedFromOneAndLieOnTheGrid) {
  auto reminder = record(10s);
  EXPECT_EQ(reminder.number, 1U);
  EXPECT_EQ(reminder.scheduled, kStart);
  reminder = *advance(reminder, {.kind = Kind::kDone, .fired = kStart}, kStart + 1s);
  EXPECT_EQ(reminder.number, 2U);
  EXPECT_EQ(reminder.scheduled, kStart + 10s);
  EXPECT_EQ(reminder.due, kStart + 10s);
}

TEST(Reminder, OneWithoutPeriodIsOverWhenItsTickIsDone) {
  EXPECT_FALSE(advance(record({}), {.kind = Kind::kDone, .fired = kStart}, kStart));
}

TEST(Reminder, IsDueInWholeMillisecondsNeverBeforeItsTime) {
  auto reminder = record(1ms);
  reminder.schedule.first = kStart + 1us;
  reminder = registered(reminder);
  EXPECT_EQ(reminder.due, kStart + 1ms);
  EXPECT_EQ(judge(reminder, kStart + 999us), Verdict::kWait);
  EXPECT_EQ(judge(reminder, kStart + 1ms), Verdict::kFire);
}

TEST(Reminder, AfterThreeDaysOutageOneTickStandsForAllThatWereMissed) {
  std::optional<ReminderRecord> reminder = record(1h, TickCatchUp::kOne);
  const WallTime up = kStart + 72h + 30min;
  EXPECT_EQ(run_at(reminder, up), (std::vector<long>{0}));
  EXPECT_EQ(reminder->due, kStart + 73h);
}

TEST(Reminder, AfterThreeDaysOutageAllTicksRunIfSoWished) {
  std::optional<ReminderRecord> reminder = record(1h, TickCatchUp::kAll);
  EXPECT_EQ(run_at(reminder, kStart + 72h + 30min).size(), 73U);
  EXPECT_EQ(reminder->due, kStart + 73h);
  EXPECT_EQ(reminder->number, 74U);
}

TEST(Reminder, AfterThreeDaysOutageNoneRunsIfSoWished) {
  std::optional<ReminderRecord> reminder = record(1h, TickCatchUp::kSkip);
  reminder->schedule.repeats = 2;
  EXPECT_EQ(run_at(reminder, kStart + 72h + 30min), std::vector<long>());
  EXPECT_EQ(reminder->due, kStart + 73h);
  // What was skipped does not count as a repetition, but has used its number.
  EXPECT_EQ(reminder->number, 2U);
  EXPECT_EQ(run_at(reminder, kStart + 73h), (std::vector<long>{73 * 3600}));
  EXPECT_EQ(run_at(reminder, kStart + 74h), (std::vector<long>{74 * 3600}));
  EXPECT_FALSE(reminder);
}

TEST(Reminder, WithoutAPeriodIsNeverSkipped) {
  EXPECT_EQ(judge(record({}, TickCatchUp::kSkip), kStart + 72h), Verdict::kFire);
}

TEST(Reminder, TicksMissedDuringATurnAreCaughtUpOnce) {
  auto reminder = record(1s, TickCatchUp::kOne);
  reminder = *advance(reminder, {.kind = Kind::kDone, .fired = kStart}, kStart + 5500ms);
  EXPECT_EQ(reminder.scheduled, kStart + 1s);
  reminder = *advance(reminder, {.kind = Kind::kDone, .fired = kStart + 5500ms}, kStart + 5600ms);
  EXPECT_EQ(reminder.scheduled, kStart + 6s);
}

TEST(Reminder, FiresOncePerTickWhenTheClockIsStepped) {
  std::optional<ReminderRecord> reminder = record(10min, TickCatchUp::kOne);
  EXPECT_EQ(run_at(reminder, kStart).size(), 1U);
  EXPECT_EQ(run_at(reminder, kStart + 1h), (std::vector<long>{600}));  // an hour forward
  EXPECT_EQ(run_at(reminder, kStart + 1min), std::vector<long>());     // and back
  EXPECT_EQ(run_at(reminder, kStart + 69min), std::vector<long>());
  EXPECT_EQ(run_at(reminder, kStart + 70min), (std::vector<long>{4200}));
}

TEST(Reminder, AFailedTickKeepsItsNumberAndIsTriedAgainWithBackOff) {
  auto reminder = record(1h);
  std::vector<long> delays;
  for (int i = 0; i < 12; ++i) {
    reminder = *advance(reminder, {.kind = Kind::kFailed, .fired = kStart}, kStart);
    delays.push_back((reminder.due - kStart) / 1s);
    EXPECT_EQ(reminder.number, 1U);
    EXPECT_EQ(reminder.scheduled, kStart);
  }
  EXPECT_EQ(delays, (std::vector<long>{1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300}));
  reminder = *advance(reminder, {.kind = Kind::kDone, .fired = kStart}, kStart);
  EXPECT_EQ(reminder.attempts, 0U);
  EXPECT_EQ(reminder.number, 2U);
}

TEST(Reminder, DaprsDefaultIsFourDeliveriesAndThenTheNextTick) {
  auto reminder = record(1h);
  reminder.failure = dapr_failure_policy();
  for (int retry = 1; retry <= 3; ++retry) {
    reminder = *advance(reminder, {.kind = Kind::kFailed, .fired = kStart}, kStart);
    EXPECT_EQ(reminder.due, kStart + 1s);
    EXPECT_EQ(reminder.number, 1U);
  }
  reminder = *advance(reminder, {.kind = Kind::kFailed, .fired = kStart}, kStart);
  EXPECT_EQ(reminder.number, 2U);
  EXPECT_EQ(reminder.due, kStart + 1h);
  EXPECT_EQ(reminder.attempts, 0U);
}

TEST(Reminder, DropGoesOnAtOnceAndEndsOneWithoutPeriod) {
  auto reminder = record(1h);
  reminder.failure.kind = TickFailurePolicy::Kind::kDrop;
  EXPECT_EQ(advance(reminder, {.kind = Kind::kFailed, .fired = kStart}, kStart)->number, 2U);
  reminder = record({});
  reminder.failure.kind = TickFailurePolicy::Kind::kDrop;
  EXPECT_FALSE(advance(reminder, {.kind = Kind::kFailed, .fired = kStart}, kStart));
}

TEST(Reminder, AnIntervalOfNothingStillWaitsAMillisecond) {
  auto reminder = record(1h);
  for (const Duration interval : {Duration(0), Duration(-5s), Duration::min()}) {
    reminder.failure = {
        .kind = TickFailurePolicy::Kind::kConstant, .interval = interval, .retries_max = {}};
    EXPECT_EQ(advance(reminder, {.kind = Kind::kFailed, .fired = kStart}, kStart)->due,
              kStart + 1ms);
  }
  reminder.failure.interval = Duration::max();
  EXPECT_GE(advance(reminder, {.kind = Kind::kFailed, .fired = kStart}, kStart)->due,
            kLastWallTime);
}

TEST(Reminder, ATurnMayCancelItsReminder) {
  EXPECT_FALSE(advance(record(1h), {.kind = Kind::kCancelled, .fired = kStart}, kStart));
}

TEST(Reminder, RepeatsAndTtlEndIt) {
  auto reminder = record(1s);
  reminder.schedule.repeats = 2;
  const auto second = advance(reminder, {.kind = Kind::kDone, .fired = kStart}, kStart);
  ASSERT_TRUE(second);
  EXPECT_FALSE(advance(*second, {.kind = Kind::kDone, .fired = kStart + 1s}, kStart + 1s));
  reminder.schedule.repeats = 0;
  reminder.schedule.expiry = kStart + 1s;
  EXPECT_FALSE(advance(reminder, {.kind = Kind::kDone, .fired = kStart}, kStart));
}

TEST(Reminder, APausedOneWaits) {
  auto reminder = record(1s);
  reminder.paused = true;
  EXPECT_EQ(judge(reminder, kStart + 1h), Verdict::kWait);
}

TEST(Reminder, NumbersAndTimesOnlyGrowWhateverTheOutcomes) {
  Random random(4);
  for (int round = 0; round < 300; ++round) {
    auto reminder = record(Duration(static_cast<std::int64_t>(1 + random.below(10'000'000))),
                           static_cast<TickCatchUp>(random.below(3)));
    reminder.failure.kind = static_cast<TickFailurePolicy::Kind>(random.below(3));
    reminder.failure.retries_max = 2;
    WallTime now = kStart;
    for (int step = 0; step < 50; ++step) {
      now += Duration(static_cast<std::int64_t>(random.below(20'000'000))) - 2s;
      const TickOutcome outcome{.kind = random.chance(0.5) ? Kind::kDone : Kind::kFailed,
                                .fired = now - 1s};
      const auto next = advance(reminder, outcome, now);
      ASSERT_TRUE(next);
      ASSERT_EQ(next, advance(reminder, outcome, now));
      ASSERT_GE(next->due, next->scheduled);
      if (next->number == reminder.number) {
        ASSERT_EQ(next->scheduled, reminder.scheduled);
        ASSERT_GT(next->due, now);
      } else {
        ASSERT_EQ(next->number, reminder.number + 1);
        ASSERT_GT(next->scheduled, reminder.scheduled);
      }
      reminder = *next;
    }
  }
}

ReminderRecord full() {
  auto made = record(1min, TickCatchUp::kSkip);
  made.data = std::string("\0\xff", 2);
  made.number = 300;
  made.skipped = 2;
  made.failure = dapr_failure_policy();
  made.attempts = 2;
  made.paused = true;
  made.texts = {.due_time = "0s", .period = "R5/PT1M", .ttl = "1h"};
  return made;
}

// A failure here means that this version cannot read what is stored.
TEST(ReminderBytes, NeverChangeBetweenVersions) {
  std::string hex;
  for (const char c : full().encode()) {
    constexpr const char* kDigits = "0123456789abcdef";
    hex += kDigits[static_cast<unsigned char>(c) / 16];
    hex += kDigits[static_cast<unsigned char>(c) % 16];
  }
  EXPECT_EQ(hex,
            "01"  // format
            "0443617274"
            "05616c696365"  // type, id
            "056e75646765"
            "056e75646765"      // name, method
            "0200ff"            // data
            "8080c489e5c5b206"  // schedule: first
            "01809c9c39"
            "00"
            "00"      // period of a minute, no limit, no expiry
            "80e001"  // registration
            "ac02"
            "02"  // number, skipped
            "8080c489e5c5b206"
            "8080c489e5c5b206"  // scheduled, due
            "02"
            "80897a"
            "0103"  // constant, one second, three times
            "02"
            "02"
            "01"  // catch-up, attempts, paused
            "023073"
            "0752352f5054314d"
            "023168");  // texts
}

TEST(ReminderBytes, ReadBackWhatWasWritten) {
  for (const auto& made :
       {full(), record({}), record(CalendarStep{.months = 1, .days = 0, .exact = 0s})}) {
    EXPECT_EQ(ReminderRecord::decode(made.encode()).value(), made);
  }
}

TEST(ReminderBytes, DamageIsAnErrorAndNothingElse) {
  const std::string good = full().encode();
  for (std::size_t length = 0; length < good.size(); ++length) {
    const auto read = ReminderRecord::decode(std::string_view(good).substr(0, length));
    ASSERT_FALSE(read) << length;
    EXPECT_EQ(read.error().code, Code::kDataLoss);
  }
  EXPECT_FALSE(ReminderRecord::decode(good + "x"));
  EXPECT_NE(ReminderRecord::decode("\x02" + good.substr(1)).error().message.find("format 2"),
            std::string::npos);
}

}  // namespace
}  // namespace troupe
