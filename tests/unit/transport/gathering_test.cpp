// What send_soon() keeps back, and for how long.
#include <cstdint>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/base/guarded.h"
#include "tests/unit/transport/test_node.h"

namespace troupe::transport {
namespace {

class Gathering : public ::testing::Test {
 protected:
  void SetUp() override {
    a.network.gather_by([this](Work work) {
      waiting.with([&](auto& works) { works.push_back(std::move(work)); });
    });
    ASSERT_TRUE(a.network.start());
    ASSERT_TRUE(b.network.start());
    a.know(b);
    b.know(a);
    ASSERT_TRUE(a.wait_connected(b));
    ASSERT_TRUE(b.wait_connected(a));
  }
  void TearDown() override { a.network.stop(); }

  // Frames are kept back only where some came together lately. Returns when one is.
  void come_together() {
    while (pieces() == 0) {
      for (int i = 0; i < 1'000; ++i) ASSERT_TRUE(a.network.send(b.id, Lane::kCalls, "x"));
      sent += 1'000;
      ASSERT_TRUE(b.wait_frames(a, sent));
      ASSERT_TRUE(a.network.send_soon(b.id, Lane::kCalls, "x"));
      ++sent;
      while (pieces() == 0 && arrived() < sent) std::this_thread::yield();
    }
  }
  std::size_t arrived() {
    return b.recorder.look([&](auto& heard) { return heard.frames[a.id].size(); });
  }
  std::size_t pieces() {
    return waiting.with([](const auto& works) { return works.size(); });
  }
  void run() {
    for (Work& work : waiting.with([](auto& works) { return std::exchange(works, {}); })) work();
  }

  Guarded<std::vector<Work>> waiting;  // what the node does once it has nothing else to do
  TestNode a{1};
  TestNode b{2};
  std::size_t sent = 0;
};

TEST_F(Gathering, WhatIsSentSoonGoesOutTogetherWhenTheNodeHasNothingElseToDo) {
  come_together();
  run();
  ASSERT_TRUE(b.wait_frames(a, sent));
  while (pieces() == 0) {  // the last write's end is perhaps not known yet
    ASSERT_TRUE(a.network.send_soon(b.id, Lane::kCalls, "first"));
    ++sent;
    while (pieces() == 0 && arrived() < sent) std::this_thread::yield();
  }
  const std::uint64_t batches = a.network.metrics().batches_sent;
  const std::uint64_t frames = a.network.metrics().frames_sent;
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(a.network.send_soon(b.id, Lane::kCalls, "more"));
  sent += 10;
  EXPECT_EQ(pieces(), 1U);
  EXPECT_EQ(a.network.metrics().batches_sent, batches);
  run();
  EXPECT_EQ(a.network.metrics().batches_sent, batches + 1);
  EXPECT_GE(a.network.metrics().frames_sent, frames + 10);
  EXPECT_TRUE(b.wait_frames(a, sent));
}

TEST_F(Gathering, AFrameThatIsSentNowTakesWhatWaitsWithIt) {
  come_together();
  ASSERT_TRUE(a.network.send(b.id, Lane::kCalls, "now"));
  EXPECT_TRUE(b.wait_frames(a, sent + 1));
  run();
  EXPECT_EQ(a.network.metrics().frames_sent, sent + 1) << "and nothing twice";
}

TEST_F(Gathering, AFullBatchDoesNotWait) {
  come_together();
  const std::string frame(10'000, 'x');
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(a.network.send_soon(b.id, Lane::kCalls, frame));
  EXPECT_TRUE(b.wait_frames(a, sent + 6)) << "64 KiB of them";
}

TEST_F(Gathering, ManyFramesDoNotWait) {
  come_together();
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(a.network.send_soon(b.id, Lane::kCalls, "x"));
  EXPECT_TRUE(b.wait_frames(a, sent + 1)) << "32 of them, and of those before";
}

TEST_F(Gathering, StopSendsWhatWaits) {
  come_together();
  a.network.stop();
  EXPECT_TRUE(b.wait_frames(a, sent));
  run();
}

TEST_F(Gathering, TheOtherLaneDoesNotWait) {
  come_together();
  ASSERT_TRUE(a.network.send_soon(b.id, Lane::kControl, "other"));
  EXPECT_TRUE(b.recorder.wait([&](auto& heard) {
    const auto& frames = heard.frames[a.id];
    return !frames.empty() && frames.back() == "other";
  }));
}

}  // namespace
}  // namespace troupe::transport
