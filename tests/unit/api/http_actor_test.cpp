// Dapr's endpoints of actors, over a router that is not there.
#include <gtest/gtest.h>

#include "actors/state/timer_operations.h"
#include "tests/unit/api/api_world.h"

namespace troupe::testing {
namespace {

using namespace std::chrono_literals;
using actors::CallKind;

class ActorEndpoints : public ::testing::Test {
 protected:
  ReminderChange reminder_change() const {
    return actors::decode_reminder_operation(world.call().message.view())->change;
  }
  actors::TimerOperation timer_operation() const {
    return *actors::decode_timer_operation(world.call().message.view());
  }
  Timer timer() const { return timer_operation().timer.value(); }

  ApiWorld world;
};

TEST_F(ActorEndpoints, AnyVerbInvokesAMethod) {
  world.reply(R"({"n":1})");
  for (const char* verb : {"GET", "POST", "PUT", "DELETE"}) {
    EXPECT_EQ(world.ask(verb, "/v1.0/actors/Cart/c1/method/add", R"({"sku":"a"})"),
              R"(200 {"n":1})");
    EXPECT_EQ(world.call().key, (ActorKey{"Cart", "c1"}));
    EXPECT_EQ(world.call().kind, CallKind::kMethod);
    EXPECT_EQ(world.call().method, "add");
    EXPECT_EQ(world.call().message.view(), R"({"sku":"a"})");
  }
}

TEST_F(ActorEndpoints, RepliesKeepTheirContentTypeAndMetadata) {
  world.backend.routed.answer = [](const actors::Call&) -> Result<actors::Reply> {
    return actors::Reply{
        .body = std::string("x"), .content_type = "text/plain", .metadata = {{"x-more", "1"}}};
  };
  const net::HttpResponse response = world.request("POST", "/v1.0/actors/Cart/c1/method/add");
  EXPECT_EQ(response.content_type, "text/plain");
  EXPECT_EQ(response.headers.find("x-more"), "1");
}

TEST_F(ActorEndpoints, RepliesAreJsonUnlessTheySayOtherwise) {
  world.reply("1");
  EXPECT_EQ(world.request("POST", "/v1.0/actors/Cart/c1/method/add").content_type,
            "application/json");
}

TEST_F(ActorEndpoints, AnEncodedSlashIsPartOfTheMethod) {
  world.ask("POST", "/v1.0/actors/Cart/c1/method/a%2Fb");
  EXPECT_EQ(world.call().method, "a/b");
  world.ask("POST", "/v1.0/actors/Cart/user%40x%7Cy/method/add");
  EXPECT_EQ(world.call().key.id, "user@x|y");
}

TEST_F(ActorEndpoints, NamesAreChecked) {
  EXPECT_EQ(world.ask("POST", "/v1.0/actors/Ca%2Frt/c1/method/add"),
            "400 " + error_json("ERR_BAD_REQUEST",
                                "invalid request: invalid actorType: contains the character '/'"));
  EXPECT_TRUE(world.ask("POST", "/v1.0/actors/Cart/%2e%2e/method/add").starts_with("400 "));
  EXPECT_TRUE(world.ask("POST", "/v1.0/actors/Cart/a%00b/state", "[]").starts_with("400 "));
  EXPECT_TRUE(world.ask("DELETE", "/v1.0/actors/Cart/c1/timers/a%3Fb").starts_with("400 "));
  EXPECT_TRUE(world.backend.routed.calls.empty());
}

constexpr const char* kKey = "00000000000000AB00000000000000cd-17";

TEST_F(ActorEndpoints, ACallMayBringAnIdOfItsCallers) {
  world.ask("POST", "/v1.0/actors/Cart/c1/method/add", "1", {{"Troupe-Call-Key", kKey}});
  EXPECT_EQ(world.call().id,
            (storage::CallId{.origin = {0xab, 0xcd}, .generation = {}, .sequence = 17}));
  EXPECT_TRUE(world.call().may_repeat);
  EXPECT_FALSE(world.call().repeated());
  EXPECT_TRUE(world.call().metadata.size() <= 1) << "a trace, and nothing of the key";
  world.ask("POST", "/v1.0/actors/Cart/c1/method/add", "1",
            {{"troupe-call-key", kKey}, {"troupe-call-attempt", "1"}});
  EXPECT_FALSE(world.call().repeated());
  world.ask("POST", "/troupe/v1/call/Cart/c1/add", "1",
            {{"troupe-call-key", kKey}, {"troupe-call-attempt", "2"}});
  EXPECT_TRUE(world.call().repeated());
  EXPECT_EQ(world.call().id.sequence, 17U);
  EXPECT_EQ(world.call().done_below, 0U);
  world.ask("POST", "/v1.0/actors/Cart/c1/method/add", "1",
            {{"troupe-call-key", kKey}, {"troupe-calls-done-below", "17"}});
  EXPECT_EQ(world.call().done_below, 17U);
}

TEST_F(ActorEndpoints, ACallerIsNotDoneWithTheCallThatItMakesNorWithNoNumber) {
  for (const std::string done : {"18", "-1", "x", "1 "}) {
    EXPECT_TRUE(world
                    .ask("POST", "/v1.0/actors/Cart/c1/method/add", "1",
                         {{"troupe-call-key", kKey}, {"troupe-calls-done-below", done}})
                    .starts_with("400 "))
        << done;
  }
  EXPECT_TRUE(
      world.ask("POST", "/v1.0/actors/Cart/c1/method/add", {}, {{"troupe-calls-done-below", "2"}})
          .starts_with("400 "))
      << "whose?";
  EXPECT_TRUE(world.backend.routed.calls.empty());
}

TEST_F(ActorEndpoints, ATransactionMayBringAnIdOfItsCallers) {
  const std::string state = "/v1.0/actors/Cart/c1/state";
  world.ask("POST", state, R"([{"operation":"delete","request":{"key":"old"}}])",
            {{"troupe-call-key", kKey}, {"troupe-call-attempt", "2"}});
  EXPECT_EQ(world.call().id.sequence, 17U);
  EXPECT_TRUE(world.call().repeated());
}

TEST_F(ActorEndpoints, ACallWithoutAKeyIsNotRepeatedFromOutside) {
  world.ask("POST", "/v1.0/actors/Cart/c1/method/add", "1");
  EXPECT_EQ(world.call().id.origin, (NodeId{1, 1}));
  EXPECT_FALSE(world.call().may_repeat);
}

TEST_F(ActorEndpoints, AMalformedKeyIsRefusedAndSaysWhatIsRight) {
  const std::string caller(32, 'a');
  const auto refused = [&](const std::string& key, const std::string& attempt = {}) {
    net::HttpHeaders headers{{"troupe-call-key", key}};
    if (!attempt.empty()) headers.add("troupe-call-attempt", attempt);
    return world.ask("POST", "/v1.0/actors/Cart/c1/method/add", {}, std::move(headers));
  };
  EXPECT_EQ(refused("7"), "400 " + error_json("ERR_BAD_REQUEST",
                                              "invalid request: troupe-call-key '7' is no key of "
                                              "a call: it is 32 hexadecimal digits that the "
                                              "caller has drawn at random, '-', and the number "
                                              "of the call from 1 on, such as "
                                              "9f86d081884c7d659a2feaa0c55ad015-1"));
  for (const std::string& key :
       {caller, caller + "-", caller + "-0", caller + "--1", caller + "-1x", caller + "1-1",
        caller + "-18446744073709551616", std::string(32, '0') + "-1", std::string(32, 'g') + "-1",
        std::string(100'000, 'a')}) {
    EXPECT_TRUE(refused(key).starts_with("400 ")) << key;
  }
  for (const std::string attempt : {"0", "-1", "two", "2 ", "4294967296"}) {
    EXPECT_TRUE(refused(caller + "-1", attempt).starts_with("400 ")) << attempt;
  }
  EXPECT_TRUE(
      world.ask("POST", "/v1.0/actors/Cart/c1/method/add", {}, {{"troupe-call-attempt", "2"}})
          .starts_with("400 "))
      << "of what?";
  EXPECT_TRUE(world.backend.routed.calls.empty());
}

TEST_F(ActorEndpoints, ACallWithAKeyIsNotRememberedForHours) {
  const auto status = [&](const std::string& timeout) {
    return world
        .request("POST", "/v1.0/actors/Cart/c1/method/add", {},
                 {{"troupe-call-key", kKey}, {"troupe-timeout-ms", timeout}})
        .status;
  };
  EXPECT_EQ(status("600000"), 200);
  EXPECT_EQ(status("600001"), 400);
}

TEST_F(ActorEndpoints, WhatAMethodThrowsIsTheCallersToSee) {
  world.refuse(Code::kApplication, "not <enough>");
  EXPECT_EQ(world.ask("POST", "/v1.0/actors/Cart/c1/method/pay"),
            "500 " + error_json("ERR_ACTOR_INVOKE_METHOD",
                                "error invoke actor method: error from actor service: (500) not "
                                "\\u003cenough\\u003e"));
}

TEST_F(ActorEndpoints, AnUnknownMethodIsSaidInDaprsWords) {
  world.refuse(Code::kUnimplemented, "no method 'nope'");
  EXPECT_EQ(world.ask("POST", "/v1.0/actors/Cart/c1/method/nope"),
            "500 " + error_json("ERR_ACTOR_INVOKE_METHOD",
                                "error invoke actor method: actor method not found: "
                                "actors/Cart/c1/method/nope: no method 'nope'"));
}

TEST_F(ActorEndpoints, AnUnknownTypeIsSaidInDaprsWords) {
  world.refuse(Code::kNotFound, "no node hosts it");
  EXPECT_EQ(world.ask("POST", "/v1.0/actors/Cat/c1/method/add"),
            "500 " + error_json("ERR_ACTOR_INVOKE_METHOD",
                                "error invoke actor method: failed to lookup actor: api error: "
                                "code = FailedPrecondition desc = did not find address for actor "
                                "'Cat/c1': no node hosts it"));
}

TEST_F(ActorEndpoints, ARefusalNamesItsCodeInAHeader) {
  world.refuse(Code::kUnimplemented, "no method 'nope'");
  EXPECT_EQ(world.request("POST", "/v1.0/actors/Cart/c1/method/nope").headers.find("troupe-code"),
            "unimplemented");
  world.refuse(Code::kUnknownOutcome, "who knows");
  EXPECT_EQ(world.request("POST", "/v1.0/actors/Cart/c1/method/add").headers.find("troupe-code"),
            "unknown outcome");
}

TEST_F(ActorEndpoints, OverloadTimeOutsAndOutagesHaveTheirOwnStatus) {
  world.refuse(Code::kExhausted, "full");
  EXPECT_EQ(world.ask("POST", "/v1.0/actors/Cart/c1/method/add"),
            "429 " + error_json("ERR_ACTOR_INVOKE_METHOD", "error invoke actor method: full"));
  world.refuse(Code::kTimeout, "late");
  EXPECT_EQ(world.request("POST", "/v1.0/actors/Cart/c1/method/add").status, 504);
  world.refuse(Code::kUnavailable, "no leader");
  EXPECT_EQ(world.request("POST", "/v1.0/actors/Cart/c1/method/add").status, 503);
}

TEST_F(ActorEndpoints, BeforeTheNodeIsAMemberCallsAreRefused) {
  world.backend.is_ready = false;
  const net::HttpResponse response = world.request("POST", "/v1.0/actors/Cart/c1/method/add");
  EXPECT_EQ(response.status, 503);
  EXPECT_NE(response.body.view().find("ERR_ACTOR_RUNTIME_CLOSED"), std::string_view::npos);
}

TEST_F(ActorEndpoints, ATransactionBecomesOneStateCall) {
  EXPECT_EQ(world.ask("POST", "/v1.0/actors/Cart/c1/state",
                      R"([{"operation":"upsert","request":{"key":"items","value":{"a":1},
                           "etag":"7","metadata":{"ttlInSeconds":"60"}}},
                          {"Operation":"delete","Request":{"Key":"old"}}])"),
            "204 ");
  EXPECT_EQ(world.call().kind, CallKind::kState);
  const auto operations = actors::decode_state_operations(world.call().message.view());
  ASSERT_TRUE(operations);
  ASSERT_EQ(operations->changes.size(), 2U);
  EXPECT_EQ(operations->changes[0].name, "items");
  EXPECT_EQ(operations->changes[0].value, R"({"a":1})");
  EXPECT_EQ(operations->changes[0].etag, 7U);
  EXPECT_EQ(operations->changes[0].ttl, Duration(60s));
  EXPECT_EQ(operations->changes[1].name, "old");
  EXPECT_FALSE(operations->changes[1].value);
}

TEST_F(ActorEndpoints, AnEmptyTransactionSucceedsWithoutACall) {
  EXPECT_EQ(world.ask("PUT", "/v1.0/actors/Cart/c1/state", "[]"), "204 ");
  EXPECT_TRUE(world.backend.routed.calls.empty());
}

TEST_F(ActorEndpoints, BadTransactionsAreRefusedWithTheReason) {
  const auto ask = [&](const std::string& body) {
    return world.ask("POST", "/v1.0/actors/Cart/c1/state", body);
  };
  EXPECT_EQ(ask(""),
            "400 " + error_json("ERR_MALFORMED_REQUEST", "failed deserializing HTTP body: EOF"));
  EXPECT_TRUE(ask("{").starts_with("400 "));
  EXPECT_NE(
      ask(R"([{"operation":"patch","request":{}}])").find("operation type patch not supported"),
      std::string::npos);
  EXPECT_NE(ask(R"([{"operation":"delete"}])").find("request data is empty"), std::string::npos);
  EXPECT_EQ(ask(R"([{"operation":"delete","request":{}}])"),
            "500 " + error_json("ERR_ACTOR_STATE_TRANSACTION_SAVE",
                                "error saving actor transaction state: missing key"));
  EXPECT_TRUE(ask(R"([{"operation":"upsert","request":{"key":"k","metadata":
                       {"ttlInSeconds":"soon"}}}])")
                  .starts_with("500 "));
  EXPECT_TRUE(world.backend.routed.calls.empty());
}

