#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/turns/right.h"
#include "runtime/base/ids.h"
#include "storage/shard/entry.h"
#include <troupe/actor_key.h>
#include <troupe/function.h>

namespace troupe::actors {

/// A named value of an actor, as the shard has it.
struct StoredValue {
  std::string value;
  std::uint64_t etag = 0;
  std::optional<WallTime> expires;
};

/// A reminder as the shard has it; `body` is what actors/reminders encodes.
struct StoredReminder {
  ActorKey key;
  std::string name;
  std::uint64_t registration = 0;
  std::uint64_t number = 1;
  WallTime due;
  std::string body;
};

/// What the actors of a node need of the cluster's shards. runtime/cluster implements it.
/// Every function may be called from any thread; completions run on any thread, once, never inside
/// the call, and must not block.
class Shards {
 public:
  virtual ~Shards() = default;

  virtual ShardId shard_of(std::string_view type, std::string_view id) const = 0;

  /// This node's right to the actors of `type` in `shard`; null if it has none. Cheap: no hop.
  virtual std::shared_ptr<Right> right(ShardId shard, std::string_view type) const = 0;

  /// Proposes the effects of a turn under `right`. `command`'s epoch and sequence are filled in
  /// here: commits of one right are applied in the order of these calls. An error is kPrecondition
  /// (no longer the owner: nothing took effect), kExhausted (refused, nothing took effect) or
  /// kUnknownOutcome (after which the right has ended).
  virtual void commit(std::shared_ptr<Right> right, storage::TurnCommand command,
                      Done<storage::Outcome> done) = 0;

  /// The values of one actor (those named; all if `names` is empty), as of every commit of `right`
  /// acknowledged before.
  virtual void load(std::shared_ptr<Right> right, ActorKey key,
                    Done<std::vector<std::pair<std::string, StoredValue>>> done) = 0;

  /// What was answered to the call with this id, if it has had its effect: an outcome of kind
  /// kConsumed. As of every commit of `right` acknowledged before, and of all rights before it.
  virtual void recall(std::shared_ptr<Right> right, storage::CallId id,
                      Done<std::optional<storage::Outcome>> done) = 0;

  /// The reminders of one actor, or of all of a type in this shard (empty id), in the order of
  /// their names.
  virtual void reminders(std::shared_ptr<Right> right, ActorKey key, std::string name,
                         Done<std::vector<StoredReminder>> done) = 0;

  /// Asks the shard whether `right` is still the current one: for a turn without effects whose
  /// lease has run out meanwhile. kPrecondition if not.
  virtual void confirm(std::shared_ptr<Right> right, Done<void> done) = 0;
};

}  // namespace troupe::actors
