#include "storage/shard/machine.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/shard_bench.h"

namespace troupe::storage {
namespace {

using Kind = Outcome::Kind;

TEST(ShardMachine, AssignNeedsTheEpochItReplaces) {
  ShardBench shard;
  AssignCommand assign{.type = "Cart", .node = {1, 1}, .generation = {4}, .replaces = {}};
  EXPECT_EQ(shard.apply(assign).kind, Kind::kApplied);
  const ReplicaHash before = shard.hash();
  const Outcome again = shard.apply(assign);
  EXPECT_EQ(again.kind, Kind::kRefused);
  EXPECT_EQ(again.error->code, Code::kConflict);
  EXPECT_EQ(shard.hash(), before);
  const Owner& owner = shard.machine->owners().at("Cart");
  EXPECT_EQ(owner, (Owner{.node = {1, 1}, .generation = {4}, .epoch = {1}}));
  EXPECT_EQ(shard.machine->row_version(), (RowVersion{.term = 5, .index = 1}));
}

TEST(ShardMachine, OnlyTheCurrentEpochCommits) {
  ShardBench shard;
  TurnCommand never;
  never.type = "Cart";
  never.sequence = 1;
  EXPECT_EQ(shard.apply(never).kind, Kind::kStaleEpoch);
  shard.own();
  TurnCommand old = shard.turn();
  old.state = {put("", "old")};
  shard.own();
  EXPECT_EQ(shard.apply(old).kind, Kind::kStaleEpoch);
  EXPECT_FALSE(shard.value(""));
  EXPECT_EQ(shard.apply(shard.turn()).kind, Kind::kApplied);
}

TEST(ShardMachine, NobodyCommitsAfterRelease) {
  ShardBench shard;
  const Epoch epoch = shard.own();
  shard.apply(AssignCommand{.type = "Cart", .node = {}, .generation = {}, .replaces = epoch});
  EXPECT_EQ(shard.apply(shard.turn()).kind, Kind::kStaleEpoch);
}

TEST(ShardMachine, SequencesFollowOneAnotherAndStartAtOneInEachEpoch) {
  ShardBench shard;
  shard.own();
  EXPECT_EQ(shard.apply(shard.turn()).kind, Kind::kApplied);
  TurnCommand early = shard.turn();
  early.sequence = 3;
  const Outcome gap = shard.apply(early);
  EXPECT_EQ(gap.kind, Kind::kGap);
  EXPECT_EQ(gap.last_sequence, 1U);
  TurnCommand twice = shard.turn();
  twice.sequence = 1;
  EXPECT_EQ(shard.apply(twice).kind, Kind::kGap);
  shard.own();
  EXPECT_EQ(shard.machine->owners().at("Cart").last_sequence, 0U);
  EXPECT_EQ(shard.turn().sequence, 1U);
  EXPECT_EQ(shard.apply(shard.turn()).kind, Kind::kApplied);
}

TEST(ShardMachine, SequencesAreWrittenOnceForManyTurns) {
  ShardBench shard;
  shard.own();
  Batch turns;
  for (std::uint64_t i = 1; i <= 3; ++i) {
    const Entry entry{.now = at(1000), .command = shard.turn()};
    ASSERT_TRUE(shard.machine->apply(100 + i, 5, entry, turns));
  }
  EXPECT_TRUE(turns.empty());
  shard.machine->put_sequences(shard.writer.pending());
  shard.reload();
  EXPECT_EQ(shard.machine->owners().at("Cart").last_sequence, 3U);
  shard.machine->put_sequences(turns);
  EXPECT_TRUE(turns.empty());
}

TEST(ShardMachine, RetriedCallGetsTheRecordedReplyAndChangesNothing) {
  ShardBench shard;
  shard.own();
  TurnCommand turn = shard.turn();
  turn.cause = call(1);
  turn.reply = "7 items";
  turn.state = {put("", "7")};
  EXPECT_EQ(shard.apply(turn).kind, Kind::kApplied);
  for (const bool reloaded : {false, true}) {
    if (reloaded) shard.reload();
    TurnCommand retry = shard.turn();
    retry.cause = call(1);
    retry.state = {put("", "8")};
    const ReplicaHash before = shard.hash();
    const Outcome consumed = shard.apply(retry);
    EXPECT_EQ(consumed.kind, Kind::kConsumed);
    EXPECT_TRUE(consumed.reply_recorded);
    EXPECT_EQ(consumed.reply, "7 items");
    EXPECT_EQ(shard.hash(), before);
    EXPECT_EQ(shard.machine->owners().at("Cart").last_sequence, 1U);
  }
}

TEST(ShardMachine, LongReplyIsNotKeptButThatItRanIs) {
  ShardBench shard;
  shard.own();
  TurnCommand turn = shard.turn();
  turn.cause = call(1);
  turn.reply = std::string(kRecordedReplyMax + 1, 'x');
  shard.apply(turn);
  turn.sequence = 2;
  const Outcome consumed = shard.apply(turn);
  EXPECT_EQ(consumed.kind, Kind::kConsumed);
  EXPECT_FALSE(consumed.reply_recorded);
  EXPECT_EQ(consumed.reply, "");
}

TEST(ShardMachine, RepliesAreForgottenAfterTheirDeadlineOnly) {
  ShardBench shard;
  shard.own();
  TurnCommand turn = shard.turn();
  turn.cause = call(1, at(2000));
  shard.apply(turn);
  turn.sequence = 2;
  EXPECT_EQ(shard.apply(turn, at(1999)).kind, Kind::kConsumed);
  EXPECT_EQ(shard.machine->recorded_calls(), 1U);
  shard.apply(WatermarkCommand{.watermark = at(0)}, at(2000));
  EXPECT_EQ(shard.machine->recorded_calls(), 0U);
  EXPECT_EQ(statistics(shard.writer, shard.keys)->recorded_calls, 0U);
}

TEST(ShardMachine, FullRecordOfCallsRefusesRatherThanForgets) {
  ShardBench shard({7}, {.recorded_calls_max = 2});
  shard.own();
  for (const std::uint64_t sequence : {1U, 2U, 3U}) {
    TurnCommand turn = shard.turn();
    turn.cause = call(sequence, at(2000));
    const Outcome outcome = shard.apply(turn, at(1000));
    EXPECT_EQ(outcome.kind, sequence < 3 ? Kind::kApplied : Kind::kRefused);
    if (outcome.error) EXPECT_EQ(outcome.error->code, Code::kExhausted);
  }
  TurnCommand later = shard.turn();
  later.cause = call(3, at(3000));
  EXPECT_EQ(shard.apply(later, at(2000)).kind, Kind::kApplied);
}

// Calls of one caller, one after another.
class ShardMachineCalls : public testing::Test {
 protected:
  void SetUp() override { shard.own(); }

