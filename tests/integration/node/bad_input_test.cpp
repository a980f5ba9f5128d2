// What strangers may send to the HTTP API of a node.
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/node_cluster.h"

namespace troupe {
namespace {

using testing::HasSubstr;

class BadInput : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    cluster_ = std::make_unique<NodeCluster>(TROUPE_COUNTER, 1);
    cluster_->start_all();
    ASSERT_TRUE(cluster_->all_ready());
  }
  static void TearDownTestSuite() { cluster_.reset(); }
  // It still counts right.
  void TearDown() override {
    ASSERT_TRUE(cluster_->process(0).runs());
    const std::string id = testing::UnitTest::GetInstance()->current_test_info()->name();
    EXPECT_EQ(add(id, "2").body, "2");
    EXPECT_EQ(add(id, "3").body, "5");
    EXPECT_EQ(cluster_->get(0, "/troupe/v1/actors/Counter/ids?limit=1000").status, 200);
  }

  static Answer add(const std::string& id, std::string body) {
    return cluster_->post(0, "/v1.0/actors/Counter/" + id + "/method/add", std::move(body));
  }
  static Answer remind(const std::string& body) {
    return cluster_->post(0, "/v1.0/actors/Counter/reminded/reminders/value", body);
  }
  static void expect(const Answer& answer, int status, const std::string& text) {
    EXPECT_EQ(answer.status, status) << answer.body;
    EXPECT_THAT(answer.body, HasSubstr(text));
    EXPECT_THAT(answer.body, HasSubstr("errorCode"));
  }

  static std::unique_ptr<NodeCluster> cluster_;
};

std::unique_ptr<NodeCluster> BadInput::cluster_;

TEST_F(BadInput, MessagesOfTheWrongKindAreRefused) {
  expect(add("a", ""), 400, "message of method 'add'");
  expect(add("a", "\"x\""), 400, "expected an integer, got a string");
  expect(add("a", "99999999999"), 400, "got 99999999999");
  expect(add("a", "1 2"), 400, "message of method 'add'");
  expect(add("a", std::string("\0\xff", 2)), 400, "message of method 'add'");
  expect(add("a", std::string(100'000, '[')), 400, "message of method 'add'");
}

TEST_F(BadInput, MessagesThatAreTooLargeAreRefused) {
  expect(add("a", std::string(5 * 1024 * 1024, '1')), 413, "body larger than 4198400 bytes");
  expect(add("a", std::string(4 * 1024 * 1024, '1')), 400, "add");
}

TEST_F(BadInput, WhatIsNotThereIsNamed) {
  expect(cluster_->post(0, "/v1.0/actors/Counter/a/method/nope", "1"), 500,
         "has no method 'nope'; it has add, value");
  expect(cluster_->post(0, "/v1.0/actors/Nope/a/method/add", "1"), 500,
         "no node of the cluster hosts actor type 'Nope'");
  expect(cluster_->get(0, "/v1.0/nope"), 404, "ERR_DIRECT_INVOKE");
  expect(cluster_->send(0, "PATCH", "/v1.0/actors/Counter/a/method/add", "1"), 404,
         "ERR_DIRECT_INVOKE");
}

TEST_F(BadInput, NamesOfActorsAreChecked) {
  expect(add("a%2Fb", "1"), 400, "invalid actorId: contains the character '/'");
  expect(add("a%00b", "1"), 400, "invalid actorId: contains a control character");
  expect(add("%2E%2E", "1"), 400, "invalid actorId: cannot be '.' or '..'");
  expect(add("%FF%FE", "1"), 400, "invalid actorId: is not UTF-8");
  expect(add("%ED%A0%80", "1"), 400, "invalid actorId: is not UTF-8");
  expect(add(std::string(5000, 'a'), "1"), 400, "invalid actorId: is longer than");
  EXPECT_EQ(add("a%7Cb", "1").body, "1");
  EXPECT_EQ(add("a%7C%7Cb", "1").body, "1");
  EXPECT_EQ(add("%F0%9F%98%80", "1").body, "1");
  EXPECT_EQ(add("%F0%9F%98%80", "1").body, "2");
  EXPECT_EQ(add("with%20space", "1").body, "1");
  EXPECT_EQ(add("100%25", "1").body, "1");
}

TEST_F(BadInput, TimesThatMakeNoSenseAreRefused) {
  for (const char* due : {"99999999999h", "P9999999999Y", "PT", "garbage", "25:00", "R5/PT1S"}) {
    expect(remind(R"({"dueTime":")" + std::string(due) + "\"}"), 500, "ERR_ACTOR_REMINDER_CREATE");
  }
  for (const char* period : {"-5s", "99999999999h", "R-3/PT1S", "* * *", "@never"}) {
    expect(remind(R"({"dueTime":"1h","period":")" + std::string(period) + "\"}"), 500,
           "ERR_ACTOR_REMINDER_CREATE");
  }
  for (const char* ttl : {"-5s", "99999999999h", "2001-01-01T00:00:00Z", "soon"}) {
    expect(remind(R"({"dueTime":"1h","ttl":")" + std::string(ttl) + "\"}"), 500,
           "ERR_ACTOR_REMINDER_CREATE");
  }
  expect(remind(R"({"dueTime":5})"), 400, "expected a string");
  expect(remind("[]"), 400, "expected an object");
  expect(remind(""), 400, "EOF");
}

TEST_F(BadInput, TimesFarAwayAreKept) {
  for (const char* due : {"9999-12-31T23:59:59Z", "2540400h10m10s", "P100Y", "-5s",
                          "2001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"}) {
    const Answer answer = remind(R"({"dueTime":")" + std::string(due) + "\"}");
    EXPECT_EQ(answer.status, 204) << due << answer.body;
  }
  EXPECT_EQ(remind(R"({"dueTime":"9999-12-31T23:59:59Z","period":"876000h"})").status, 204);
  EXPECT_EQ(cluster_->get(0, "/v1.0/actors/Counter/reminded/reminders/value").status, 200);
  EXPECT_EQ(cluster_->get(0, "/troupe/v1/reminders/Counter/reminded").status, 200);
}

