#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "runtime/cluster/meta_machine.h"
#include "storage/engine.h"
#include "storage/keys.h"
#include "storage/shard/machine.h"
#include <troupe/result.h>

namespace troupe::cluster {

/// What a replica does with the entries its group has agreed on.
class StateMachine {
 public:
  virtual ~StateMachine() = default;

  /// Finds its state again in the rows: at the start, and after a snapshot.
  virtual Result<void> load() = 0;
  /// The changes are appended to `out`, which reads show from then on. An error is a disk or an
  /// entry that cannot be trusted: the replica must stop.
  virtual Result<storage::Outcome> apply(std::uint64_t index, std::uint64_t term,
                                         std::string_view entry, storage::Batch& out) = 0;
};

/// That of the shards with actors.
class ShardStateMachine final : public StateMachine {
 public:
  ShardStateMachine(storage::ReplicaKeys keys, std::uint32_t shard_count,
                    const storage::Reads& reads);

  Result<void> load() override { return machine_.load(); }
  Result<storage::Outcome> apply(std::uint64_t index, std::uint64_t term, std::string_view entry,
                                 storage::Batch& out) override;

  const storage::ShardMachine& machine() const { return machine_; }

 private:
  storage::ShardMachine machine_;
};

/// That of the meta shard.
class MetaStateMachine final : public StateMachine {
 public:
  MetaStateMachine(storage::ReplicaKeys keys, const storage::Reads& reads);

  Result<void> load() override;
  Result<storage::Outcome> apply(std::uint64_t index, std::uint64_t term, std::string_view entry,
                                 storage::Batch& out) override;

  const MetaMachine& machine() const { return machine_; }

 private:
  std::string key_;
  const storage::Reads& reads_;
  MetaMachine machine_;
};

}  // namespace troupe::cluster
