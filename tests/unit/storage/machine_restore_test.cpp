#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "storage/shard/machine.h"
#include "tests/support/shard_bench.h"

namespace troupe::storage {
namespace {

using Kind = Outcome::Kind;
using Step = RestoreCommand::Step;

RestoreCommand step(Step which, std::uint64_t part = 0, std::vector<RestoredRow> rows = {}) {
  return {.step = which, .restore = "r", .part = part, .rows = std::move(rows)};
}

std::vector<RestoredRow> rows() {
  return {
      RestoredValue{.type = "Cart", .id = "alice", .name = "v", .value = "tea", .expires = {}},
      RestoredValue{
          .type = "Cart", .id = "alice", .name = "t", .value = "soon", .expires = at(1500)},
      RestoredReminder{
          .type = "Cart", .id = "alice", .name = "r", .number = 5, .due = at(10), .body = "body"},
      RestoredMessage{.target = {6}, .message = "m1"},
      RestoredMessage{.target = {6}, .message = "m2"},
      RestoredCall{.id = {.origin = {9, 9}, .generation = {2}, .sequence = 4},
                   .keep_until = at(2000),
                   .reply_recorded = true,
                   .reply = "said"},
      RestoredEpoch{.type = "Cart", .epoch = {77}}};
}

void restore(ShardBench& shard) {
  ASSERT_EQ(shard.apply(step(Step::kBegin)).kind, Kind::kApplied);
  ASSERT_EQ(shard.apply(step(Step::kLoad, 1, rows())).kind, Kind::kApplied);
  ASSERT_EQ(shard.apply(step(Step::kFinish, 1)).kind, Kind::kApplied);
}

TEST(ShardRestore, WhatWasLoadedIsThereAndWorksOn) {
  ShardBench shard;
  restore(shard);
  for (int loads = 0; loads < 2; ++loads, shard.reload()) {
    EXPECT_EQ(shard.value("v")->value, "tea");
    EXPECT_EQ(shard.value("v")->etag, 2U);  // index of the entry that brought it
    EXPECT_EQ(shard.value("t")->expires, at(1500));
    EXPECT_EQ(shard.reminder("r")->number, 5U);
    EXPECT_EQ(shard.reminder("r")->due, at(10));
    const auto due = due_index(shard.writer, shard.keys, at(0), at(20), 10);
    ASSERT_EQ(due->due.size(), 1U);
    EXPECT_TRUE(due_reminder(shard.writer, shard.keys, due->due.front()));
    EXPECT_EQ(shard.machine->outbox().at({6}).last, 2U);
    EXPECT_EQ(outbox_messages(shard.writer, shard.keys, {6}, 1, 9)->back().message, "m2");
    EXPECT_EQ(shard.machine->restored().state, RestoreMark::State::kFinished);
  }
  EXPECT_EQ(shard.own(), Epoch{78});
  TurnCommand again = shard.turn();
  again.cause = call(4);
  EXPECT_EQ(shard.apply(again).reply, "said");
  TurnCommand tick = shard.turn();
  tick.cause = TickCause{.name = "r", .registration = 2, .number = 5};
  tick.reminders = {remind("r", at(1100), ReminderWrite::Kind::kAdvance, 6)};
  EXPECT_EQ(shard.apply(tick).kind, Kind::kApplied);
  shard.apply(shard.turn(), at(1600));
  EXPECT_FALSE(shard.value("t", at(1400)));
  EXPECT_TRUE(shard.value("v"));
}

TEST(ShardRestore, NothingRunsInBetween) {
  ShardBench shard;
  const Epoch before = shard.own();
  const TurnCommand late = shard.turn();
  ASSERT_EQ(shard.apply(step(Step::kBegin)).kind, Kind::kApplied);
  EXPECT_EQ(shard.apply(late).kind, Kind::kStaleEpoch);
  const AssignCommand assign{
      .type = "Cart", .node = {1, 1}, .generation = {1}, .replaces = {before.value + 1}};
  const Outcome refused = shard.apply(assign);
  EXPECT_EQ(refused.kind, Kind::kRefused);
  EXPECT_EQ(refused.error->code, Code::kUnavailable);
  shard.reload();
  EXPECT_EQ(shard.apply(assign).kind, Kind::kRefused);
  ASSERT_EQ(shard.apply(step(Step::kFinish), at(1010)).kind, Kind::kApplied);
  EXPECT_EQ(shard.apply(assign).kind, Kind::kApplied);
}

TEST(ShardRestore, OpensOnlyOnceRightsFromBeforeHaveEnded) {
  ShardBench shard;
  shard.own();
  shard.apply(step(Step::kBegin), at(1000));
  const Outcome early = shard.apply(step(Step::kFinish), at(1001));
  EXPECT_EQ(early.kind, Kind::kRefused);
  EXPECT_EQ(early.error->code, Code::kUnavailable);
  shard.apply(step(Step::kBegin), at(1001));  // which has nobody to wait for itself
  EXPECT_EQ(shard.apply(step(Step::kFinish), at(1001)).kind, Kind::kRefused);
  EXPECT_EQ(shard.apply(step(Step::kFinish), at(1002)).kind, Kind::kApplied);
}

TEST(ShardRestore, OnlyAnEmptyShardIsFilled) {
  ShardBench shard;
  shard.own();
  TurnCommand turn = shard.turn();
  turn.state = {put("v", "mine")};
  shard.apply(turn);
  const ReplicaHash before = shard.hash();
  const Outcome refused = shard.apply(step(Step::kBegin));
  EXPECT_EQ(refused.kind, Kind::kRefused);
  EXPECT_EQ(refused.error->code, Code::kPrecondition);
  EXPECT_EQ(shard.apply(step(Step::kLoad, 1, rows())).kind, Kind::kRefused);
  EXPECT_EQ(shard.apply(step(Step::kFinish)).kind, Kind::kRefused);
  EXPECT_EQ(shard.apply(step(Step::kAbandon)).kind, Kind::kApplied);  // nothing to abandon
  EXPECT_EQ(shard.hash(), before);
}

TEST(ShardRestore, EachTraceOfATurnCountsAsNotEmpty) {
  for (const int trace : {0, 1, 2, 3}) {
    ShardBench shard;
    shard.own();
    TurnCommand turn = shard.turn();
    if (trace == 0) turn.reminders = {remind("r", at(5000))};
    if (trace == 1) turn.outbox = {{ShardId{1}, "m"}};
    if (trace == 2) turn.cause = call(1);
    if (trace == 3) turn.cause = OutboxCause{.source = {1}, .number = 1, .low_water = 1};
    ASSERT_EQ(shard.apply(turn).kind, Kind::kApplied);
    EXPECT_EQ(shard.apply(step(Step::kBegin)).kind, Kind::kRefused) << trace;
  }
}

TEST(ShardRestore, PartsCountOnceAndInOrder) {
  ShardBench shard;
  shard.apply(step(Step::kBegin));
  EXPECT_EQ(shard.apply(step(Step::kLoad, 2, rows())).kind, Kind::kRefused);
  EXPECT_EQ(shard.apply(step(Step::kLoad, 1, rows())).kind, Kind::kApplied);
  const ReplicaHash once = shard.hash();
  EXPECT_EQ(shard.apply(step(Step::kLoad, 1, rows())).kind, Kind::kApplied);
  EXPECT_EQ(shard.hash(), once);
  EXPECT_EQ(shard.machine->outbox().at({6}).messages, 2U);
  RestoreCommand other = step(Step::kLoad, 2);
  other.restore = "another";
  EXPECT_EQ(shard.apply(other).kind, Kind::kRefused);
  EXPECT_EQ(shard.apply(step(Step::kFinish, 2)).kind, Kind::kRefused);  // one was lost
  EXPECT_EQ(shard.apply(step(Step::kFinish, 1)).kind, Kind::kApplied);
  EXPECT_EQ(shard.apply(step(Step::kFinish, 1)).kind, Kind::kApplied);  // the answer was lost
}

TEST(ShardRestore, BeginsFromTheStartWhenItWasCutShort) {
  ShardBench shard;
  shard.apply(step(Step::kBegin));
  shard.apply(step(Step::kLoad, 1, rows()));
  shard.apply(step(Step::kLoad, 2, {RestoredMessage{.target = {1}, .message = "x"}}));
  shard.reload();
  restore(shard);
  EXPECT_EQ(shard.machine->outbox().size(), 1U);
  EXPECT_EQ(shard.machine->outbox().at({6}).last, 2U);
  EXPECT_EQ(shard.machine->outbox_messages(), 2U);
  ShardBench straight;
  straight.index = 3;  // so that etags are the same
  restore(straight);
  for (ShardBench* each : {&shard, &straight}) each->reload();
  EXPECT_EQ(statistics(shard.writer, shard.keys)->bytes,
            statistics(straight.writer, straight.keys)->bytes);
}

TEST(ShardRestore, IsOverOnceFinished) {
  ShardBench shard;
  restore(shard);
  const ReplicaHash before = shard.hash();
  EXPECT_EQ(shard.apply(step(Step::kBegin)).kind, Kind::kRefused);
  EXPECT_EQ(shard.apply(step(Step::kLoad, 2, rows())).kind, Kind::kRefused);
  EXPECT_EQ(shard.apply(step(Step::kAbandon)).kind, Kind::kRefused);
  EXPECT_EQ(shard.hash(), before);
}

TEST(ShardRestore, AnAbandonedOneLeavesAnEmptyShard) {
  ShardBench shard;
  shard.apply(step(Step::kBegin));
  shard.apply(step(Step::kLoad, 1, rows()));
  ASSERT_EQ(shard.apply(step(Step::kAbandon)).kind, Kind::kApplied);
  shard.reload();
  EXPECT_FALSE(*has_actors_rows(shard.writer, shard.keys));
  EXPECT_EQ(shard.machine->restored(), RestoreMark());
  EXPECT_EQ(shard.machine->outbox_messages(), 0U);
  shard.own();
  EXPECT_EQ(shard.apply(shard.turn()).kind, Kind::kApplied);
}

// A watermark of the empty shard would hide reminders that were due before it.
TEST(ShardRestore, OverdueRemindersAreFoundWhateverTheWatermarkWas) {
  ShardBench shard;
  shard.apply(WatermarkCommand{.watermark = at(900)});
  ASSERT_EQ(shard.machine->watermark(), at(900));
  shard.apply(step(Step::kBegin));
  shard.apply(WatermarkCommand{.watermark = at(950)});
  shard.apply(step(Step::kLoad, 1, rows()));
  shard.apply(step(Step::kFinish, 1));
  shard.apply(WatermarkCommand{.watermark = at(960)});
  EXPECT_LE(shard.machine->watermark(), at(10));
  EXPECT_EQ(due_index(shard.writer, shard.keys, shard.machine->watermark(), at(20), 9)->due.size(),
            1U);
}

}  // namespace
}  // namespace troupe::storage
