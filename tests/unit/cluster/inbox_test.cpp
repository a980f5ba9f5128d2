#include "runtime/cluster/inbox.h"

#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace troupe::cluster {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

constexpr NodeId kOne{1, 1};
constexpr NodeId kTwo{2, 2};

class InboxTest : public ::testing::Test {
 protected:
  void run() {
    for (Work& work : std::exchange(works, {})) work();
  }

  std::vector<std::pair<NodeId, std::string>> handled;
  std::vector<Work> works;
  std::function<void(NodeId, std::string_view)> handle =
      [this](NodeId from, std::string_view frame) { handled.emplace_back(from, frame); };
  std::function<void(Work)> later = [this](Work work) { works.push_back(std::move(work)); };
};

TEST_F(InboxTest, HandsOnInOnePieceAndInOrderWhatCameTogether) {
  Inbox inbox(handle, later);
  inbox.put(kOne, "a");
  inbox.put(kTwo, "");
  inbox.put(kOne, "bc");
  EXPECT_EQ(works.size(), 1U);
  EXPECT_TRUE(handled.empty());
  run();
  EXPECT_THAT(handled, ElementsAre(Pair(kOne, "a"), Pair(kTwo, ""), Pair(kOne, "bc")));
}

TEST_F(InboxTest, WhatComesMeanwhileIsAPieceOfItsOwn) {
  Inbox inbox(
      [&](NodeId from, std::string_view frame) {
        if (frame == "a") inbox.put(from, "c");
        handle(from, frame);
      },
      later);
  inbox.put(kOne, "a");
  inbox.put(kOne, "b");
  run();
  EXPECT_THAT(handled, ElementsAre(Pair(kOne, "a"), Pair(kOne, "b")));
  run();
  EXPECT_THAT(handled, ElementsAre(Pair(kOne, "a"), Pair(kOne, "b"), Pair(kOne, "c")));
  run();
  EXPECT_EQ(handled.size(), 3U) << "and nothing twice";
}

TEST_F(InboxTest, ABatchIsHandedOnWhenItIsAllThere) {
  Inbox inbox(handle, later);
  inbox.begin_batch();
  inbox.put(kOne, "a");
  inbox.put(kOne, "b");
  EXPECT_TRUE(works.empty());
  inbox.end_batch();
  EXPECT_EQ(works.size(), 1U);
  run();
  EXPECT_THAT(handled, ElementsAre(Pair(kOne, "a"), Pair(kOne, "b")));
  inbox.put(kOne, "c");
  run();
  EXPECT_EQ(handled.size(), 3U) << "what comes by itself waits for nobody";
}

TEST_F(InboxTest, ABatchDoesNotWaitForThoseOfOthers) {
  Inbox inbox(handle, later);
  inbox.begin_batch();
  inbox.begin_batch();
  inbox.put(kOne, "a");
  inbox.put(kTwo, "b");
  inbox.end_batch();
  run();
  EXPECT_THAT(handled, ElementsAre(Pair(kOne, "a"), Pair(kTwo, "b")));
  inbox.put(kTwo, "c");
  inbox.end_batch();
  run();
  EXPECT_EQ(handled.size(), 3U);
}

TEST_F(InboxTest, ABatchWithNothingForItWakesNobody) {
  Inbox inbox(handle, later);
  inbox.begin_batch();
  inbox.end_batch();
  EXPECT_TRUE(works.empty());
}

TEST_F(InboxTest, LargeFramesAreWholeAndDoNotHarmThoseAfterThem) {
  Inbox inbox(handle, later);
  const std::string large(3'000'000, 'x');
  inbox.put(kOne, large);
  run();
  inbox.put(kOne, "small");
  run();
  EXPECT_THAT(handled, ElementsAre(Pair(kOne, large), Pair(kOne, "small")));
}

TEST_F(InboxTest, WithoutAnybodyToHandOnItDoesSoItself) {
  const std::function<void(Work)> nobody;
  Inbox inbox(handle, nobody);
  inbox.put(kOne, "a");
  EXPECT_THAT(handled, ElementsAre(Pair(kOne, "a")));
}

}  // namespace
}  // namespace troupe::cluster
