#pragma once

#include <concepts>
#include <cstddef>
#include <functional>
#include <new>
#include <type_traits>
#include <utility>

#include <troupe/result.h>

namespace troupe {

template <class Signature>
class Function;

/// A callable that is moved, never copied, so that it may own what it captures.
///
/// The part of C++23's std::move_only_function that we use. What fits into three pointers and
/// cannot throw when it is moved is kept in place, anything else on the heap. Not thread-safe.
template <class R, class... A>
class Function<R(A...)> {
 public:
  Function() = default;
  Function(std::nullptr_t) {}  // NOLINT(google-explicit-constructor)

  template <class F>
    requires(!std::same_as<std::remove_cvref_t<F>, Function> && std::is_invocable_r_v<R, F&, A...>)
  Function(F&& callable)  // NOLINT(google-explicit-constructor)
      : kind_(&kinds<std::remove_cvref_t<F>>) {
    using Callable = std::remove_cvref_t<F>;
    if constexpr (fits<Callable>) {
      ::new (room_) Callable(std::forward<F>(callable));
    } else {
      ::new (room_) Callable*(new Callable(std::forward<F>(callable)));
    }
  }

  Function(Function&& other) noexcept : kind_(std::exchange(other.kind_, nullptr)) {
    if (kind_ != nullptr) kind_->move(room_, other.room_);
  }

  Function& operator=(Function&& other) noexcept {
    if (this == &other) return *this;
    Function discarded(std::move(*this));
    kind_ = std::exchange(other.kind_, nullptr);
    if (kind_ != nullptr) kind_->move(room_, other.room_);
    return *this;
  }

  ~Function() {
    if (kind_ != nullptr) kind_->destroy(room_);
  }

  explicit operator bool() const { return kind_ != nullptr; }

  /// Requires a callable.
  R operator()(A... arguments) { return kind_->call(room_, static_cast<A&&>(arguments)...); }

 private:
  /// What can be done with a callable whose type is forgotten.
  struct Kind {
    R (*call)(void* room, A&&... arguments);
    void (*move)(void* to, void* from) noexcept;  ///< leaves nothing in `from`
    void (*destroy)(void* room) noexcept;
  };

  static constexpr std::size_t room_size = 3 * sizeof(void*);

  template <class F>
  static constexpr bool fits = sizeof(F) <= room_size && alignof(F) <= alignof(void*) &&
                               std::is_nothrow_move_constructible_v<F>;

  template <class F>
  static F& target(void* room) {
    if constexpr (fits<F>) {
      return *std::launder(static_cast<F*>(room));
    } else {
      return **std::launder(static_cast<F**>(room));
    }
  }

  template <class F>
  static constexpr Kind kinds{
      .call = [](void* room, A&&... arguments) -> R {
        if constexpr (std::is_void_v<R>) {
          std::invoke(target<F>(room), std::forward<A>(arguments)...);
        } else {
          return std::invoke(target<F>(room), std::forward<A>(arguments)...);
        }
      },
      .move =
          [](void* to, void* from) noexcept {
            if constexpr (fits<F>) {
              ::new (to) F(std::move(target<F>(from)));
              target<F>(from).~F();
            } else {
              ::new (to) F*(&target<F>(from));
            }
          },
      .destroy =
          [](void* room) noexcept {
            if constexpr (fits<F>) {
              target<F>(room).~F();
            } else {
              delete &target<F>(room);
            }
          },
  };

  const Kind* kind_ = nullptr;
  alignas(void*) std::byte room_[room_size];
};

/// What is called exactly once, with the outcome, when an asynchronous operation is over. Each
/// operation says on which thread.
template <class T>
using Done = Function<void(Result<T>)>;

}  // namespace troupe
