#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/cluster/state_machine.h"
#include "storage/keys.h"
#include "storage/raft/raft.h"
#include "storage/shard/entry.h"
#include "storage/writer.h"
#include <troupe/function.h>
#include <troupe/time.h>

namespace troupe::cluster {

/// What a replica tells the node about itself. Called on the node loop, inside the replica's step.
class ReplicaEvents {
 public:
  virtual ~ReplicaEvents() = default;

  virtual void send(ShardId shard, const raft::Message& message) = 0;
  /// It has put something into the writer's pending batch: tell it durable() with this ticket.
  virtual void wrote(ShardId shard, std::uint64_t ticket) = 0;
  /// It leads, follows somebody else, or knows nobody.
  virtual void standing_changed(ShardId shard) = 0;
  /// An entry was applied: on the leader and on followers alike. Null: one of another machine.
  virtual void applied(ShardId shard, const storage::Entry* entry,
                       const storage::Outcome& outcome) = 0;
  /// The committed configuration changed.
  virtual void reconfigured(ShardId shard) = 0;
  virtual void send_snapshot(ShardId shard, const raft::SendSnapshot& request) = 0;
  /// Its disk or its log cannot be trusted any more.
  virtual void broken(ShardId shard, const Error& error) = 0;
};

/// One replica of one group on this node: the Raft core, the state machine, and their rows.
///
/// Belongs to the node loop. Whatever happens to it only changes memory; step() then writes to the
/// pending batch, sends and applies.
class Replica {
 public:
  struct Parts {
    storage::ReplicaKeys keys;
    raft::RaftOptions options;
    raft::Restored restored;
    std::unique_ptr<StateMachine> machine;
  };

  /// `writer`, `random` and `events` outlive it. The machine is loaded already.
  Replica(Parts parts, storage::GroupWriter& writer, Random& random, ReplicaEvents& events,
          Time now);

  /// With the side in use, which a snapshot changes.
  storage::ReplicaKeys keys() const { return keys_; }
  ShardId shard() const { return keys_.shard(); }
  raft::Raft& raft() { return raft_; }
  const raft::Raft& raft() const { return raft_; }
  const StateMachine& machine() const { return *machine_; }
  bool leads() const { return raft_.role() == raft::Role::kLeader && raft_.settled(); }
  /// Leads nobody but itself: without followers it has nobody to hear from or to reassure, so time
  /// changes nothing about it.
  bool alone() const { return leads() && raft_.configuration().members.size() == 1; }

  /// Proposes an entry of the state machine. `done` runs on the loop: with the outcome once
  /// applied, kPrecondition if this replica does not lead (nothing happened), or kUnknownOutcome.
  void propose(Time now, ProposedEntry entry, Done<storage::Outcome> done);
  /// Runs once this replica has applied everything the group had committed when this was asked, if
  /// it still leads; otherwise kPrecondition.
  void read(Time now, Done<void> done);
  /// A whole snapshot arrived: its rows are on the other side, and the next step makes them this
  /// replica's state. False if it needs none.
  bool install(Time now, raft::LogStart start);
  /// That step is still to come.
  bool installing() const { return installing_; }
  /// Whether more of the log is kept: somebody is sent a snapshot, and then needs what was applied
  /// since.
  void hold_log(bool hold) { holds_log_ = hold; }

  /// Does what there is to do.
  void step(Time now);
  /// What it wrote under this ticket, and before, is durable.
  void durable(Time now, std::uint64_t ticket) { raft_.persisted(now, ticket); }
  /// step() would do nothing.
  bool idle() const { return broken_ || raft_.idle(); }
  /// Its gathered rows are about to be written: completes them by its applied index.
  void settle();
  /// The replica goes: whoever waits hears kUnknownOutcome.
  void abandon();

  /// What it stands on: the newest applied index, by this process.
  std::uint64_t applied() const { return applied_; }
  /// How often it has become leader, in this process.
  std::uint64_t elections_won() const { return elections_won_; }

 private:
  struct Waiting {
    raft::Index index;
    raft::Term term;
    std::shared_ptr<const storage::Entry> entry;  // or null
    Done<storage::Outcome> done;
  };
  struct Read {
    raft::Index index;
    Done<void> done;
  };

  void fail_waiting();
  void write(raft::Ready& ready);
  bool write_log_start(const raft::Ready& ready);
  bool change_sides(raft::Index index);
  void apply(const raft::Ready& ready);
  bool apply_entry(const raft::Entry& entry);
  std::optional<Waiting> take_waiting(raft::Index index);
  void serve_reads(const raft::Ready& ready);
  void compact();
  bool somebody_catches_up() const;

  storage::ReplicaKeys keys_;
  std::unique_ptr<StateMachine> machine_;
  storage::GroupWriter& writer_;
  ReplicaEvents& events_;
  raft::Raft raft_;
  std::uint64_t applied_;
  std::uint64_t settled_;          // applied, as the rows say
  std::uint64_t log_first_;        // on disk
  std::uint64_t log_last_;         // handed to the disk
  std::size_t applied_bytes_ = 0;  // since the last compaction
  std::uint64_t elections_won_ = 0;

  std::deque<Waiting> waiting_;  // proposed, not yet applied, by index
  storage::Batch changes_;       // of the entry being applied
  std::uint64_t next_read_ = 1;
  std::map<std::uint64_t, Done<void>> asked_reads_;
  std::vector<Read> ready_reads_;
  bool installing_ = false;
  bool holds_log_ = false;
  bool broken_ = false;
};

/// What a replica finds on its disk, in the words of the Raft core.
Result<raft::Restored> restore_replica(const storage::Reads& reads, storage::ReplicaKeys keys);

/// Writes down the beginning of a replica of a new group: its log starts at index 1 with
/// `configuration`, so that whoever is added later begins with a snapshot.
void found_replica(storage::Batch& batch, storage::ReplicaKeys keys,
                   const raft::Configuration& configuration);

}  // namespace troupe::cluster
