#pragma once

#include <coroutine>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <troupe/actor_type.h>
#include <troupe/error.h>
#include <troupe/message.h>
#include <troupe/methods.h>
#include <troupe/time.h>

/// Calls from one actor to another.
namespace troupe {

class ActorBase;
template <class T>
class CallOutcome;

namespace detail {

/// What every call has in common, whatever its reply.
class CallStep {
 public:
  using AwaitableInTurn = void;

  CallStep(const ActorBase& caller, NestedCall call) : caller_(&caller), call_(std::move(call)) {}

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiter);

 protected:
  /// The reply, read as a T; an unreadable one is kInternal's sibling: kInvalid, naming the callee.
  template <class T>
  Result<T> take() {
    if (!reply_) return fail(reply_.error());
    Result<T> value = decode_message<T>(*reply_);
    if (!value) return fail(unreadable(value.error()));
    return value;
  }
  [[noreturn]] void raise(const Error& error) const;
  void limit(Duration timeout) { call_.timeout = timeout; }

 private:
  Error unreadable(const Error& error) const;

  const ActorBase* caller_;
  NestedCall call_;
  ActorKey target_;     // of a call under way
  std::string method_;  // likewise
  Result<Payload> reply_ = fail(Code::kInternal, "a call was not awaited");
};

}  // namespace detail

/// A call to an actor, made when it is awaited:
///
///     bool paid = co_await wallet.call<&Wallet::charge>(12).with_timeout(5s);
///
/// Gives the reply, or throws CallError. Without a timeout it lasts as long as the caller's turn
/// may. Not part of the turn: when the turn fails later, the call has happened all the same.
template <class T>
class [[nodiscard("await it: nothing is sent before")]] Call final : public detail::CallStep {
 public:
  using CallStep::CallStep;

  Call&& with_timeout(Duration timeout) && {
    limit(timeout);
    return std::move(*this);
  }

  /// Awaited, gives a Result<T> instead of throwing.
  CallOutcome<T> result() && { return CallOutcome<T>(std::move(*this)); }

  T await_resume() {
    Result<T> reply = take<T>();
    if (!reply) raise(reply.error());
    if constexpr (!std::is_void_v<T>) return std::move(*reply);
  }
};

/// A call whose failure is a value: `Result<bool> paid = co_await wallet.call<...>(12).result();`
template <class T>
class [[nodiscard("await it: nothing is sent before")]] CallOutcome final
    : public detail::CallStep {
 public:
  explicit CallOutcome(Call<T>&& call) : CallStep(std::move(call)) {}

  Result<T> await_resume() { return take<T>(); }
};

/// A pause of the turn: `co_await sleep(100ms);`. Other turns of the actor wait meanwhile, unless
/// they may interleave.
class [[nodiscard("await it")]] Sleep final {
 public:
  using AwaitableInTurn = void;

  Sleep(const ActorBase& sleeper, Duration duration) : sleeper_(&sleeper), duration_(duration) {}

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiter);
  /// Throws ActorError if the turn was cancelled meanwhile.
  void await_resume() const;

 private:
  const ActorBase* sleeper_;
  Duration duration_;
  std::optional<Error> error_;
};

/// An actor of whatever type, called by names: written in another language, say. Names an actor and
/// holds nothing: it need not exist yet. Valid as long as the actor that made it.
class ForeignActorRef {
 public:
  ForeignActorRef(const ActorBase& caller, ActorKey key) : caller_(&caller), key_(std::move(key)) {}

  const ActorKey& key() const { return key_; }

  /// `R` is what the reply is read as, from JSON: `co_await bank.call<Balance>("GetBalance", day)`.
  template <class R, class A>
  Call<R> call(std::string method, const A& message) const {
    return Call<R>(*caller_, {key_, std::move(method), encode_message(message),
                              std::string(content_type<A>()), std::nullopt, false});
  }
  template <class R = void>
  Call<R> call(std::string method) const {
    return Call<R>(*caller_, {key_, std::move(method), {}, {}, std::nullopt, false});
  }

  /// The bytes as they are, both ways.
  Call<Payload> call_raw(std::string method, Payload message,
                         std::string content_type = "application/json") const {
    return Call<Payload>(*caller_, {key_, std::move(method), std::move(message),
                                    std::move(content_type), std::nullopt, false});
  }

 protected:
  const ActorBase& caller() const { return *caller_; }

 private:
  const ActorBase* caller_;
  ActorKey key_;
};

/// An actor of class `A`, as seen from a turn that may not write. See ActorRef.
template <class A>
class ReadOnlyActorRef : public ForeignActorRef {
 public:
  using ForeignActorRef::ForeignActorRef;

  template <auto kMethod>
    requires MethodOf<kMethod, A> && TakesMessage<kMethod>
  Call<ResultOf<kMethod>> call(const ArgumentOf<kMethod>& message) const {
    detail::check_callable<kMethod, A>();
    using T = ArgumentOf<kMethod>;
    return {caller(),
            {key(), name<kMethod>(), encode_message<T>(message), std::string(content_type<T>()),
             std::nullopt, detail::SignatureOf<kMethod>::kConst}};
  }
  template <auto kMethod>
    requires MethodOf<kMethod, A> && (!TakesMessage<kMethod>)
  Call<ResultOf<kMethod>> call() const {
    detail::check_callable<kMethod, A>();
    return {caller(),
            {key(), name<kMethod>(), {}, {}, std::nullopt, detail::SignatureOf<kMethod>::kConst}};
  }

 protected:
  template <auto kMethod>
  static std::string name() {
    return std::string(A::Methods::template name<kMethod>());
  }
};

/// An actor of class `A`: `actor<Wallet>("ann")`. Names an actor and holds nothing: it need not
/// exist yet. Valid as long as the actor that made it.
template <class A>
class ActorRef final : public ReadOnlyActorRef<A> {
 public:
  ActorRef(ActorBase& caller, ActorKey key)
      : ReadOnlyActorRef<A>(caller, std::move(key)), sender_(&caller) {}

  /// A one-way message: leaves when this turn has committed, and not at all if it fails; then it
  /// arrives at least once, and takes effect exactly once.
  template <auto kMethod>
    requires MethodOf<kMethod, A> && TakesMessage<kMethod>
  void send(const ArgumentOf<kMethod>& message) const {
    send_raw(this->template name<kMethod>(), encode_message<ArgumentOf<kMethod>>(message));
  }
  template <auto kMethod>
    requires MethodOf<kMethod, A> && (!TakesMessage<kMethod>)
  void send() const {
    send_raw(this->template name<kMethod>(), {});
  }
  void send_raw(std::string method, Payload message) const;

 private:
  ActorBase* sender_;
};

}  // namespace troupe
