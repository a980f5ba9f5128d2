// Actors whose code is in an app, in activations as they are.
#include "runtime/app/app_actors.h"

#include <chrono>
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actors/state/operations.h"
#include "actors/state/reminder_operations.h"
#include "actors/state/timer_operations.h"
#include "tests/support/actor_world.h"
#include "tests/support/fake_app.h"

namespace troupe::app {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Answer = testing::ActorWorld::AnswerPtr;

class AppActorsTest : public ::testing::Test {
 protected:
  // What the app is asked for holds what it is about.
  void TearDown() override {
    world.shards.release_commits();
    world.actors->stop(world.clock.now() + 1min, [] {});
    world.run();
    while (!fake.asked.empty()) app_fails(Code::kCancelled);
  }
  void begin(const std::string& config = R"({"entities":["Cart"]})") {
    const Result<AppConfig> read = parse_app_config(config);
    for (ActorType& type : AppActors(fake, world.clock, Log(silent_log(), "app")).types(*read)) {
      world.types.push_back(std::make_shared<ActorType>(std::move(type)));
    }
    world.start();
  }
  Answer send(const std::string& method, const std::string& body = {}, Duration patience = 60s) {
    actors::Call call = world.call("Cart", "1", method, body);
    call.deadline = world.clock.now() + patience;
    return send(std::move(call));
  }
  Answer send(actors::Call call) {
    Answer answer = world.send(std::move(call));
    world.run();
    return answer;
  }
  void app_answers(int status, const std::string& body = {}, net::HttpHeaders headers = {}) {
    fake.answer(status, body, std::move(headers));
    world.run();
  }
  void app_fails(Code code) {
    fake.fail(code);
    world.run();
  }
  actors::Call change(const std::string& value) {
    actors::Call call = world.call("Cart", "1", "");
    call.kind = actors::CallKind::kState;
    call.here_only = true;
    actors::StateOperations operations;
    operations.changes.push_back({.name = "count", .value = value, .etag = {}, .ttl = {}});
    call.message = actors::encode(operations);
    return call;
  }
  Answer set_count(const std::string& value) { return offer(change(value)); }
  // As the API does, for what may come from a turn.
  Answer offer(actors::Call call) {
    auto answer = std::make_shared<testing::ActorWorld::Answer>();
    call.done = [answer](Result<actors::Reply> reply) { answer->outcome = std::move(reply); };
    if (!world.actors->deliver_here(call)) call.done(fail(Code::kPrecondition, "not here"));
    world.run();
    return answer;
  }
  void let_go() {
    world.actors->set_types({});
    world.run();
  }
  void host() {
    world.actors->set_types({world.types.begin(), world.types.end()});
    world.run();
  }
  std::string count() { return world.shards.value(key, "count"); }

