#pragma once

#include <concepts>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <troupe/actor.h>
#include <troupe/actor_type.h>
#include <troupe/methods.h>
#include <troupe/task.h>
#include <troupe/turn.h>

/// From a user's class to the ActorType that the runtime knows.
namespace troupe {

/// A class that is an actor: derived from troupe::Actor, with a list `Methods`.
template <class A>
concept ActorClass = std::derived_from<A, ActorBase> && requires {
  typename A::State;
  typename A::Methods;
};

namespace detail {

/// A piece of user code that a turn runs: a plain function or a coroutine, never both.
struct Step {
  void (*run)(ActorBase&, Turn&) = nullptr;
  Task<void> (*begin)(ActorBase&, Turn&) = nullptr;

  explicit operator bool() const { return run || begin; }
};

struct ClassMethod {
  MethodInfo info;
  Step step;
};

/// What the SDK's host knows of a class; the only part that is made of templates.
struct ActorClassTable {
  std::string name;
  ActorOptions options;
  std::vector<ClassMethod> methods;
  Step on_activate;
  Step on_deactivate;
  Result<void> (*load)(ActorBase&, std::string_view stored) = nullptr;  // null: without a state
  std::string (*save)(const ActorBase&) = nullptr;                      // likewise
  std::function<std::unique_ptr<ActorBase>()> make;
};

struct NoArgument {};

template <class A, auto kMethod>
struct MethodStep {
  using Reply = ResultOf<kMethod>;
  using Argument = std::conditional_t<TakesMessage<kMethod>, ArgumentOf<kMethod>, NoArgument>;

  static Argument argument(const Turn& turn) {
    if constexpr (TakesMessage<kMethod>) {
      return turn.argument<Argument>();
    } else {
      turn.argument<void>();
      return {};
    }
  }

  static auto invoke(A& actor, Argument& argument) {
    if constexpr (TakesMessage<kMethod>) {
      return (actor.*kMethod)(std::move(argument));
    } else {
      return (actor.*kMethod)();
    }
  }

  static void run(ActorBase& base, Turn& turn) {
    A& actor = static_cast<A&>(base);
    Argument argument = MethodStep::argument(turn);
    turn.begin_method();
    if constexpr (std::is_void_v<Reply>) {
      invoke(actor, argument);
    } else {
      turn.reply<Reply>(invoke(actor, argument));
    }
  }

  // The argument stays in this frame, so that a method may also take it by reference. Actor and
  // turn outlive it. NOLINTNEXTLINE(cppcoreguidelines-avoid-reference-coroutine-parameters)
  static Task<void> begin(ActorBase& base, Turn& turn) {
    A& actor = static_cast<A&>(base);
    Argument argument = MethodStep::argument(turn);
    turn.begin_method();
    Task<Reply> task = invoke(actor, argument);
    if constexpr (std::is_void_v<Reply>) {
      co_await task;
    } else {
      const Reply reply = co_await task;
      turn.reply<Reply>(reply);
    }
  }

  static Step step() {
    if constexpr (SignatureOf<kMethod>::kWaits) {
      return {nullptr, &begin};
    } else {
      return {&run, nullptr};
    }
  }
};

template <class A>
Step activate_step() {
  if constexpr (!requires(A& actor) { actor.on_activate(); }) {
    return {};
  } else if constexpr (std::is_void_v<decltype(std::declval<A&>().on_activate())>) {
    return {[](ActorBase& base, Turn&) { static_cast<A&>(base).on_activate(); }, nullptr};
  } else {
    return {nullptr, [](ActorBase& base, Turn&) -> Task<void> {
              return static_cast<A&>(base).on_activate();
            }};
  }
}

template <class A>
Step deactivate_step() {
  if constexpr (!requires(A& actor) { actor.on_deactivate(); }) {
    return {};
  } else if constexpr (std::is_void_v<decltype(std::declval<A&>().on_deactivate())>) {
    return {[](ActorBase& base, Turn&) { static_cast<A&>(base).on_deactivate(); }, nullptr};
  } else {
    return {nullptr, [](ActorBase& base, Turn&) -> Task<void> {
              return static_cast<A&>(base).on_deactivate();
            }};
  }
}

template <class A>
std::vector<ClassMethod> class_methods() {
  std::vector<ClassMethod> methods;
  A::Methods::each([&]<class Entry>() {
    methods.push_back(
        {{std::string(Entry::kName), Entry::kAccess}, MethodStep<A, Entry::kMethod>::step()});
  });
  return methods;
}

ActorType to_actor_type(std::shared_ptr<ActorClassTable> table);

}  // namespace detail

/// The actor type that the class `A` makes. `make` makes an actor; by default without arguments.
/// It is called on the thread of the activation.
template <ActorClass A>
ActorType actor_type_of(std::function<std::unique_ptr<A>()> make = [] {
  return std::make_unique<A>();
}) {
  auto table = std::make_shared<detail::ActorClassTable>();
  table->name = actor_type_name<A>();
  if constexpr (requires { A::kOptions; }) table->options = A::kOptions;
  table->methods = detail::class_methods<A>();
  table->on_activate = detail::activate_step<A>();
  table->on_deactivate = detail::deactivate_step<A>();
  if constexpr (!std::is_same_v<typename A::State, NoState>) {
    table->load = [](ActorBase& actor, std::string_view stored) {
      return static_cast<A&>(actor).load_state(stored);
    };
    table->save = [](const ActorBase& actor) { return static_cast<const A&>(actor).save_state(); };
  }
  table->make = std::move(make);
  return detail::to_actor_type(std::move(table));
}

}  // namespace troupe
