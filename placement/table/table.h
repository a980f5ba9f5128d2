#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "placement/table/row.h"
#include "runtime/base/check.h"

namespace troupe::placement {

/// The placement table: the newest row known of every shard.
///
/// An array of pointers to immutable rows. One thread (the node loop) writes, any thread reads
/// without a lock, a wait or an allocation.
///
/// **When is a replaced row freed?** A reader first counts itself in at a counter that it shares
/// with few other threads, then loads the pointer, and counts itself out when its RowRef goes. The
/// writer unlinks the row, and frees it after it has seen every counter at zero once since (not all
/// at one moment). That is enough: a reader that still holds the row loaded the pointer before it
/// was unlinked, so it was counted in before that and is not out yet, and its counter cannot have
/// been seen at zero in between. The four steps (count in, load; unlink, look) are sequentially
/// consistent, which is what forbids "I did not see your pointer, you did not see my count".
/// Counting out is a release that the look acquires, so the reads of the row come before its end.
/// Counters come in pairs: new readers use the one that the writer does not wait for, so that it
/// drains.
///
/// Never: a row gives way to one of the same or an older version.
class Table {
  struct Stripe;

 public:
  static constexpr std::uint32_t kShardsMax = 65536;

  /// A row that lives as long as this. Hold it for as long as it takes to read, never across a
  /// wait.
  class RowRef {
   public:
    RowRef(RowRef&& other) noexcept
        : row_(other.row_), readers_(std::exchange(other.readers_, nullptr)) {}
    RowRef& operator=(RowRef&&) = delete;
    ~RowRef() {
      if (readers_ != nullptr) readers_->fetch_sub(1, std::memory_order_release);
    }

    /// False if nothing is known of the shard.
    explicit operator bool() const { return row_ != nullptr; }
    const Row& operator*() const { return *row_; }
    const Row* operator->() const { return row_; }

   private:
    friend class Table;
    RowRef(const Row* row, std::atomic<std::uint64_t>* readers) : row_(row), readers_(readers) {}

    const Row* row_;
    std::atomic<std::uint64_t>* readers_;
  };

  /// Requires 0 < shard_count <= kShardsMax.
  explicit Table(std::uint32_t shard_count);
  /// No RowRef may be left.
  ~Table();
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;

  std::uint32_t shard_count() const { return shard_count_; }

  /// Any thread. Requires shard < shard_count. Measured: about 20 ns.
  RowRef lookup(ShardId shard) const {
    check(shard.value < shard_count_, "a shard of the table");
    std::atomic<std::uint64_t>& readers =
        stripes_[stripe_of_this_thread()].readers[phase_.load(std::memory_order_relaxed)];
    readers.fetch_add(1, std::memory_order_seq_cst);
    return {rows_[shard.value].load(std::memory_order_seq_cst), &readers};
  }
  RowRef lookup(std::string_view full_type, std::string_view id) const {
    return lookup(shard_of(full_type, id, shard_count_));
  }

  /// The rest is the writer's.

  /// True if `row` is newer than the one known and now in its place. False, and nothing changed, if
  /// not, or if there is no such shard.
  bool apply(Row row);
  /// Version {0, 0} if nothing is known.
  RowVersion version(ShardId shard) const { return versions_[shard.value]; }
  /// Grows with every row applied.
  std::uint64_t changes() const { return changes_; }
  /// Frees what no reader can hold any more; apply() does it too.
  void reclaim();
  /// Rows replaced and not freed yet.
  std::size_t retired() const { return retired_.size() + waiting_.size(); }

  /// The shards fall into this many ranges (fewer if there are fewer shards) for comparing tables.
  static constexpr std::uint32_t kRangesMax = 64;
  std::uint32_t range_count() const { return range_count_; }
  std::uint32_t range_of(ShardId shard) const;
  /// The first shard of a range; that of range_count() is shard_count().
  std::uint32_t range_begin(std::uint32_t range) const;
  /// Equal for equal versions of all rows of the range, and in practice only then.
  std::uint64_t range_digest(std::uint32_t range) const { return digests_[range]; }

 private:
  static constexpr std::size_t kStripes = 32;
  struct alignas(64) Stripe {
    std::array<std::atomic<std::uint64_t>, 2> readers{};
  };
  static std::size_t stripe_of_this_thread() {
    thread_local constinit std::size_t stripe = kStripes;  // none yet
    if (stripe == kStripes) stripe = next_stripe();
    return stripe;
  }
  static std::size_t next_stripe();
  bool drained(std::size_t phase) const;

  std::uint32_t shard_count_;
  std::uint32_t range_count_;
  std::vector<std::atomic<const Row*>> rows_;  // never grows
  mutable std::array<Stripe, kStripes> stripes_;
  std::atomic<std::size_t> phase_ = 0;  // which counter of a pair new readers use

  std::vector<RowVersion> versions_;
  std::vector<std::uint64_t> digests_;
  std::uint64_t changes_ = 0;
  std::vector<const Row*> retired_;  // since the last flip of the phase
  std::vector<const Row*> waiting_;  // before it
  unsigned drained_phases_ = 0;  // bit of each counter seen at zero since `waiting_` was unlinked
};

}  // namespace troupe::placement
