#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "runtime/base/ids.h"
#include "storage/backup/row.h"
#include "storage/shard/restored.h"
#include <troupe/result.h>
#include <troupe/time.h>

namespace troupe::tools {

/// Deals the rows of a backup to the shards of another cluster, of which there may be more or
/// fewer.
///
///     learn() all rows ──→ deal() all rows again, in the same order
///
/// - Values and reminders go to the shard of their actor.
/// - A one-way message that its receiver had consumed is dropped; any other becomes a new message,
/// in
///   the order of its shard.
/// - Calls that had their effect, if they are still to be known, go wherever their actor may be.
/// - Epochs of owners go on far above, so that fencing tokens keep rising even if the old cluster
///   went on for a while.
///
/// Both numbers of shards are powers of two: an actor of shard s of n is in one of the shards of m
/// that are equal to s modulo the smaller of n and m. Keeps in memory which messages were consumed:
/// a few bytes for each pair of shards. Pure.
class Dealer {
 public:
  struct Options {
    std::uint32_t from = 1;  // shards of the backup
    std::uint32_t to = 1;    // and of the cluster
    WallTime now;            // what expired before is left out
  };
  using Give = std::function<Result<void>(ShardId to, storage::RestoredRow row)>;

  /// How far epochs leap: more owners than a shard has in its life.
  static constexpr std::uint64_t kEpochLeap = std::uint64_t{1} << 20U;

  explicit Dealer(Options options) : options_(options) {}

  /// A row of `shard`; `key` without the prefix of its replica. Errors are of what cannot be read.
  Result<void> learn(ShardId shard, std::string_view key, std::string_view value);
  /// Calls `give` for what becomes of it, and fails where that does.
  Result<void> deal(ShardId shard, std::string_view key, std::string_view value, const Give& give);

  /// Dealt so far.
  struct Counts {
    std::uint64_t values = 0;
    std::uint64_t reminders = 0;
    std::uint64_t messages = 0;
  };
  const Counts& counts() const { return counts_; }

 private:
  struct Consumed {
    std::uint64_t all_below = 1;
    std::set<std::uint64_t> numbers;  // and these
  };

  bool consumed(ShardId source, const storage::SentMessage& message) const;
  ShardId home_of(std::string_view type, std::string_view id) const;
  Result<void> deal_message(ShardId shard, storage::SentMessage message, const Give& give);
  Result<void> to_all(ShardId shard, const storage::RestoredRow& row, const Give& give) const;

  Options options_;
  std::map<std::pair<ShardId, ShardId>, Consumed> consumed_;  // by source and receiver
  Counts counts_;
};

}  // namespace troupe::tools
