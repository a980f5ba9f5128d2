#pragma once

#include <coroutine>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <troupe/actor_type.h>
#include <troupe/detail/json_shapes.h>
#include <troupe/json.h>
#include <troupe/message.h>
#include <troupe/task.h>

/// How the SDK runs turns. Users do not need this header.
namespace troupe {

class ActorBase;

namespace detail {

class NativeInstance;

/// What Dapr's JavaScript proxies send is the list of a method's arguments, so a list of exactly
/// one is taken for it; but not where the argument is a list itself, or reads what it likes.
template <class T>
inline constexpr bool may_come_in_a_list =
    !(std::is_same_v<T, Bytes> || std::is_same_v<T, Payload> || ReadsItself<T> || is_array<T> ||
      TupleLike<T> || Optional<T> || (Sequence<T> && !Map<T> && !std::is_same_v<T, std::string>));

/// The element of a JSON list that has exactly one; nothing for all else.
std::optional<std::string_view> only_element(std::string_view json);

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
    if constexpr (std::is_void_v<T>) {
      if (message_.body.view() == "[]") return;
      const Result<void> none = decode_message<void>(message_.body);
      if (!none) refuse(none.error());
    } else {
      Result<T> argument = decode_message<T>(message_.body);
      if constexpr (may_come_in_a_list<T>) {
        const auto only = argument ? std::nullopt : only_element(message_.body.view());
        if (only) argument = from_json<T>(*only);
      }
      if (!argument) refuse(argument.error());
      return std::move(*argument);
    }
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
