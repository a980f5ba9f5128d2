#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/ids.h"
#include "storage/engine.h"
#include "storage/keys.h"
#include <troupe/result.h>

/// What Raft keeps on disk, as plain values. Knows nothing of Raft's rules: the kinds of entries,
/// and what a configuration looks like, are numbers and bytes here.
namespace troupe::storage {

/// What a replica promised: on disk before it says so.
struct HardState {
  std::uint64_t term = 0;
  NodeId vote_node;  // nobody: no vote yet
  ReplicaId vote;

  friend bool operator==(const HardState&, const HardState&) = default;
};

/// Where the log begins: everything up to `index` is in the rows, and gone from the log.
struct LogStart {
  std::uint64_t index = 0;
  std::uint64_t term = 0;
  std::string configuration;  // in force at `index`

  friend bool operator==(const LogStart&, const LogStart&) = default;
};

struct LogEntry {
  std::uint64_t index = 0;
  std::uint64_t term = 0;
  std::uint8_t kind = 0;
  std::string data;

  friend bool operator==(const LogEntry&, const LogEntry&) = default;
};

/// One that is elsewhere.
struct LogEntryView {
  std::uint64_t index = 0;
  std::uint64_t term = 0;
  std::uint8_t kind = 0;
  std::string_view data;
};

/// All of it.
struct ReplicaLog {
  HardState hard_state;
  LogStart start;
  std::vector<LogEntry> entries;  // from start.index + 1, without a gap
  std::uint64_t applied = 0;      // at least start.index

  friend bool operator==(const ReplicaLog&, const ReplicaLog&) = default;
};

void put_hard_state(Batch& batch, ReplicaKeys keys, const HardState& state);
void put_log_start(Batch& batch, ReplicaKeys keys, const LogStart& start);
void put_log_entry(Batch& batch, ReplicaKeys keys, const LogEntryView& entry);
/// In the same batch as the effects of that entry.
void put_applied(Batch& batch, ReplicaKeys keys, std::uint64_t index);
/// Drops the entries from index `from` to `last`: conflicting ones of another leader.
void truncate_log_after(Batch& batch, ReplicaKeys keys, std::uint64_t from, std::uint64_t last);
/// Drops the entries up to `start.index`, from `first` on, and records the new start. For every
/// thousand entries or so, not for a few: each leaves a mark that reads have to pass.
void compact_log(Batch& batch, ReplicaKeys keys, std::uint64_t first, const LogStart& start);

/// As it is on the disk: the rows that can be read there are those of this index.
Result<std::uint64_t> applied_index(const Reads& reads, ReplicaKeys keys);
/// kDataLoss if something of it is damaged, or an entry is missing.
Result<ReplicaLog> load_replica_log(const Reads& reads, ReplicaKeys keys);
/// The entries from `from` up to, not including, `to`, as long as they do not exceed `bytes_max`
/// (but at least one): for followers that have fallen behind what is kept in memory.
Result<std::vector<LogEntry>> load_entries(const Reads& reads, ReplicaKeys keys, std::uint64_t from,
                                           std::uint64_t to, std::size_t bytes_max);

// Which replica of a shard this node holds.

/// Makes `keys` the replica in use, with the rows on its side.
void put_current(Batch& batch, ReplicaKeys keys);
void erase_current(Batch& batch, ShardId shard);
Result<std::optional<ReplicaKeys>> current_replica(const Reads& reads, ShardId shard);
/// Every shard this node holds a replica of, in order.
Result<std::vector<ReplicaKeys>> current_replicas(const Reads& reads);

/// Says that this replica was removed, for ever.
void put_tombstone(Batch& batch, ReplicaKeys keys);
Result<bool> has_tombstone(const Reads& reads, ReplicaKeys keys);

/// Drops everything of a replica but its tombstone.
void drop_replica(Batch& batch, ReplicaKeys keys);
/// Drops the rows on this side of it, however many they are, in one stroke.
void drop_rows(Batch& batch, ReplicaKeys keys);
/// Whether there are rows on this side.
Result<bool> has_rows(const Reads& reads, ReplicaKeys keys);

// Small records of the node itself.

void put_node_record(Batch& batch, std::string_view name, std::string_view value);
Result<std::optional<std::string>> node_record(const Reads& reads, std::string_view name);

}  // namespace troupe::storage
