#pragma once

#include <cstddef>
#include <cstdint>
#include <map>

#include "runtime/base/log.h"
#include "runtime/cluster/snapshot_chunk.h"
#include "runtime/cluster/snapshot_metrics.h"
#include "storage/keys.h"
#include "storage/shard/snapshot.h"
#include "storage/writer.h"
#include <troupe/result.h>
#include <troupe/time.h>

namespace troupe::cluster {

/// The snapshots that are on their way to this node's replicas.
///
/// The rows of each part go to the disk as they come, to the side of the replica that is not in use
/// (storage/keys.h), so that a snapshot of any size needs no more memory than one part. Nobody
/// reads them before the last part has come and shown that all is there: then the replica makes
/// that side the one in use, by one write (Replica::install()).
///
///     part 0 ──→ part 1 ──→ ... ──→ last part ──→ kWhole
///       │                                 │ rows missing or different, silence, a newer snapshot
///       └── drops what was there          └──→ dropped again; the sender's Raft core asks anew
///
/// Belongs to the node loop.
class SnapshotReceiver {
 public:
  struct Options {
    /// Of different shards. Larger: a new node is filled by more others at the same time.
    std::size_t at_once_max = 8;
    /// After so long a silence the sender is taken for dead.
    Duration patience = std::chrono::seconds(30);
  };
  /// What the receiver has to know of the replica that a part is for.
  struct Target {
    storage::ReplicaKeys keys;  // with the side in use
    raft::Term term = 0;
    raft::Index committed = 0;
    bool installing = false;  // a whole snapshot is about to become its state
  };
  enum class Taken : std::uint8_t {
    kPart,   // its rows are in the pending batch
    kKnown,  // it has come before
    kWhole,  // it was the last: all rows are on the other side, and must become the state at once
  };

  /// `writer` and `metrics` outlive it.
  SnapshotReceiver(Options options, storage::GroupWriter& writer, SnapshotMetrics& metrics,
                   Log log);

  /// Once it is answered with a Taken, and what is pending now is written, the next may come.
  /// kPrecondition: it does not belong to what is on its way, or a newer leader or snapshot has
  /// come; kExhausted: there are too many already; kDataLoss: damaged, nothing of it is left.
  Result<Taken> receive(Time now, NodeId from, const SnapshotChunk& chunk, const Target& target);

  /// Gives up those that were silent for too long. Now and then.
  void look_after(Time now);
  /// This node's replica of the shard is gone, with all its rows.
  void dropped(ShardId shard);

  std::size_t count() const { return arriving_.size(); }

 private:
  struct Arriving {
    storage::ReplicaKeys keys;  // where the rows go
    NodeId from;
    raft::Term term;
    raft::Index index;
    std::uint64_t attempt;
    std::uint64_t next;  // number of the part
    storage::RowsHash hash;
    Time heard_at;
  };
  using Found = std::map<ShardId, Arriving>::iterator;

  Result<void> begin(Time now, NodeId from, const SnapshotChunk& chunk, const Target& target);
  Result<Taken> add(Found arriving, const SnapshotChunk& chunk);
  Result<Taken> finish(Found arriving, const SnapshotChunk& chunk);
  Found give_up(Found arriving, const char* why);

  Options options_;
  storage::GroupWriter& writer_;
  SnapshotMetrics& metrics_;
  Log log_;
  std::map<ShardId, Arriving> arriving_;
};

}  // namespace troupe::cluster
