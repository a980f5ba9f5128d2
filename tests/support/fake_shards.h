#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "actors/turns/shards.h"
#include "runtime/base/executor.h"
#include "runtime/base/guarded.h"

namespace troupe::testing {

/// Shards in memory, with the true rules: an entry is refused whole unless its epoch is current
/// and its cause unconsumed. Completions run on the executor given. Thread-safe.
class FakeShards final : public actors::Shards {
 public:
  static constexpr std::uint32_t kCount = 8;

  explicit FakeShards(Executor& executor) : executor_(executor) {}

  /// Makes this node the owner of all actors of `type` until `until`, under a new epoch.
  void own(const std::string& type, Time until);
  /// Another node is the owner now; the rights do not know it yet.
  void usurp(const std::string& type);
  /// The rights of `type`, one a shard.
  std::vector<std::shared_ptr<actors::Right>> rights(const std::string& type) const;

  /// From now on, completions of commits wait for release().
  void hold_commits();
  void release_commits();
  /// The next commit takes no effect and fails like this.
  void fail_next_commit(Error error);
  void fail_next_load(Error error);
  void fail_next_recall(Error error);

  std::string value(const ActorKey& key, const std::string& name = {}) const;
  void set_value(const ActorKey& key, const std::string& value);
  std::vector<storage::TurnCommand> entries() const;  // applied
  std::size_t loads() const;
  std::size_t recalls() const;
  std::size_t confirms() const;

  ShardId shard_of(std::string_view type, std::string_view id) const override;
  std::shared_ptr<actors::Right> right(ShardId shard, std::string_view type) const override;
  void commit(std::shared_ptr<actors::Right> right, storage::TurnCommand command,
              Done<storage::Outcome> done) override;
  void load(std::shared_ptr<actors::Right> right, ActorKey key,
            Done<std::vector<std::pair<std::string, actors::StoredValue>>> done) override;
  void recall(std::shared_ptr<actors::Right> right, storage::CallId id,
              Done<std::optional<storage::Outcome>> done) override;
  void reminders(std::shared_ptr<actors::Right> right, ActorKey key, std::string name,
                 Done<std::vector<actors::StoredReminder>> done) override;
  void confirm(std::shared_ptr<actors::Right> right, Done<void> done) override;

 private:
  struct Data {
    std::map<std::pair<std::string, std::uint32_t>, Epoch> epochs;
    std::map<std::pair<std::string, std::uint32_t>, std::shared_ptr<actors::Right>> rights;
    std::map<ActorKey, std::map<std::string, actors::StoredValue>> values;
    std::map<std::pair<ActorKey, std::string>, actors::StoredReminder> reminders;
    std::map<storage::CallId, std::string> replies;
    std::map<NodeId, std::uint64_t> done_below;  // by caller
    std::set<std::pair<ShardId, std::uint64_t>> consumed;
    std::vector<storage::TurnCommand> entries;
    std::uint64_t index = 0;
    std::size_t loads = 0;
    std::size_t recalls = 0;
    std::size_t confirms = 0;
    bool holding = false;
    std::vector<Work> held;
    std::optional<Error> commit_failure;
    std::optional<Error> load_failure;
    std::optional<Error> recall_failure;
  };

  static Result<storage::Outcome> apply(Data& data, const actors::Right& right,
                                        storage::TurnCommand command);
  static std::optional<storage::Outcome> answered(const Data& data, const storage::CallId& id);
  static std::optional<storage::Outcome> refusal(const Data& data,
                                                 const storage::TurnCommand& command);
  static void write(Data& data, const storage::TurnCommand& command);

  Executor& executor_;
  Guarded<Data> data_;
};

}  // namespace troupe::testing
