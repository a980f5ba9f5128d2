#include "tools/troupe/deal.h"

#include <algorithm>

#include "actors/turns/outbox_message.h"
#include "placement/table/row.h"

namespace troupe::tools {

Result<void> Dealer::learn(ShardId shard, std::string_view key, std::string_view value) {
  const Result<storage::BackupRow> row = storage::decode_backup_row(key, value);
  if (!row) return fail(row.error());
  const auto* number = std::get_if<storage::ConsumedMessage>(&*row);
  if (number == nullptr) return {};
  Consumed& consumed = consumed_[{number->source, shard}];
  if (number->all_below) {
    consumed.all_below = std::max(consumed.all_below, number->number);
  } else {
    consumed.numbers.insert(number->number);
  }
  return {};
}

Result<void> Dealer::deal(ShardId shard, std::string_view key, std::string_view value,
                          const Give& give) {
  Result<storage::BackupRow> row = storage::decode_backup_row(key, value);
  if (!row) return fail(row.error());
  if (auto* kept = std::get_if<storage::RestoredValue>(&*row)) {
    if (kept->expires && *kept->expires <= options_.now) return {};
    ++counts_.values;
    const ShardId home = home_of(kept->type, kept->id);
    return give(home, std::move(*kept));
  }
  if (auto* reminder = std::get_if<storage::RestoredReminder>(&*row)) {
    ++counts_.reminders;
    const ShardId home = home_of(reminder->type, reminder->id);
    return give(home, std::move(*reminder));
  }
  if (auto* message = std::get_if<storage::SentMessage>(&*row)) {
    return deal_message(shard, std::move(*message), give);
  }
  if (auto* call = std::get_if<storage::RestoredCall>(&*row)) {
    if (call->keep_until <= options_.now) return {};
    return to_all(shard, std::move(*call), give);
  }
  if (auto* epoch = std::get_if<storage::RestoredEpoch>(&*row)) {
    epoch->epoch.value += kEpochLeap;
    return to_all(shard, std::move(*epoch), give);
  }
  return {};
}

Result<void> Dealer::deal_message(ShardId shard, storage::SentMessage message, const Give& give) {
  if (consumed(shard, message)) return {};
  const auto decoded = actors::decode_outbox_message(message.message);
  if (!decoded) return fail(decoded.error());
  ++counts_.messages;
  const ActorKey& target = decoded->message.target;
  return give(ShardId{shard.value % options_.to},
              storage::RestoredMessage{.target = home_of(target.type, target.id),
                                       .message = std::move(message.message)});
}

bool Dealer::consumed(ShardId source, const storage::SentMessage& message) const {
  const auto found = consumed_.find({source, message.target});
  if (found == consumed_.end()) return false;
  return message.number < found->second.all_below || found->second.numbers.contains(message.number);
}

ShardId Dealer::home_of(std::string_view type, std::string_view id) const {
  return placement::shard_of(type, id, options_.to);
}

Result<void> Dealer::to_all(ShardId shard, const storage::RestoredRow& row,
                            const Give& give) const {
  const std::uint32_t step = std::min(options_.from, options_.to);
  for (std::uint32_t to = shard.value % step; to < options_.to; to += step) {
    if (auto given = give(ShardId{to}, row); !given) return given;
  }
  return {};
}

}  // namespace troupe::tools
