#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "storage/shard/machine.h"
#include "tests/support/shard_bench.h"

namespace troupe::storage {
namespace {

using Kind = Outcome::Kind;
using Reminder = ReminderWrite::Kind;

class ShardReminders : public ::testing::Test {
 protected:
  void SetUp() override { shard.own(); }

  /// A turn of the next number that writes reminders.
  Outcome write(std::vector<ReminderWrite> reminders) {
    TurnCommand turn = shard.turn();
    turn.reminders = std::move(reminders);
    return shard.apply(turn);
  }
  /// The first tick of that registration, as a turn of the next number.
  TurnCommand tick(std::uint64_t registration, std::vector<ReminderWrite> reminders) {
    TurnCommand turn = shard.turn();
    turn.cause = TickCause{.name = "nudge", .registration = registration, .number = 1};
    turn.reminders = std::move(reminders);
    return turn;
  }
  std::vector<ReminderRow> due() {
    return due_reminders(shard.writer, shard.keys, at(0), at(9999), 10).value();
  }
  /// As if it were sent to its actor: what the machine then keeps of it.
  Result<ReminderRow> hand_out() {
    const auto index = due_index(shard.writer, shard.keys, at(0), at(9999), 10);
    return shard.machine->hand_out(index.value().due.at(0));
  }

