#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/base/ids.h"
#include "storage/shard/entry.h"
#include <troupe/time.h>

/// Where everything stands in a node's store. The layout is written down in README.md and pinned by
/// tests: stores of other versions must be read. Numbers are big-endian, so that the order of keys
/// is the order of numbers.
namespace troupe::storage {

/// The first byte of every key; the engine keeps kLog apart from the rest.
enum class KeySpace : char {
  kCurrent = 'c',    // shard -> replica id in use
  kData = 'd',       // shard, replica, rows of the state machine
  kOtherData = 'e',  // the same, on the other side
  kLog = 'l',        // shard, replica, index -> entry of the log
  kNode = 'n',       // name -> small records of the node
  kReplica = 'r',    // shard, replica, kind -> hard state, log start, applied index
  kTombstone = 't',  // shard, replica: removed, never to be used again
};

/// From, and up to but not including.
struct KeyRange {
  std::string from;
  std::string to;
};

/// The first key after all that begin with `prefix`. Empty (the end of all keys) if there is none.
std::string after_prefix(std::string_view prefix);
KeyRange prefix_range(std::string prefix);

/// Appends `text` so that the order of encoded texts is the order of texts, and none is the
/// beginning of another: 0 becomes 0 255, and 0 1 ends it.
void append_ordered(std::string& key, std::string_view text);
/// Takes such a text off the front of `key`; nothing if it is damaged.
std::optional<std::string> take_ordered(std::string_view& key);

/// Appends `when` so that the order of bytes is the order of times.
void append_ordered(std::string& key, WallTime when);
/// Takes a time off the front of `key`; nothing if it is too short.
std::optional<WallTime> take_time(std::string_view& key);

std::string current_key(ShardId shard);
std::string tombstone_key(ShardId shard, ReplicaId replica);
std::string node_key(std::string_view name);

/// A replica has room for its rows twice: those in use are on one side; on the other those of a
/// snapshot gather, until one write (put_current() of storage/replica_log.h) makes it the one in
/// use.
enum class Side : std::uint8_t { kFirst, kSecond };

/// The keys of one replica.
class ReplicaKeys {
 public:
  ReplicaKeys(ShardId shard, ReplicaId replica, Side side = Side::kFirst)
      : shard_(shard), replica_(replica), side_(side) {}

  ShardId shard() const { return shard_; }
  ReplicaId replica() const { return replica_; }
  /// Where its rows are. All else of it is in one place, whatever the side.
  Side side() const { return side_; }
  ReplicaKeys other_side() const {
    return {shard_, replica_, side_ == Side::kFirst ? Side::kSecond : Side::kFirst};
  }

  // Raft's.
  std::string hard_state() const;
  std::string log_start() const;
  std::string applied() const;
  std::string log_prefix() const;  // index
  std::string log_entry(std::uint64_t index) const;
  /// From index `from` up to, not including, `to`.
  KeyRange log_range(std::uint64_t from, std::uint64_t to) const;

  // The state machine's. What follows a prefix is in the comment.
  std::string data_prefix() const;
  std::string owner_prefix() const;  // type
  std::string owner(std::string_view type) const;
  std::string row_version() const;
  std::string watermark() const;
  std::string restore_mark() const;

  std::string value_prefix(std::string_view type) const;                       // id, name
  std::string value_prefix(std::string_view type, std::string_view id) const;  // name
  std::string value(std::string_view type, std::string_view id, std::string_view name) const;
  std::string values_prefix() const;  // type, id, name
  std::string expiry_prefix() const;  // time, type, id, name
  std::string expiry(WallTime when, std::string_view type, std::string_view id,
                     std::string_view name) const;

  std::string reminder_prefix(std::string_view type) const;                       // id, name
  std::string reminder_prefix(std::string_view type, std::string_view id) const;  // name
  std::string reminder(std::string_view type, std::string_view id, std::string_view name) const;
  std::string reminders_prefix() const;  // type, id, name
  std::string due_prefix() const;        // time, type, id, name
  std::string due_from(WallTime when) const;
  std::string due(WallTime when, std::string_view type, std::string_view id,
                  std::string_view name) const;

  std::string call_prefix() const;  // origin, generation, sequence
  std::string call(const CallId& id) const;
  std::string done_prefix() const;             // origin, generation
  std::string done(const CallId& call) const;  // of its caller

  std::string outbox_state_prefix() const;  // target
  std::string outbox_state(ShardId target) const;
  std::string outbox_prefix() const;                // target, number
  std::string outbox_prefix(ShardId target) const;  // number
  std::string outbox(ShardId target, std::uint64_t number) const;

  std::string inbox_low_water_prefix() const;  // source
  std::string inbox_low_water(ShardId source) const;
  std::string inbox_prefix() const;  // source, number
  std::string inbox(ShardId source, std::uint64_t number) const;

  /// All ranges that hold something of this replica: its rows on both sides, its log, its records.
  std::vector<KeyRange> all() const;

 private:
  std::string key(KeySpace space, char kind) const;
  std::string data_key(char kind) const;
  std::string actor_key(char kind, std::string_view type) const;

  ShardId shard_;
  ReplicaId replica_;
  Side side_;
};

}  // namespace troupe::storage
