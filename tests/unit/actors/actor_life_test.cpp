// How activations begin, stay and end.
#include <gtest/gtest.h>

#include "actors/state/timer_operations.h"
#include "tests/support/actor_world.h"

namespace troupe::testing {
namespace {

using namespace std::chrono_literals;

class ActorLife : public ::testing::Test {
 protected:
  void SetUp() override {
    cart = &world.type("Cart", {{"on_activate", note("on_activate")},
                                {"on_deactivate", leave(world)},
                                {"add", add},
                                {"stall", stall(false)},
                                {"look", stall(true)},
                                {"timer", timer},
                                {"tick", note("tick")},
                                {"go", go}});
  }
  ScriptedActor::Method note(std::string what) {
    return [this, what](ScriptedActor& self, TurnMessage, TurnContext&, Done<TurnResult> done) {
      world.log.push_back(what);
      done(self.result());
    };
  }
  static ScriptedActor::Method leave(ActorWorld& world) {
    return [&world](ScriptedActor& self, TurnMessage, TurnContext&, Done<TurnResult> done) {
      world.log.emplace_back("on_deactivate");
      self.state += "!";
      done(self.result());
    };
  }
  static void add(ScriptedActor& self, TurnMessage message, TurnContext&, Done<TurnResult> done) {
    self.state += message.body.view();
    done(self.result(self.state));
  }
  static void go(ScriptedActor& self, TurnMessage, TurnContext&, Done<TurnResult> done) {
    TurnResult result = self.result("gone");
    result.deactivate_when_idle = true;
    done(std::move(result));
  }
  static ScriptedActor::Method stall(bool read_only) {
    return [=](ScriptedActor& self, TurnMessage, TurnContext& context, Done<TurnResult> done) {
      NestedCall nested;
      nested.target = {.type = "Nobody", .id = "7"};
      nested.method = "m";
      nested.read_only = read_only;
      context.call(std::move(nested), [&self, done = std::move(done)](Result<Payload>) mutable {
        done(self.result("done"));
      });
    };
  }
  static void timer(ScriptedActor& self, TurnMessage, TurnContext&, Done<TurnResult> done) {
    TurnResult result = self.result();
    result.timers.push_back({.name = "t",
                             .method = "tick",
                             .message = {},
                             .after = 10s,
                             .every = 10s,
                             .repeats = 2,
                             .ttl = {}});
    done(std::move(result));
  }
  std::size_t active() const { return world.actors->activations(100).size(); }
  void drain_all() {
    for (const auto& right : world.shards.rights("Cart")) {
      right->drain();
      world.actors->drain(right, [this] { ++drained; });
    }
    world.run();
  }

