#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "placement/table/table.h"
#include "runtime/base/random.h"
#include <troupe/result.h>
#include <troupe/time.h>

namespace troupe::placement {

struct TableSyncConfig {
  /// Each new row is sent on to this many members; what misses some is mended by digests.
  unsigned transmissions = 6;
  /// Between two comparisons with a random member.
  Duration digest_interval = std::chrono::milliseconds(250);
  /// Bounds: messages answered to one message, and rows waiting to be sent on (beyond it the oldest
  /// are left to the digests).
  std::size_t replies_max = 16;
  std::size_t queue_length_max = 65536;
};

/// Spreads rows of the table between members: news by rumour, and what rumour missed by comparison.
///
///     A: digest of each range ─→ B: versions in the ranges that differ ─→ A: the rows that are
///     newer
///                                                                  here, and a wish for those
///                                                                  there
///
/// A core. Makes messages of at most the size asked for; Gossip puts them into datagrams.
class TableSync {
 public:
  /// `table` and `random` outlive this. This is the table's only writer.
  TableSync(Table& table, TableSyncConfig config, Random& random);

  /// A row from a shard's leader here, or from any other source than receive(): applied and spread.
  bool apply(Row row);

  /// Whether a comparison is due; resets the interval.
  bool take_digest_due(Time now);
  Time next_digest() const { return next_digest_; }
  std::string digest() const;

  /// For one receiver: rows to tell, fewest told first, each once, as up to `count_max` messages of
  /// at most `size_max` bytes. A row of more than 1,000 bytes is told by digests and streams.
  std::vector<std::string> take_news(std::size_t count_max, std::size_t size_max);
  bool has_news() const;

  /// Applies, and appends answers for the sender to `replies`, each of at most `size_max` bytes but
  /// for a row that is larger itself. Damaged messages change nothing.
  Result<void> receive(std::string_view message, std::size_t size_max,
                       std::vector<std::string>& replies);

  /// Rows applied since the last call, for those who act on them.
  std::vector<ShardId> take_changed();

 private:
  struct News {
    ShardId shard;
    RowVersion version;
  };

  Result<void> receive_rows(std::string_view body);
  Result<void> receive_digest(std::string_view body, std::size_t size_max,
                              std::vector<std::string>& replies);
  Result<void> receive_versions(std::string_view body, std::size_t size_max,
                                std::vector<std::string>& replies);
  Result<void> receive_wish(std::string_view body, std::size_t size_max,
                            std::vector<std::string>& replies);
  void append_rows(const std::vector<ShardId>& shards, std::size_t size_max,
                   std::vector<std::string>& replies) const;
  void note(ShardId shard);

  Table& table_;
  TableSyncConfig config_;
  Random& random_;
  Time next_digest_{};
  std::vector<std::deque<News>> queues_;  // by how often told already
  std::vector<ShardId> changed_;
  std::vector<bool> is_changed_;
};

}  // namespace troupe::placement
