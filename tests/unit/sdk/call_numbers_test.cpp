#include "sdk/src/call_numbers.h"

#include <vector>

#include <gtest/gtest.h>

namespace troupe {
namespace {

using Name = CallNumbers::Name;

TEST(CallNumbers, NoneBelowTheOldestOpenOneIsSentAgain) {
  CallNumbers numbers;
  const Name first = numbers.begin();
  const Name second = numbers.begin();
  const Name third = numbers.begin();
  EXPECT_EQ(first.number, 1U);
  EXPECT_EQ(third.number, 3U);
  EXPECT_EQ(third.caller->id, first.caller->id);
  EXPECT_EQ(third.caller->done_below(), 1U);
  CallNumbers::end(second);
  EXPECT_EQ(third.caller->done_below(), 1U);
  CallNumbers::end(first);
  EXPECT_EQ(third.caller->done_below(), 3U);
  CallNumbers::end(third);
  EXPECT_EQ(numbers.begin().caller->done_below(), 4U);
}

TEST(CallNumbers, ACallThatTakesLongIsLeftToACallerOfItsOwn) {
  CallNumbers numbers;
  const Name slow = numbers.begin();
  Name last = slow;
  for (std::uint64_t i = 1; i < CallNumbers::kSpanMin; ++i) {
    last = numbers.begin();
    CallNumbers::end(last);
  }
  EXPECT_EQ(last.caller, slow.caller);
  const Name next = numbers.begin();
  EXPECT_NE(next.caller->id, slow.caller->id);
  EXPECT_EQ(next.number, 1U);
  EXPECT_EQ(next.caller->done_below(), 1U);
  EXPECT_EQ(slow.caller->done_below(), 1U) << "it may be sent again";
  CallNumbers::end(slow);
  EXPECT_EQ(numbers.begin().caller->id, next.caller->id);
}

TEST(CallNumbers, ManyCallsAtOnceAreOfOneCaller) {
  CallNumbers numbers;
  std::vector<Name> open;
  for (std::uint64_t i = 0; i < 3 * CallNumbers::kSpanMin; ++i) open.push_back(numbers.begin());
  EXPECT_EQ(open.front().caller, open.back().caller);
}

}  // namespace
}  // namespace troupe
