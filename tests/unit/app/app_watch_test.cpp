#include "runtime/app/app_watch.h"

#include <chrono>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/fake_app.h"
#include "tests/support/manual_time.h"

namespace troupe::app {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Watch : public ::testing::Test {
 protected:
  void begin(AppWatchOptions options = {}) {
    options.app_id = "orders";
    watch = std::make_shared<AppWatch>(
        options,
        AppWatch::Dependencies{.channel = fake,
                               .executor = executor,
                               .clock = clock,
                               .log = Log(silent_log(), "app"),
                               .here =
                                   [this](const AppConfig& config) {
                                     told.push_back("here " + std::to_string(config.types.size()));
                                   },
                               .gone = [this] { told.emplace_back("gone"); }});
    watch->start();
    pass(0s);
  }
  void pass(Duration duration) {
    const Time end = clock.now() + duration;
    for (;;) {
      while (executor.step()) {
      }
      if (executor.next() > end) break;
      clock.advance(executor.next() - clock.now());
    }
    if (end > clock.now()) clock.advance(end - clock.now());
  }
  void answer(int status, const std::string& body = {}) {
    fake.answer(status, body);
    pass(0s);
  }
  void refuse() { fake.listens = fail(Code::kUnavailable, "refused"); }

  testing::ManualClock clock;
  testing::ManualExecutor executor{clock};
  testing::FakeApp fake;
  std::shared_ptr<AppWatch> watch;
  std::vector<std::string> told;
};

constexpr const char* kCart = R"({"entities":["Cart"]})";

TEST_F(Watch, WaitsUntilTheAppListensAndThenReadsWhatItHas) {
  refuse();
  begin();
  pass(1s);
  EXPECT_GE(fake.probes, 10);
  EXPECT_THAT(fake.seen, IsEmpty());
  fake.listens = {};
  pass(100ms);
  ASSERT_THAT(fake.seen, ElementsAre("GET /dapr/config"));
  EXPECT_EQ(fake.first().headers.find("dapr-app-id"), "orders");
  EXPECT_THAT(told, IsEmpty());
  answer(200, kCart);
  EXPECT_THAT(told, ElementsAre("here 1"));
}

TEST_F(Watch, AnAppWithoutConfigurationIsHereWithoutActors) {
  begin();
  answer(404);
  EXPECT_THAT(told, ElementsAre("here 0"));
}

TEST_F(Watch, AnAppThatTalksNonsenseIsHereWithoutActors) {
  begin();
  answer(200, "<html>");
  EXPECT_THAT(told, ElementsAre("here 0"));
}

TEST_F(Watch, AnAppThatDoesNotAnswerIsAskedAgain) {
  begin();
  fake.fail(Code::kUnknownOutcome);
  pass(1s);
  EXPECT_THAT(told, IsEmpty());
  ASSERT_EQ(fake.asked.size(), 1U);
  answer(200, kCart);
  EXPECT_THAT(told, ElementsAre("here 1"));
}

TEST_F(Watch, NoticesThatTheAppIsGoneAndReadsAgainWhenItIsBack) {
  begin();
  answer(200, kCart);
  refuse();
  pass(1s);
  EXPECT_THAT(told, ElementsAre("here 1", "gone"));
  fake.listens = {};
  pass(200ms);
  answer(200, R"({"entities":["Cart","Device"]})");
  EXPECT_THAT(told, ElementsAre("here 1", "gone", "here 2"));
}

TEST_F(Watch, LooksAtOnceWhenARequestMetNobody) {
  begin();
  answer(200, kCart);
  pass(500ms);
  refuse();
  watch->trouble();
  pass(20ms);
  EXPECT_THAT(told, ElementsAre("here 1", "gone"));
}

TEST_F(Watch, AfterALostConnectionTheAppMayBeAnother) {
  begin();
  answer(200, kCart);
  pass(2s);
  watch->trouble();
  pass(20ms);
  ASSERT_EQ(fake.asked.size(), 1U);
  answer(200, R"({"entities":["Cart","Device"]})");
  EXPECT_THAT(told, ElementsAre("here 1", "here 2"));
}

TEST_F(Watch, WhatIsTheSameIsNoNews) {
  begin();
  answer(200, kCart);
  pass(2s);
  watch->trouble();
  pass(20ms);
  answer(200, kCart);
  EXPECT_THAT(told, ElementsAre("here 1"));
}

TEST_F(Watch, AnAppThatIsTooBusyToBeConnectedIsStillHere) {
  begin();
  answer(200, kCart);
  fake.listens = fail(Code::kTimeout, "no answer");
  pass(5s);
  EXPECT_THAT(told, ElementsAre("here 1"));
}

TEST_F(Watch, HealthIsAskedFirstAndFailuresCountUntilTheThreshold) {
  begin({.health = {.enabled = true, .interval = 1s, .threshold = 2}});
  EXPECT_THAT(fake.seen, ElementsAre("CHECK /healthz"));
  fake.say_health(503);
  pass(1s);
  fake.say_health(204);
  pass(0s);
  answer(200, kCart);
  EXPECT_THAT(told, ElementsAre("here 1"));
  for (const int status : {500, 200, 500}) {  // not one after the other
    pass(1s);
    EXPECT_THAT(told, ElementsAre("here 1"));
    fake.say_health(status);
    pass(0s);
  }
  EXPECT_THAT(told, ElementsAre("here 1", "gone"));
  pass(1s);
  fake.say_health(200);
  pass(0s);
  answer(200, kCart);
  EXPECT_THAT(told, ElementsAre("here 1", "gone", "here 1"));
}

TEST_F(Watch, WithoutThatEndpointNothingIsAsked) {
  begin({.asks_config = false});
  EXPECT_THAT(fake.seen, IsEmpty());
  EXPECT_THAT(told, ElementsAre("here 0"));
}

}  // namespace
}  // namespace troupe::app