  ShardBench shard;
};

TEST_F(ShardReminders, ATickHasItsEffectOnce) {
  const std::uint64_t registration = write({remind("nudge", at(1100))}).index;
  EXPECT_EQ(shard.reminder("nudge")->registration, registration);
  TurnCommand first = tick(registration, {remind("nudge", at(1200), Reminder::kAdvance, 2)});
  EXPECT_EQ(shard.apply(first).kind, Kind::kApplied);
  EXPECT_EQ(shard.reminder("nudge")->registration, registration);
  EXPECT_EQ(shard.reminder("nudge")->number, 2U);
  first.sequence = 3;
  EXPECT_EQ(shard.apply(first).kind, Kind::kConsumed);
  EXPECT_EQ(due(), std::vector{*shard.reminder("nudge")});
}

TEST_F(ShardReminders, ATickThatWasHandedOutHasItsEffectOnce) {
  const std::uint64_t registration = write({remind("nudge", at(1100))}).index;
  ASSERT_TRUE(hand_out());
  TurnCommand last = tick(registration, {remind("nudge", {}, Reminder::kErase)});
  EXPECT_EQ(shard.apply(last).kind, Kind::kApplied);
  EXPECT_FALSE(shard.reminder("nudge"));
  last.sequence = 3;
  EXPECT_EQ(shard.apply(last).kind, Kind::kConsumed);
  EXPECT_FALSE(due_index(shard.writer, shard.keys, at(0), at(0), 0)->next);
}

// What is kept of a reminder that was handed out is not what counts once it has changed.
TEST_F(ShardReminders, ATickOfOneReplacedAfterItWasHandedOutIsConsumed) {
  const std::uint64_t registration = write({remind("nudge", at(1100))}).index;
  EXPECT_EQ(hand_out().value(), *shard.reminder("nudge"));
  write({remind("nudge", at(1150))});
  const TurnCommand late = tick(registration, {remind("nudge", at(1200), Reminder::kErase)});
  EXPECT_EQ(shard.apply(late).kind, Kind::kConsumed);
  EXPECT_EQ(shard.reminder("nudge")->due, at(1150));
}

TEST_F(ShardReminders, ATickOfAReplacedOrUnknownReminderIsConsumed) {
  const std::uint64_t registration = write({remind("nudge", at(1100))}).index;
  write({remind("nudge", at(1100))});
  TurnCommand late = tick(registration, {remind("nudge", at(1200), Reminder::kErase)});
  EXPECT_EQ(shard.apply(late).kind, Kind::kConsumed);
  late.cause = TickCause{.name = "gone", .registration = registration, .number = 1};
  EXPECT_EQ(shard.apply(late).kind, Kind::kConsumed);
}

TEST_F(ShardReminders, ATurnThatReplacesItsOwnReminderDoesNotAdvanceTheNewOne) {
  const std::uint64_t registration = write({remind("nudge", at(1100))}).index;
  const Outcome outcome = shard.apply(tick(
      registration, {remind("nudge", at(1500)), remind("nudge", at(1200), Reminder::kAdvance, 2)}));
  EXPECT_EQ(outcome.kind, Kind::kApplied);
  EXPECT_EQ(shard.reminder("nudge")->registration, outcome.index);
  EXPECT_EQ(shard.reminder("nudge")->number, 1U);
  EXPECT_EQ(shard.reminder("nudge")->due, at(1500));
}

TEST_F(ShardReminders, ATicksTurnMustDealWithItsReminder) {
  TurnCommand forgetful = tick(write({remind("nudge", at(1100))}).index, {});
  forgetful.state = {put("", "ticked")};
  const Outcome refused = shard.apply(forgetful);
  EXPECT_EQ(refused.kind, Kind::kRefused);
  EXPECT_EQ(refused.error->code, Code::kInvalid);
  EXPECT_FALSE(shard.value(""));
}

TEST_F(ShardReminders, ATickThatFailedIsTriedAgainLaterUnderItsNumber) {
  const std::uint64_t registration = write({remind("nudge", at(1100))}).index;
  TurnCommand attempt = tick(registration, {remind("nudge", at(1100), Reminder::kAdvance)});
  EXPECT_EQ(shard.apply(attempt).kind, Kind::kRefused);
  attempt.reminders = {remind("nudge", at(1101), Reminder::kAdvance)};
  attempt.reminders.front().body = "failed once";
  EXPECT_EQ(shard.apply(attempt).kind, Kind::kApplied);
  ASSERT_EQ(due().size(), 1U);
  EXPECT_EQ(due().front().due, at(1101));
  EXPECT_EQ(due().front().body, "failed once");
  attempt.sequence = 3;
  attempt.reminders = {remind("nudge", {}, Reminder::kErase)};
  EXPECT_EQ(shard.apply(attempt).kind, Kind::kApplied);
  EXPECT_FALSE(shard.reminder("nudge"));
}

TEST_F(ShardReminders, RegisterIfAbsentRefusesTheWholeTurn) {
  const ReminderWrite unless_there = remind("nudge", at(1100), Reminder::kRegisterIfAbsent);
  EXPECT_EQ(write({unless_there}).kind, Kind::kApplied);
  TurnCommand again = shard.turn();
  again.reminders = {unless_there};
  again.state = {put("", "x")};
  const Outcome refused = shard.apply(again);
  EXPECT_EQ(refused.kind, Kind::kRefused);
  EXPECT_EQ(refused.error->code, Code::kConflict);
  EXPECT_FALSE(shard.value(""));
}

TEST_F(ShardReminders, WatermarkNeverPassesAnUnconsumedTick) {
  write({remind("a", at(1100)), remind("b", at(1050))});
  shard.apply(WatermarkCommand{.watermark = at(1200)}, at(1300));
  EXPECT_EQ(shard.machine->watermark(), at(1050));
  write({remind("b", {}, Reminder::kErase)});
  shard.apply(WatermarkCommand{.watermark = at(1200)}, at(1300));
  EXPECT_EQ(shard.machine->watermark(), at(1100));
  shard.apply(WatermarkCommand{.watermark = at(900)}, at(1300));
  EXPECT_EQ(shard.machine->watermark(), at(1100));
  shard.reload();
  EXPECT_EQ(shard.machine->watermark(), at(1100));
  EXPECT_TRUE(shard.reminder("a"));
}

TEST_F(ShardReminders, WatermarkNeverPassesTheClockOfItsEntry) {
  shard.apply(WatermarkCommand{.watermark = at(5000)}, at(1300));
  EXPECT_EQ(shard.machine->watermark(), at(1300));
}

TEST_F(ShardReminders, OneDueBeforeTheWatermarkIsClampedToIt) {
  shard.apply(WatermarkCommand{.watermark = at(1200)}, at(1300));
  write({remind("late", at(10))});
  EXPECT_EQ(shard.reminder("late")->due, at(1200));
  EXPECT_EQ(due_reminders(shard.writer, shard.keys, at(1200), at(1201), 10)->size(), 1U);
}

}  // namespace
}  // namespace troupe::storage
