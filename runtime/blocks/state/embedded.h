#pragma once

#include <memory>
#include <string>

#include "actors/state/operations.h"
#include "runtime/base/clock.h"
#include "runtime/base/executor.h"
#include "runtime/blocks/state/component.h"
#include <troupe/actor_key.h>
#include <troupe/actor_type.h>

namespace troupe::blocks::state {

/// The system actors whose named values are the keys of embedded stores. Every node hosts it.
inline constexpr std::string_view kStateActorType = "troupe.internal.state";
ActorType state_actor_type();

/// Sends calls of kind kState. runtime/node implements it. Thread-safe.
class StateCalls {
 public:
  virtual ~StateCalls() = default;

  /// `message` is encoded actors::StateOperations, the reply what such a call replies. Errors as
  /// those of calls; kUnavailable while this node is no member of its cluster. `done` on any
  /// thread, perhaps inside the call.
  virtual void send(ActorKey key, Payload message, Time deadline, Done<Payload> done) = 0;
};

/// state.embedded: values in the shards of the cluster, replicated as actors are.
///
/// A system actor for each key. Its named value `v` is the value, whose version is the etag. A
/// change of one key is one entry of a shard. A transaction over several keys takes hold of each of
/// them by a second named value, the intent `x`, which holds the new value; then one write to an
/// actor of its own, the decision, makes it happen; then each intent becomes its key's value:
///
///     key a: x ──┐                                  ┌── a: v, no x
///     key b: x ──┴─→ decision: committed (or not) ──┴── b: v, no x
///
/// Whoever meets an intent asks for the decision: decided, it finishes the work of the other;
/// undecided, a reader takes the value from before, and a writer waits, until the transaction has
/// had its time and is decided against. Nobody sees half of a transaction in one key, and all of it
/// or nothing lasts, whichever node dies when.
class EmbeddedStore final : public Component {
 public:
  struct Dependencies {
    Clock& clock;
    Executor& timers;  // of pauses before another attempt
    StateCalls& calls;
  };

  /// All outlive it and what was begun. `name`: stores of one name are one store.
  EmbeddedStore(Dependencies dependencies, std::string name);
  ~EmbeddedStore() override;

  Features features() const override;
  void read(std::vector<Read> reads, Time deadline, Done<std::vector<Found>> done) override;
  void write(std::vector<Change> changes, Time deadline,
             Done<std::vector<Result<void>>> done) override;
  void transact(std::vector<Change> changes, Time deadline, Done<void> done) override;
  void stop() override {}

 private:
  class Keys;
  class Transaction;

  std::shared_ptr<Keys> keys_;
};

}  // namespace troupe::blocks::state
