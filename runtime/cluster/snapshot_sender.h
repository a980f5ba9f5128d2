#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "runtime/base/clock.h"
#include "runtime/base/executor.h"
#include "runtime/base/log.h"
#include "runtime/base/random.h"
#include "runtime/cluster/replica.h"
#include "runtime/cluster/rpc.h"
#include "runtime/cluster/snapshot_chunk.h"
#include "runtime/cluster/snapshot_metrics.h"
#include "storage/shard/snapshot.h"
#include "storage/writer.h"

namespace troupe::cluster {

/// The snapshots that this node's leaders send to followers too far behind for their logs.
///
/// One part after another: read beside the node loop, sent, answered by the receiver once it has
/// written it. A part that was lost is sent again a few times; after that the snapshot has failed,
/// and the Raft core asks anew. The log is kept from the snapshot on, until the follower has it.
///
/// Belongs to the node loop.
class SnapshotSender {
 public:
  struct Options {
    /// Of a part. Larger: fewer questions; smaller: less memory on both sides.
    std::size_t chunk_bytes = 256U << 10U;
    /// Also counts followers that have theirs, and are still behind: their leaders' logs are long.
    std::size_t at_once_max = 4;
    /// Of all that are sent from here, rows only. More is faster and disturbs more.
    std::uint64_t bytes_per_second = 100'000'000;
    Duration part_patience = std::chrono::seconds(5);
    int tries = 5;  // of one part
    Duration pause = std::chrono::seconds(1);
    /// For a follower to catch up with what was applied meanwhile.
    Duration follow_patience = std::chrono::seconds(30);
  };
  /// All outlive it.
  struct Dependencies {
    Clock& clock;
    Executor& loop;
    Random& random;
    Rpc& rpc;
    storage::Disk& disk;
    Log log;
    SnapshotMetrics& metrics;
    std::function<Replica*(ShardId)> find;  // null: not here
    std::function<void(ShardId)> wake;      // something was done to it
    std::function<void(const Error&)> fatal;
  };

  SnapshotSender(Options options, Dependencies dependencies);
  ~SnapshotSender();

  /// What Raft asked for, soon: once what this replica has applied is on its way to the engine.
  void send(ShardId shard, const raft::Address& to);
  /// Releases the logs that nobody needs any more. Now and then.
  void look_after(Time now);
  /// Nothing is sent any more.
  void stop();
  /// This node's replica of the shard is gone.
  void dropped(ShardId shard) { sendings_.erase(shard); }

  std::size_t count() const { return sendings_.size(); }
  /// Of parts that are read or on their way.
  std::size_t bytes_held() const;

 private:
  struct Sending {
    ReplicaId from;
    raft::Address to;
    raft::Term term;
    std::uint64_t attempt;
    raft::LogStart start;
    std::shared_ptr<storage::SnapshotReader> reader;  // null: all is sent
    std::uint64_t next = 0;                           // number of the part
    std::string part{};                               // encoded, on its way
    std::size_t part_rows = 0;                        // bytes of rows in it; 0: the last
    int tries_left = 0;
    Time follow_until{};  // once all is sent
  };

  void begin(ShardId shard, const raft::Address& to);
  bool start_sending(Replica& replica, const raft::Address& to);
  Sending* find(ShardId shard, std::uint64_t attempt);
  void read_part_in_turn(ShardId shard, Sending& sending);
  void read_part(ShardId shard, Sending& sending);
  void send_part(ShardId shard, std::uint64_t attempt, Result<std::string> rows);
  void ask(ShardId shard, Sending& sending);
  void answered(ShardId shard, std::uint64_t attempt, const Result<std::string>& answer);
  void tell_refusal(ShardId shard, const Sending& sending, const Error& why) const;
  void finish(ShardId shard, Sending& sending, bool installed);
  Replica* leader(ShardId shard, const Sending& sending) const;
  bool follows(const Replica& replica, const Sending& sending) const;

  Options options_;
  Dependencies deps_;
  std::map<ShardId, Sending> sendings_;
  Time next_part_at_{};  // what was sent so far has had its time by then
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace troupe::cluster
