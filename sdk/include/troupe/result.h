#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace troupe {

/// What kind of thing went wrong. Each code has one gRPC status and one HTTP status; see
/// runtime/api/status.h.
enum class Code : std::uint8_t {
  kInvalid,          // this request can never succeed
  kNotFound,         // no such actor type, store, key ...
  kConflict,         // somebody else changed it first (etag), or it exists already
  kPrecondition,     // not in this state: moved, not hosted here, draining
  kUnauthenticated,  // we do not know who asks
  kDenied,           // not for this caller
  kExhausted,        // a mailbox, window or quota is full: slow down
  kCancelled,        // the caller gave up
  kTimeout,          // the deadline passed before it took effect
  kUnknownOutcome,   // it may or may not have taken effect
  kUnavailable,      // try again: no owner yet, no majority, a node down
  kUnimplemented,    // known, but not offered here
  kApplication,      // thrown by the user's code; the message names its type
  kDataLoss,         // damaged or missing bytes on disk
  kInternal,         // a bug of ours
};

struct Error {
  Code code;
  std::string message;  // for people: what failed, on what. Never parsed.

  friend bool operator==(const Error&, const Error&) = default;
};

/// Turns an Error into a Result:
///
///     if (!store) return fail(Code::kNotFound, "no state store named " + name);
///     if (!saved) return fail(saved.error());
struct Failure {
  Error error;
};
inline Failure fail(Error error) { return {std::move(error)}; }
inline Failure fail(Code code, std::string message) { return {{code, std::move(message)}}; }

/// A `T`, or the reason why there is none.
///
/// The part of C++23's std::expected<T, Error> that we use, under the same names, until the
/// project's compilers and Meson know C++23.
template <class T>
class [[nodiscard]] Result {
 public:
  using value_type = T;

  // Implicit, so that a function returns either with a plain `return`.
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}                  // NOLINT
  Result(Failure failure) : state_(std::in_place_index<1>, std::move(failure.error)) {}  // NOLINT

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  /// These require has_value(), and throw std::bad_variant_access without.
  T& value() & { return std::get<0>(state_); }
  const T& value() const& { return std::get<0>(state_); }
  T&& value() && { return std::get<0>(std::move(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  /// Requires !has_value().
  const Error& error() const { return std::get<1>(state_); }

 private:
  std::variant<T, Error> state_;
};

/// Success without a value, written `return {};`, or the reason why not.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Failure failure) : error_(std::move(failure.error)) {}  // NOLINT

  bool has_value() const { return !error_; }
  explicit operator bool() const { return has_value(); }

  /// Requires !has_value().
  const Error& error() const { return error_.value(); }

 private:
  std::optional<Error> error_;
};

}  // namespace troupe
