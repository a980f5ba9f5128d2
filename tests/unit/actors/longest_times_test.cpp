#include <chrono>
#include <utility>
#include <variant>

#include <gtest/gtest.h>

#include "actors/schedule/calendar.h"
#include "tests/support/actor_world.h"

namespace troupe::testing {
namespace {

using namespace std::chrono_literals;

// Who says how long with the longest Duration there is means "as long as it takes".
class LongestTimes : public ::testing::Test {
 protected:
  static void sleep(ScriptedActor& self, TurnMessage, TurnContext& context, Done<TurnResult> done) {
    context.sleep(Duration::max(), [&self, done = std::move(done)](Result<void>) mutable {
      done(self.result("slept"));
    });
  }
  static void ask(ScriptedActor& self, TurnMessage, TurnContext& context, Done<TurnResult> done) {
    context.call({.target = {.type = "Elsewhere", .id = "1"},
                  .method = "m",
                  .message = {},
                  .content_type = {},
                  .timeout = Duration::max()},
                 [&self, done = std::move(done)](Result<Payload> reply) mutable {
                   if (!reply) return done(fail(reply.error()));
                   done(self.result(std::string(reply->view())));
                 });
  }
  static void nothing(ScriptedActor& self, TurnMessage, TurnContext&, Done<TurnResult> done) {
    done(self.result("ok"));
  }
  static void change(ScriptedActor& self, TurnMessage, TurnContext&, Done<TurnResult> done) {
    self.state += "c";
    done(self.result("ok"));
  }

  ActorWorld world;
  ActorType& type = world.type(
      "Cart", {{"sleep", sleep}, {"ask", ask}, {"nothing", nothing}, {"change", change}});
  ActorWorld& started() {
    world.start();
    return world;
  }
};

TEST_F(LongestTimes, ASleepDoesNotEndAtOnce) {
  const auto answer = started().send("Cart", "1", "sleep");
  world.pass(30s);
  EXPECT_EQ(answer->text(), "pending");
}

TEST_F(LongestTimes, ACallLastsAsLongAsTheCallersTurn) {
  started().send("Cart", "1", "ask");
  world.run();
  ASSERT_EQ(world.elsewhere["Elsewhere"].size(), 1U);
  EXPECT_EQ(world.elsewhere["Elsewhere"][0].deadline,
            world.clock.now() + ActorOptions{}.turn_timeout);
}

TEST_F(LongestTimes, TurnsOfATypeWithoutATimeoutRun) {
  type.options.turn_timeout = Duration::max();
  type.options.drain_timeout = Duration::max();
  EXPECT_EQ(started().ask("Cart", "1", "nothing"), "ok");
  const auto answer = world.send("Cart", "1", "sleep");
  world.pass(2min);
  EXPECT_EQ(answer->text(), "pending");
}

TEST_F(LongestTimes, ACallThatMayTakeForEverIsRememberedAsLong) {
  actors::Call call = started().call("Cart", "1", "change");
  call.may_repeat = true;
  call.deadline = Time::max();
  world.send(std::move(call));
  world.run();
  ASSERT_EQ(world.shards.entries().size(), 1U);
  const storage::TurnCommand entry = world.shards.entries()[0];
  ASSERT_TRUE(std::holds_alternative<storage::CallCause>(entry.cause));
  EXPECT_EQ(std::get<storage::CallCause>(entry.cause).keep_until, kLastWallTime);
}

}  // namespace
}  // namespace troupe::testing
