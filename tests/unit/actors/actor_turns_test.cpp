// One turn after another: what a turn leaves, and when.
#include <gtest/gtest.h>

#include "actors/turns/outbox_message.h"
#include "tests/support/actor_world.h"

namespace troupe::testing {
namespace {

using namespace std::chrono_literals;

std::string failed_with(Code code) { return "!" + std::to_string(static_cast<int>(code)); }

class ActorTurns : public ::testing::Test {
 protected:
  void SetUp() override {
    world.type("Cart", {{"add", add},
                        {"read const", read},
                        {"fail", fail_after_change},
                        {"nothing", nothing},
                        {"wait", wait(world, "Other")},
                        {"wait_const const", wait(world, "Other")},
                        {"look interleave", read},
                        {"nap", nap(world)},
                        {"tell", tell},
                        {"lapse", lapse(world)},
                        {"huge", huge}});
  }

  static void add(ScriptedActor& self, TurnMessage message, TurnContext&, Done<TurnResult> done) {
    self.state += message.body.view();
    ++self.turns;
    done(self.result(self.state));
  }
  static void read(ScriptedActor& self, TurnMessage, TurnContext&, Done<TurnResult> done) {
    done(self.result(self.state + "/" + std::to_string(self.turns)));
  }
  static void fail_after_change(ScriptedActor& self, TurnMessage, TurnContext&,
                                Done<TurnResult> done) {
    self.state += "x";
    done(fail(Code::kApplication, "std::runtime_error: no"));
  }
  static void nothing(ScriptedActor& self, TurnMessage, TurnContext&, Done<TurnResult> done) {
    TurnResult result;
    result.reply = std::string("ok");
    if (!self.state.empty()) result.state = self.state;
    done(std::move(result));
  }
  static ScriptedActor::Method wait(ActorWorld& world, std::string type) {
    return [&world, type](ScriptedActor& self, TurnMessage message, TurnContext& context,
                          Done<TurnResult> done) {
      world.log.emplace_back("begin " + std::string(message.body.view()));
      if (self.writes) self.state += message.body.view();
      context.call({.target = {.type = type, .id = "1"},
                    .method = "m",
                    .message = message.body,
                    .content_type = {},
                    .timeout = {}},
                   [&world, &self, done = std::move(done),
                    body = message.body](Result<Payload> reply) mutable {
                     world.log.emplace_back("end " + std::string(body.view()));
                     if (!reply) return done(fail(reply.error()));
                     done(self.result(std::string(reply->view())));
                   });
    };
  }
  static ScriptedActor::Method lapse(ActorWorld& world) {
    return [&world](ScriptedActor& self, TurnMessage message, TurnContext& context,
                    Done<TurnResult> done) {
      for (const auto& right : world.shards.rights("Cart")) right->prolong(world.clock.now());
      wait(world, "Other")(self, std::move(message), context, std::move(done));
    };
  }
  static ScriptedActor::Method nap(ActorWorld& world) {
    return [&world](ScriptedActor& self, TurnMessage, TurnContext& context, Done<TurnResult> done) {
      self.state += "n";
      context.sleep(10s, [&world, &self, done = std::move(done)](Result<void>) mutable {
        world.log.emplace_back("awake");
        done(self.result("slept"));
      });
    };
  }
  static void tell(ScriptedActor& self, TurnMessage message, TurnContext&, Done<TurnResult> done) {
    TurnResult result = self.result("told");
    result.outbox.push_back(
        {.target = {.type = "Cart", .id = "2"}, .method = "add", .message = message.body});
    done(std::move(result));
  }
  static void huge(ScriptedActor& self, TurnMessage, TurnContext&, Done<TurnResult> done) {
    self.state.assign(5 << 20, 'h');
    done(self.result());
  }

  void answer(const std::string& type, std::size_t which, std::string reply) {
    world.elsewhere[type].at(which).done(
        actors::Reply{.body = std::move(reply), .content_type = {}, .metadata = {}});
    world.run();
  }

