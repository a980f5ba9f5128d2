#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

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

namespace detail {

inline const Error& error_of(const std::shared_ptr<const Error>& error) {
  if (error == nullptr) throw std::bad_optional_access();
  return *error;
}

}  // namespace detail

/// A `T`, or the reason why there is none.
///
/// The part of C++23's std::expected<T, Error> that we use, under the same names, until the
/// project's compilers and Meson know C++23.
template <class T>
class [[nodiscard]] Result {
 public:
  using value_type = T;

  // Implicit, so that a function returns either with a plain `return`.
  Result(T value) : value_(std::move(value)) {}  // NOLINT(google-explicit-constructor)
  // NOLINTNEXTLINE(google-explicit-constructor)
  Result(Failure failure) : error_(std::make_shared<const Error>(std::move(failure.error))) {}

  bool has_value() const { return value_.has_value(); }
  explicit operator bool() const { return has_value(); }

  /// These require has_value(), and throw std::bad_optional_access without.
  T& value() & { return value_.value(); }
  const T& value() const& { return value_.value(); }
  T&& value() && { return std::move(value_).value(); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  /// Requires !has_value().
  const Error& error() const { return detail::error_of(error_); }

 private:
  // Not a std::variant of the two: that took a tenth of the time of compiling this project.
  std::optional<T> value_;
  std::shared_ptr<const Error> error_;
};

/// Success without a value, written `return {};`, or the reason why not.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  // NOLINTNEXTLINE(google-explicit-constructor)
  Result(Failure failure) : error_(std::make_shared<const Error>(std::move(failure.error))) {}

  bool has_value() const { return error_ == nullptr; }
  explicit operator bool() const { return has_value(); }

  /// Requires !has_value().
  const Error& error() const { return detail::error_of(error_); }

 private:
  std::shared_ptr<const Error> error_;
};

}  // namespace troupe
