#include "runtime/cluster/commit_inbox.h"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/manual_time.h"

namespace troupe::cluster {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::SizeIs;

class CommitInboxTest : public ::testing::Test {
 protected:
  // Numbered from 0 on.
  void put(int count = 1) {
    for (; count > 0; --count) {
      auto entry = std::make_shared<storage::Entry>();
      numbers.push_back(entry.get());
      inbox->put({.right = nullptr,
                  .entry = std::move(entry),
                  .done = [this](const Result<storage::Outcome>& outcome) {
                    refused.push_back(outcome ? std::nullopt : std::optional(outcome.error().code));
                  }});
    }
  }
  // What the actors had to do is done.
  void actors_pause() {
    for (Work& work : std::exchange(gathered, {})) work();
  }
  void run_loop() {
    while (loop.step()) {
    }
  }
  std::vector<std::ptrdiff_t> proposed() const {
    std::vector<std::ptrdiff_t> found;
    for (const auto& each : entries) {
      found.push_back(std::ranges::find(numbers, each.get()) - numbers.begin());
    }
    return found;
  }

  testing::ManualClock clock;
  testing::ManualExecutor loop{clock};
  std::vector<Work> gathered;
  std::function<void(Work)> gather = [this](Work work) { gathered.push_back(std::move(work)); };
  std::vector<const storage::Entry*> numbers;
  std::vector<std::shared_ptr<storage::Entry>> entries;
  std::vector<std::optional<Code>> refused;
  Function<void(CommitInbox::Commit)> propose = [this](CommitInbox::Commit commit) {
    entries.push_back(std::move(commit.entry));
  };
  std::unique_ptr<CommitInbox> inbox =
      std::make_unique<CommitInbox>(loop, gather, std::move(propose));
};

TEST_F(CommitInboxTest, TheLoopTakesAllThatGatherWhileTheActorsAreBusyInTheirOrder) {
  put(3);
  run_loop();
  EXPECT_THAT(entries, SizeIs(0));
  EXPECT_THAT(gathered, SizeIs(1));
  actors_pause();
  put();
  run_loop();
  EXPECT_THAT(proposed(), ElementsAre(0, 1, 2, 3));
  put();
  actors_pause();
  run_loop();
  EXPECT_THAT(proposed(), ElementsAre(0, 1, 2, 3, 4));
  EXPECT_THAT(refused, SizeIs(0));
}

TEST_F(CommitInboxTest, ManyDoNotWaitForTheActors) {
  put(31);
  run_loop();
  EXPECT_THAT(entries, SizeIs(0));
  put(2);
  run_loop();
  EXPECT_THAT(entries, SizeIs(33));
  actors_pause();
  run_loop();
  EXPECT_THAT(entries, SizeIs(33));
  put();
  EXPECT_THAT(gathered, SizeIs(1));
}

TEST_F(CommitInboxTest, WithNowhereToGatherTheyGoToTheLoopAtOnce) {
  gather = nullptr;
  put();
  run_loop();
  EXPECT_THAT(proposed(), ElementsAre(0));
}

TEST_F(CommitInboxTest, WhatAStopFindsIsAnsweredOnTheLoop) {
  put(2);
  inbox.reset();
  actors_pause();
  EXPECT_THAT(refused, SizeIs(0));
  run_loop();
  EXPECT_THAT(refused, SizeIs(2));
  EXPECT_THAT(refused, Each(Code::kPrecondition));
  EXPECT_THAT(entries, SizeIs(0));
}

}  // namespace
}  // namespace troupe::cluster