  ActorWorld world;
  ActorType* cart = nullptr;
  int drained = 0;
};

TEST_F(ActorLife, CallsThatArriveWhileItLoadsWaitAndKeepTheirOrder) {
  world.start();
  const auto a = world.send("Cart", "1", "add", "a");
  const auto b = world.send("Cart", "1", "add", "b");
  world.run();
  EXPECT_EQ(b->text(), "ab");
  EXPECT_EQ(world.shards.loads(), 1U);
  EXPECT_EQ(world.log, (std::vector<std::string>{"on_activate"}));
}

TEST_F(ActorLife, AnIdleActivationEndsInOrderAndTheNextLoadsItsState) {
  world.start();
  world.ask("Cart", "1", "add", "a");
  world.pass(61min);
  EXPECT_EQ(active(), 0U);
  EXPECT_EQ(world.log.back(), "on_deactivate");
  EXPECT_EQ(world.ask("Cart", "1", "add", "b"), "a!b");
}

TEST_F(ActorLife, OneThatWaitsForACallIsNotIdle) {
  world.start();
  world.send("Cart", "1", "stall");
  world.pass(61min);
  EXPECT_EQ(active(), 1U);
}

TEST_F(ActorLife, ATurnMayAskToEndAsSoonAsNothingWaits) {
  world.start();
  EXPECT_EQ(world.ask("Cart", "1", "go"), "gone");
  EXPECT_EQ(active(), 0U);
}

TEST_F(ActorLife, ADamagedStateFailsTheCallsAndEndsTheActivation) {
  world.start();
  world.shards.set_value({.type = "Cart", .id = "1"}, "damaged");
  const auto answer = world.send("Cart", "1", "add");
  world.run();
  EXPECT_EQ(answer->code(), Code::kInvalid);
  EXPECT_EQ(active(), 0U);
}

TEST_F(ActorLife, AFailedLoadHandsBackTheCallsThatWaitAndTheNextCallTriesAgain) {
  world.start();
  world.shards.fail_next_load({Code::kUnavailable, "no majority"});
  EXPECT_EQ(world.send("Cart", "1", "add", "a")->text(), "pending");
  world.run();
  EXPECT_EQ(world.ask("Cart", "1", "add", "b"), "b");
}

TEST_F(ActorLife, CallsForActorsOfOthersGoBackToTheRouter) {
  world.start();
  for (const auto& right : world.shards.rights("Cart")) right->end();
  EXPECT_EQ(world.send("Cart", "1", "add")->code(), Code::kPrecondition);
}

TEST_F(ActorLife, AnUnknownTypeIsNotFound) {
  world.start();
  EXPECT_EQ(world.send("Nobody", "1", "add")->code(), Code::kNotFound);
}

TEST_F(ActorLife, ALapsedLeasePausesAdmissionUntilItIsProlonged) {
  world.start();
  world.ask("Cart", "1", "add", "a");
  for (const auto& right : world.shards.rights("Cart")) right->prolong(world.clock.now());
  const auto answer = world.send("Cart", "1", "add", "b");
  world.pass(1s);
  EXPECT_EQ(answer->text(), "pending");
  for (const auto& right : world.shards.rights("Cart")) right->prolong(Time::max());
  world.pass(1s);
  EXPECT_EQ(answer->text(), "ab");
}

TEST_F(ActorLife, CallsDoNotWaitForeverForALapsedLease) {
  world.start();
  world.ask("Cart", "1", "add", "a");
  for (const auto& right : world.shards.rights("Cart")) right->prolong(world.clock.now());
  const auto answer = world.send("Cart", "1", "add", "b");
  world.pass(actors::ActorsOptions{}.lapse_patience - 100ms);
  EXPECT_EQ(answer->text(), "pending");
  world.pass(200ms);
  EXPECT_EQ(answer->code(), Code::kUnavailable);
  for (const auto& right : world.shards.rights("Cart")) right->prolong(Time::max());
  EXPECT_EQ(world.ask("Cart", "1", "add", "c"), "ac");
}

TEST_F(ActorLife, TheShortWayLeadsOnlyToActorsInMemoryUnderAUsableRight) {
  world.start();
  const auto offered = [&] {
    actors::Call call = world.call("Cart", "1", "add", "x");
    call.done = [](Result<actors::Reply>) {};
    const bool taken = world.actors->deliver_live(call);
    EXPECT_EQ(call.method.empty(), taken);  // left alone if not taken
    world.run();
    return taken;
  };
  EXPECT_FALSE(offered());
  world.ask("Cart", "1", "add", "a");
  EXPECT_TRUE(offered());
  EXPECT_EQ(world.ask("Cart", "1", "add", "b"), "axb");
  for (const auto& right : world.shards.rights("Cart")) right->drain();
  EXPECT_FALSE(offered());
}

TEST_F(ActorLife, ADrainRefusesTheNewAndFinishesTheBegun) {
  world.start();
  const auto begun = world.send("Cart", "1", "stall");
  world.run();
  const auto waiting = world.send("Cart", "1", "add");
  drain_all();
  EXPECT_EQ(waiting->code(), Code::kPrecondition);
  EXPECT_EQ(drained, static_cast<int>(FakeShards::kCount) - 1);
  world.elsewhere["Nobody"].at(0).done(actors::Reply{});
  world.run();
  EXPECT_EQ(begun->text(), "done");
  EXPECT_EQ(drained, static_cast<int>(FakeShards::kCount));
  EXPECT_EQ(world.log.back(), "on_deactivate");
}

TEST_F(ActorLife, ATurnThatHasOnlyReadDoesNotHoldUpADrainAndBeginsAnewElsewhere) {
  world.start();
  const auto begun = world.send("Cart", "1", "look");
  world.run();
  drain_all();
  EXPECT_EQ(drained, static_cast<int>(FakeShards::kCount));
  EXPECT_EQ(begun->error(), "not the owner of Cart/1");
  world.elsewhere["Nobody"].at(0).done(actors::Reply{});
  world.run();
  EXPECT_TRUE(world.shards.entries().empty());
}

TEST_F(ActorLife, ADrainEndsWithItsTimeoutAndALateTurnBeginsAnewElsewhere) {
  world.start();
  const auto begun = world.send("Cart", "1", "stall");
  world.run();
  drain_all();
  EXPECT_EQ(begun->text(), "pending");
  world.pass(6s);
  EXPECT_EQ(drained, static_cast<int>(FakeShards::kCount));
  EXPECT_EQ(begun->code(), Code::kPrecondition);
  world.elsewhere["Nobody"].at(0).done(actors::Reply{});
  world.run();
  EXPECT_TRUE(world.shards.entries().empty());
}

TEST_F(ActorLife, DeactivationIsSkippedWithoutARight) {
  world.start();
  world.ask("Cart", "1", "add", "a");
  for (const auto& right : world.shards.rights("Cart")) {
    right->end();
    world.actors->drain(right, [] {});
  }
  world.run();
  EXPECT_EQ(active(), 0U);
  EXPECT_EQ(world.log.back(), "on_activate");
}

TEST_F(ActorLife, TimersRunUntilTheirRepeatsAreOver) {
  world.start();
  world.ask("Cart", "1", "timer");
  world.pass(9s);
  EXPECT_EQ(world.log.size(), 1U);
  world.pass(1min);
  EXPECT_EQ(world.log, (std::vector<std::string>{"on_activate", "tick", "tick"}));
}

TEST_F(ActorLife, ATimerTickWaitsAsLongAsTheTurnBeforeItTakes) {
  world.start();
  world.ask("Cart", "1", "timer");
  actors::Call longer = world.call("Cart", "1", "stall");
  longer.deadline = world.clock.now() + 10min;
  const auto answer = world.send(std::move(longer));
  world.pass(5min);
  EXPECT_EQ(world.log, (std::vector<std::string>{"on_activate"}));
  world.elsewhere["Nobody"].at(0).done(actors::Reply{});
  world.pass(1s);
  EXPECT_EQ(answer->text(), "done");
  EXPECT_EQ(world.log, (std::vector<std::string>{"on_activate", "tick", "tick"}));
}

TEST_F(ActorLife, ATimerTickWaitsWhileTheLeaseHasLapsed) {
  world.start();
  world.ask("Cart", "1", "timer");
  for (const auto& right : world.shards.rights("Cart")) right->prolong(world.clock.now());
  world.pass(1min);
  EXPECT_EQ(world.log, (std::vector<std::string>{"on_activate"}));
  for (const auto& right : world.shards.rights("Cart")) right->prolong(Time::max());
  world.pass(1min);
  EXPECT_EQ(world.log, (std::vector<std::string>{"on_activate", "tick", "tick"}));
}

TEST_F(ActorLife, AnActorWithATimerStaysBeyondItsIdleTimeout) {
  cart->options.idle_timeout = 5s;
  world.start();
  world.ask("Cart", "1", "timer");
  world.pass(19s);
  EXPECT_EQ(world.log, (std::vector<std::string>{"on_activate", "tick"}));
  world.pass(2s);  // the second tick is the last
  EXPECT_EQ(active(), 1U);
  world.pass(1min);
  EXPECT_EQ(world.log, (std::vector<std::string>{"on_activate", "tick", "tick", "on_deactivate"}));
}

TEST_F(ActorLife, AnActorWhoseTimerIsCancelledIsIdleAgain) {
  cart->options.idle_timeout = 5s;
  world.start();
  world.ask("Cart", "1", "timer");
  world.pass(6s);
  actors::Call call =
      world.call("Cart", "1", "", actors::encode(actors::TimerOperation{.name = "t", .timer = {}}));
  call.kind = actors::CallKind::kTimers;
  world.send(std::move(call));
  world.pass(1min);
  EXPECT_EQ(world.log, (std::vector<std::string>{"on_activate", "on_deactivate"}));
}

// A move, an end that the actor asks for, or that of the process.
TEST_F(ActorLife, TimersEndWithTheActivation) {
  world.start();
  world.ask("Cart", "1", "timer");
  drain_all();
  world.pass(1min);
  EXPECT_EQ(active(), 0U);
  EXPECT_EQ(world.log, (std::vector<std::string>{"on_activate", "on_deactivate"}));
}

TEST_F(ActorLife, TheWatchdogReportsATurnThatOverrunsOnceAndWhatItWaitsFor) {
  actors::ActorsOptions options;
  std::vector<actors::Overrun> seen;
  options.on_overrun = [&](const actors::Overrun& overrun) { seen.push_back(overrun); };
  world.start(options);
  world.send("Cart", "1", "stall");
  world.pass(2min);
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen[0].method, "stall");
  EXPECT_EQ(seen[0].waiting_for, "Nobody/7 m");
}

TEST_F(ActorLife, StatelessWorkersRunBesideOneAnotherAndCommitNothing) {
  cart->options.stateless_workers = 2;
  world.start();
  world.send("Cart", "1", "stall");
  world.run();
  EXPECT_EQ(world.ask("Cart", "1", "add", "a"), "a");
  EXPECT_EQ(active(), 2U);
  EXPECT_TRUE(world.shards.entries().empty());
}

TEST_F(ActorLife, OfStatelessWorkersNoCallIsRemembered) {
  cart->options.stateless_workers = 2;
  world.start();
  actors::Call call = world.call("Cart", "1", "add", "a");
  call.may_repeat = true;
  call.redirects = 1;
  const auto answer = world.send(std::move(call));
  world.run();
  EXPECT_EQ(answer->text(), "a");
  EXPECT_TRUE(world.shards.entries().empty());
}

TEST_F(ActorLife, AStopEndsAllInOrder) {
  world.start();
  world.ask("Cart", "1", "add", "a");
  world.ask("Cart", "2", "add", "b");
  bool stopped = false;
  world.actors->stop(world.clock.now() + 10s, [&] { stopped = true; });
  world.run();
  EXPECT_TRUE(stopped);
  EXPECT_EQ(world.shards.value({.type = "Cart", .id = "1"}), "a!");
  EXPECT_EQ(world.send("Cart", "1", "add")->code(), Code::kPrecondition);
}

TEST_F(ActorLife, WhileItStopsCallersStillHearAtTheirDeadlines) {
  world.start();
  world.ask("Cart", "1", "add", "a");
  world.shards.hold_commits();
  actors::Call call = world.call("Cart", "1", "add", "b");
  call.deadline = world.clock.now() + 2s;
  const auto answer = world.send(std::move(call));
  world.run();
  world.actors->stop(world.clock.now() + 30s, [] {});
  world.run();
  for (int second = 0; second < 5; ++second) world.pass(1s);
  EXPECT_EQ(answer->code(), Code::kUnknownOutcome);
  world.shards.release_commits();
  world.run();
}

TEST_F(ActorLife, WhatNeverEndsIsDestroyedWithTheLastThatWouldWakeIt) {
  world.start();
  auto caller = std::make_shared<bool>(false);
  const std::weak_ptr<bool> waits = caller;
  actors::Call call = world.call("Cart", "1", "stall");
  call.done = [caller = std::move(caller)](Result<actors::Reply>) { *caller = true; };
  world.actors->deliver(std::move(call));
  world.run();
  world.actors.reset();
  EXPECT_FALSE(waits.expired());
  world.elsewhere.clear();  // the answer that it waited for
  EXPECT_TRUE(waits.expired());
}

}  // namespace
}  // namespace troupe::testing
