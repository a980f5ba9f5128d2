#include <array>
#include <memory>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include <troupe/function.h>

namespace troupe {
namespace {

/// Large enough to be kept on the heap.
using Large = std::array<std::string, 4>;

TEST(Function, AnEmptyOneIsFalse) {
  EXPECT_FALSE(Function<void()>());
  EXPECT_FALSE(Function<void()>(nullptr));
}

TEST(Function, CallsWhatItWasGiven) {
  Function<int(int)> small = [offset = 2](int value) { return value + offset; };
  Function<std::string(std::size_t)> large = [texts = Large{"a", "b", "c", "d"}](std::size_t i) {
    return texts[i];
  };
  EXPECT_EQ(small(40), 42);
  EXPECT_EQ(large(3), "d");
}

TEST(Function, KeepsItsStateBetweenCallsAndMoves) {
  Function<int()> counter = [count = 0]() mutable { return ++count; };
  EXPECT_EQ(counter(), 1);
  Function<int()> moved = std::move(counter);
  EXPECT_EQ(moved(), 2);
}

TEST(Function, MovingLeavesNothingBehind) {
  Function<std::string()> large = [texts = Large{"kept"}] { return texts[0]; };
  Function<std::string()> moved = std::move(large);
  EXPECT_FALSE(large);  // NOLINT(bugprone-use-after-move): what this is about
  EXPECT_EQ(moved(), "kept");
}

TEST(Function, PassesArgumentsThatCanOnlyBeMoved) {
  Function<int(std::unique_ptr<int>)> read = [](std::unique_ptr<int> value) { return *value; };
  EXPECT_EQ(read(std::make_unique<int>(7)), 7);
}

TEST(Function, PassesReferencesThrough) {
  Function<void(int&)> increment = [](int& value) { ++value; };
  int value = 1;
  increment(value);
  EXPECT_EQ(value, 2);
}

TEST(Function, DiscardsTheResultOfACallableWhereNoneIsWanted) {
  int calls = 0;
  Function<void()> call = [&calls] { return ++calls; };
  call();
  EXPECT_EQ(calls, 1);
}

template <class Room>
class FunctionOwning : public testing::Test {};

using Rooms = testing::Types<std::array<char, 1>, std::array<char, 100>>;
TYPED_TEST_SUITE(FunctionOwning, Rooms);

TYPED_TEST(FunctionOwning, ReleasesWhatItOwnsOnceAndOnlyAtItsEnd) {
  const auto owned = std::make_shared<int>(1);
  {
    Function<void()> holder = [owned, room = TypeParam{}] { (void)room; };
    EXPECT_EQ(owned.use_count(), 2);
    Function<void()> moved = std::move(holder);
    EXPECT_EQ(owned.use_count(), 2);
  }
  EXPECT_EQ(owned.use_count(), 1);
}

TYPED_TEST(FunctionOwning, AssignmentReleasesWhatItHeldBefore) {
  const auto owned = std::make_shared<int>(1);
  Function<void()> holder = [owned, room = TypeParam{}] { (void)room; };
  holder = [] {};
  EXPECT_EQ(owned.use_count(), 1);
  holder = nullptr;
  EXPECT_FALSE(holder);
}

}  // namespace
}  // namespace troupe
