#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/base/executor.h"
#include "runtime/base/log.h"
#include "runtime/base/network.h"
#include "runtime/base/random.h"
#include "runtime/cluster/frames.h"
#include "runtime/cluster/replica.h"
#include "runtime/cluster/rpc.h"
#include "runtime/cluster/snapshot_metrics.h"
#include "runtime/cluster/snapshot_receiver.h"
#include "runtime/cluster/snapshot_sender.h"
#include "storage/writer.h"

namespace troupe::cluster {

/// What the rest of the node hears of its replicas. On the node loop.
class ReplicasListener {
 public:
  virtual ~ReplicasListener() = default;

  virtual void standing_changed(Replica& replica) = 0;
  /// Null: an entry of the meta shard.
  virtual void applied(Replica& replica, const storage::Entry* entry,
                       const storage::Outcome& outcome) = 0;
  virtual void reconfigured(Replica& replica) = 0;
  /// This node's replica of the shard is gone.
  virtual void dropped(ShardId shard) = 0;
  /// Before the steps of one turn of the loop.
  virtual void stepping() = 0;
  /// After them, or a tick, once: a good moment to look at leases.
  virtual void stepped() = 0;
};

struct ReplicasOptions {
  NodeId self;
  std::uint32_t shard_count = 0;
  raft::RaftOptions raft;
  Duration tick_interval = std::chrono::milliseconds(50);
  SnapshotSender::Options sender{};
  SnapshotReceiver::Options receiver{};
};

/// All replicas of this node: ticks them together, writes them in one batch, sends what they say to
/// one node in one frame.
///
/// Belongs to the node loop.
class Replicas final : private ReplicaEvents {
 public:
  struct Dependencies {
    Clock& clock;
    Executor& loop;
    Random& random;
    Network& network;
    Rpc& rpc;
    storage::Disk& disk;
    Log log;
    /// The disk or a log failed: the process must stop, with this one line.
    std::function<void(const Error&)> fatal;
  };

  Replicas(ReplicasOptions options, Dependencies dependencies, ReplicasListener& listener);
  ~Replicas() override;

  /// Before any replica is loaded or founded.
  void set_shard_count(std::uint32_t count) { options_.shard_count = count; }
  /// Runs once everything in the pending batch is durable.
  void when_durable(Work work);

  /// Runs once all that was applied until now is in the engine, as disk.view() shows it.
  void when_applied_is_written(Work work) {
    writer_->settle();
    when_written(std::move(work));
  }

  /// Loads the replicas that the disk holds. kDataLoss names what is damaged.
  Result<void> load();
  /// Begins replicas of new groups. Durable before anything of them leaves.
  void found(const std::map<ShardId, raft::Configuration>& groups);
  /// Ticks from now on.
  void start();
  void stop();

  Replica* find(ShardId shard) { return at(place_of(shard)); }
  /// `use`, which may drop and begin replicas, is given each in turn.
  template <class Use>
  void each(Use use) {
    for (std::size_t place = 0; place < slots_.size(); ++place) {
      if (Replica* const replica = at(place); replica != nullptr) use(*replica);
    }
  }
  std::size_t count() const { return replicas_.size(); }
  ReplicaId meta_replica() const;

  void propose(ShardId shard, ProposedEntry entry, Done<storage::Outcome> done);
  void received(NodeId from, const RaftFrame& frame);
  void disconnected(NodeId peer);
  /// A replica id that the group removed: it goes for good.
  void retire(ShardId shard, ReplicaId replica);

  /// Something was done to a replica from outside: step it at the end of this turn of the loop.
  void wake(ShardId shard);
  storage::GroupWriter& writer() { return *writer_; }
  /// Of snapshots that are sent.
  std::size_t snapshot_bytes_held() const { return sender_->bytes_held(); }
  /// As the metrics themselves: from any thread.
  const SnapshotMetrics& snapshots() const { return snapshots_; }

 private:
  struct Slot {
    Replica* replica = nullptr;
    bool awake = false;
    bool ticking = false;
  };
  struct Write {
    storage::Ticket batch;
    ShardId shard;
    ReplicaId replica;
    std::uint64_t ticket;  // of the replica
  };

  /// The meta shard, whose number is the greatest, comes first.
  static std::size_t place_of(ShardId shard) { return shard.value + 1; }
  Replica* at(std::size_t place) const {
    return place < slots_.size() ? slots_[place].replica : nullptr;
  }

  void send(ShardId shard, const raft::Message& message) override;
  void wrote(ShardId shard, std::uint64_t ticket) override;
  void standing_changed(ShardId shard) override;
  void applied(ShardId shard, const storage::Entry* entry,
               const storage::Outcome& outcome) override;
  void reconfigured(ShardId shard) override;
  void send_snapshot(ShardId shard, const raft::SendSnapshot& request) override;
  void broken(ShardId shard, const Error& error) override;

  void open(storage::ReplicaKeys keys, raft::Restored restored);
  void drop(ShardId shard, bool tombstone);
  Replica* replica_for(const raft::Address& to, ShardId shard);
  void wake(Replica& replica);
  void schedule_run();
  void run();
  void tick();
  void plan_tick(Time when);
  void flush_frames();
  void progressed(storage::GroupWriter::Progress progress);
  /// Runs once all that is pending now is in the engine.
  void when_written(Work work);
  void receive_chunk(NodeId from, std::string_view body, Done<std::string> respond);

  ReplicasOptions options_;
  Dependencies deps_;
  ReplicasListener& listener_;
  std::unique_ptr<storage::GroupWriter> writer_;
  std::map<ShardId, std::unique_ptr<Replica>> replicas_;
  std::vector<Slot> slots_;    // the same, found by place_of() without a search
  std::deque<ShardId> awake_;  // those whose slot says so, in the order they woke
  std::set<ShardId> ticking_;  // those that are not alone, and some that have become so
  std::deque<Write> writes_;   // not known to be durable
  std::map<NodeId, RaftFrameWriter> outgoing_;
  std::vector<std::pair<storage::Ticket, Work>> durable_waiters_;
  std::vector<std::pair<storage::Ticket, Work>> written_waiters_;
  SnapshotMetrics snapshots_;
  std::unique_ptr<SnapshotSender> sender_;
  std::unique_ptr<SnapshotReceiver> receiver_;
  std::uint64_t tick_planned_ = 0;
  Time settle_at_{};
  bool run_scheduled_ = false;
  bool started_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace troupe::cluster