TEST_F(ActorEndpoints, AValueIsReadWithItsExpiry) {
  const actors::StoredValues values{
      {"items", {.value = "[1]", .etag = 9, .expires = WallTime(1700000000s)}}};
  world.reply(encode(values));
  const net::HttpResponse response = world.request("GET", "/v1.0/actors/Cart/c1/state/items");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body.view(), "[1]");
  EXPECT_EQ(response.content_type, "application/json");
  EXPECT_EQ(response.headers.find("metadata.ttlExpireTime"), "2023-11-14T22:13:20Z");
  EXPECT_EQ(response.headers.find("etag"), "9");
}

TEST_F(ActorEndpoints, AnAbsentValueIsNoContent) {
  world.reply(encode(actors::StoredValues{}));
  EXPECT_EQ(world.ask("GET", "/v1.0/actors/Cart/c1/state/none"), "204 ");
}

TEST_F(ActorEndpoints, AReminderIsRegisteredAsDaprSaysIt) {
  EXPECT_EQ(world.ask("POST", "/v1.0/actors/Cart/c1/reminders/nudge",
                      R"({"dueTime":"10s","period":"1m","data":"x"})"),
            "204 ");
  EXPECT_EQ(world.call().kind, CallKind::kReminders);
  const ReminderChange change = reminder_change();
  EXPECT_EQ(change.name, "nudge");
  EXPECT_EQ(change.method, "nudge");
  EXPECT_EQ(change.message.view(), R"("x")");
  EXPECT_EQ(change.due, "10s");
  EXPECT_EQ(change.period, "1m");
  EXPECT_TRUE(change.overwrite);
  EXPECT_EQ(change.failure.interval, Duration(1s));
  EXPECT_EQ(change.failure.retries_max, 3U);
}

