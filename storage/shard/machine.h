#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "runtime/base/ids.h"
#include "storage/engine.h"
#include "storage/keys.h"
#include "storage/shard/entry.h"
#include "storage/shard/recorded_calls.h"
#include "storage/shard/rows.h"
#include <troupe/result.h>
#include <troupe/time.h>

namespace troupe::storage {

/// Bounds of one shard. Every replica of a shard must have the same: they decide outcomes.
struct ShardLimits {
  std::size_t owners_max = 4'096;  // types that ever had an owner here
  std::uint64_t outbox_messages_max = 100'000;
  std::uint64_t outbox_bytes_max = 64U << 20U;
  // Replies kept for callers that may retry, and marks below which they do not.
  std::size_t recorded_calls_max = 100'000;
  std::size_t recorded_bytes_max = 64U << 20U;
  std::size_t inbox_gap_max = 100'000;     // consumed messages above the first unconsumed, a source
  std::size_t expired_per_entry_max = 64;  // of each kind: replies, values with a ttl
  std::size_t done_per_entry_max = 256;    // replies that a caller needs no more
};

/// Who may run the turns of one type's actors in this shard.
struct Owner {
  NodeId node;  // nobody: released
  Generation generation;
  Epoch epoch;
  std::uint64_t last_sequence = 0;

  friend bool operator==(const Owner&, const Owner&) = default;
};

/// What a shard keeps of the messages it sends to one other shard.
struct OutboxState {
  std::uint64_t last = 0;       // number of the latest message; the first is 1
  std::uint64_t low_water = 1;  // everything below is consumed for good
  std::uint64_t messages = 0;   // still kept
  std::uint64_t bytes = 0;

  friend bool operator==(const OutboxState&, const OutboxState&) = default;
};

/// Applies the entries of a shard's log to one replica's rows: the one place where it is decided
/// what an entry does, the same on every replica.
///
/// Rows go to a batch and are read back through `reads`, which must show every batch that earlier
/// calls wrote to (storage/writer.h does). In memory are only the owners, the counters of the
/// outbox, and which causes were consumed lately; load() finds them again in the rows.
///
///     entry ─→ epoch? ─→ sequence? ─→ cause? ─→ conditions? ─→ all its effects
///                 │          │           │           │
///            kStaleEpoch    kGap     kConsumed    kRefused         (nothing changes)
///
/// Every entry, also a refused one, first drops a bounded number of replies and values that expired
/// before its `now`, and of replies that its caller has no use for any more. What is dropped for
/// that is refused, should it come again, for as long as its reply would have been kept.
///
/// Reads no clock, sends nothing, iterates nothing unordered. For one thread.
class ShardMachine {
 public:
  /// `reads` outlives the machine. Requires load() before anything else.
  ShardMachine(ReplicaKeys keys, std::uint32_t shard_count, const Reads& reads,
               ShardLimits limits = {});

  /// Rebuilds what is kept in memory from the rows. Also for a replica without any row.
  Result<void> load();
  /// The same after a snapshot: the rows are now under `keys`, on the other side.
  Result<void> load(ReplicaKeys keys) {
    keys_ = keys;
    return load();
  }

  /// Applies the entry at `index`, written under `term`; its changes are appended to `out`, which
  /// `reads` must show from then on. An error is a failed read (damaged disk): what was appended
  /// must be dropped, the machine is of no use any more, and the replica must stop.
  ///
  /// Does not write the applied index (put_applied() of storage/replica_log.h), nor what
  /// put_sequences() does: once for many entries, into the batch of the last one's changes.
  Result<Outcome> apply(std::uint64_t index, std::uint64_t term, const Entry& entry, Batch& out);
  /// The last sequences that turns have reached since this was last asked.
  void put_sequences(Batch& out);

  /// Whose rows: for the functions of storage/shard/rows.h.
  ReplicaKeys keys() const { return keys_; }

