#include "storage/shard/rows.h"

#include <algorithm>

#include "runtime/base/codec.h"
#include "storage/scan.h"
#include "storage/shard/row_codec.h"

namespace troupe::storage {
namespace {

bool expired(const ValueRow& row, WallTime now) { return row.expires && *row.expires <= now; }

// Reminders from `range`, whose keys end with (type, id, name) after `prefix_bytes`.
Result<std::vector<ReminderRow>> read_reminders(const Reads& reads, const KeyRange& range,
                                                std::size_t prefix_bytes, std::size_t limit) {
  std::vector<ReminderRow> rows;
  if (limit == 0) return rows;
  auto read = each(reads, range, [&](std::string_view key, std::string_view bytes) -> Result<bool> {
    std::optional<ActorRowKey> actor = decode_actor_row_key(key.substr(prefix_bytes));
    std::optional<ReminderRow> row = decode_reminder(bytes);
    if (!actor || !row) return damaged("reminder");
    row->type = std::move(actor->type);
    row->id = std::move(actor->id);
    row->name = std::move(actor->name);
    rows.push_back(*std::move(row));
    return rows.size() < limit;
  });
  if (!read) return fail(read.error());
  return rows;
}

// The first actor of `type` in the order of ids that has a key beginning with `prefix`, at or after
// `from`.
Result<std::optional<std::string>> first_actor(const Reads& reads, const std::string& prefix,
                                               const std::string& from) {
  std::optional<std::string> id;
  const KeyRange range{.from = from, .to = after_prefix(prefix)};
  auto read = each(reads, range, [&](std::string_view key, std::string_view) -> Result<bool> {
    key.remove_prefix(prefix.size());
    id = take_ordered(key);
    if (!id) return damaged("actor id");
    return false;
  });
  if (!read) return fail(read.error());
  return id;
}

}  // namespace

Result<std::vector<ValueRow>> values(const Reads& reads, ReplicaKeys keys, std::string_view type,
                                     std::string_view id, WallTime now) {
  std::vector<ValueRow> rows;
  const KeyRange range = prefix_range(keys.value_prefix(type, id));
  auto read = each(reads, range, [&](std::string_view key, std::string_view bytes) -> Result<bool> {
    std::optional<ValueRow> row = decode_value(bytes);
    if (!row) return damaged("value");
    row->name = key.substr(range.from.size());
    if (!expired(*row, now)) rows.push_back(*std::move(row));
    return true;
  });
  if (!read) return fail(read.error());
  return rows;
}

// NOLINTNEXTLINE(readability-function-size): three of them are one key
Result<std::optional<ValueRow>> value(const Reads& reads, ReplicaKeys keys, std::string_view type,
                                      std::string_view id, std::string_view name, WallTime now) {
  const auto bytes = reads.get(keys.value(type, id, name));
  if (!bytes) return fail(bytes.error());
  if (!*bytes) return std::optional<ValueRow>();
  std::optional<ValueRow> row = decode_value(**bytes);
  if (!row) return damaged("value");
  row->name = name;
  if (expired(*row, now)) row.reset();
  return row;
}

Result<std::optional<ReminderRow>> reminder(const Reads& reads, ReplicaKeys keys,
                                            std::string_view type, std::string_view id,
                                            std::string_view name) {
  const auto bytes = reads.get(keys.reminder(type, id, name));
  if (!bytes) return fail(bytes.error());
  if (!*bytes) return std::optional<ReminderRow>();
  std::optional<ReminderRow> row = decode_reminder(**bytes);
  if (!row) return damaged("reminder");
  row->type = type;
  row->id = id;
  row->name = name;
  return row;
}

Result<std::vector<ReminderRow>> reminders(const Reads& reads, ReplicaKeys keys,
                                           std::string_view type, std::string_view id) {
  return read_reminders(reads, prefix_range(keys.reminder_prefix(type, id)),
                        keys.reminders_prefix().size(), static_cast<std::size_t>(-1));
}

Result<std::vector<ReminderRow>> reminders_of_type(
    const Reads& reads, ReplicaKeys keys, std::string_view type,
    const std::optional<std::pair<std::string, std::string>>& after, std::size_t limit) {
  KeyRange range = prefix_range(keys.reminder_prefix(type));
  if (after) range.from = keys.reminder(type, after->first, after->second) + '\0';
  return read_reminders(reads, range, keys.reminders_prefix().size(), limit);
}

Result<DueIndex> due_index(const Reads& reads, ReplicaKeys keys, WallTime from, WallTime until,
                           std::size_t limit) {
  DueIndex found;
  const std::string prefix = keys.due_prefix();
  const KeyRange range{.from = keys.due_from(from), .to = after_prefix(prefix)};
  auto read = each(reads, range, [&](std::string_view key, std::string_view) -> Result<bool> {
    key.remove_prefix(prefix.size());
    const std::optional<WallTime> due = take_time(key);
    if (!due) return damaged("due index");
    if (*due >= until || found.due.size() == limit) {
      found.next = due;
      return false;
    }
    std::optional<ActorRowKey> actor = decode_actor_row_key(key);
    if (!actor) return damaged("due index");
    found.due.push_back({.due = *due,
                         .type = std::move(actor->type),
                         .id = std::move(actor->id),
                         .name = std::move(actor->name)});
    return true;
  });
  if (!read) return fail(read.error());
  return found;
}

Result<ReminderRow> due_reminder(const Reads& reads, ReplicaKeys keys, const DueReminder& due) {
  Result<std::optional<ReminderRow>> row = reminder(reads, keys, due.type, due.id, due.name);
  if (!row) return fail(row.error());
  if (!*row || (*row)->due != due.due) return damaged("due index, which names no reminder");
  return **std::move(row);
}

Result<std::vector<ReminderRow>> due_reminders(const Reads& reads, ReplicaKeys keys, WallTime from,
                                               WallTime until, std::size_t limit) {
  const Result<DueIndex> index = due_index(reads, keys, from, until, limit);
  if (!index) return fail(index.error());
  std::vector<ReminderRow> rows;
  rows.reserve(index->due.size());
  for (const DueReminder& due : index->due) {
    Result<ReminderRow> row = due_reminder(reads, keys, due);
    if (!row) return fail(row.error());
    rows.push_back(*std::move(row));
  }
  return rows;
}

Result<std::vector<OutboxRow>> outbox_messages(const Reads& reads, ReplicaKeys keys, ShardId target,
                                               std::uint64_t number, std::size_t limit) {
  std::vector<OutboxRow> rows;
  if (limit == 0) return rows;
  const KeyRange range{.from = keys.outbox(target, number),
                       .to = after_prefix(keys.outbox_prefix(target))};
  auto read = each(reads, range, [&](std::string_view key, std::string_view bytes) -> Result<bool> {
    if (key.size() != range.from.size()) return damaged("outbox");
    rows.push_back(
        {.number = big_endian_64(key.substr(key.size() - 8)), .message = std::string(bytes)});
    return rows.size() < limit;
  });
  if (!read) return fail(read.error());
  return rows;
}

Result<std::vector<std::string>> actor_ids(const Reads& reads, ReplicaKeys keys,
                                           std::string_view type,
                                           const std::optional<std::string>& after,
                                           std::size_t limit) {
  const std::string values = keys.value_prefix(type);
  const std::string reminders = keys.reminder_prefix(type);
  std::string values_from = values;
  std::string reminders_from = reminders;
  std::vector<std::string> ids;
  std::optional<std::string> last = after;
  while (ids.size() < limit) {
    if (last) {
      values_from = after_prefix(keys.value_prefix(type, *last));
      reminders_from = after_prefix(keys.reminder_prefix(type, *last));
    }
    Result<std::optional<std::string>> a = first_actor(reads, values, values_from);
    if (!a) return fail(a.error());
    Result<std::optional<std::string>> b = first_actor(reads, reminders, reminders_from);
    if (!b) return fail(b.error());
    if (!*a && !*b) break;
    last = !*a ? **b : !*b ? **a : std::min(**a, **b);
    ids.push_back(*last);
  }
  return ids;
}

Result<RestoreMark> read_restore_mark(const Reads& reads, ReplicaKeys keys) {
  const auto bytes = reads.get(keys.restore_mark());
  if (!bytes) return fail(bytes.error());
  if (!*bytes) return RestoreMark();
  std::optional<RestoreMark> mark = decode_restore_mark(**bytes);
  if (!mark) return damaged("restore mark");
  return *std::move(mark);
}

Result<bool> has_actors_rows(const Reads& reads, ReplicaKeys keys) {
  bool found = false;
  for (const std::string& prefix :
       {keys.values_prefix(), keys.reminders_prefix(), keys.call_prefix(),
        keys.outbox_state_prefix(), keys.inbox_low_water_prefix(), keys.inbox_prefix()}) {
    const auto read = each(reads, prefix_range(prefix), [&](std::string_view, std::string_view) {
      found = true;
      return Result<bool>(false);
    });
    if (!read) return fail(read.error());
  }
  return found;
}

Result<ShardStatistics> statistics(const Reads& reads, ReplicaKeys keys) {
  ShardStatistics found;
  const std::string value_prefix = keys.values_prefix();
  const std::string reminder_prefix = keys.reminders_prefix();
  const std::string outbox_prefix = keys.outbox_prefix();
  const std::string call_prefix = keys.call_prefix();
  std::string actor;
  const KeyRange all = prefix_range(keys.data_prefix());
  auto read = each(reads, all, [&](std::string_view key, std::string_view bytes) -> Result<bool> {
    found.bytes += key.size() + bytes.size();
    if (key.starts_with(value_prefix)) {
      ++found.values;
      std::string_view rest = key.substr(value_prefix.size());
      if (!take_ordered(rest) || !take_ordered(rest)) return damaged("value");
      const std::string_view owner = key.substr(0, key.size() - rest.size());
      if (owner != actor) ++found.actors;
      actor = owner;
    } else if (key.starts_with(reminder_prefix)) {
      ++found.reminders;
    } else if (key.starts_with(outbox_prefix)) {
      ++found.outbox_messages;
    } else if (key.starts_with(call_prefix)) {
      ++found.recorded_calls;
    }
    return true;
  });
  if (!read) return fail(read.error());
  return found;
}

}  // namespace troupe::storage