TEST_F(BadInput, APastDueReminderComesAtOnce) {
  const Answer registered = cluster_->post(0, "/v1.0/actors/Counter/late/reminders/add",
                                           R"({"dueTime":"2001-01-01T00:00:00Z","data":7})");
  EXPECT_EQ(registered.status, 204) << registered.body;
  EXPECT_TRUE(eventually(
      [&] { return cluster_->post(0, "/v1.0/actors/Counter/late/method/value").body == "7"; }));
}

TEST_F(BadInput, TimersOfBadTimesAreRefused) {
  const std::string timer = "/v1.0/actors/Counter/a/timers/value";
  for (const char* due : {"99999999999h", "garbage", "PT"}) {
    expect(cluster_->post(0, timer, R"({"dueTime":")" + std::string(due) + "\"}"), 500,
           "ERR_ACTOR_TIMER_CREATE");
  }
  EXPECT_EQ(cluster_->post(0, timer, R"({"dueTime":"9999-12-31T23:59:59Z"})").status, 204);
  EXPECT_EQ(cluster_->post(0, timer, R"({"dueTime":"2540400h","period":"2540400h"})").status, 204);
}

TEST_F(BadInput, StateThatIsNoneIsRefused) {
  const std::string state = "/v1.0/actors/Counter/a/state";
  expect(cluster_->post(0, state, "{"), 400, "failed deserializing HTTP body");
  expect(cluster_->post(0, state, R"([{"operation":"burn","request":{"key":"k"}}])"), 400,
         "operation type burn not supported");
  EXPECT_EQ(cluster_->post(0, state, R"([{"operation":"upsert","request":{"key":"k","value":1}}])")
                .status,
            204);
  EXPECT_EQ(cluster_->get(0, "/v1.0/actors/Counter/a/state/k").body, "1");
}

}  // namespace
}  // namespace troupe
