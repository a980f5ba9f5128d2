#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

#include <gtest/gtest.h>

#include <troupe/task.h>

namespace troupe {
namespace {

/// Something outside that a task waits for.
struct Gate {
  using AwaitableInTurn = void;
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> handle) noexcept { waiter = handle; }
  void await_resume() const noexcept {}

  std::coroutine_handle<> waiter;
};

/// Counts those of its kind that are alive.
class Counted {
 public:
  explicit Counted(int& alive) : alive_(&alive) { ++*alive_; }
  Counted(const Counted& other) : alive_(other.alive_) { ++*alive_; }
  Counted& operator=(const Counted&) = delete;
  ~Counted() { --*alive_; }

 private:
  int* alive_;
};

Task<int> ready(int value) { co_return value; }

Task<long> sum_of_ready(int count) {
  long sum = 0;
  for (int i = 0; i < count; ++i) sum += co_await ready(1);
  co_return sum;
}

Task<int> nested(int depth) {
  if (depth == 0) co_return 0;
  const int below = co_await nested(depth - 1);
  co_return below + 1;
}

Task<int> nested_behind(Gate& gate, int depth) {
  if (depth == 0) {
    co_await gate;
    co_return 0;
  }
  const int below = co_await nested_behind(gate, depth - 1);
  co_return below + 1;
}

Task<> wait_and_count(Gate& gate, int& alive) {
  const Counted here(alive);
  co_await gate;
}

Task<> outer(Gate& gate, int& alive) {
  const Counted here(alive);
  co_await wait_and_count(gate, alive);
}

Task<int> throws(std::string what) {
  throw std::runtime_error(what);
  co_return 0;
}

Task<std::string> catches() {
  std::string caught;
  try {
    co_await throws("no tea");
  } catch (const std::runtime_error& error) {
    caught = error.what();
  }
  co_return caught;
}

template <class T>
T run(Task<T> task) {
  TaskChain chain;
  task.start(chain);
  EXPECT_TRUE(task.done());
  return task.take();
}

TEST(Task, LoopsOverReadyTasksOnOneStackFrame) { EXPECT_EQ(run(sum_of_ready(100'000)), 100'000); }

TEST(Task, NestsDeeperThanTheStack) { EXPECT_EQ(run(nested(100'000)), 100'000); }

TEST(Task, ResumesADeepChainFromItsInnermost) {
  Gate gate;
  TaskChain chain;
  const Task<int> task = nested_behind(gate, 100'000);
  task.start(chain);
  ASSERT_FALSE(task.done());
  chain.run(gate.waiter);
  ASSERT_TRUE(task.done());
  EXPECT_EQ(task.take(), 100'000);
}

TEST(Task, DoesNothingBeforeItIsAwaited) {
  Gate gate;
  int alive = 0;
  const Task<> task = outer(gate, alive);
  EXPECT_EQ(alive, 0);
}

TEST(Task, DestroyedWhileItWaitsDestroysItsFrames) {
  Gate gate;
  int alive = 0;
  TaskChain chain;
  {
    const Task<> task = outer(gate, alive);
    task.start(chain);
    EXPECT_EQ(alive, 2);
  }
  EXPECT_EQ(alive, 0);
}

TEST(Task, ThrowsWhereItIsAwaited) {
  EXPECT_EQ(run(catches()), "no tea");
  EXPECT_THROW(run(throws("x")), std::runtime_error);
}

TEST(Task, MovesWhatCannotBeCopied) {
  const auto box = []() -> Task<std::unique_ptr<int>> { co_return std::make_unique<int>(7); };
  EXPECT_EQ(*run(box()), 7);
  static_assert(!std::is_copy_constructible_v<Task<int>>);
  static_assert(std::is_nothrow_move_constructible_v<Task<int>>);
}

}  // namespace
}  // namespace troupe
