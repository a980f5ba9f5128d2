// Turns whose cause is a reminder's tick or a one-way message, and the API's operations.
#include <gtest/gtest.h>

#include "actors/state/operations.h"
#include "actors/state/reminder_operations.h"
#include "actors/state/timer_operations.h"
#include "tests/support/actor_world.h"

namespace troupe::testing {
namespace {

using namespace std::chrono_literals;

class Causes : public ::testing::Test {
 protected:
  void SetUp() override {
    world.type("Cart", {{"remind", remind},
                        {"nudge", nudge},
                        {"add", nudge},
                        {"skips", skips},
                        {"hear", nudge},
                        {"bad", bad(world)}});
    world.start();
  }
  static void remind(ScriptedActor& self, TurnMessage message, TurnContext&,
                     Done<TurnResult> done) {
    TurnResult result = self.result();
    ReminderChange& change = result.reminders.emplace_back();
    change.name = "r";
    change.method = message.body.view();
    change.due = "10s";
    change.period = "20s";
    change.failure.interval = 5s;
    change.failure.retries_max = 1;
    if (self.state == "skips") change.catch_up = CatchUp::kSkip;
    done(std::move(result));
  }
  static void nudge(ScriptedActor& self, TurnMessage, TurnContext&, Done<TurnResult> done) {
    self.state += "n";
    done(self.result());
  }
  static void skips(ScriptedActor& self, TurnMessage, TurnContext&, Done<TurnResult> done) {
    self.state = "skips";
    done(self.result());
  }
  static ScriptedActor::Method bad(ActorWorld& world) {
    return [&world](ScriptedActor& self, TurnMessage, TurnContext&, Done<TurnResult> done) {
      world.log.emplace_back("bad");
      self.state += "b";
      done(fail(Code::kApplication, "bad"));
    };
  }
  std::vector<actors::StoredReminder> rows() {
    std::vector<actors::StoredReminder> found;
    const auto right = world.shards.right(world.shards.shard_of("Cart", "1"), "Cart");
    world.shards.reminders(right, key, "", [&](auto read) { found = *read; });
    world.run();
    return found;
  }
  ActorWorld::AnswerPtr tick() {
    const auto row = rows().at(0);
    actors::Call call = world.call("Cart", "1", row.name, row.body);
    call.kind = actors::CallKind::kTick;
    call.cause = storage::TickCause{
        .name = row.name, .registration = row.registration, .number = row.number};
    const auto answer = world.send(std::move(call));
    world.run();
    return answer;
  }
  ActorWorld::AnswerPtr one_way(const std::string& method, std::uint64_t number) {
    actors::Call call = world.call("Cart", "1", method);
    call.kind = actors::CallKind::kOneWay;
    call.cause = storage::OutboxCause{.source = ShardId{3}, .number = number, .low_water = 0};
    const auto answer = world.send(std::move(call));
    world.run();
    return answer;
  }

