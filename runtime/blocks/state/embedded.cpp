#include "runtime/blocks/state/embedded.h"

#include <algorithm>
#include <utility>

#include "runtime/base/random.h"
#include "runtime/blocks/state/embedded_keys.h"
#include "runtime/blocks/state/fan_out.h"
#include "runtime/blocks/state/merged.h"
#include "runtime/blocks/state/uuid.h"

namespace troupe::blocks::state {
namespace {

// Of one bulk: more would only fill the windows to other nodes.
constexpr std::size_t kAtOnceMax = 128;
constexpr std::size_t kTransactionMax = 1'000;
constexpr Duration kIdle = std::chrono::seconds(10);

// It has named values only: no method is ever called.
class NoInstance final : public ActorInstance {
 public:
  Result<void> load(std::optional<std::string_view> /*state*/) override { return {}; }
  void run_turn(TurnMessage message, TurnContext& /*context*/, Done<TurnResult> done) override {
    done(fail(Code::kUnimplemented, "no method '" + message.method + "'"));
  }
  bool spoiled() const override { return false; }
  void deactivate(TurnContext& /*context*/, Done<TurnResult> done) override { done(TurnResult{}); }
};

}  // namespace

ActorType state_actor_type() {
  ActorType type;
  type.name = kStateActorType;
  type.options.idle_timeout = kIdle;
  type.make = [] { return std::make_unique<NoInstance>(); };
  return type;
}

/// A change of several keys, from its first intent to its end.
class EmbeddedStore::Transaction final
    : public std::enable_shared_from_this<EmbeddedStore::Transaction> {
 public:
  Transaction(std::shared_ptr<Keys> keys, std::vector<Change> changes, Time deadline,
              Done<void> done)
      : keys_(std::move(keys)),
        changes_(std::move(changes)),
        deadline_(deadline),
        done_(std::move(done)),
        id_(new_uuid()) {
    // Longer than anybody works at it, so that a late decision has no chance.
    until_ = keys_->clock().wall() + (deadline - keys_->clock().now());
    held_.resize(changes_.size());
  }

  // Takes hold of all keys.
  void begin() {
    FanOut<Result<void>>::run(
        changes_.size(), kAtOnceMax,
        [self = shared_from_this()](std::size_t i, Function<void(Result<void>)> done) {
          self->hold(i, 0, std::move(done));
        },
        [self = shared_from_this()](const std::vector<Result<void>>& held) {
          for (const Result<void>& each : held) {
            if (!each) return self->give_up(each);
          }
          self->commit();
        });
  }

 private:
  Intent intent(std::size_t i) const {
    Intent intent{.transaction = id_, .until = until_, .value = {}, .expires = {}};
    if (const Set* set = std::get_if<Set>(&changes_[i])) {
      intent.value = std::string(set->value.view());
      if (set->ttl_seconds && *set->ttl_seconds > 0) {
        intent.expires = keys_->clock().wall() + std::chrono::seconds(*set->ttl_seconds);
      }
    }
    return intent;
  }

  void hold(std::size_t i, std::size_t attempt, Function<void(Result<void>)> done) {
    actors::StateOperation take = without_intent();
    take.value = encode(intent(i));
    keys_->change(key(i), {std::move(take)}, deadline_,
                  [self = shared_from_this(), i, attempt,
                   done = std::move(done)](Result<void> taken) mutable {
                    if (!taken && taken.error().code != Code::kConflict) {
                      return done(std::move(taken));
                    }
                    self->look(i, attempt, std::move(done));
                  });
  }

  // Ours, and as its change asks for? Or another's?
  void look(std::size_t i, std::size_t attempt, Function<void(Result<void>)> done) {
    keys_->load(key(i), deadline_,
                [self = shared_from_this(), i, attempt,
                 done = std::move(done)](Result<KeyState> state) mutable {
                  if (!state) return done(fail(state.error()));
                  if (!state->intent) return self->hold_again(i, attempt, std::move(done));
                  if (state->intent->transaction != self->id_) {
                    return self->wait_for(i, attempt, *std::move(state), std::move(done));
                  }
                  const Result<void> fine = self->check(i, *state);
                  self->held_[i] = *std::move(state);
                  done(fine);
                });
  }

  Result<void> check(std::size_t i, const KeyState& state) const {
    const Result<actors::StateOperation> operation = operation_of(changes_[i]);
    if (!operation) return fail(operation.error());
    const std::uint64_t version = state.value ? state.value->etag : 0;
    if (operation->etag && *operation->etag != version) return mismatch();
    return {};
  }

  void wait_for(std::size_t i, std::size_t attempt, KeyState state,
                Function<void(Result<void>)> done) {
    keys_->resolve(key(i), std::move(state), deadline_,
                   [self = shared_from_this(), i, attempt, done = std::move(done)](
                       const Result<std::optional<KeyState>>& undecided) mutable {
                     if (!undecided) return done(fail(undecided.error()));
                     self->hold_again(i, attempt, std::move(done));
                   });
  }

  void hold_again(std::size_t i, std::size_t attempt, Function<void(Result<void>)> done) {
    auto shared = std::make_shared<Function<void(Result<void>)>>(std::move(done));
    const bool waits =
        keys_->again(attempt + 1, deadline_, [self = shared_from_this(), i, attempt, shared] {
          self->hold(i, attempt + 1, std::move(*shared));
        });
    if (!waits) {
      (*shared)(fail(Code::kTimeout, "'" + key(i) + "' is held by another transaction"));
    }
  }

  void commit() {
    keys_->decide(id_, Decision::kCommitted, deadline_,
                  [self = shared_from_this()](const Result<void>& decided) {
                    if (decided) return self->settle(Decision::kCommitted, {});
                    if (decided.error().code == Code::kConflict) {
                      return self->give_up(
                          fail(Code::kTimeout, "the transaction took longer than its time-out"));
                    }
                    // Known to the next who meets one of the intents.
                    self->done_(fail(decided.error()));
                  });
  }

  // Unless it is decided already, which nobody but us can have done in favour.
  void give_up(Result<void> why) {
    const Time deadline = keys_->clock().now() + kCleaning;
    keys_->decide(id_, Decision::kAborted, deadline,
                  [self = shared_from_this(), why = std::move(why)](const Result<void>&) mutable {
                    self->settle(Decision::kAborted, std::move(why));
                  });
  }

  void settle(Decision decision, Result<void> outcome) {
    const Time deadline = keys_->clock().now() + kCleaning;
    FanOut<Result<void>>::run(
        changes_.size(), kAtOnceMax,
        [self = shared_from_this(), decision, deadline](std::size_t i,
                                                        Function<void(Result<void>)> done) {
          if (!self->held_[i]) return done({});
          self->keys_->settle(self->key(i), *self->held_[i], decision, deadline, std::move(done));
        },
        [self = shared_from_this(), decision, deadline,
         outcome = std::move(outcome)](const std::vector<Result<void>>& settled) mutable {
          const bool all = std::ranges::all_of(
              settled, [](const Result<void>& each) { return each.has_value(); });
          if (all && decision == Decision::kCommitted) self->keys_->forget(self->id_, deadline);
          self->done_(std::move(outcome));
        });
  }

  const std::string& key(std::size_t i) const { return key_of(changes_[i]); }

  static constexpr Duration kCleaning = std::chrono::seconds(10);

  std::shared_ptr<Keys> keys_;
  std::vector<Change> changes_;
  Time deadline_;
  Done<void> done_;
  std::string id_;
  WallTime until_;
  std::vector<std::optional<KeyState>> held_;
};

EmbeddedStore::EmbeddedStore(Dependencies dependencies, std::string name)
    : keys_(std::make_shared<Keys>(dependencies, std::move(name))) {}

EmbeddedStore::~EmbeddedStore() = default;

Features EmbeddedStore::features() const {
  Features features;
  features.transaction_length_max = kTransactionMax;
  return features;
}

void EmbeddedStore::read(std::vector<Read> reads, Time deadline, Done<std::vector<Found>> done) {
  const std::size_t count = reads.size();
  FanOut<Found>::run(
      count, kAtOnceMax,
      [keys = keys_, deadline, reads = std::move(reads)](std::size_t i,
                                                         Function<void(Found)> each) mutable {
        keys->read(std::move(reads[i].key), deadline, std::move(each));
      },
      [done = std::move(done)](std::vector<Found> all) mutable { done(std::move(all)); });
}

void EmbeddedStore::write(std::vector<Change> changes, Time deadline,
                          Done<std::vector<Result<void>>> done) {
  const std::size_t count = changes.size();
  FanOut<Result<void>>::run(
      count, kAtOnceMax,
      [keys = keys_, deadline, changes = std::move(changes)](
          std::size_t i, Function<void(Result<void>)> each) mutable {
        keys->write(std::move(changes[i]), deadline, std::move(each));
      },
      [done = std::move(done)](std::vector<Result<void>> all) mutable { done(std::move(all)); });
}

void EmbeddedStore::transact(std::vector<Change> changes, Time deadline, Done<void> done) {
  changes = merged(std::move(changes));
  if (changes.empty()) return done({});
  if (changes.size() == 1) {
    return keys_->write(std::move(changes.front()), deadline, std::move(done));
  }
  std::make_shared<Transaction>(keys_, std::move(changes), deadline, std::move(done))->begin();
}

}  // namespace troupe::blocks::state
