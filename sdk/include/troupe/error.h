#pragma once

#include <stdexcept>
#include <string>
#include <utility>

#include <troupe/actor_key.h>
#include <troupe/result.h>

namespace troupe {

/// Thrown by a method to refuse what it was asked: nothing of its turn takes effect, and the
/// caller gets the message as it is.
///
///     if (state.balance < amount) throw troupe::ActorError("not enough money");
///
/// Any other exception does the same, with the name of its type before the message.
class ActorError : public std::runtime_error {
 public:
  explicit ActorError(const std::string& message) : ActorError(Code::kApplication, message) {}
  ActorError(Code code, const std::string& message) : std::runtime_error(message), code_(code) {}

  Code code() const { return code_; }
  Error error() const { return {code_, what()}; }

 private:
  Code code_;
};

/// Thrown where the answer to a call is awaited, when the call failed: the callee refused
/// (kApplication), or it could not be reached or did not answer in time (see Code). Not caught, it
/// ends the caller's turn with the same code and message.
class CallError final : public ActorError {
 public:
  CallError(ActorKey target, std::string method, const Error& error)
      : ActorError(error.code, error.message),
        target_(std::move(target)),
        method_(std::move(method)) {}

  const ActorKey& target() const { return target_; }
  const std::string& method() const { return method_; }

 private:
  ActorKey target_;
  std::string method_;
};

}  // namespace troupe
