#include "runtime/cluster/answers.h"

#include <chrono>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/manual_time.h"

namespace troupe::cluster {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr NodeId kCaller{1, 1};

// Reaches the caller, or does not.
class OneWay final : public Network {
 public:
  bool send(NodeId, Lane, std::string frame) override {
    ++tries;
    const auto reply = decode_reply(frame);
    if (!reaches || !reply) return false;
    told.push_back(reply->id);
    return true;
  }
  void know(NodeId, std::string) override {}
  void forget(NodeId) override {}
  void introduce(const std::string&, std::string, Done<std::string>) override {}
  void send_datagram(const std::string&, std::string) override {}

  bool reaches = true;
  int tries = 0;
  std::vector<std::uint64_t> told;
};

class AnswersTest : public ::testing::Test {
 protected:
  void answer(std::uint64_t id) {
    answers.send(kCaller, {.id = id, .result = actors::Reply{}, .elsewhere = false, .row = {}});
  }
  void pass(Duration time) {
    for (Duration passed{}; passed < time; passed += 10ms) {
      clock.advance(10ms);
      while (loop.step()) {
      }
    }
  }

  testing::ManualClock clock;
  testing::ManualExecutor loop{clock};
  OneWay network;
  Answers answers{clock, loop, network};
};

TEST_F(AnswersTest, GoAtOnceToACallerThatIsReached) {
  answer(1);
  answer(2);
  EXPECT_THAT(network.told, ElementsAre(1, 2));
  EXPECT_EQ(answers.waiting(), 0U);
}

TEST_F(AnswersTest, WaitForACallerThatIsNotReachedYetAndAreSaidOnce) {
  network.reaches = false;
  answer(1);
  answer(2);
  pass(2s);
  EXPECT_THAT(network.told, IsEmpty());
  network.reaches = true;
  pass(2s);
  EXPECT_THAT(network.told, ElementsAre(1, 2));
  EXPECT_EQ(answers.waiting(), 0U);
}

TEST_F(AnswersTest, AreGivenUpWhenTheCallerIsNotReachedForLong) {
  network.reaches = false;
  answer(1);
  pass(6s);
  EXPECT_EQ(answers.waiting(), 0U);
  const int tries = network.tries;
  network.reaches = true;
  pass(6s);
  EXPECT_EQ(network.tries, tries);
  EXPECT_THAT(network.told, IsEmpty());
}

TEST_F(AnswersTest, ThatWaitAreBoundedInNumber) {
  network.reaches = false;
  for (std::uint64_t id = 1; id <= 10'001; ++id) answer(id);
  EXPECT_EQ(answers.waiting(), 10'000U);
  network.reaches = true;
  pass(1s);
  EXPECT_EQ(network.told.size(), 10'000U);
  EXPECT_EQ(network.told.back(), 10'000U);
}

}  // namespace
}  // namespace troupe::cluster