  Outcome apply(const CallCause& cause, WallTime now = at(1000)) {
    TurnCommand turn = shard.turn();
    turn.cause = cause;
    turn.reply = "reply";
    return shard.apply(turn, now);
  }
  std::uint64_t rows() const { return statistics(shard.writer, shard.keys)->recorded_calls; }

  ShardBench shard{{7}, {.recorded_calls_max = 6, .done_per_entry_max = 3}};
};

TEST_F(ShardMachineCalls, WhatTheirCallerRepeatsNoMoreGoesAtOnceAndIsRefused) {
  for (const std::uint64_t sequence : {1U, 2U, 4U}) apply(call(sequence));
  EXPECT_EQ(apply(call(5, at(2000), 3)).kind, Kind::kApplied);
  EXPECT_EQ(shard.machine->recorded_calls(), 2U);
  EXPECT_EQ(rows(), 2U);
  for (const bool reloaded : {false, true}) {
    if (reloaded) shard.reload();
    for (const std::uint64_t late : {1U, 2U}) {
      const Outcome refused = apply(call(late));
      EXPECT_EQ(refused.kind, Kind::kRefused);
      EXPECT_EQ(refused.error.value().code, Code::kConflict);
      EXPECT_EQ(shard.machine->consumed(call(late).id).value()->kind, Kind::kRefused);
    }
    EXPECT_EQ(apply(call(4)).kind, Kind::kConsumed) << "may be repeated";
    EXPECT_EQ(apply(call(5)).kind, Kind::kConsumed);
  }
  EXPECT_EQ(apply(call(2)).kind, Kind::kRefused);
  EXPECT_EQ(apply(call(3)).kind, Kind::kApplied) << "its caller may repeat it";
  CallCause other = call(1);
  other.id.origin = {9, 10};
  EXPECT_EQ(apply(other).kind, Kind::kApplied) << "of another caller";
}

TEST_F(ShardMachineCalls, TheyAreRefusedForAsLongAsTheirRepliesWouldHaveBeenKept) {
  apply(call(1, at(3000)));
  apply(call(2, at(2000), 2));
  for (const bool reloaded : {false, true}) {
    if (reloaded) shard.reload();
    EXPECT_EQ(apply(call(1, at(2500)), at(2999)).kind, Kind::kRefused);
  }
  EXPECT_EQ(apply(call(1, at(3100)), at(3000)).kind, Kind::kApplied);
}

TEST_F(ShardMachineCalls, SoItsRecordIsNeverFullForACallerThatSaysWhatItNeeds) {
  for (std::uint64_t sequence = 1; sequence <= 100; ++sequence) {
    ASSERT_EQ(apply(call(sequence, at(2000), sequence)).kind, Kind::kApplied) << sequence;
    ASSERT_LE(rows(), 1U);
  }
  EXPECT_EQ(apply(call(1)).kind, Kind::kRefused);
}

TEST_F(ShardMachineCalls, MarksOfManyCallersFillTheRecordToo) {
  Kind last = Kind::kApplied;
  for (std::uint64_t caller = 1; caller <= 4; ++caller) {
    for (const std::uint64_t sequence : {1U, 2U}) {
      CallCause cause = call(sequence, at(2000), sequence);
      cause.id.origin = {1, caller};
      last = apply(cause).kind;
    }
  }
  EXPECT_EQ(last, Kind::kRefused);
}

TEST_F(ShardMachineCalls, AnEntryDropsABoundedNumberAndTheRestIsStillKnown) {
  for (const std::uint64_t sequence : {1U, 2U, 3U, 4U}) apply(call(sequence));
  EXPECT_EQ(apply(call(5, at(2000), 5)).kind, Kind::kApplied);
  EXPECT_EQ(shard.machine->recorded_calls(), 2U);
  EXPECT_EQ(apply(call(4)).kind, Kind::kConsumed);
  EXPECT_EQ(apply(call(3)).kind, Kind::kRefused);
  EXPECT_EQ(apply(call(6, at(2000), 5)).kind, Kind::kApplied);
  EXPECT_EQ(apply(call(4)).kind, Kind::kRefused);
}

TEST_F(ShardMachineCalls, ACallersWordCountsThoughItsTurnDoesNot) {
  apply(call(1));
  TurnCommand stale = shard.turn();
  stale.epoch = {0};
  stale.cause = call(2, at(2000), 2);
  EXPECT_EQ(shard.apply(stale).kind, Kind::kStaleEpoch);
  EXPECT_EQ(apply(call(1)).kind, Kind::kRefused);
  EXPECT_EQ(apply(call(2)).kind, Kind::kApplied);
}

TEST(ShardMachine, EtagIsTheIndexOfTheLastWrite) {
  ShardBench shard;
  shard.own();
  TurnCommand turn = shard.turn();
  turn.state = {put("total", "1")};
  turn.state[0].etag = 0;
  const Outcome first = shard.apply(turn);
  EXPECT_EQ(first.kind, Kind::kApplied);
  EXPECT_EQ(shard.value("total")->etag, first.index);

  turn = shard.turn();
  turn.state = {put("other", "1"), put("total", "2")};
  turn.state[1].etag = 0;
  const ReplicaHash before = shard.hash();
  const Outcome stale = shard.apply(turn);
  EXPECT_EQ(stale.kind, Kind::kRefused);
  EXPECT_EQ(stale.error->code, Code::kConflict);
  EXPECT_EQ(shard.hash(), before);
  EXPECT_EQ(shard.machine->owners().at("Cart").last_sequence, 1U);

  turn.state[1].etag = first.index;
  EXPECT_EQ(shard.apply(turn).kind, Kind::kApplied);
  EXPECT_EQ(shard.value("total")->value, "2");
  EXPECT_GT(shard.value("total")->etag, first.index);
}

TEST(ShardMachine, ExpiredValueIsHiddenAndThenDropped) {
  ShardBench shard;
  shard.own();
  TurnCommand turn = shard.turn();
  turn.state = {put("soon", "1"), put("forever", "2")};
  turn.state[0].expires = at(1500);
  shard.apply(turn, at(1000));
  EXPECT_TRUE(shard.value("soon", at(1499)));
  EXPECT_FALSE(shard.value("soon", at(1500)));
  EXPECT_EQ(statistics(shard.writer, shard.keys)->values, 2U);
  shard.reload();
  shard.apply(shard.turn(), at(1500));
  EXPECT_EQ(statistics(shard.writer, shard.keys)->values, 1U);
  EXPECT_TRUE(shard.value("forever", at(9999)));
}

TEST(ShardMachine, ValueWrittenAnewOutlivesItsOldTime) {
  ShardBench shard;
  shard.own();
  TurnCommand turn = shard.turn();
  turn.state = {put("a", "1"), put("b", "1")};
  turn.state[0].expires = turn.state[1].expires = at(1500);
  shard.apply(turn);
  turn = shard.turn();
  turn.state = {put("a", "2"), put("b", "2")};
  turn.state[1].expires = at(1700);
  shard.apply(turn);
  shard.apply(shard.turn(), at(1600));
  EXPECT_TRUE(shard.value("a", at(1600)));
  EXPECT_TRUE(shard.value("b", at(1600)));
  shard.apply(shard.turn(), at(1700));
  EXPECT_TRUE(shard.value("a", at(1700)));
  EXPECT_EQ(statistics(shard.writer, shard.keys)->values, 1U);
}

TEST(ShardMachine, AnEntryDropsABoundedNumberOfExpiredRows) {
  ShardBench shard({7}, {.expired_per_entry_max = 2});
  shard.own();
  TurnCommand turn = shard.turn();
  for (const char* name : {"a", "b", "c", "d", "e"}) {
    turn.state.push_back(put(name, "x"));
    turn.state.back().expires = at(1100);
  }
  shard.apply(turn);
  for (const std::uint64_t left : {3U, 1U, 0U, 0U}) {
    shard.apply(shard.turn(), at(1200));
    EXPECT_EQ(statistics(shard.writer, shard.keys)->values, left);
  }
}

TEST(ShardMachine, OutboxIsNumberedForEachTargetAndKeptUntilDone) {
  ShardBench shard;
  shard.own();
  TurnCommand turn = shard.turn();
  turn.outbox = {{ShardId{1}, "a"}, {ShardId{2}, "b"}, {ShardId{1}, "c"}, {ShardId{1}, "d"}};
  shard.apply(turn);
  const auto messages = outbox_messages(shard.writer, shard.keys, ShardId{1}, 2, 10);
  EXPECT_EQ(*messages, (std::vector<OutboxRow>{{2, "c"}, {3, "d"}}));
  shard.apply(OutboxDoneCommand{.target = ShardId{1}, .numbers = {2, 2, 99}});
  EXPECT_EQ(shard.machine->outbox().at(ShardId{1}).low_water, 1U);
  shard.apply(OutboxDoneCommand{.target = ShardId{1}, .numbers = {1}});
  for (const bool reloaded : {false, true}) {
    if (reloaded) shard.reload();
    EXPECT_EQ(shard.machine->outbox().at(ShardId{1}),
              (OutboxState{.last = 3, .low_water = 3, .messages = 1, .bytes = 1}));
    EXPECT_EQ(shard.machine->outbox_messages(), 2U);
  }
  shard.apply(OutboxDoneCommand{.target = ShardId{1}, .numbers = {3}});
  EXPECT_EQ(shard.machine->outbox().at(ShardId{1}).low_water, 4U);
  turn = shard.turn();
  turn.outbox = {{ShardId{1}, "e"}};
  shard.apply(turn);
  EXPECT_EQ(outbox_messages(shard.writer, shard.keys, ShardId{1}, 0, 10)->front().number, 4U);
}

TEST(ShardMachine, FullOutboxRefusesTurnsThatSend) {
  ShardBench shard({7}, {.outbox_messages_max = 2});
  shard.own();
  TurnCommand turn = shard.turn();
  turn.outbox = {{ShardId{1}, "a"}, {ShardId{1}, "b"}};
  EXPECT_EQ(shard.apply(turn).kind, Kind::kApplied);
  turn = shard.turn();
  turn.outbox = {{ShardId{2}, "c"}};
  turn.state = {put("", "x")};
  const Outcome refused = shard.apply(turn);
  EXPECT_EQ(refused.kind, Kind::kRefused);
  EXPECT_EQ(refused.error->code, Code::kExhausted);
  EXPECT_FALSE(shard.value(""));
  EXPECT_EQ(shard.apply(shard.turn()).kind, Kind::kApplied);
}

TEST(ShardMachine, MessageToNoShardIsRefused) {
  ShardBench shard;
  shard.own();
  TurnCommand turn = shard.turn();
  turn.outbox = {{ShardId{8}, "a"}};
  EXPECT_EQ(shard.apply(turn).error->code, Code::kInvalid);
}

TEST(ShardMachine, MessageIsConsumedOnceInAnyOrder) {
  ShardBench shard;
  shard.own();
  const auto consume = [&](std::uint64_t number, std::uint64_t low_water) {
    TurnCommand turn = shard.turn();
    turn.cause = OutboxCause{.source = ShardId{5}, .number = number, .low_water = low_water};
    return shard.apply(turn).kind;
  };
  EXPECT_EQ(consume(3, 1), Kind::kApplied);
  EXPECT_EQ(consume(1, 1), Kind::kApplied);
  shard.reload();
  EXPECT_EQ(consume(1, 1), Kind::kConsumed);
  EXPECT_EQ(consume(3, 1), Kind::kConsumed);
  EXPECT_EQ(consume(2, 1), Kind::kApplied);
  shard.reload();
  for (const std::uint64_t number : {1U, 2U, 3U}) EXPECT_EQ(consume(number, 1), Kind::kConsumed);
  EXPECT_EQ(consume(9, 8), Kind::kApplied);
  EXPECT_EQ(consume(7, 8), Kind::kConsumed);
  EXPECT_EQ(consume(8, 8), Kind::kApplied);
}

TEST(ShardMachine, ConsumedMessagesInOrderLeaveOneRow) {
  ShardBench shard;
  shard.own();
  for (std::uint64_t number = 1; number <= 50; ++number) {
    TurnCommand turn = shard.turn();
    turn.cause = OutboxCause{.source = ShardId{5}, .number = number, .low_water = 1};
    shard.apply(turn);
  }
  const auto cursor =
      shard.writer.scan(shard.keys.inbox_prefix(), after_prefix(shard.keys.inbox_prefix()));
  EXPECT_FALSE(cursor->valid());
}

TEST(ShardMachine, ActorsOfATypeAreListedInPages) {
  ShardBench shard;
  shard.own();
  shard.own("Cart2");
  for (const std::string& id : {std::string("b"), std::string("a\0b", 3), std::string("a")}) {
    TurnCommand turn = shard.turn("Cart", id);
    turn.state = {put("", "1"), put("x", "2")};
    shard.apply(turn);
  }
  TurnCommand turn = shard.turn("Cart", "reminded");
  turn.reminders = {remind("nudge", at(1))};
  shard.apply(turn);
  turn = shard.turn("Cart2", "other");
  turn.state = {put("", "1")};
  shard.apply(turn);
  const std::string odd("a\0b", 3);
  EXPECT_EQ(*actor_ids(shard.writer, shard.keys, "Cart", std::nullopt, 2),
            (std::vector<std::string>{"a", odd}));
  EXPECT_EQ(*actor_ids(shard.writer, shard.keys, "Cart", odd, 9),
            (std::vector<std::string>{"b", "reminded"}));
  EXPECT_EQ(statistics(shard.writer, shard.keys)->actors, 4U);
}

}  // namespace
}  // namespace troupe::storage
