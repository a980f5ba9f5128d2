#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <troupe/actor_type.h>
#include <troupe/call.h>
#include <troupe/error.h>
#include <troupe/methods.h>
#include <troupe/names.h>
#include <troupe/schedule_options.h>
#include <troupe/task.h>

namespace troupe {

namespace detail {
class NativeInstance;
class Turn;
}  // namespace detail

/// An actor without a state of its own.
struct NoState {};

/// The name of the actor type that a class makes: its `kType`, or the name of the class.
template <class A>
constexpr std::string_view actor_type_name() {
  if constexpr (requires { A::kType; }) {
    return A::kType;
  } else {
    return type_name<A>;
  }
}

/// What every actor can do in its turns. Not in its constructor and destructor: no turn runs there,
/// and std::logic_error is thrown; use on_activate().
///
/// Timers and reminders set by a turn, and messages sent by it, count from the moment it commits;
/// if it fails, they never were. The members of a `const` method: those that are const here.
class ActorBase {
 public:
  ActorBase(const ActorBase&) = delete;
  ActorBase& operator=(const ActorBase&) = delete;
  virtual ~ActorBase() = default;

 protected:
  ActorBase() = default;

  const ActorKey& key() const;
  const std::string& id() const { return key().id; }

  /// The calendar time at which the turn began: the same however often it is asked.
  WallTime now() const;
  /// When the caller stops waiting; the turn is aborted then, and so are the calls it awaits.
  Time deadline() const;
  Duration time_left() const;
  /// Rises with every move of the actor: hand it to outside systems, so that they can refuse what a
  /// replaced activation still tries to write (sdk/examples/warehouse). The same for all of an
  /// activation's life; 0 for stateless workers, which have no owner.
  std::uint64_t fencing_token() const;
  /// W3C trace context of the turn, for calls to outside systems. May be empty.
  std::string_view traceparent() const;

  /// Another actor: `actor<Wallet>("ann")`. In a `const` method it can be called, not sent to.
  template <class A>
  ActorRef<A> actor(std::string id) {
    return {*this, {std::string(actor_type_name<A>()), std::move(id)}};
  }
  template <class A>
  ReadOnlyActorRef<A> actor(std::string id) const {
    return {*this, {std::string(actor_type_name<A>()), std::move(id)}};
  }
  /// One of another language or program.
  ForeignActorRef actor(ActorKey key) const { return {*this, std::move(key)}; }
  /// This actor, to send something to itself. A call would wait for itself, and fails.
  template <class A>
  ActorRef<A> self() {
    return {*this, key()};
  }

  Sleep sleep(Duration duration) const { return {*this, duration}; }

  /// Calls a method of this actor after a while, or again and again, while the actor is in memory:
  /// `set_timer<&Cart::reprice>({.every = 1min})`. Replaces the timer of the same name. An actor
  /// that has a timer is not idle; a move to another node, or a crash, ends its timers.
  template <auto kMethod>
    requires ListedMethod<kMethod> && (!TakesMessage<kMethod>)
  void set_timer(TimerOptions options) {
    set_timer(name<kMethod>(), std::move(options), {});
  }
  template <auto kMethod>
    requires ListedMethod<kMethod> && TakesMessage<kMethod>
  void set_timer(TimerOptions options, const ArgumentOf<kMethod>& message) {
    set_timer(name<kMethod>(), std::move(options), encode_message<ArgumentOf<kMethod>>(message));
  }
  template <auto kMethod>
    requires ListedMethod<kMethod>
  void cancel_timer() {
    cancel_timer(name<kMethod>());
  }
  void cancel_timer(std::string name);

  /// The same with a reminder, which is stored and fires even if every node has crashed meanwhile:
  /// `set_reminder<&Cart::nudge>({.after = 24h})`. Its effect on the state is exactly once a tick.
  template <auto kMethod>
    requires ListedMethod<kMethod> && (!TakesMessage<kMethod>)
  void set_reminder(ReminderOptions options) {
    set_reminder(name<kMethod>(), std::move(options), {});
  }
  template <auto kMethod>
    requires ListedMethod<kMethod> && TakesMessage<kMethod>
  void set_reminder(ReminderOptions options, const ArgumentOf<kMethod>& message) {
    set_reminder(name<kMethod>(), std::move(options), encode_message<ArgumentOf<kMethod>>(message));
  }
  template <auto kMethod>
    requires ListedMethod<kMethod>
  void cancel_reminder() {
    cancel_reminder(name<kMethod>());
  }
  void cancel_reminder(std::string name);

  /// Lets the activation go as soon as no call waits for it, instead of after the idle time.
  void deactivate_when_idle();

 private:
  friend class detail::CallStep;
  friend class detail::NativeInstance;
  friend class Sleep;
  template <class A>
  friend class ActorRef;

  template <auto kMethod>
  static std::string name() {
    return std::string(detail::SignatureOf<kMethod>::Class::Methods::template name<kMethod>());
  }

  detail::Turn& turn() const;
  void send(OneWayMessage message);
  void set_timer(std::string method, TimerOptions options, Payload message);
  void set_reminder(std::string method, ReminderOptions options, Payload message);

  detail::Turn* turn_ = nullptr;  // the one that runs now, if one does
};

/// The base of a user's actor class. There is one actor for every id, always; it runs one turn at a
/// time, and a turn takes effect as a whole when its method returns, or not at all when it throws.
///
///     struct CounterState { int count = 0; };
///
///     class Counter : public troupe::Actor<CounterState> {
///      public:
///       int add(int amount) { return state.count += amount; }
///       int count() const { return state.count; }
///       using Methods = troupe::Methods<&Counter::add, &Counter::count>;
///     };
///
/// `State` is a struct, saved as JSON by its field names; it is saved when a turn ends and loaded
/// when the actor is activated. Other members live as long as the activation, and a throw does not
/// undo them. The class may also have, all public:
///
///     static constexpr std::string_view kType = "counter";             // instead of its own name
///     static constexpr troupe::ActorOptions kOptions{.reentrant = true};
///     void on_activate();    // the beginning of the first turn; or Task<void>
///     void on_deactivate();  // the last turn, if the actor is let go in order; or Task<void>
template <class State_ = NoState>
class Actor : public ActorBase {
 public:
  using State = State_;

  /// For whatever runs actors: the state as bytes.
  Result<void> load_state(std::string_view stored)
    requires(!std::is_same_v<State, NoState>)
  {
    Result<State> loaded = decode_state<State>(stored);
    if (!loaded) return fail(loaded.error());
    state = std::move(*loaded);
    return {};
  }
  std::string save_state() const
    requires(!std::is_same_v<State, NoState>)
  {
    return encode_state(state);
  }

 protected:
  State state{};
};

template <class A>
void ActorRef<A>::send_raw(std::string method, Payload message) const {
  sender_->send({this->key(), std::move(method), std::move(message)});
}

}  // namespace troupe