  const ActorKey cart{.type = "Cart", .id = "1"};
  ActorWorld world;
};

TEST_F(ActorTurns, StateOfATurnIsCommittedBeforeItsReplyLeaves) {
  world.start();
  world.shards.hold_commits();
  const auto answer = world.send("Cart", "1", "add", "a");
  world.run();
  EXPECT_EQ(answer->text(), "pending");
  EXPECT_EQ(world.shards.value(cart), "a");
  world.shards.release_commits();
  world.run();
  EXPECT_EQ(answer->text(), "a");
}

TEST_F(ActorTurns, NextTurnBeginsOnlyWhenTheOutcomeOfTheLastIsKnown) {
  world.start();
  world.shards.hold_commits();
  world.send("Cart", "1", "add", "a");
  const auto second = world.send("Cart", "1", "read");
  world.run();
  EXPECT_EQ(second->text(), "pending");
  world.shards.release_commits();
  world.run();
  EXPECT_EQ(second->text(), "a/1");
}

TEST_F(ActorTurns, UnchangedStateLeavesNoEntry) {
  world.start();
  EXPECT_EQ(world.ask("Cart", "1", "add", "a"), "a");
  EXPECT_EQ(world.ask("Cart", "1", "nothing"), "ok");
  EXPECT_EQ(world.ask("Cart", "1", "read"), "a/1");
  EXPECT_EQ(world.shards.entries().size(), 1U);
}

TEST_F(ActorTurns, ACallWithoutEffectsLeavesAnEntryOnlyIfItWasSentBefore) {
  world.start();
  actors::Call call = world.call("Cart", "1", "nothing");
  call.may_repeat = true;
  const storage::CallId id = call.id;
  world.send(std::move(call));
  world.run();
  EXPECT_TRUE(world.shards.entries().empty());
  actors::Call again = world.call("Cart", "1", "nothing");
  again.may_repeat = true;
  again.redirects = 1;
  again.id = id;
  world.send(std::move(again));
  world.run();
  ASSERT_EQ(world.shards.entries().size(), 1U);
  EXPECT_EQ(std::get<storage::CallCause>(world.shards.entries()[0].cause).id, id);
}

TEST_F(ActorTurns, ARepeatedCallGetsTheRecordedReplyEvenIfItsSecondTurnLeavesNothing) {
  world.start();
  actors::Call call = world.call("Cart", "1", "add", "a");
  call.may_repeat = true;
  const storage::CallId id = call.id;
  world.send(std::move(call));
  world.run();
  actors::Call again = world.call("Cart", "1", "nothing");
  again.may_repeat = true;
  again.redirects = 1;
  again.id = id;
  const auto answer = world.send(std::move(again));
  world.run();
  EXPECT_EQ(answer->text(), "a");
}

TEST_F(ActorTurns, ARepeatedCallGetsTheRecordedReplyAndHasNoSecondEffect) {
  world.start();
  actors::Call call = world.call("Cart", "1", "add", "a");
  call.may_repeat = true;
  const storage::CallId id = call.id;
  world.send(std::move(call));
  world.run();
  actors::Call again = world.call("Cart", "1", "add", "a");
  again.may_repeat = true;
  again.id = id;
  const auto answer = world.send(std::move(again));
  world.run();
  EXPECT_EQ(answer->text(), "a");
  EXPECT_EQ(world.shards.value(cart), "a");
  EXPECT_EQ(world.ask("Cart", "1", "read"), "a/0") << "a fresh instance, loaded again";
}

TEST_F(ActorTurns, ACallThatItsCallerHasDoneWithIsRefusedInsteadOfRunAgain) {
  world.start();
  actors::Call call = world.call("Cart", "1", "add", "a");
  call.may_repeat = true;
  storage::CallId id = call.id;
  world.send(std::move(call));
  world.run();
  actors::Call next = world.call("Cart", "1", "add", "b");
  next.may_repeat = true;
  next.id = id;
  next.id.sequence += 1;
  next.done_below = next.id.sequence;
  world.send(std::move(next));
  world.run();
  EXPECT_EQ(std::get<storage::CallCause>(world.shards.entries()[1].cause).done_below,
            id.sequence + 1);
  for (const std::uint32_t redirects : {0U, 1U}) {  // as if for the first time, and as a repeat
    actors::Call late = world.call("Cart", "1", "add", "a");
    late.may_repeat = true;
    late.redirects = redirects;
    late.id = id;
    const auto answer = world.send(std::move(late));
    world.run();
    EXPECT_EQ(answer->error(), "its caller needs no answer any more");
  }
  EXPECT_EQ(world.shards.value(cart), "ab");
}

TEST_F(ActorTurns, ARepeatedCallThatHadItsEffectDoesNotRunAgain) {
  world.start();
  actors::Call call = world.call("Cart", "1", "add", "a");
  call.may_repeat = true;
  const storage::CallId id = call.id;
  world.send(std::move(call));
  world.run();
  // Even one that would throw now.
  actors::Call again = world.call("Cart", "1", "fail");
  again.may_repeat = true;
  again.redirects = 1;
  again.id = id;
  const auto answer = world.send(std::move(again));
  world.run();
  EXPECT_EQ(answer->text(), "a");
  EXPECT_EQ(world.actors->metrics().turns_failed.load(), 0U);
  EXPECT_EQ(world.ask("Cart", "1", "read"), "a/1") << "the same instance";
}

TEST_F(ActorTurns, OfCallsThatCannotHaveHadAnEffectNothingIsRecalled) {
  world.start();
  EXPECT_EQ(world.ask("Cart", "1", "add", "a"), "a");
  actors::Call first = world.call("Cart", "1", "add", "b");
  first.may_repeat = true;
  world.send(std::move(first));
  actors::Call reads = world.call("Cart", "1", "read");
  reads.may_repeat = true;
  reads.redirects = 1;
  world.send(std::move(reads));
  world.run();
  EXPECT_EQ(world.shards.recalls(), 0U);
}

TEST_F(ActorTurns, ARepeatedCallGoesElsewhereIfItsShardCannotSayWhatItDid) {
  world.start();
  world.ask("Cart", "1", "add", "a");
  actors::Call again = world.call("Cart", "1", "add", "b");
  again.may_repeat = true;
  again.redirects = 1;
  world.shards.fail_next_recall({Code::kUnavailable, "nobody leads"});
  const auto answer = world.send(std::move(again));
  world.run();
  EXPECT_EQ(answer->text(), failed_with(Code::kPrecondition)) << "handed back";
  EXPECT_EQ(world.shards.value(cart), "a");
}

TEST_F(ActorTurns, AThrowDiscardsEffectsAndTheMemoryIsLoadedAgain) {
  world.start();
  world.ask("Cart", "1", "add", "a");
  EXPECT_EQ(world.ask("Cart", "1", "fail"), failed_with(Code::kApplication));
  EXPECT_EQ(world.ask("Cart", "1", "read"), "a/0");
  EXPECT_EQ(world.shards.entries().size(), 1U);
}

TEST_F(ActorTurns, AnUnknownMethodIsUnimplemented) {
  world.start();
  EXPECT_EQ(world.ask("Cart", "1", "no_such"), failed_with(Code::kUnimplemented));
}

TEST_F(ActorTurns, WriteTurnsNeverOverlapAndRunInOrderOfArrival) {
  world.start();
  world.send("Cart", "1", "wait", "a");
  world.send("Cart", "1", "wait", "b");
  world.run();
  EXPECT_EQ(world.log, (std::vector<std::string>{"begin a"}));
  answer("Other", 0, "ra");
  EXPECT_EQ(world.log, (std::vector<std::string>{"begin a", "end a", "begin b"}));
}

TEST_F(ActorTurns, ReadOnlyTurnsOverlapOneAnotherButNotWriteTurns) {
  world.start();
  world.ask("Cart", "1", "read");
  world.send("Cart", "1", "wait_const", "a");
  world.send("Cart", "1", "wait_const", "b");
  const auto write = world.send("Cart", "1", "add", "w");
  const auto late = world.send("Cart", "1", "read");
  world.run();
  EXPECT_EQ(world.log, (std::vector<std::string>{"begin a", "begin b"}));
  EXPECT_EQ(write->text(), "pending");
  EXPECT_EQ(late->text(), "pending") << "it must not overtake the write turn";
  answer("Other", 1, "");
  answer("Other", 0, "");
  EXPECT_EQ(write->text(), "w");
  EXPECT_EQ(late->text(), "w/1");
}

TEST_F(ActorTurns, InterleavingTurnsRunWhileAnotherWaits) {
  world.start();
  world.send("Cart", "1", "wait", "a");
  world.send("Cart", "1", "add", "b");
  const auto look = world.send("Cart", "1", "look");
  world.run();
  EXPECT_EQ(look->text(), "a/0");
}

TEST_F(ActorTurns, NestedCallsCarryChainDeadlineAndTrace) {
  world.start();
  actors::Call call = world.call("Cart", "1", "wait", "a");
  call.traceparent = "00-trace";
  call.deadline = world.clock.now() + 5s;
  world.send(std::move(call));
  world.run();
  const actors::Call& nested = world.elsewhere["Other"].at(0);
  EXPECT_EQ(nested.traceparent, "00-trace");
  EXPECT_EQ(nested.deadline, world.clock.now() + 5s);
  EXPECT_EQ(nested.chain.waiting, (std::vector<ActorKey>{cart}));
  EXPECT_FALSE(nested.id.empty());
}

TEST_F(ActorTurns, ACallThatWouldWaitForItsOwnChainFailsAtOnceAndNamesTheCycle) {
  world.start();
  world.send("Cart", "1", "wait", "a");
  world.run();
  actors::Call back = world.call("Cart", "1", "add", "b");
  back.chain = world.elsewhere["Other"].at(0).chain;
  back.chain.waiting.push_back({.type = "Other", .id = "1"});
  const auto answer = world.send(std::move(back));
  world.run();
  EXPECT_EQ(answer->code(), Code::kInvalid);
  EXPECT_EQ(answer->error(), "deadlock: Cart/1 -> Other/1 -> Cart/1");
}

TEST_F(ActorTurns, AWaitingCallWhoseDeadlinePassedIsDroppedUnrun) {
  world.start();
  world.send("Cart", "1", "wait", "a");
  actors::Call call = world.call("Cart", "1", "add", "b");
  call.deadline = world.clock.now() + 2s;
  const auto second = world.send(std::move(call));
  world.run();
  world.pass(4s);
  EXPECT_EQ(second->code(), Code::kTimeout);
  answer("Other", 0, "");
  EXPECT_EQ(world.shards.value(cart), "a");
}

TEST_F(ActorTurns, ATurnThatEndsAfterItsDeadlineIsAborted) {
  world.start();
  actors::Call call = world.call("Cart", "1", "nap");
  call.deadline = world.clock.now() + 5s;
  const auto answer = world.send(std::move(call));
  world.run();
  world.pass(11s);
  EXPECT_EQ(answer->code(), Code::kTimeout);
  EXPECT_EQ(world.shards.entries().size(), 0U);
  EXPECT_EQ(world.ask("Cart", "1", "read"), "/0");
}

TEST_F(ActorTurns, ASleepingTurnContinuesWhenTimeHasPassed) {
  world.start();
  const auto answer = world.send("Cart", "1", "nap");
  world.pass(9s);
  EXPECT_EQ(answer->text(), "pending");
  world.pass(1s);
  EXPECT_EQ(answer->text(), "slept");
}

TEST_F(ActorTurns, AFullMailboxRefusesAtOnce) {
  for (const auto& each : world.types) each->options.mailbox_length_max = 2;
  world.start();
  world.send("Cart", "1", "wait", "a");
  world.run();
  world.send("Cart", "1", "add");
  world.send("Cart", "1", "add");
  const auto third = world.send("Cart", "1", "add");
  EXPECT_EQ(third->code(), Code::kExhausted) << "before anything ran";
}

TEST_F(ActorTurns, MessagesOfATurnLeaveWithItsEntry) {
  world.start();
  actors::Call call = world.call("Cart", "1", "tell", "hello");
  call.traceparent = "00-t";
  world.send(std::move(call));
  world.run();
  ASSERT_EQ(world.shards.entries().size(), 1U);
  const auto outbox = world.shards.entries()[0].outbox;
  ASSERT_EQ(outbox.size(), 1U);
  EXPECT_EQ(outbox[0].target, world.shards.shard_of("Cart", "2"));
  const auto message = actors::decode_outbox_message(outbox[0].message);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->message.target.id, "2");
  EXPECT_EQ(message->message.message.view(), "hello");
  EXPECT_EQ(message->traceparent, "00-t");
}

TEST_F(ActorTurns, AnEntryBeyondFourMebibytesIsRefusedAndUndone) {
  world.start();
  world.ask("Cart", "1", "add", "a");
  EXPECT_EQ(world.ask("Cart", "1", "huge"), failed_with(Code::kInvalid));
  EXPECT_EQ(world.ask("Cart", "1", "read"), "a/0");
}

TEST_F(ActorTurns, ARefusedCommitIsUndone) {
  world.start();
  world.ask("Cart", "1", "add", "a");
  world.shards.fail_next_commit({Code::kExhausted, "outbox full"});
  EXPECT_EQ(world.ask("Cart", "1", "add", "b"), failed_with(Code::kExhausted));
  EXPECT_EQ(world.ask("Cart", "1", "read"), "a/0");
}

TEST_F(ActorTurns, AStaleOwnersTurnHasNoEffectAndEndsItsActivation) {
  world.start();
  world.ask("Cart", "1", "add", "a");
  world.shards.usurp("Cart");
  EXPECT_EQ(world.ask("Cart", "1", "add", "b"), failed_with(Code::kPrecondition));
  EXPECT_EQ(world.shards.value(cart), "a");
  EXPECT_TRUE(world.actors->counts().empty());
}

TEST_F(ActorTurns, AStaleOwnersTurnBeginsAnewElsewhereIfItsCallMayBeRepeated) {
  world.start();
  world.ask("Cart", "1", "add", "a");
  for (const bool by_outcome : {false, true}) {
    if (by_outcome) world.shards.usurp("Cart");
    if (!by_outcome) world.shards.fail_next_commit({Code::kPrecondition, "the right has ended"});
    actors::Call call = world.call("Cart", "1", "add", "b");
    call.may_repeat = true;
    const auto answer = world.send(std::move(call));
    world.run();
    EXPECT_EQ(answer->error(), "not the owner of Cart/1") << "handed back " << by_outcome;
  }
  EXPECT_EQ(world.shards.value(cart), "a");
}

TEST_F(ActorTurns, AnUnknownOutcomeIsSaidAndEndsTheActivation) {
  world.start();
  world.ask("Cart", "1", "add", "a");
  world.shards.fail_next_commit({Code::kUnknownOutcome, "leader lost"});
  EXPECT_EQ(world.ask("Cart", "1", "add", "b"), failed_with(Code::kUnknownOutcome));
  EXPECT_TRUE(world.actors->counts().empty());
}

TEST_F(ActorTurns, AReplyWithoutEffectsOfALapsedLeaseIsConfirmedFirst) {
  world.start();
  world.ask("Cart", "1", "add", "a");
  const auto answer = world.send("Cart", "1", "wait_const", "q");
  world.run();
  for (const auto& right : world.shards.rights("Cart")) right->prolong(world.clock.now());
  this->answer("Other", 0, "r");
  EXPECT_EQ(answer->text(), "r");
  EXPECT_EQ(world.shards.confirms(), 1U);
}

TEST_F(ActorTurns, AReplyWithoutEffectsOfAReplacedOwnerIsDropped) {
  world.start();
  const auto answer = world.send("Cart", "1", "wait_const", "q");
  world.run();
  for (const auto& right : world.shards.rights("Cart")) right->prolong(world.clock.now());
  world.shards.usurp("Cart");
  this->answer("Other", 0, "r");
  EXPECT_EQ(answer->code(), Code::kPrecondition);
}

TEST_F(ActorTurns, ANestedCallOfALapsedLeaseLeavesOnceConfirmed) {
  world.start();
  const auto answer = world.send("Cart", "1", "lapse");
  world.run();
  EXPECT_EQ(world.shards.confirms(), 1U);
  EXPECT_EQ(world.elsewhere["Other"].size(), 1U);
  EXPECT_EQ(answer->text(), "pending");
}

TEST_F(ActorTurns, ANestedCallOfAReplacedOwnerDoesNotLeave) {
  world.start();
  world.shards.usurp("Cart");
  EXPECT_EQ(world.ask("Cart", "1", "lapse"), failed_with(Code::kPrecondition));
  EXPECT_TRUE(world.elsewhere["Other"].empty());
}

}  // namespace
}  // namespace troupe::testing
