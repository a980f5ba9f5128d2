#pragma once

#include <concepts>
#include <coroutine>
#include <exception>
#include <type_traits>
#include <utility>
#include <variant>

namespace troupe {

template <class T = void>
class Task;

/// Resumes the tasks of one turn one after another, so that neither a long loop of awaits nor a
/// deep chain of tasks grows the stack, on any compiler. Used by whatever runs turns.
class TaskChain {
 public:
  /// Runs until every task waits for something outside, or has ended. Not reentrant.
  void run(std::coroutine_handle<> first) {
    next_ = first;
    while (next_) std::exchange(next_, nullptr).resume();
  }

  /// What run() goes on with when the task that is running has suspended.
  void follow(std::coroutine_handle<> next) { next_ = next; }

 private:
  std::coroutine_handle<> next_;
};

/// What a task may `co_await`: another task, a call to an actor, `sleep`. Awaitables of other
/// libraries are refused: they would resume the turn on a thread of theirs.
template <class A>
concept Awaitable = requires { typename std::remove_cvref_t<A>::AwaitableInTurn; };

namespace detail {

/// Awaits what it points to.
template <class A>
struct Awaiter {
  A* awaitable;

  bool await_ready() const noexcept { return awaitable->await_ready(); }
  template <class P>
  void await_suspend(std::coroutine_handle<P> waiter) const {
    awaitable->await_suspend(waiter);
  }
  decltype(auto) await_resume() const { return awaitable->await_resume(); }
};

class TaskPromiseBase {
 public:
  struct Final {
    bool await_ready() const noexcept { return false; }
    template <class P>
    void await_suspend(std::coroutine_handle<P> ended) const noexcept {
      TaskPromiseBase& promise = ended.promise();
      if (promise.waiter) promise.chain->follow(promise.waiter);
    }
    void await_resume() const noexcept {}
  };

  std::suspend_always initial_suspend() const noexcept { return {}; }
  Final final_suspend() const noexcept { return {}; }

  // A pointer, because g++ 12 copies awaitables that are variables.
  template <Awaitable A>
  Awaiter<std::remove_reference_t<A>> await_transform(A&& awaitable) const noexcept {
    return {&awaitable};
  }

  TaskChain* chain = nullptr;
  std::coroutine_handle<> waiter;  // the task that awaits this one
};

template <class T>
class TaskPromise : public TaskPromiseBase {
 public:
  Task<T> get_return_object() noexcept;
  template <std::convertible_to<T> V>
  void return_value(V&& value) {
    outcome_.template emplace<1>(std::forward<V>(value));
  }
  void unhandled_exception() noexcept { outcome_.template emplace<2>(std::current_exception()); }
  T take() {
    if (outcome_.index() == 2) std::rethrow_exception(std::get<2>(outcome_));
    return std::get<1>(std::move(outcome_));
  }

 private:
  std::variant<std::monostate, T, std::exception_ptr> outcome_;
};

template <>
class TaskPromise<void> : public TaskPromiseBase {
 public:
  Task<void> get_return_object() noexcept;
  void return_void() const noexcept {}
  void unhandled_exception() noexcept { thrown_ = std::current_exception(); }
  void take() const {
    if (thrown_) std::rethrow_exception(thrown_);
  }

 private:
  std::exception_ptr thrown_;
};

}  // namespace detail

/// A method that waits: a coroutine with a `T` at its end.
///
///     troupe::Task<bool> pay() {
///       state.paid = co_await actor<Wallet>(id()).call<&Wallet::charge>(total());
///       co_return state.paid;
///     }
///
/// Begins when it is awaited, once; what it throws arrives there. While it waits, the turn stays
/// open. Destroying a task that waits destroys its frame, with the tasks it awaits. Moved, never
/// copied. Not thread-safe: it lives within one turn. With g++ 12, await named values only (see
/// sdk/README.md).
template <class T>
class [[nodiscard]] Task {
  static_assert(!std::is_reference_v<T>, "a task ends with a value, not with a reference");

 public:
  using promise_type = detail::TaskPromise<T>;
  using AwaitableInTurn = void;

  /// No task: may only be destroyed or assigned to.
  Task() = default;
  Task(Task&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    std::swap(frame_, other.frame_);
    return *this;
  }
  ~Task() {
    if (frame_) frame_.destroy();
  }

  bool await_ready() const noexcept { return false; }
  template <std::derived_from<detail::TaskPromiseBase> P>
  void await_suspend(std::coroutine_handle<P> waiter) const noexcept {
    frame_.promise().waiter = waiter;
    frame_.promise().chain = waiter.promise().chain;
    frame_.promise().chain->follow(frame_);
  }
  T await_resume() const { return take(); }

  /// For whatever runs turns: begins an outermost task and runs it until it waits or ends.
  /// `chain` outlives the task.
  void start(TaskChain& chain) const {
    frame_.promise().chain = &chain;
    chain.run(frame_);
  }
  bool done() const { return frame_.done(); }
  /// What it returned or threw. Requires done(); once.
  T take() const { return frame_.promise().take(); }

 private:
  friend promise_type;
  explicit Task(std::coroutine_handle<promise_type> frame) : frame_(frame) {}

  std::coroutine_handle<promise_type> frame_;
};

template <class T>
Task<T> detail::TaskPromise<T>::get_return_object() noexcept {
  return Task<T>(std::coroutine_handle<TaskPromise>::from_promise(*this));
}
inline Task<void> detail::TaskPromise<void>::get_return_object() noexcept {
  return Task<void>(std::coroutine_handle<TaskPromise>::from_promise(*this));
}

}  // namespace troupe
