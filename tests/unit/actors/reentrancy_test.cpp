// Calls of one chain that enter an actor again, and what they commit together.
#include <gtest/gtest.h>

#include "tests/support/actor_world.h"

namespace troupe::testing {
namespace {

class Reentrancy : public ::testing::Test {
 protected:
  void SetUp() override {
    ActorType& type =
        world.type("Loop", {{"outer", outer}, {"inner", inner}, {"bad", bad}, {"ask", ask}});
    type.options.reentrant = true;
    type.options.reentrant_depth_max = 2;
    world.start();
  }
  static void inner(ScriptedActor& self, TurnMessage, TurnContext&, Done<TurnResult> done) {
    self.state += "i";
    TurnResult result = self.result("inner");
    result.outbox.push_back({.target = {.type = "Loop", .id = "2"}, .method = "m", .message = {}});
    done(std::move(result));
  }
  static void bad(ScriptedActor&, TurnMessage, TurnContext&, Done<TurnResult> done) {
    done(fail(Code::kApplication, "bad"));
  }
  // Calls itself by the method that the message names, whatever comes of it.
  static void outer(ScriptedActor& self, TurnMessage message, TurnContext& context,
                    Done<TurnResult> done) {
    self.state += "o";
    NestedCall nested;
    nested.target = context.self();
    nested.method = message.body.view();
    nested.message = std::string("inner");
    context.call(std::move(nested), [&self, done = std::move(done)](Result<Payload> reply) mutable {
      done(self.result(reply ? std::string(reply->view()) : reply.error().message));
    });
  }

  // Waits for somebody who is not here.
  static void ask(ScriptedActor& self, TurnMessage, TurnContext& context, Done<TurnResult> done) {
    self.state += "a";
    NestedCall nested;
    nested.target = {.type = "Other", .id = "1"};
    nested.method = "answer";
    context.call(std::move(nested),
                 [&self, done = std::move(done)](const Result<Payload>&) mutable {
                   done(self.result("asked"));
                 });
  }

  ActorWorld world;
  const ActorKey key{.type = "Loop", .id = "1"};
};

TEST_F(Reentrancy, OverlappingTurnsOfAChainCommitTogether) {
  EXPECT_EQ(world.ask("Loop", "1", "outer", "inner"), "inner");
  ASSERT_EQ(world.shards.entries().size(), 1U);
  EXPECT_EQ(world.shards.entries()[0].outbox.size(), 1U);
  EXPECT_EQ(world.shards.value(key), "oi");
}

TEST_F(Reentrancy, AThrowInsideAbortsTheWhole) {
  const auto answer = world.send("Loop", "1", "outer", "bad");
  world.run();
  EXPECT_EQ(answer->code(), Code::kApplication) << "though the outer turn caught it";
  EXPECT_TRUE(world.shards.entries().empty());
  EXPECT_EQ(world.ask("Loop", "1", "inner"), "inner");
  EXPECT_EQ(world.shards.value(key), "i");
}

TEST_F(Reentrancy, AChainEntersAtMostSoDeep) {
  const std::string text = world.ask("Loop", "1", "outer", "outer");
  EXPECT_NE(text.find(actors::kTooDeep), std::string::npos) << text;
}

TEST_F(Reentrancy, ARepeatOfACallWhoseTurnStillRunsIsNoPartOfItAndIsAnsweredAsIt) {
  const storage::CallId id{.origin = {7, 7}, .generation = {}, .sequence = 1};
  const auto attempt = [&](std::uint32_t redirects) {
    actors::Call call = world.call("Loop", "1", "ask");
    call.chain.id = "chain";
    call.id = id;
    call.may_repeat = true;
    call.redirects = redirects;
    return world.send(std::move(call));
  };
  const auto first = attempt(0);
  world.run();
  const auto second = attempt(1);
  world.run();
  ASSERT_EQ(world.elsewhere["Other"].size(), 1U) << "it waits";
  world.elsewhere["Other"][0].done(actors::Reply{});
  world.run();
  EXPECT_EQ(first->text(), "asked");
  EXPECT_EQ(second->text(), "asked");
  EXPECT_EQ(world.elsewhere["Other"].size(), 1U);
  EXPECT_EQ(world.shards.value(key), "a");
}

TEST_F(Reentrancy, CallsOfOtherChainsWait) {
  const auto first = world.send("Loop", "1", "outer", "inner");
  const auto second = world.send("Loop", "1", "inner");
  world.run();
  EXPECT_EQ(world.shards.value(key), "oii");
  EXPECT_EQ(world.shards.entries().size(), 2U);
}

}  // namespace
}  // namespace troupe::testing
