#include "runtime/blocks/state/embedded_keys.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "runtime/base/codec.h"

namespace troupe::blocks::state {
namespace {

constexpr std::string_view kValue = "v";
constexpr std::string_view kIntent = "x";
constexpr std::string_view kDecision = "d";
constexpr std::string_view kCommitted = "committed";
constexpr std::string_view kAborted = "aborted";
// A decision against is needed only while a late intent of it may still arrive.
constexpr Duration kAbortedLifetime = std::chrono::hours(24);
constexpr std::size_t kAttemptsMax = 100;
constexpr Duration kPauseMax = std::chrono::milliseconds(500);

std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

Result<KeyState> state_of(const Payload& reply) {
  Result<actors::StoredValues> values = actors::decode_stored_values(reply.view());
  if (!values) return fail(values.error());
  KeyState state;
  for (auto& [name, stored] : *values) {
    if (name == kValue) {
      state.value = std::move(stored);
    } else if (name == kIntent) {
      Result<Intent> intent = decode_intent(stored.value);
      if (!intent) return fail(intent.error());
      state.intent = *std::move(intent);
      state.intent_etag = stored.etag;
    }
  }
  return state;
}

std::optional<Value> value_of(KeyState state) {
  if (!state.value) return std::nullopt;
  return Value{.data = Payload(std::move(state.value->value)),
               .etag = std::to_string(state.value->etag),
               .expires = state.value->expires};
}

// Whether the key is as `change` asks for.
bool fits(const Change& change, const KeyState& state) {
  const std::uint64_t version = state.value ? state.value->etag : 0;
  if (const auto& etag = etag_of(change)) return number_of(*etag) == version && version != 0;
  const Set* set = std::get_if<Set>(&change);
  return set == nullptr || !set->creates() || version == 0;
}

}  // namespace

std::string encode(const Intent& intent) {
  Writer out;
  out.bytes(intent.transaction);
  out.integer(intent.until.time_since_epoch().count());
  out.boolean(intent.value.has_value());
  out.bytes(intent.value.value_or(""));
  out.boolean(intent.expires.has_value());
  out.integer(intent.expires.value_or(WallTime{}).time_since_epoch().count());
  return out.take();
}

Result<Intent> decode_intent(std::string_view bytes) {
  Reader in(bytes);
  Intent intent;
  intent.transaction = in.string();
  intent.until = WallTime{Duration{in.integer()}};
  const bool has_value = in.boolean();
  std::string value = in.string();
  if (has_value) intent.value = std::move(value);
  const bool expires = in.boolean();
  const WallTime when{Duration{in.integer()}};
  if (expires) intent.expires = when;
  if (!in.finished()) return fail(Code::kDataLoss, "an intent of a transaction makes no sense");
  return intent;
}

actors::StateOperation without_intent() {
  return {.name = std::string(kIntent), .value = {}, .etag = 0, .ttl = {}};
}

Result<actors::StateOperation> operation_of(const Change& change) {
  actors::StateOperation operation{.name = std::string(kValue), .value = {}, .etag = {}, .ttl = {}};
  if (const auto& etag = etag_of(change)) {
    operation.etag = number_of(*etag);
    if (!operation.etag) return invalid_etag(*etag);
    if (*operation.etag == 0) return mismatch();  // would be: absent
  }
  if (const Set* set = std::get_if<Set>(&change)) {
    operation.value = std::string(set->value.view());
    if (set->creates()) operation.etag = 0;
    if (set->ttl_seconds && *set->ttl_seconds > 0) {
      operation.ttl = std::chrono::seconds(*set->ttl_seconds);
    }
  }
  return operation;
}

void EmbeddedStore::Keys::send(std::string id, actors::StateOperations operations, Time deadline,
                               Done<Payload> done) {
  deps_.calls.send({.type = std::string(kStateActorType), .id = std::move(id)},
                   Payload(actors::encode(operations)), deadline, std::move(done));
}

void EmbeddedStore::Keys::load(const std::string& key, Time deadline, Done<KeyState> done) {
  send("k/" + name_ + "/" + key, {.changes = {}, .reads = {}, .read_all = true}, deadline,
       [done = std::move(done)](Result<Payload> reply) mutable {
         if (!reply) return done(fail(reply.error()));
         done(state_of(*reply));
       });
}

void EmbeddedStore::Keys::change(const std::string& key,
                                 std::vector<actors::StateOperation> changes, Time deadline,
                                 Done<void> done) {
  send("k/" + name_ + "/" + key, {.changes = std::move(changes), .reads = {}, .read_all = false},
       deadline, [done = std::move(done)](const Result<Payload>& reply) mutable {
         if (!reply) return done(fail(reply.error()));
         done({});
       });
}

void EmbeddedStore::Keys::decision(const std::string& transaction, Time deadline,
                                   Done<Decision> done) {
  send("t/" + name_ + "/" + transaction, {.changes = {}, .reads = {}, .read_all = true}, deadline,
       [done = std::move(done)](const Result<Payload>& reply) mutable {
         if (!reply) return done(fail(reply.error()));
         const Result<actors::StoredValues> values = actors::decode_stored_values(reply->view());
         if (!values) return done(fail(values.error()));
         for (const auto& [name, stored] : *values) {
           if (name != kDecision) continue;
           return done(stored.value == kCommitted ? Decision::kCommitted : Decision::kAborted);
         }
         done(Decision::kNone);
       });
}

void EmbeddedStore::Keys::decide(const std::string& transaction, Decision decision, Time deadline,
                                 Done<void> done) {
  const bool committed = decision == Decision::kCommitted;
  actors::StateOperation write{.name = std::string(kDecision),
                               .value = std::string(committed ? kCommitted : kAborted),
                               .etag = 0,
                               .ttl = {}};
  if (!committed) write.ttl = kAbortedLifetime;
  send("t/" + name_ + "/" + transaction,
       {.changes = {std::move(write)}, .reads = {}, .read_all = false}, deadline,
       [done = std::move(done)](const Result<Payload>& reply) mutable {
         if (!reply) return done(fail(reply.error()));
         done({});
       });
}

void EmbeddedStore::Keys::forget(const std::string& transaction, Time deadline) {
  actors::StateOperation erase{.name = std::string(kDecision), .value = {}, .etag = {}, .ttl = {}};
  send("t/" + name_ + "/" + transaction,
       {.changes = {std::move(erase)}, .reads = {}, .read_all = false}, deadline,
       [](const Result<Payload>&) {});
}

void EmbeddedStore::Keys::settle(const std::string& key, const KeyState& state, Decision decision,
                                 Time deadline, Done<void> done) {
  std::vector<actors::StateOperation> changes;
  changes.push_back(
      {.name = std::string(kIntent), .value = {}, .etag = state.intent_etag, .ttl = {}});
  if (decision == Decision::kCommitted) {
    actors::StateOperation write{
        .name = std::string(kValue), .value = state.intent->value, .etag = {}, .ttl = {}};
    if (state.intent->expires && write.value) {
      write.ttl = *state.intent->expires - deps_.clock.wall();
      if (*write.ttl <= Duration::zero())
        write = {.name = write.name, .value = {}, .etag = {}, .ttl = {}};
    }
    changes.push_back(std::move(write));
  }
  change(key, std::move(changes), deadline, [done = std::move(done)](Result<void> outcome) mutable {
    if (!outcome && outcome.error().code == Code::kConflict) return done({});
    done(std::move(outcome));
  });
}

void EmbeddedStore::Keys::resolve(std::string key, KeyState state, Time deadline,
                                  Done<std::optional<KeyState>> done) {
  const std::string transaction = state.intent->transaction;
  decision(transaction, deadline,
           [self = shared_from_this(), key = std::move(key), state = std::move(state), deadline,
            done = std::move(done)](Result<Decision> found) mutable {
             if (!found) return done(fail(found.error()));
             if (*found != Decision::kNone) {
               return self->settle(key, state, *found, deadline,
                                   [done = std::move(done)](const Result<void>& settled) mutable {
                                     if (!settled) return done(fail(settled.error()));
                                     done(std::optional<KeyState>());
                                   });
             }
             if (self->clock().wall() > state.intent->until) {
               const std::string late = state.intent->transaction;
               return self->decide(late, Decision::kAborted, deadline,
                                   [done = std::move(done)](const Result<void>& decided) mutable {
                                     if (!decided && decided.error().code != Code::kConflict) {
                                       return done(fail(decided.error()));
                                     }
                                     done(std::optional<KeyState>());
                                   });
             }
             // A decision is forgotten once all its intents are gone: only if this one is still
             // there was it undecided just now.
             self->load(
                 key, deadline,
                 [etag = state.intent_etag, done = std::move(done)](Result<KeyState> now) mutable {
                   if (!now) return done(fail(now.error()));
                   if (!now->intent || now->intent_etag != etag)
                     return done(std::optional<KeyState>());
                   done(std::optional(*std::move(now)));
                 });
           });
}

bool EmbeddedStore::Keys::again(std::size_t attempt, Time deadline, Work work) {
  if (attempt >= kAttemptsMax) return false;
  const Duration pause =
      std::min<Duration>(kPauseMax, std::chrono::milliseconds(1) * (attempt * attempt + 1));
  const Time when = deps_.clock.now() + pause;
  if (when >= deadline) return false;
  deps_.timers.post_at(when, std::move(work));
  return true;
}

void EmbeddedStore::Keys::read(std::string key, Time deadline, Done<std::optional<Value>> done) {
  std::string id = key;
  load(id, deadline,
       [self = shared_from_this(), key = std::move(key), deadline,
        done = std::move(done)](Result<KeyState> state) mutable {
         if (!state) return done(fail(state.error()));
         if (!state->intent) return done(value_of(*std::move(state)));
         std::string same = key;
         self->resolve(
             std::move(same), *std::move(state), deadline,
             [self, key = std::move(key), deadline,
              done = std::move(done)](Result<std::optional<KeyState>> undecided) mutable {
               if (!undecided) return done(fail(undecided.error()));
               if (*undecided) return done(value_of(**std::move(undecided)));
               if (self->clock().now() >= deadline) {
                 return done(fail(Code::kTimeout, "'" + key + "' is in many transactions"));
               }
               self->read(std::move(key), deadline, std::move(done));
             });
       });
}

struct EmbeddedStore::Keys::Writing {
  Change change;
  Time deadline;
  Done<void> done;
  std::size_t attempts = 0;
};

void EmbeddedStore::Keys::write(Change change, Time deadline, Done<void> done) {
  attempt(std::make_shared<Writing>(
      Writing{.change = std::move(change), .deadline = deadline, .done = std::move(done)}));
}

void EmbeddedStore::Keys::attempt(std::shared_ptr<Writing> writing) {
  Result<actors::StateOperation> operation = operation_of(writing->change);
  if (!operation) return writing->done(fail(operation.error()));
  change(key_of(writing->change), {without_intent(), *std::move(operation)}, writing->deadline,
         [self = shared_from_this(), writing](Result<void> outcome) {
           if (outcome || outcome.error().code != Code::kConflict) {
             return writing->done(std::move(outcome));
           }
           self->conflicted(writing);
         });
}

// Was it the etag, or another's transaction?
void EmbeddedStore::Keys::conflicted(std::shared_ptr<Writing> writing) {
  const std::string& key = key_of(writing->change);
  load(key, writing->deadline, [self = shared_from_this(), writing](Result<KeyState> state) {
    if (!state) return writing->done(fail(state.error()));
    const auto go_on = [self, writing](bool at_once) {
      if (at_once && ++writing->attempts < kAttemptsMax) return self->attempt(writing);
      const bool waits = self->again(++writing->attempts, writing->deadline,
                                     [self, writing] { self->attempt(writing); });
      if (waits) return;
      writing->done(
          fail(Code::kTimeout, "'" + key_of(writing->change) + "' is held by another transaction"));
    };
    if (!state->intent) {
      if (!fits(writing->change, *state)) return writing->done(mismatch());
      return go_on(true);
    }
    self->resolve(key_of(writing->change), *std::move(state), writing->deadline,
                  [writing, go_on](const Result<std::optional<KeyState>>& undecided) {
                    if (!undecided) return writing->done(fail(undecided.error()));
                    go_on(!undecided->has_value());
                  });
  });
}

}  // namespace troupe::blocks::state