TEST_F(ActorEndpoints, AReminderMayBringAFailurePolicy) {
  world.ask("PUT", "/v1.0/actors/Cart/c1/reminders/r",
            R"({"dueTime":"1s","failure_policy":{"constant":{"interval":"5s","max_retries":9}}})");
  EXPECT_EQ(reminder_change().failure.interval, Duration(5s));
  EXPECT_EQ(reminder_change().failure.retries_max, 9U);
  world.ask("PUT", "/v1.0/actors/Cart/c1/reminders/r",
            R"({"dueTime":"1s","failurePolicy":{"drop":{}}})");
  EXPECT_TRUE(reminder_change().failure.drop);
}

TEST_F(ActorEndpoints, AReminderWithoutATimeIsRefused) {
  const std::string answer = world.ask("POST", "/v1.0/actors/Cart/c1/reminders/r", "{}");
  EXPECT_TRUE(answer.starts_with("500 "));
  EXPECT_NE(answer.find("ERR_ACTOR_REMINDER_CREATE"), std::string::npos);
  EXPECT_NE(answer.find("job must have either a due time or a schedule"), std::string::npos);
  EXPECT_TRUE(world.ask("POST", "/v1.0/actors/Cart/c1/reminders/r", R"({"dueTime":"soon"})")
                  .starts_with("500 "));
  EXPECT_TRUE(world.backend.routed.calls.empty());
}

