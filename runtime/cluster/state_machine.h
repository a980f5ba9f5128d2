#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "runtime/cluster/meta_machine.h"
#include "storage/engine.h"
#include "storage/keys.h"
#include "storage/raft/types.h"
#include "storage/shard/entry.h"
#include "storage/shard/machine.h"
#include <troupe/payload.h>
#include <troupe/result.h>

namespace troupe::cluster {

/// An entry on its way into a log: its bytes, and what they decode to, if whoever proposes it has
/// that at hand: then the leader need not decode it.
struct ProposedEntry {
  ProposedEntry(Payload the_bytes)  // NOLINT(google-explicit-constructor)
      : bytes(std::move(the_bytes)) {}
  explicit ProposedEntry(std::shared_ptr<const storage::Entry> the_entry)
      : bytes(storage::encode(*the_entry)), entry(std::move(the_entry)) {}

  Payload bytes;
  std::shared_ptr<const storage::Entry> entry;
};

/// What a replica does with the entries its group has agreed on.
class StateMachine {
 public:
  virtual ~StateMachine() = default;

  /// Finds its state again in the rows under `keys`: at the start, and after a snapshot, whose rows
  /// are on the other side.
  virtual Result<void> load(storage::ReplicaKeys keys) = 0;
  /// The changes are appended to `out`, which reads show from then on. An error is a disk or an
  /// entry that cannot be trusted: the replica must stop. `entry` is what the bytes decode to,
  /// or null, and then becomes it. The meta shard's entries are others: for them it stays null.
  virtual Result<storage::Outcome> apply(raft::Term term, raft::Index index, std::string_view bytes,
                                         std::shared_ptr<const storage::Entry>& entry,
                                         storage::Batch& out) = 0;
  /// What changes with most entries and need not be read back: written once for all that were
  /// applied since the last time, with their applied index.
  virtual void put_marks(storage::Batch& out) = 0;
};

/// That of the shards with actors.
class ShardStateMachine final : public StateMachine {
 public:
  ShardStateMachine(storage::ReplicaKeys keys, std::uint32_t shard_count,
                    const storage::Reads& reads);

  Result<void> load(storage::ReplicaKeys keys) override { return machine_.load(keys); }
  Result<storage::Outcome> apply(raft::Term term, raft::Index index, std::string_view bytes,
                                 std::shared_ptr<const storage::Entry>& entry,
                                 storage::Batch& out) override;
  void put_marks(storage::Batch& out) override { machine_.put_sequences(out); }

  const storage::ShardMachine& machine() const { return machine_; }

 private:
  storage::ShardMachine machine_;
};

/// That of the meta shard.
class MetaStateMachine final : public StateMachine {
 public:
  MetaStateMachine(storage::ReplicaKeys keys, const storage::Reads& reads);

  Result<void> load(storage::ReplicaKeys keys) override;
  Result<storage::Outcome> apply(raft::Term term, raft::Index index, std::string_view bytes,
                                 std::shared_ptr<const storage::Entry>& entry,
                                 storage::Batch& out) override;
  void put_marks(storage::Batch& /*out*/) override {}

  const MetaMachine& machine() const { return machine_; }

 private:
  static std::string row(storage::ReplicaKeys keys) { return keys.data_prefix() + "meta"; }

  std::string key_;
  const storage::Reads& reads_;
  MetaMachine machine_;
};

}  // namespace troupe::cluster