  ActorWorld world;
  const ActorKey key{.type = "Cart", .id = "1"};
};

TEST_F(Causes, ATickMovesItsReminderOnInItsOwnEntry) {
  world.ask("Cart", "1", "remind", "nudge");
  const WallTime due = rows().at(0).due;
  world.pass(10s);
  EXPECT_EQ(tick()->text(), "");
  EXPECT_EQ(world.shards.value(key), "n");
  EXPECT_EQ(rows().at(0).number, 2U);
  EXPECT_EQ(rows().at(0).due, due + 20s);
}

TEST_F(Causes, ATickSentTwiceHasOneEffect) {
  world.ask("Cart", "1", "remind", "nudge");
  const auto row = rows().at(0);
  for (int i = 0; i < 2; ++i) {
    actors::Call call = world.call("Cart", "1", row.name, row.body);
    call.kind = actors::CallKind::kTick;
    call.cause = storage::TickCause{
        .name = row.name, .registration = row.registration, .number = row.number};
    world.send(std::move(call));
    world.run();
  }
  EXPECT_EQ(world.shards.value(key), "n");
}

TEST_F(Causes, AThrowingTickMovesItsRowToTheNextAttemptWithoutOtherEffects) {
  world.ask("Cart", "1", "remind", "bad");
  world.pass(10s);
  EXPECT_EQ(tick()->code(), Code::kApplication);
  EXPECT_EQ(world.shards.value(key), "");
  EXPECT_EQ(rows().at(0).number, 1U);
  EXPECT_EQ(rows().at(0).due, world.clock.wall() + 5s);
  EXPECT_EQ(world.actors->metrics().ticks_given_up.load(), 0U);
}

TEST_F(Causes, ATickIsGivenUpByItsFailurePolicy) {
  world.ask("Cart", "1", "remind", "bad");
  world.pass(10s);
  tick();
  world.pass(5s);
  tick();
  EXPECT_EQ(rows().at(0).number, 2U);
  EXPECT_EQ(world.actors->metrics().ticks_given_up.load(), 1U);
}

TEST_F(Causes, ATickThatComesTooLateIsSkippedWhereThatIsWanted) {
  world.ask("Cart", "1", "skips");
  world.ask("Cart", "1", "remind", "nudge");
  world.pass(10s);
  tick();
  EXPECT_EQ(world.shards.value(key), "skipsn");
  const WallTime due = rows().at(0).due;
  world.pass(20s + 15min + 5s);
  EXPECT_EQ(tick()->text(), "");
  EXPECT_EQ(world.shards.value(key), "skipsn");
  EXPECT_EQ(rows().at(0).number, 3U);
  EXPECT_EQ(rows().at(0).due, due + 15min + 20s);
  world.pass(20s);
  tick();
  EXPECT_EQ(world.shards.value(key), "skipsnn");
}

TEST_F(Causes, NobodyHearsThatAMessageHasArrivedBeforeItsEffectIsCommitted) {
  world.shards.hold_commits();
  for (const auto kind : {actors::CallKind::kOneWay, actors::CallKind::kMethod}) {
    actors::Call call = world.call("Cart", "1", "hear");
    call.kind = kind;
    call.cause = storage::OutboxCause{.source = ShardId{3}, .number = 1, .low_water = 0};
    const auto answer = world.send(std::move(call));
    world.run();
    EXPECT_EQ(answer->text(), "pending");
    world.shards.release_commits();
    world.run();
    EXPECT_EQ(answer->text(), "");
    world.shards.hold_commits();
  }
  EXPECT_EQ(world.shards.value(key), "nn");
}

TEST_F(Causes, AMessageSentTwiceHasOneEffect) {
  EXPECT_EQ(one_way("nudge", 1)->text(), "");
  EXPECT_EQ(one_way("nudge", 1)->text(), "");
  EXPECT_EQ(world.shards.value(key), "n");
}

TEST_F(Causes, AThrowingMessageIsTriedAgainAndThenConsumedWithoutEffect) {
  EXPECT_EQ(one_way("bad", 1)->text(), "");
  EXPECT_EQ(world.log.size(), 3U);
  ASSERT_EQ(world.shards.entries().size(), 1U);
  EXPECT_TRUE(world.shards.entries()[0].state.empty());
  EXPECT_EQ(world.actors->metrics().one_way_given_up.load(), 1U);
}

TEST_F(Causes, StateOperationsCommitTogetherAndReadBack) {
  actors::StateOperations operations;
  operations.changes.push_back({.name = "a", .value = "1", .etag = {}, .ttl = 5s});
  actors::Call change = world.call("Cart", "1", "", encode(operations));
  change.kind = actors::CallKind::kState;
  const auto answer = world.send(std::move(change));
  world.run();
  EXPECT_EQ(answer->text(), "");
  operations = {};
  operations.reads = {"a", "b"};
  actors::Call read = world.call("Cart", "1", "", encode(operations));
  read.kind = actors::CallKind::kState;
  const auto found = world.send(std::move(read));
  world.run();
  const auto values = actors::decode_stored_values(found->text());
  ASSERT_TRUE(values);
  ASSERT_EQ(values->size(), 1U);
  EXPECT_EQ((*values)[0].second.value, "1");
  EXPECT_EQ((*values)[0].second.expires, world.clock.wall() + 5s);
}

TEST_F(Causes, AStateOperationWithAnOldEtagIsAConflict) {
  actors::StateOperations operations;
  operations.changes.push_back({.name = "a", .value = "1", .etag = 77, .ttl = {}});
  actors::Call change = world.call("Cart", "1", "", encode(operations));
  change.kind = actors::CallKind::kState;
  const auto answer = world.send(std::move(change));
  world.run();
  EXPECT_EQ(answer->code(), Code::kConflict);
}

TEST_F(Causes, RemindersAreRegisteredReadAndDeletedWithoutAnActivation) {
  const auto run = [&](const actors::ReminderOperation& operation) {
    actors::Call call = world.call("Cart", "1", "", encode(operation));
    call.kind = actors::CallKind::kReminders;
    const auto answer = world.send(std::move(call));
    world.run();
    return answer;
  };
  actors::ReminderOperation add;
  add.kind = actors::ReminderOperation::Kind::kChange;
  add.change.name = "r";
  add.change.due = "10s";
  EXPECT_EQ(run(add)->text(), "");
  add.change.overwrite = false;
  EXPECT_EQ(run(add)->code(), Code::kConflict);
  const auto facts = actors::decode_reminder_facts(run({})->text());
  ASSERT_TRUE(facts);
  ASSERT_EQ(facts->size(), 1U);
  EXPECT_EQ((*facts)[0].due, world.clock.wall() + 10s);
  add.change.cancel = true;
  run(add);
  EXPECT_TRUE(rows().empty());
  EXPECT_TRUE(world.actors->counts().empty());
}

TEST_F(Causes, TimersAreSetAndCancelledByCalls) {
  const auto run = [&](const TimerChange& change) {
    const actors::TimerOperation operation = actors::operation_of(change, world.clock.wall());
    actors::Call call = world.call("Cart", "1", "", actors::encode(operation));
    call.kind = actors::CallKind::kTimers;
    const auto answer = world.send(std::move(call));
    world.run();
    return answer;
  };
  TimerChange set;
  set.name = "t";
  set.method = "bad";
  set.after = 1s;
  set.every = 2s;
  EXPECT_EQ(run(set)->text(), "");
  world.pass(1s);
  EXPECT_EQ(world.log.size(), 1U);
  world.pass(2s);
  EXPECT_EQ(world.log.size(), 2U);
  set.cancel = true;
  EXPECT_EQ(run(set)->text(), "");
  world.pass(10s);
  EXPECT_EQ(world.log.size(), 2U);
}

TEST_F(Causes, ATimerOfTheApiEndsWhenItsTicksAreUsedUp) {
  actors::TimerOperation operation{.name = "t", .timer = Timer{}};
  operation.timer->method = "bad";
  operation.timer->schedule = {.first = world.clock.wall() + 1s,
                               .period = CalendarStep{.months = 0, .days = 0, .exact = 20min},
                               .repeats = 2,
                               .expiry = {}};
  actors::Call call = world.call("Cart", "1", "", actors::encode(operation));
  call.kind = actors::CallKind::kTimers;
  const auto answer = world.send(std::move(call));
  world.run();
  EXPECT_EQ(answer->text(), "");
  world.pass(1s);
  EXPECT_EQ(world.log.size(), 1U);
  world.pass(20min - 1s);
  EXPECT_EQ(world.log.size(), 1U);
  world.pass(1s);
  EXPECT_EQ(world.log.size(), 2U);
  world.pass(40min);
  EXPECT_EQ(world.log.size(), 2U);
}

TEST_F(Causes, DamagedTimerOperationsAreRefused) {
  actors::Call call = world.call("Cart", "1", "", "damaged");
  call.kind = actors::CallKind::kTimers;
  const auto answer = world.send(std::move(call));
  world.run();
  EXPECT_EQ(answer->code(), Code::kInvalid);
}

}  // namespace
}  // namespace troupe::testing