TEST_F(ActorEndpoints, AReminderThatExistsMayBeKept) {
  world.refuse(Code::kConflict, "there is one");
  EXPECT_EQ(world.ask("POST", "/v1.0/actors/Cart/c1/reminders/r1",
                      R"({"dueTime":"1s","overwrite":false})"),
            "409 " + error_json("ERR_ACTOR_REMINDER_ALREADY_EXISTS",
                                "actor reminder already exists: r1"));
  EXPECT_FALSE(reminder_change().overwrite);
}

TEST_F(ActorEndpoints, RemindersOfTypesThatNobodyHostsAreRefused) {
  world.refuse(Code::kNotFound, "nobody");
  const std::string expected =
      "403 " + error_json("ERR_ACTOR_REMINDER_NON_HOSTED",
                          "operations on actor reminders are only possible on hosted actor types");
  EXPECT_EQ(world.ask("POST", "/v1.0/actors/Cat/c1/reminders/r", R"({"dueTime":"1s"})"), expected);
  EXPECT_EQ(world.ask("GET", "/v1.0/actors/Cat/c1/reminders/r"), expected);
  EXPECT_EQ(world.ask("DELETE", "/v1.0/actors/Cat/c1/reminders/r"), expected);
}

TEST_F(ActorEndpoints, AReminderIsShownAsRegistered) {
  actors::ReminderFacts facts;
  facts.name = "r1";
  facts.data = R"("x")";
  facts.due_text = "10s";
  facts.period = "@every 1m0s";
  world.reply(actors::encode({facts}));
  EXPECT_EQ(world.ask("GET", "/v1.0/actors/Cart/c1/reminders/r1"),
            R"(200 {"actorID":"c1","actorType":"Cart","data":"x","dueTime":"10s",)"
            R"("period":"@every 1m0s"})");
}

