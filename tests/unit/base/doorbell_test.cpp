#include "runtime/base/doorbell.h"

#include <atomic>
#include <chrono>
#include <future>

#include <gtest/gtest.h>

namespace troupe {
namespace {

using namespace std::chrono_literals;

TEST(Doorbell, KeepsARingThatNobodyWaitsFor) {
  Doorbell bell;
  bell.ring();
  bell.ring();
  bell.wait();
  EXPECT_FALSE(bell.wait_for(1ms)) << "several are one";
}

TEST(Doorbell, WakesWhoWaits) {
  Doorbell there;
  Doorbell back;
  std::atomic<int> rings{0};
  constexpr int kRings = 10'000;
  const auto other = std::async(std::launch::async, [&] {
    for (int i = 0; i < kRings; ++i) {
      there.wait();
      ++rings;
      back.ring();
    }
  });
  for (int i = 0; i < kRings; ++i) {
    there.ring();
    if (i % 2 == 0) {
      back.wait();
    } else {
      while (!back.wait_for(1h)) {
      }
    }
  }
  other.wait();
  EXPECT_EQ(rings, kRings);
}

TEST(Doorbell, SaysThatNobodyRang) {
  Doorbell bell;
  EXPECT_FALSE(bell.wait_for(0s));
  EXPECT_FALSE(bell.wait_for(2ms));
  bell.ring();
  EXPECT_TRUE(bell.wait_for(0s));
}

}  // namespace
}  // namespace troupe
