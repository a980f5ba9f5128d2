#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "storage/shard/restored.h"
#include <troupe/result.h>

namespace troupe::storage {

/// A one-way message in the outbox of the shard that the row is of.
struct SentMessage {
  ShardId target;
  std::uint64_t number = 0;
  std::string message;

  friend bool operator==(const SentMessage&, const SentMessage&) = default;
};
/// Number `number` from `source` is consumed; with `all_below`, all below it, and not itself.
struct ConsumedMessage {
  ShardId source;
  std::uint64_t number = 0;
  bool all_below = false;

  friend bool operator==(const ConsumedMessage&, const ConsumedMessage&) = default;
};
/// Nothing that outlives its shard: an index, or a mark.
struct OtherRow {
  friend bool operator==(const OtherRow&, const OtherRow&) = default;
};

using BackupRow = std::variant<RestoredValue, RestoredReminder, RestoredCall, RestoredEpoch,
                               SentMessage, ConsumedMessage, OtherRow>;

/// What a row of a shard means; `key` without the prefix of its replica, as in a snapshot.
/// kDataLoss for a damaged one; kUnimplemented for a kind this program does not know.
Result<BackupRow> decode_backup_row(std::string_view key, std::string_view value);

}  // namespace troupe::storage
