#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/base/ids.h"
#include "storage/engine.h"
#include "storage/keys.h"
#include "storage/shard/restored.h"
#include <troupe/result.h>
#include <troupe/time.h>

/// What a shard's replica holds, read without changing anything.
///
/// Every function reads one replica's rows through `reads`: the writer's, which shows what is
/// applied and not yet written (on the node loop), or an engine's view (on any thread; then as of
/// the last write). Errors are kDataLoss: the disk lost or changed bytes.
namespace troupe::storage {

/// A named value of an actor.
struct ValueRow {
  std::string name;
  std::string value;
  std::uint64_t etag = 0;  // index of the entry that wrote it; rises with each write, never 0
  std::optional<WallTime> expires;

  friend bool operator==(const ValueRow&, const ValueRow&) = default;
};

struct ReminderRow {
  std::string type;
  std::string id;
  std::string name;
  std::uint64_t registration = 0;  // index of the entry that registered it
  std::uint64_t number = 1;        // of the next tick
  WallTime due;
  std::string body;

  friend bool operator==(const ReminderRow&, const ReminderRow&) = default;
};

/// Of a reminder what decides about its ticks.
struct ReminderMark {
  std::uint64_t registration = 0;
  std::uint64_t number = 1;
  WallTime due;

  friend bool operator==(const ReminderMark&, const ReminderMark&) = default;
};

struct OutboxRow {
  std::uint64_t number = 0;
  std::string message;

  friend bool operator==(const OutboxRow&, const OutboxRow&) = default;
};

/// The values of one actor that have not expired at `now`, in the order of their names.
Result<std::vector<ValueRow>> values(const Reads& reads, ReplicaKeys keys, std::string_view type,
                                     std::string_view id, WallTime now);
/// One of them.
Result<std::optional<ValueRow>> value(const Reads& reads, ReplicaKeys keys, std::string_view type,
                                      std::string_view id, std::string_view name, WallTime now);

Result<std::optional<ReminderRow>> reminder(const Reads& reads, ReplicaKeys keys,
                                            std::string_view type, std::string_view id,
                                            std::string_view name);
/// Of one actor, in the order of their names.
Result<std::vector<ReminderRow>> reminders(const Reads& reads, ReplicaKeys keys,
                                           std::string_view type, std::string_view id);

/// At most `limit` reminders of one type in the order of (id, name), after `after` of that order
/// (nothing: from the start).
Result<std::vector<ReminderRow>> reminders_of_type(
    const Reads& reads, ReplicaKeys keys, std::string_view type,
    const std::optional<std::pair<std::string, std::string>>& after, std::size_t limit);

/// At most `limit` reminders due from `from` up to, not including, `until`, in the order of their
/// due times. Give the machine's watermark, or the due time reached before, as `from`.
Result<std::vector<ReminderRow>> due_reminders(const Reads& reads, ReplicaKeys keys, WallTime from,
                                               WallTime until, std::size_t limit);

/// The same, only who is due, which costs much less.
struct DueReminder {
  WallTime due;
  std::string type;
  std::string id;
  std::string name;

  friend bool operator==(const DueReminder&, const DueReminder&) = default;
};
struct DueIndex {
  std::vector<DueReminder> due;
  std::optional<WallTime> next;  // when the first one after these is due; nothing: there is none
};
Result<DueIndex> due_index(const Reads& reads, ReplicaKeys keys, WallTime from, WallTime until,
                           std::size_t limit);
/// The row that one of them names.
Result<ReminderRow> due_reminder(const Reads& reads, ReplicaKeys keys, const DueReminder& due);

/// At most `limit` messages to `target`, in the order of their numbers, `number` first.
Result<std::vector<OutboxRow>> outbox_messages(const Reads& reads, ReplicaKeys keys, ShardId target,
                                               std::uint64_t number, std::size_t limit);

/// At most `limit` ids of the actors of `type` that have a value (also an expired one that has not
/// been dropped yet) or a reminder, in order, after `after` (nothing: from the start).
Result<std::vector<std::string>> actor_ids(const Reads& reads, ReplicaKeys keys,
                                           std::string_view type,
                                           const std::optional<std::string>& after,
                                           std::size_t limit);

Result<RestoreMark> read_restore_mark(const Reads& reads, ReplicaKeys keys);
/// Whether any turn has left something in it. A shard that a restore has just begun has none.
Result<bool> has_actors_rows(const Reads& reads, ReplicaKeys keys);

/// How much there is. Reads every row: not for the node loop.
struct ShardStatistics {
  std::uint64_t actors = 0;  // with at least one value
  std::uint64_t values = 0;
  std::uint64_t reminders = 0;
  std::uint64_t outbox_messages = 0;
  std::uint64_t recorded_calls = 0;
  std::uint64_t bytes = 0;  // of all keys and values
};
Result<ShardStatistics> statistics(const Reads& reads, ReplicaKeys keys);

}  // namespace troupe::storage
