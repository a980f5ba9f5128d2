#include "runtime/node/run_queue.h"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actors/activation/inline_scheduler.h"
#include "tests/support/manual_time.h"

namespace troupe::node {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

class Other final : public actors::Runnable {
 public:
  explicit Other(std::vector<int>& log) : log_(log) {}
  Outcome run() override {
    log_.push_back(0);
    return Outcome::kAsleep;
  }

 private:
  std::vector<int>& log_;
};

class RunQueues : public ::testing::Test {
 protected:
  void post(RunQueue& queue, int number) {
    queue.post([this, number] { log.push_back(number); });
  }
  void pass(Duration duration) {
    clock.advance(duration);
    while (loop.step()) {
    }
  }

  testing::ManualClock clock;
  testing::ManualExecutor loop{clock};
  actors::InlineScheduler scheduler;
  std::vector<int> log;
};

TEST_F(RunQueues, RunInOrderAndWakeOnce) {
  RunQueue queue(scheduler, loop, clock, RunQueue::Place::kNext);
  for (const int number : {1, 2, 3}) post(queue, number);
  EXPECT_EQ(scheduler.awake(), 1U);
  EXPECT_TRUE(log.empty());
  scheduler.run();
  EXPECT_THAT(log, ElementsAre(1, 2, 3));
  post(queue, 4);
  scheduler.run();
  EXPECT_THAT(log, ElementsAre(1, 2, 3, 4));
}

TEST_F(RunQueues, BehindLetWhatWaitsGoFirst) {
  RunQueue queue(scheduler, loop, clock, RunQueue::Place::kBehind);
  const auto other = std::make_shared<Other>(log);
  const std::unique_ptr<actors::Slot> slot = scheduler.attach(*other);
  post(queue, 1);
  slot->wake(other);
  scheduler.run();
  EXPECT_THAT(log, ElementsAre(0, 1));
}

TEST_F(RunQueues, RunElsewhereWhenNoThreadComesForThem) {
  RunQueue queue(scheduler, loop, clock, RunQueue::Place::kNext);
  post(queue, 1);
  post(queue, 2);
  pass(10ms);
  pass(10ms);
  EXPECT_THAT(log, ElementsAre(1, 2));
  scheduler.run();
  EXPECT_THAT(log, ElementsAre(1, 2)) << "and not again";
  post(queue, 3);
  scheduler.run();
  EXPECT_THAT(log, ElementsAre(1, 2, 3));
}

TEST_F(RunQueues, LookAfterTheirWorkOnlyWhileThereIsSome) {
  RunQueue queue(scheduler, loop, clock, RunQueue::Place::kNext);
  post(queue, 1);
  scheduler.run();
  for (int i = 0; i < 5; ++i) pass(10ms);
  EXPECT_EQ(loop.next(), Time::max());
}

TEST_F(RunQueues, MayBePostedToByTheirOwnWork) {
  RunQueue queue(scheduler, loop, clock, RunQueue::Place::kNext);
  queue.post([&] {
    log.push_back(1);
    post(queue, 2);
  });
  scheduler.run();
  EXPECT_THAT(log, ElementsAre(1, 2));
}

}  // namespace
}  // namespace troupe::node
