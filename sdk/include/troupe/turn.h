#pragma once

#include <coroutine>
#include <memory>
#include <type_traits>
#include <utility>

#include <troupe/actor_type.h>
#include <troupe/message.h>
#include <troupe/task.h>

/// How the SDK runs turns. Users do not need this header.
namespace troupe {

class ActorBase;

namespace detail {

class NativeInstance;

/// One running turn of a native actor: the message, and what it leaves behind so far.
///
/// A turn that waits is held by its instance and by the completions it waits for. When the instance
/// goes first, the turn is abandoned: its coroutines are destroyed, late completions do nothing.
class Turn final : public std::enable_shared_from_this<Turn> {
 public:
  Turn(NativeInstance& instance, TurnContext& context, TurnMessage message, Done<TurnResult> done);
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn();

  TurnContext& context() const { return context_; }
  TurnResult& effects() { return effects_; }
  bool abandoned() const { return abandoned_; }

  /// The message as the method's argument. Throws ActorError of kInvalid if it is not one.
  template <class T>
  T argument() const {
    Result<T> argument = decode_message<T>(message_.body);
    if (!argument) refuse(argument.error());
    if constexpr (!std::is_void_v<T>) return std::move(*argument);
  }

  /// The method is about to run: from now on a failure leaves traces.
  void begin_method() { user_code_ran_ = true; }

  template <class T>
  void reply(const T& value) {
    effects_.reply = encode_message(value);
    effects_.content_type = content_type<T>();
  }

  /// Goes on with a coroutine of this turn, in the actor's current turn set to this one.
  void resume(std::coroutine_handle<> waiter);

 private:
  friend class NativeInstance;
  [[noreturn]] void refuse(const Error& error) const;

  NativeInstance& instance_;
  TurnContext& context_;
  TurnMessage message_;
  Done<TurnResult> done_;
  TurnResult effects_;
  TaskChain chain_;
  Task<void> task_;
  bool may_write_ = false;
  bool user_code_ran_ = false;
  bool abandoned_ = false;
};

}  // namespace detail
}  // namespace troupe
