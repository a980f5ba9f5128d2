// Three nodes on hosts of their own, and what networks, kernels and operators do to them. Callers
// write down what they asked and heard, and whether that can be is checked afterwards.

#include "tests/faults/cluster/faulty_network.h"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <optional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/base/random.h"
#include "sdk/examples/counter/counter.h"

namespace troupe {
namespace {

using namespace std::chrono_literals;

TEST_F(FaultyNetwork, ANodeThatIsCutOffAnswersNothingAndTheOthersGoOn) {
  network_->set_around({host(2)}, {.cut = true});
  EXPECT_TRUE(eventually([&] { return !answers(2); }));
  EXPECT_TRUE(load_->goes_on());
  // It says so, in time for the caller to ask another one: of all calls but those that had left it
  // before it noticed, whose outcome it cannot know.
  std::optional<Error> refused;
  EXPECT_TRUE(eventually([&] {
    const auto answer =
        cluster_->client_of(2, 20s).actor<Counter>("shared0").call<&Counter::value>().result();
    if (!answer) refused = answer.error();
    return refused && refused->code != Code::kUnknownOutcome;
  }));
  EXPECT_EQ(refused->code, Code::kUnavailable);
  EXPECT_THAT(refused->message,
              testing::ContainsRegex("not reachable of its replicas|are reachable"));
  expect_recovery();
}

TEST_F(FaultyNetwork, ANodeThatHearsNobodyIsReplaced) {
  for (const std::size_t other : {0U, 1U}) network_->set(host(other), host(2), {.cut = true});
  EXPECT_TRUE(eventually([&] { return !answers(2); }));
  EXPECT_TRUE(load_->goes_on());
  expect_recovery();
}

TEST_F(FaultyNetwork, ANodeThatNobodyHearsIsReplaced) {
  for (const std::size_t other : {0U, 1U}) network_->set(host(2), host(other), {.cut = true});
  EXPECT_TRUE(eventually([&] { return !answers(2); }));
  EXPECT_TRUE(load_->goes_on());
  expect_recovery();
}

TEST_F(FaultyNetwork, TwoNodesThatOnlyTheThirdHearsDoNotBothServe) {
  network_->set(host(0), host(2), {.cut = true});
  network_->set(host(2), host(0), {.cut = true});
  pause(3s);
  EXPECT_TRUE(load_->goes_on());
  expect_recovery();
}

TEST_F(FaultyNetwork, LinksThatComeAndGoLoseNothing) {
  for (int i = 0; i < 5; ++i) {
    network_->set_around({host(static_cast<std::size_t>(i) % 3)}, {.cut = true});
    pause(1s);
    network_->heal();
    pause(1s);
  }
  expect_recovery();
}

TEST_F(FaultyNetwork, ATenthOfThePacketsLostAndTheRestLateIsNoOutage) {
  network_->set_around({host(0)}, {.loss = 0.1, .jitter = 200ms});
  network_->set_around({host(1)}, {.loss = 0.1, .jitter = 200ms});
  EXPECT_TRUE(load_->goes_on(100));
  expect_recovery();
}

TEST_F(FaultyNetwork, ANodePausedForPartsAndMultiplesOfALeaseSaysNothingStale) {
  for (const Duration length : {Duration(500ms), Duration(1s), Duration(2s), Duration(10s)}) {
    cluster_->process(2).signal(SIGSTOP);
    pause(length);
    cluster_->process(2).signal(SIGCONT);
    EXPECT_TRUE(load_->goes_on());
  }
  expect_recovery();
}

// For so many rounds as TROUPE_KILLS says; each takes some four seconds.
TEST_F(FaultyNetwork, NodesKilledOneAfterTheOtherLoseNothing) {
  const char* wanted = std::getenv("TROUPE_KILLS");
  const int rounds = wanted == nullptr ? 4 : std::atoi(wanted);
  Random random(7);
  for (int round = 0; round < rounds; ++round) {
    const std::size_t victim = random.below(3);
    cluster_->process(victim).kill();
    EXPECT_TRUE(load_->goes_on());
    pause(2s);
    cluster_->start(victim);
    ASSERT_TRUE(cluster_->ready(victim));
  }
  expect_recovery();
}

}  // namespace
}  // namespace troupe
