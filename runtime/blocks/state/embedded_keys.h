#pragma once

#include <memory>
#include <optional>
#include <string>

#include "runtime/blocks/state/embedded.h"

namespace troupe::blocks::state {

/// What a transaction wants of a key, kept beside its value until the transaction is decided.
struct Intent {
  std::string transaction = {};
  WallTime until = {};                    // decided against if it is not decided by then
  std::optional<std::string> value = {};  // nothing: the key goes
  std::optional<WallTime> expires = {};
};
std::string encode(const Intent& intent);
/// kDataLoss for damaged bytes.
Result<Intent> decode_intent(std::string_view bytes);

/// The values of one key's actor.
struct KeyState {
  std::optional<actors::StoredValue> value = {};
  std::optional<Intent> intent = {};
  std::uint64_t intent_etag = 0;
};

enum class Decision : std::uint8_t { kNone, kCommitted, kAborted };

/// The actors of a store's keys, one call or a few at a time.
class EmbeddedStore::Keys final : public std::enable_shared_from_this<EmbeddedStore::Keys> {
 public:
  Keys(Dependencies dependencies, std::string name) : deps_(dependencies), name_(std::move(name)) {}

  /// The value under a key, as of some moment between the call and its end. What a transaction left
  /// undone is finished on the way.
  void read(std::string key, Time deadline, Done<std::optional<Value>> done);
  void write(Change change, Time deadline, Done<void> done);

  /// As they are, without a look at decisions.
  void load(const std::string& key, Time deadline, Done<KeyState> done);
  /// All of `changes` to the values of `key`, or none (kConflict).
  void change(const std::string& key, std::vector<actors::StateOperation> changes, Time deadline,
              Done<void> done);

  void decision(const std::string& transaction, Time deadline, Done<Decision> done);
  /// kConflict if there is a decision already.
  void decide(const std::string& transaction, Decision decision, Time deadline, Done<void> done);
  /// Once no key has an intent of it.
  void forget(const std::string& transaction, Time deadline);

  /// Makes the intent the key's value, or takes it away; unless somebody has done so meanwhile,
  /// which is fine.
  void settle(const std::string& key, const KeyState& state, Decision decision, Time deadline,
              Done<void> done);
  /// `state` has an intent: finishes what is decided, decides against what has had its time. False:
  /// it is undecided still; and `state` is how it was then.
  void resolve(std::string key, KeyState state, Time deadline, Done<std::optional<KeyState>> done);

  Clock& clock() const { return deps_.clock; }
  /// Soon, but not at once. False if `deadline` comes before.
  bool again(std::size_t attempt, Time deadline, Work work);

 private:
  struct Writing;
  void attempt(std::shared_ptr<Writing> writing);
  void conflicted(std::shared_ptr<Writing> writing);
  void send(std::string id, actors::StateOperations operations, Time deadline, Done<Payload> done);

  Dependencies deps_;
  std::string name_;
};

/// The change of the value itself, as an operation of the actor. kInvalid for an etag that is none.
Result<actors::StateOperation> operation_of(const Change& change);

/// The intent must not be there.
actors::StateOperation without_intent();

}  // namespace troupe::blocks::state