  testing::FakeApp fake;
  testing::ActorWorld world;
  const ActorKey key{.type = "Cart", .id = "1"};
};

TEST_F(AppActorsTest, ATurnIsAPutAndItsAnswerTheReply) {
  begin();
  actors::Call call = world.call("Cart", "a/b c", "add", R"({"x":1})");
  call.content_type = "application/json";
  call.metadata = {{"X-Given", "yes"}, {"Connection", "close"}, {":query", "a=1&b=2"}};
  const Answer answer = send(std::move(call));
  ASSERT_EQ(fake.asked.size(), 1U);
  const net::HttpRequest& request = fake.first();
  EXPECT_EQ(request.method, "PUT");
  EXPECT_EQ(request.target, "/actors/Cart/a%2Fb%20c/method/add?a=1&b=2");
  EXPECT_EQ(request.body.view(), R"({"x":1})");
  EXPECT_EQ(request.headers.find("content-type"), "application/json");
  EXPECT_EQ(request.headers.find("x-given"), "yes");
  EXPECT_EQ(request.headers.find("Dapr-API-Call"), "true");
  EXPECT_FALSE(request.headers.contains("connection"));
  EXPECT_FALSE(request.headers.contains("Dapr-Reentrancy-Id"));
  app_answers(200, "7", {{"content-type", "text/plain"}, {"X-Own", "1"}, {"keep-alive", "5"}});
  ASSERT_TRUE(answer->outcome && *answer->outcome);
  const actors::Reply& reply = **answer->outcome;
  EXPECT_EQ(reply.body.view(), "7");
  EXPECT_EQ(reply.content_type, "text/plain");
  ASSERT_EQ(reply.metadata.size(), 1U);
  EXPECT_EQ(reply.metadata[0].name, "X-Own");
}

TEST_F(AppActorsTest, WhatTheAppRefusesIsItsOwnFailure) {
  begin();
  for (const int status : {500, 201, 204, 503}) {
    const Answer answer = send("add");
    app_answers(status, "boom");
    EXPECT_EQ(answer->code(), Code::kApplication);
    EXPECT_EQ(answer->error(), "(" + std::to_string(status) + ") boom");
  }
  const Answer answer = send("nope");
  app_answers(404);
  EXPECT_EQ(answer->code(), Code::kUnimplemented);
  EXPECT_EQ(answer->error(), "actor method not found: actors/Cart/1/method/nope");
}

TEST_F(AppActorsTest, AnAnswerMarkedAsAnErrorKeepsItsMark) {
  begin();
  const Answer answer = send("add");
  app_answers(200, "why", {{"x-daprerrorresponseheader", "true"}});
  ASSERT_TRUE(answer->outcome && *answer->outcome);
  EXPECT_EQ((**answer->outcome).metadata.at(0).name, actors::kErrorMetadata);
}

TEST_F(AppActorsTest, TheNextTurnWaitsForTheAppThoughTheCallerHasGivenUp) {
  begin();
  const Answer first = send("slow", "", 1s);
  const Answer second = send("add");
  world.pass(3s);
  EXPECT_EQ(first->code(), Code::kUnknownOutcome);
  EXPECT_EQ(fake.asked.size(), 1U);
  world.pass(20s);
  EXPECT_EQ(fake.asked.size(), 1U);
  app_answers(200);
  ASSERT_EQ(fake.asked.size(), 1U);
  EXPECT_EQ(fake.first().target, "/actors/Cart/1/method/add");
  app_answers(200, "done");
  EXPECT_EQ(second->text(), "done");
}

TEST_F(AppActorsTest, AnAppThatDiesInATurnEndsIt) {
  begin();
  const Answer first = send("add");
  const Answer second = send("add");
  app_fails(Code::kUnknownOutcome);
  EXPECT_EQ(first->code(), Code::kUnknownOutcome);
  ASSERT_EQ(fake.asked.size(), 1U);
  app_answers(200, "ok");
  EXPECT_EQ(second->text(), "ok");
}

TEST_F(AppActorsTest, ACallThatTheAppHasSurelyNotSeenGoesOnToWhereItIs) {
  begin();
  const Answer answer = send("add");
  app_fails(Code::kUnavailable);
  EXPECT_EQ(answer->error(), "not the owner of Cart/1");  // what returned() says here
}

TEST_F(AppActorsTest, ACallThatAnotherNodeMayHaveRunIsNotAskedAgain) {
  begin();
  actors::Call call = world.call("Cart", "1", "add");
  call.may_repeat = true;
  call.may_have_run = true;
  EXPECT_EQ(send(std::move(call))->code(), Code::kUnknownOutcome);
  EXPECT_TRUE(fake.asked.empty());
}

TEST_F(AppActorsTest, ANamedCallIsAskedOnceAndGetsItsRecordedReply) {
  begin();
  const auto named = [&](bool again) {
    actors::Call call = world.call("Cart", "1", "add");
    call.id = storage::CallId{.origin = NodeId{7, 7}, .generation = {}, .sequence = 5};
    call.may_repeat = true;
    call.asked_before = again;
    call.redirects = again ? 1 : 0;
    call.deadline = world.clock.now() + 60s;
    return call;
  };
  const Answer first = send(named(false));
  const Answer joined = send(named(true));
  EXPECT_EQ(fake.asked.size(), 1U);
  app_answers(200, "seven");
  EXPECT_EQ(first->text(), "seven");
  EXPECT_EQ(joined->text(), "seven");
  EXPECT_EQ(send(named(true))->text(), "seven");
  EXPECT_TRUE(fake.asked.empty());
}

TEST_F(AppActorsTest, ANamedCallThatIsAskedAgainWithoutARecordIsNotBegun) {
  begin();
  actors::Call call = world.call("Cart", "1", "add");
  call.id = storage::CallId{.origin = NodeId{7, 7}, .generation = {}, .sequence = 5};
  call.may_repeat = true;
  call.asked_before = true;
  call.redirects = 1;
  call.deadline = world.clock.now() + 60s;
  EXPECT_EQ(send(std::move(call))->code(), Code::kUnknownOutcome);
  EXPECT_TRUE(fake.asked.empty());
}

TEST_F(AppActorsTest, AValueIsWrittenWhileTheTurnGoesOn) {
  begin();
  const Answer turn = send("add");
  EXPECT_EQ(set_count("1")->text(), "");
  EXPECT_EQ(count(), "1");
  EXPECT_EQ(turn->text(), "pending");
  app_answers(200, "ok");
  EXPECT_EQ(turn->text(), "ok");
}

TEST_F(AppActorsTest, AValueIsRefusedOnceTheActorHasMoved) {
  begin();
  const Answer turn = send("add");
  world.shards.usurp("Cart");
  EXPECT_EQ(set_count("1")->code(), Code::kPrecondition);
  EXPECT_EQ(count(), "");
}

TEST_F(AppActorsTest, AValueOfAnActorThatIsNotActiveHereIsRefused) {
  begin();
  EXPECT_EQ(set_count("1")->code(), Code::kPrecondition);
  actors::Call call = change("1");
  call.here_only = false;
  call.from = NodeId{9, 9};  // from a node that had the actor before
  EXPECT_EQ(send(std::move(call))->code(), Code::kPrecondition);
  EXPECT_EQ(count(), "");
}

TEST_F(AppActorsTest, ATurnThatIsToEndIsStillServed) {
  begin();
  const Answer turn = send("add");
  let_go();
  EXPECT_EQ(set_count("1")->text(), "");
  EXPECT_EQ(count(), "1");
  app_answers(200, "ok");
  EXPECT_EQ(turn->text(), "ok");
  EXPECT_EQ(fake.first().method, "DELETE");
  EXPECT_EQ(fake.first().target, "/actors/Cart/1");
}

TEST_F(AppActorsTest, TheNextActivationAsksNothingBeforeTheLastRequestIsAnswered) {
  begin();
  const Answer turn = send("add");
  let_go();
  world.pass(5s);  // more than the drain time-out
  EXPECT_EQ(turn->code(), Code::kUnknownOutcome);
  host();
  const Answer next = send("again");
  EXPECT_EQ(fake.asked.size(), 1U);
  app_answers(200, "late");
  ASSERT_THAT(fake.seen, ElementsAre("PUT /actors/Cart/1/method/add", "DELETE /actors/Cart/1"));
  app_answers(200);
  ASSERT_EQ(fake.asked.size(), 1U);
  EXPECT_EQ(fake.first().target, "/actors/Cart/1/method/again");
  app_answers(200, "ok");
  EXPECT_EQ(next->text(), "ok");
}

TEST_F(AppActorsTest, AnIdleActorIsLetGoAndNoneInATurn) {
  begin(R"({"entities":["Cart"],"actorIdleTimeout":"10s"})");
  send("add");
  world.pass(30s);
  EXPECT_EQ(fake.seen.size(), 1U);
  app_answers(200);
  world.pass(12s);
  ASSERT_THAT(fake.seen, ElementsAre("PUT /actors/Cart/1/method/add", "DELETE /actors/Cart/1"));
  app_answers(500);  // gone anyway
  send("add");
  EXPECT_EQ(fake.first().target, "/actors/Cart/1/method/add");
}

class AppTicks : public AppActorsTest {
 protected:
  void remind(const std::string& method = "r") {
    actors::Call call = world.call("Cart", "1", method);
    call.kind = actors::CallKind::kReminders;
    actors::ReminderOperation operation;
    operation.kind = actors::ReminderOperation::Kind::kChange;
    operation.change.name = "r";
    operation.change.method = "r";
    operation.change.message = std::string(R"({"k":1})");
    operation.change.due = "10s";
    operation.change.period = "20s";
    operation.change.failure.interval = 1s;
    operation.change.failure.retries_max = 3;
    call.message = encode(operation);
    EXPECT_EQ(send(std::move(call))->text(), "");
    world.pass(10s);
  }
  std::vector<actors::StoredReminder> rows() {
    std::vector<actors::StoredReminder> found;
    const auto right = world.shards.right(world.shards.shard_of("Cart", "1"), "Cart");
    world.shards.reminders(right, key, "", [&](auto read) { found = *read; });
    world.run();
    return found;
  }
  std::uint32_t attempts() { return actors::reminder_facts(rows().at(0).body)->attempts; }
  Answer tick() {
    const auto row = rows().at(0);
    actors::Call call = world.call("Cart", "1", row.name, row.body);
    call.kind = actors::CallKind::kTick;
    call.cause = storage::TickCause{
        .name = row.name, .registration = row.registration, .number = row.number};
    return send(std::move(call));
  }
};

TEST_F(AppTicks, AReminderIsAPutAndMovesOnWhenTheAppTookIt) {
  begin();
  remind();
  tick();
  EXPECT_EQ(fake.first().target, "/actors/Cart/1/method/remind/r");
  EXPECT_EQ(fake.first().body.view(), R"({"data":{"k":1},"dueTime":"","period":""})");
  EXPECT_EQ(rows().at(0).number, 1U);
  app_answers(200);
  EXPECT_EQ(rows().at(0).number, 2U);
}

TEST_F(AppTicks, AFailureOfTheAppCountsAndItsAbsenceDoesNot) {
  begin();
  remind();
  tick();
  app_fails(Code::kUnavailable);
  EXPECT_EQ(attempts(), 0U);
  EXPECT_EQ(rows().at(0).number, 1U);
  for (const int status : {500, 201, 404}) {
    tick();
    app_answers(status);
  }
  EXPECT_EQ(attempts(), 3U);
  tick();
  app_answers(200, "", {{"X-DaprErrorResponseHeader", "true"}});
  EXPECT_EQ(rows().at(0).number, 2U);  // its policy says so
}

TEST_F(AppTicks, ATickThatIsSentAgainWhileTheAppIsAtItIsNotAskedTwice) {
  begin();
  remind();
  tick();
  EXPECT_EQ(tick()->code(), Code::kUnavailable);
  app_answers(200);
  EXPECT_TRUE(fake.asked.empty());
}

TEST_F(AppTicks, ATickUnderWayIsWaitedForWhenTheActorMoves) {
  begin();
  remind();
  const Answer answer = tick();
  let_go();
  EXPECT_EQ(answer->text(), "pending");
  app_answers(200);
  EXPECT_EQ(rows().at(0).number, 2U);
}

TEST_F(AppTicks, TheAppCanEndItsReminder) {
  begin();
  remind();
  tick();
  app_answers(200, "", {{"X-DaprReminderCancel", "True"}});
  EXPECT_TRUE(rows().empty());
}

TEST_F(AppTicks, ATimerBringsItsWordsAndGoesOnWhateverTheAppSays) {
  begin();
  actors::Call call = world.call("Cart", "1", "");
  call.kind = actors::CallKind::kTimers;
  actors::TimerOperation operation{.name = "t", .timer = Timer{}};
  Timer& timer = *operation.timer;
  timer.method = "tock";
  timer.data = Payload(R"("x")");
  timer.schedule.first = world.clock.wall() + 1s;
  timer.schedule.period = Duration(1s);
  timer.schedule.repeats = 2;
  timer.texts = {.due_time = "1s", .period = "R2/PT1S", .ttl = {}};
  call.message = encode(operation);
  EXPECT_EQ(send(std::move(call))->text(), "");
  for (const int status : {500, 200}) {
    world.pass(1s);
    ASSERT_EQ(fake.asked.size(), 1U);
    EXPECT_EQ(fake.first().target, "/actors/Cart/1/method/timer/t");
    EXPECT_EQ(fake.first().body.view(),
              R"({"data":"x","callback":"tock","dueTime":"1s","period":"R2/PT1S"})");
    app_answers(status);
  }
  world.pass(5s);
  EXPECT_EQ(fake.seen.size(), 2U);
}

constexpr const char* kReentrant =
    R"({"entities":["Cart"],"reentrancy":{"enabled":true,"maxStackDepth":2}})";

TEST_F(AppActorsTest, ACallOfARunningChainEntersAndOthersWait) {
  begin(kReentrant);
  const Answer outer = send("outer");
  const std::string id(fake.first().headers.find("Dapr-Reentrancy-Id").value_or(""));
  ASSERT_FALSE(id.empty());
  send("other");
  EXPECT_EQ(fake.asked.size(), 1U);
  const auto inside = [&](const std::string& method) {
    actors::Call call = world.call("Cart", "1", method);
    call.chain.id = id;
    return send(std::move(call));
  };
  const Answer inner = inside("inner");
  ASSERT_EQ(fake.asked.size(), 2U);
  EXPECT_EQ(fake.asked[1].request.headers.find("Dapr-Reentrancy-Id"), id);
  const Answer deeper = inside("deeper");
  EXPECT_EQ(deeper->code(), Code::kExhausted);
  EXPECT_EQ(deeper->error(), "maximum stack depth exceeded");
  app_answers(200, "outer");
  EXPECT_EQ(outer->text(), "outer");
  app_answers(200, "inner");
  EXPECT_EQ(inner->text(), "inner");
  EXPECT_EQ(fake.first().target, "/actors/Cart/1/method/other");
}

TEST_F(AppActorsTest, WhatANativeActorIsAnsweredWithAMarkIsAnError) {
  world.type("Native", {{"ask", [](testing::ScriptedActor& self, TurnMessage, TurnContext& context,
                                   Done<TurnResult> done) {
                           auto kept = std::make_shared<Done<TurnResult>>(std::move(done));
                           context.call({{"Cart", "1"}, "add", {}, {}, {}, false},
                                        [kept, &self](Result<Payload> reply) {
                                          if (!reply) return (*kept)(fail(reply.error()));
                                          (*kept)(self.result(std::string(reply->view())));
                                        });
                         }}});
  begin();
  const Answer marked = world.send("Native", "1", "ask");
  world.run();
  EXPECT_FALSE(fake.first().headers.contains("Dapr-API-Call"));
  app_answers(200, "why", {{"X-DaprErrorResponseHeader", "true"}});
  EXPECT_EQ(marked->code(), Code::kApplication);
  EXPECT_EQ(marked->error(), "why");
  const Answer plain = world.send("Native", "1", "ask");
  world.run();
  app_answers(200, "fine");
  EXPECT_EQ(plain->text(), "fine");
}

}  // namespace
}  // namespace troupe::app
