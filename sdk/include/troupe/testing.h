#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <troupe/actor_class.h>
#include <troupe/actor_type.h>
#include <troupe/client.h>
#include <troupe/result.h>
#include <troupe/time.h>

/// Tests of actors: everything in one thread and in virtual time.
namespace troupe {

/// Runs actors as one node would, without a node: in the thread of the test, with a clock that only
/// moves when told, and with a memory for a disk.
///
///     auto host = troupe::TestHost::with<Cart, Wallet>();
///     host.actor<Cart>("c1").call<&Cart::add>({"tea", 4}).get();
///     host.advance(24h);
///     EXPECT_EQ(host.state<Cart>("c1")->nudges, 1);
///
/// A call lasts until its reply, with whatever becomes due meanwhile: when nothing is left to do
/// but wait, the clock jumps. Calls, messages and ticks to one actor run in order of arrival.
/// Schedules it understands: durations and times as ReminderOptions spells them; no cron.
/// Deterministic. Not thread-safe.
class TestHost {
 public:
  explicit TestHost(std::vector<ActorType> types);
  TestHost(TestHost&&) noexcept;
  TestHost& operator=(TestHost&&) noexcept;
  ~TestHost();

  template <ActorClass... A>
  static TestHost with() {
    return TestHost({actor_type_of<A>()...});
  }

  /// Calls actors; valid as long as the host.
  Client client() const;
  template <class A>
  ClientActor<A> actor(std::string id) const {
    return client().actor<A>(std::move(id));
  }

  WallTime now() const;
  /// Lets time pass: everything that falls due runs at its time.
  void advance(Duration duration);
  /// Runs everything that is due now: one-way messages, ticks, turns under way.
  void settle() { advance(Duration(0)); }

  /// Lets the actor go in order, as after its idle time. Does nothing if it is not active.
  void deactivate(const ActorKey& key);
  /// As if the node had been killed and started again: activations, their timers and turns under
  /// way are gone; states, reminders and undelivered messages are not.
  void crash();
  /// From now on calls to this actor fail like this; nothing: they work again. For tests of what
  /// a caller does then.
  void fail_calls(const ActorKey& key, std::optional<Error> error);

  /// What went wrong since the last time where nobody waited for it: in one-way messages, timers
  /// and reminders.
  std::vector<Error> take_failures();

  bool active(const ActorKey& key) const;
  /// Names, sorted.
  std::vector<std::string> timers(const ActorKey& key) const;
  std::vector<std::string> reminders(const ActorKey& key) const;

  /// The committed state; nothing if there is none.
  template <ActorClass A>
  std::optional<typename A::State> state(std::string id) const {
    const auto stored = stored_state({std::string(actor_type_name<A>()), std::move(id)});
    if (!stored) return std::nullopt;
    Result<typename A::State> state = decode_state<typename A::State>(*stored);
    if (!state) throw ActorError(state.error().code, state.error().message);
    return std::move(*state);
  }
  std::optional<std::string> stored_state(const ActorKey& key) const;

  class Impl;  // the host itself, in sdk/src

 private:
  std::shared_ptr<Impl> impl_;
};

}  // namespace troupe