TEST_F(ActorEndpoints, AnUnknownReminderIsNotFoundButCanBeDeleted) {
  world.reply(actors::encode(std::vector<actors::ReminderFacts>()));
  EXPECT_EQ(world.ask("GET", "/v1.0/actors/Cart/c1/reminders/r1"),
            "404 " + error_json("ERR_ACTOR_REMINDER_NOT_FOUND", "actor reminder not found: r1"));
  EXPECT_EQ(world.ask("DELETE", "/v1.0/actors/Cart/c1/reminders/r1"), "204 ");
  EXPECT_TRUE(reminder_change().cancel);
  EXPECT_EQ(reminder_change().name, "r1");
}

TEST_F(ActorEndpoints, ATimerCallsItsCallback) {
  EXPECT_EQ(world.ask("POST", "/v1.0/actors/Cart/c1/timers/t1",
                      R"({"dueTime":"1s","period":"R3/PT2S","callback":"onTick","data":{"k":1}})"),
            "204 ");
  EXPECT_EQ(world.call().kind, CallKind::kTimers);
  EXPECT_EQ(timer_operation().name, "t1");
  EXPECT_EQ(timer().method, "onTick");
  EXPECT_EQ(timer().data.view(), R"({"k":1})");
  EXPECT_EQ(timer().schedule.first, world.clock.wall() + 1s);
  EXPECT_EQ(timer().schedule.period, Period(Duration(2s)));
  EXPECT_EQ(timer().schedule.repeats, 3U);
  EXPECT_EQ(timer().catch_up, TickCatchUp::kAll);
}