  /// By type; a type that never had an owner is not in it.
  const std::map<std::string, Owner, std::less<>>& owners() const { return owners_; }
  /// (term, index) of the last applied assign. The configuration's changes are not in it: the row
  /// that is gossiped carries the greater of both.
  RowVersion row_version() const { return row_version_; }
  /// Every reminder due before has been consumed. No reminder is due before.
  WallTime watermark() const { return watermark_; }
  /// By target; a target that was never sent anything is not in it.
  const std::map<ShardId, OutboxState>& outbox() const { return outbox_; }
  std::uint64_t outbox_messages() const { return outbox_messages_; }
  std::size_t recorded_calls() const { return recorded_.size(); }
  /// Whether it is, or was, filled from a backup. While it is, it has no owners and gets none.
  const RestoreMark& restored() const { return restore_; }
  bool restoring() const { return restore_.state == RestoreMark::State::kLoading; }
  /// If a call of this id has had its effect and is remembered: an outcome of kind kConsumed, with
  /// its reply. If it was dropped, since its caller had no use for it: of kind kRefused. kDataLoss
  /// if its row is damaged.
  Result<std::optional<Outcome>> consumed(const CallId& id) const;

  /// The reminder that is due, as the last applied entry left it. Some of those asked for last are
  /// kept for the turns of their ticks, which then need not be read again.
  Result<ReminderRow> hand_out(const DueReminder& due) const;

 private:
  struct Inbox {
    std::uint64_t low_water = 1;
    std::set<std::uint64_t> consumed;  // at or above low_water
  };
  class Turn;

  // Where in the log, and when.
  struct At {
    std::uint64_t index;
    std::uint64_t term;
    WallTime now;
  };

  void forget_contents();
  Result<void> load_owners();
  Result<void> load_marks();
  Result<void> load_outbox();
  Result<void> load_inbox();
  Result<void> load_recorded();

  Result<void> drop_expired(WallTime now, Batch& out);
  Result<void> drop_expired_values(WallTime now, Batch& out);
  void drop_done(const CallCause& call, Batch& out);
  void record(const CallId& id, WallTime keep_until, std::size_t reply_bytes);

  Result<Outcome> run(const At& at, const TurnCommand& command, Batch& out);
  Result<Outcome> run(const At& at, const AssignCommand& assign, Batch& out);
  Result<Outcome> run(const At& at, const OutboxDoneCommand& done, Batch& out);
  Result<Outcome> run(const At& at, const WatermarkCommand& command, Batch& out);
  Result<Outcome> run(const At& at, const RestoreCommand& restore, Batch& out);
  Result<Outcome> begin_restore(const At& at, const RestoreCommand& restore, Batch& out);
  Result<Outcome> load_part(const At& at, const RestoreCommand& restore, Batch& out);
  Result<Outcome> finish_restore(const At& at, const RestoreCommand& restore, Batch& out);
  Result<Outcome> abandon_restore(const At& at, Batch& out);
  void put(const At& at, const RestoredValue& row, Batch& out);
  void put(const At& at, const RestoredReminder& row, Batch& out);
  void put(const At& at, const RestoredMessage& row, Batch& out);
  void put(const At& at, const RestoredCall& row, Batch& out);
  void put(const At& at, const RestoredEpoch& row, Batch& out);
  void wipe(Batch& out);
  void put_restore_mark(Batch& out) const;

  ReplicaKeys keys_;
  std::uint32_t shard_count_;
  const Reads& reads_;
  ShardLimits limits_;
  bool loaded_ = false;

  using Owners = std::map<std::string, Owner, std::less<>>;

  Owners owners_;
  std::vector<Owners::const_iterator> advanced_;  // whose last sequence is not in the rows
  RowVersion row_version_;
  WallTime watermark_ = WallTime::min();
  RestoreMark restore_;
  std::map<ShardId, OutboxState> outbox_;
  std::uint64_t outbox_messages_ = 0;
  std::uint64_t outbox_bytes_ = 0;
  std::map<ShardId, Inbox> inbox_;
  RecordedCalls recorded_;
  std::optional<WallTime> next_value_expiry_;
  mutable std::unordered_map<std::string, ReminderMark> handed_out_;  // by key; never iterated
};

}  // namespace troupe::storage
