#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/activation/scheduler.h"
#include "actors/directory/call.h"
#include "actors/directory/call_ids.h"
#include "actors/directory/metrics.h"
#include "actors/directory/router.h"
#include "actors/turns/shards.h"
#include "runtime/base/clock.h"
#include "runtime/base/executor.h"
#include "runtime/base/log.h"
#include <troupe/actor_type.h>

namespace troupe::actors {

/// A turn that runs for longer than its time-out, or than the watchdog's patience.
struct Overrun {
  ActorKey key;
  std::string method;
  Duration running{0};
  std::string waiting_for;  // "Wallet/7 charge", "a timer", "its commit"; empty: the user's code
  bool given_up = false;    // a native turn that never returned: a new activation may start
};

/// An activation, as people see it.
struct ActivationFacts {
  ActorKey key;
  Time since;
  Duration idle{0};  // 0: a turn runs or waits
  std::uint64_t turns = 0;
  std::size_t waiting = 0;  // calls in the mailbox
  Epoch epoch;
};

struct ActorsOptions {
  /// How often idle activations and overrunning turns are looked for: both are late by up to this
  /// much. Less costs a walk over part of the activations each time.
  Duration scan_interval = std::chrono::seconds(1);
  /// A turn that runs for longer is reported, once.
  Duration watchdog_patience = std::chrono::seconds(30);
  /// How long past its deadline a native turn may keep its thread before its activation is given
  /// up.
  Duration stuck_grace = std::chrono::seconds(60);
  /// How soon an activation whose lease ran out looks whether it was prolonged.
  Duration pause_interval = std::chrono::milliseconds(20);
  /// How long calls wait for a lease that ran out: longer than it takes another node to be heard.
  Duration lapse_patience = std::chrono::seconds(5);
  /// Attempts at a one-way message whose handler throws, before it is consumed without effect.
  std::uint32_t one_way_attempts_max = 3;
  /// Beyond: kExhausted for an actor that is not in memory.
  std::size_t activations_max = 2'000'000;
  /// Called by the watchdog, on any thread; must not block. Besides a line in the log.
  std::function<void(const Overrun&)> on_overrun;
};

/// What the actors of a node run on. All outlive them.
struct ActorsDependencies {
  Clock& clock;
  Shards& shards;
  Router& router;
  Scheduler& scheduler;
  Scheduler& blocking;  // for types marked `blocking`
  Executor& timers;     // of activations: sleeps, timers, scans. One thread.
  CallIds& ids;
  Log log;
};

/// The actors of this node: finds the activation of a call's actor, or begins one, and ends those
/// that are idle, or whose right is gone.
///
///     deliver -> [activation by key] -> mailbox -> gate -> turn -> Shards::commit -> reply
///
/// There is at most one activation of a key at any time: the next begins only when the outcome of
/// the last one's commits is known. Thread-safe.
class Actors {
 public:
  Actors(ActorsDependencies dependencies, std::vector<std::shared_ptr<const ActorType>> types,
         ActorsOptions options = {});
  /// Requires a finished stop(), or that nothing runs what is here any more: activations that have
  /// not ended are destroyed with whatever last refers to them, and answer nobody.
  ~Actors();

  /// Begins to look for idle activations.
  void start();

  /// Takes a call for an actor that this node owns; from any thread. If it does not (any more), and
  /// the call has not run, it goes to Router::returned. Else `call.done` gets the reply, or
  ///   kPrecondition   the turn began, but this node lost the actor: nothing took effect
  ///   kNotFound       no such actor type here
  ///   kExhausted      its mailbox is full
  ///   kTimeout        the deadline passed, and nothing took effect
  ///   kUnknownOutcome the turn ran, and may or may not have taken effect
  ///   kInvalid        among others: it would wait for its own chain of calls
  /// or what the actor's code threw. Either may happen inside this call.
  void deliver(Call call);

  /// Takes `call` as deliver() does if its actor is in memory under a right that new turns may
  /// begin under. False, and `call` left alone, if not.
  bool deliver_live(Call& call);

  /// Takes `call`, of a type that is `outside`, if its actor is in memory here, whether or not new
  /// turns may begin: it may come from a turn that is to end. False, and `call` left alone, if not.
  bool deliver_here(Call& call);

  /// What this node hosts from now on. Activations of types that are gone end.
  void set_types(std::vector<std::shared_ptr<const ActorType>> types);

  /// Ends the activations of `right`: no new turn begins, those begun may finish within the type's
  /// drain time-out, on_deactivate runs. Then `done`, on any thread, perhaps inside this call.
  /// `right` must be draining or ended before.
  void drain(const std::shared_ptr<Right>& right, Function<void()> done);

  /// Takes no more calls, ends all activations in order, then `done`. At `deadline`
  /// what still runs is left to itself, and nothing of it leaves any more.
  void stop(Time deadline, Function<void()> done);

  /// How many activations there are, by type.
  std::map<std::string, std::size_t> counts() const;
  /// At most `most` activations, in no particular order.
  std::vector<ActivationFacts> activations(std::size_t most) const;
  const Metrics& metrics() const;

 private:
  class State;
  std::shared_ptr<State> state_;
};

}  // namespace troupe::actors
