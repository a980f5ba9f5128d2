#pragma once

#include <concepts>
#include <memory>
#include <type_traits>
#include <utility>

#include <troupe/result.h>

namespace troupe {

template <class Signature>
class Function;

/// A callable that is moved, never copied, so that it may own what it captures.
///
/// The part of C++23's std::move_only_function that we use. Not thread-safe.
template <class R, class... A>
class Function<R(A...)> {
 public:
  Function() = default;
  Function(std::nullptr_t) {}  // NOLINT(google-explicit-constructor)

  template <class F>
    requires(!std::same_as<std::remove_cvref_t<F>, Function> && std::is_invocable_r_v<R, F&, A...>)
  Function(F&& callable)  // NOLINT(google-explicit-constructor)
      : target_(std::make_unique<Holder<std::remove_cvref_t<F>>>(std::forward<F>(callable))) {}

  explicit operator bool() const { return target_ != nullptr; }

  /// Requires a callable.
  R operator()(A... arguments) { return target_->call(std::forward<A>(arguments)...); }

 private:
  struct Target {
    virtual ~Target() = default;
    virtual R call(A... arguments) = 0;
  };
  template <class F>
  struct Holder final : Target {
    explicit Holder(F f) : callable(std::move(f)) {}
    R call(A... arguments) override { return callable(std::forward<A>(arguments)...); }
    F callable;
  };

  std::unique_ptr<Target> target_;
};

/// What is called exactly once, with the outcome, when an asynchronous operation is over. Each
/// operation says on which thread.
template <class T>
using Done = Function<void(Result<T>)>;

}  // namespace troupe