TEST_F(ActorEndpoints, ATimerMayRepeatByTheCalendar) {
  EXPECT_EQ(world.ask("POST", "/v1.0/actors/Cart/c1/timers/t1", R"({"period":"R5/P1Y2M3D"})"),
            "204 ");
  EXPECT_EQ(timer().schedule.period, Period(CalendarStep{.months = 14, .days = 3, .exact = {}}));
  EXPECT_EQ(timer().schedule.repeats, 5U);
}

TEST_F(ActorEndpoints, ATimerWithoutAnythingFiresOnceAtOnceUnderItsName) {
  EXPECT_EQ(world.ask("PUT", "/v1.0/actors/Cart/c1/timers/t1", "{}"), "204 ");
  EXPECT_EQ(timer().method, "");  // stands for the timer's name
  EXPECT_EQ(timer().schedule.first, world.clock.wall());
  EXPECT_FALSE(timer().schedule.recurring());
}

TEST_F(ActorEndpoints, ATimerIsDeleted) {
  EXPECT_EQ(world.ask("DELETE", "/v1.0/actors/Cart/c1/timers/t1"), "204 ");
  EXPECT_FALSE(timer_operation().timer);
}

TEST_F(ActorEndpoints, BadTimersAreRefused) {
  EXPECT_NE(world.ask("POST", "/v1.0/actors/Cart/c1/timers/t1", R"({"period":"often"})")
                .find("ERR_ACTOR_TIMER_CREATE"),
            std::string::npos);
  EXPECT_TRUE(world.ask("POST", "/v1.0/actors/Cart/c1/timers/t1", R"({"period":"R0/PT1S"})")
                  .starts_with("500 "));
  world.refuse(Code::kNotFound, "nobody");
  EXPECT_EQ(world.ask("POST", "/v1.0/actors/Cat/c1/timers/t1", "{}"),
            "500 " + error_json("ERR_ACTOR_TIMER_CREATE",
                                "error creating actor timer: can't create timer for actor "
                                "Cat||c1: actor type not registered"));
}

TEST_F(ActorEndpoints, ReservedTypesAreForbiddenExceptForCalls) {
  const std::string base = "/v1.0/actors/dapr.internal.default.shop.workflow/1/";
  for (const std::string& path : {base + "reminders/r", base + "timers/t"}) {
    EXPECT_TRUE(world.ask("POST", path, R"({"dueTime":"1s"})").starts_with("403 ")) << path;
  }
  EXPECT_NE(world.ask("GET", base + "state/k").find("ERR_ACTOR_TYPE_RESERVED"), std::string::npos);
  EXPECT_EQ(world.request("POST", base + "method/m").status, 200);
}

TEST_F(ActorEndpoints, TheTraceOfTheCallerGoesOnAndComesBack) {
  const std::string trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  const net::HttpResponse response =
      world.request("POST", "/v1.0/actors/Cart/c1/method/add", "", {{"Traceparent", trace}});
  EXPECT_EQ(world.call().traceparent, trace);
  EXPECT_EQ(response.headers.find("traceparent"), trace);
  world.ask("POST", "/v1.0/actors/Cart/c1/method/add");
  EXPECT_TRUE(api::valid_traceparent(world.call().traceparent));
  EXPECT_NE(world.call().traceparent, trace);
}

TEST_F(ActorEndpoints, TheCallersHeadersTravelButNotItsSecretsOrIdentity) {
  world.ask("POST", "/v1.0/actors/Cart/c1/method/add", "x",
            {{"X-Mine", "1"},
             {"dapr-api-token", "secret"},
             {"dapr-caller-app-id", "somebody"},
             {"Content-Type", "text/plain"},
             {"Host", "here"}});
  std::string names;
  for (const actors::Metadata& each : world.call().metadata) names += each.name + " ";
  EXPECT_EQ(names, "X-Mine traceparent ");
  EXPECT_EQ(world.call().content_type, "text/plain");
}

}  // namespace
}  // namespace troupe::testing
