#include "storage/backup/row.h"

#include <utility>

#include "runtime/base/codec.h"
#include "storage/keys.h"
#include "storage/scan.h"
#include "storage/shard/row_codec.h"

namespace troupe::storage {
namespace {

constexpr std::size_t kShardBytes = 4;
constexpr std::size_t kNumberBytes = 8;

using Row = Result<BackupRow>;

Row value_row(std::string_view rest, std::string_view bytes) {
  std::optional<ActorRowKey> key = decode_actor_row_key(rest);
  std::optional<ValueRow> row = decode_value(bytes);
  if (!key || !row) return damaged("value");
  return BackupRow(RestoredValue{.type = std::move(key->type),
                                 .id = std::move(key->id),
                                 .name = std::move(key->name),
                                 .value = std::move(row->value),
                                 .expires = row->expires});
}

Row reminder_row(std::string_view rest, std::string_view bytes) {
  std::optional<ActorRowKey> key = decode_actor_row_key(rest);
  std::optional<ReminderRow> row = decode_reminder(bytes);
  if (!key || !row) return damaged("reminder");
  return BackupRow(RestoredReminder{.type = std::move(key->type),
                                    .id = std::move(key->id),
                                    .name = std::move(key->name),
                                    .number = row->number,
                                    .due = row->due,
                                    .body = std::move(row->body)});
}

Row call_row(std::string_view rest, std::string_view bytes) {
  std::optional<RecordedCall> call = decode_recorded_call(bytes);
  if (!call || rest.size() != 4 * kNumberBytes) return damaged("recorded call");
  RestoredCall row;
  row.id.origin = {.high = big_endian_64(rest.substr(0, 8)),
                   .low = big_endian_64(rest.substr(8, 8))};
  row.id.generation = {big_endian_64(rest.substr(16, 8))};
  row.id.sequence = big_endian_64(rest.substr(24, 8));
  row.keep_until = call->keep_until;
  row.reply_recorded = call->reply_recorded;
  row.reply = std::move(call->reply);
  return BackupRow(std::move(row));
}

Row epoch_row(std::string_view rest, std::string_view bytes) {
  const std::optional<Owner> owner = decode_owner(bytes);
  if (!owner) return damaged("owner");
  return BackupRow(RestoredEpoch{.type = std::string(rest), .epoch = owner->epoch});
}

Row message_row(std::string_view rest, std::string_view bytes) {
  if (rest.size() != kShardBytes + kNumberBytes) return damaged("outbox");
  return BackupRow(SentMessage{.target = {big_endian_32(rest.substr(0, kShardBytes))},
                               .number = big_endian_64(rest.substr(kShardBytes)),
                               .message = std::string(bytes)});
}

Row low_water_row(std::string_view rest, std::string_view bytes) {
  const std::optional<std::uint64_t> number = decode_number(bytes);
  if (!number || rest.size() != kShardBytes) return damaged("inbox low-water mark");
  return BackupRow(
      ConsumedMessage{.source = {big_endian_32(rest)}, .number = *number, .all_below = true});
}

Row consumed_row(std::string_view rest, std::string_view /*bytes*/) {
  if (rest.size() != kShardBytes + kNumberBytes) return damaged("inbox");
  return BackupRow(ConsumedMessage{.source = {big_endian_32(rest.substr(0, kShardBytes))},
                                   .number = big_endian_64(rest.substr(kShardBytes)),
                                   .all_below = false});
}

Row other_row(std::string_view /*rest*/, std::string_view /*bytes*/) {
  return BackupRow(OtherRow());
}

struct Kind {
  char letter;
  Row (*decode)(std::string_view rest, std::string_view bytes);
};

// The letters are those of keys.h.
const std::vector<Kind>& kinds() {
  static const std::vector<Kind> all = [] {
    const ReplicaKeys keys({}, {});
    return std::vector<Kind>{{keys.values_prefix().back(), value_row},
                             {keys.reminders_prefix().back(), reminder_row},
                             {keys.call_prefix().back(), call_row},
                             {keys.owner_prefix().back(), epoch_row},
                             {keys.outbox_prefix().back(), message_row},
                             {keys.inbox_low_water_prefix().back(), low_water_row},
                             {keys.inbox_prefix().back(), consumed_row},
                             {keys.done_prefix().back(), other_row},
                             {keys.outbox_state_prefix().back(), other_row},
                             {keys.expiry_prefix().back(), other_row},
                             {keys.due_prefix().back(), other_row},
                             {keys.row_version().back(), other_row},
                             {keys.watermark().back(), other_row},
                             {keys.restore_mark().back(), other_row}};
  }();
  return all;
}

}  // namespace

Result<BackupRow> decode_backup_row(std::string_view key, std::string_view value) {
  if (key.empty()) return damaged("without a kind");
  for (const Kind& kind : kinds()) {
    if (kind.letter == key.front()) return kind.decode(key.substr(1), value);
  }
  return fail(Code::kUnimplemented, "a row of kind '" + std::string(1, key.front()) +
                                        "', which this program does not know: use a newer one");
}

}  // namespace troupe::storage
