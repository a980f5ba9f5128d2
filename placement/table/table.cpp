#include "placement/table/table.h"

#include <algorithm>
#include <string>

#include <xxhash.h>

#include "runtime/base/check.h"

namespace troupe::placement {
namespace {

// A digest of a range is the sum of these, so that one row's change is one subtraction and
// addition.
std::uint64_t mix(ShardId shard, RowVersion version) {
  std::string bytes;
  append_big_endian(bytes, shard.value);
  append_big_endian(bytes, version.term);
  append_big_endian(bytes, version.index);
  return XXH3_64bits(bytes.data(), bytes.size());
}

}  // namespace

Table::Table(std::uint32_t shard_count)
    : shard_count_(shard_count), range_count_(std::min(shard_count, kRangesMax)) {
  check(shard_count > 0 && shard_count <= kShardsMax, "a table has 1 to 65536 shards");
  rows_ = std::vector<std::atomic<const Row*>>(shard_count);
  versions_.resize(shard_count);
  digests_.resize(range_count_);
  for (std::uint32_t shard = 0; shard < shard_count; ++shard) {
    digests_[range_of(ShardId{shard})] += mix(ShardId{shard}, {});
  }
}

Table::~Table() {
  for (std::uint32_t shard = 0; shard < shard_count_; ++shard) delete rows_[shard].load();
  for (const Row* row : retired_) delete row;
  for (const Row* row : waiting_) delete row;
}

std::size_t Table::next_stripe() {
  static std::atomic<std::size_t> threads = 0;
  return threads.fetch_add(1, std::memory_order_relaxed) % kStripes;
}

bool Table::apply(Row row) {
  if (row.shard.value >= shard_count_ || row.version <= versions_[row.shard.value]) return false;
  RowVersion& version = versions_[row.shard.value];
  digests_[range_of(row.shard)] += mix(row.shard, row.version) - mix(row.shard, version);
  version = row.version;
  ++changes_;
  std::atomic<const Row*>& place = rows_[row.shard.value];
  const Row* old = place.exchange(new Row(std::move(row)), std::memory_order_seq_cst);
  if (old != nullptr) retired_.push_back(old);
  reclaim();
  return true;
}

void Table::reclaim() {
  if (waiting_.empty()) {
    if (retired_.empty()) return;
    waiting_.swap(retired_);
    drained_phases_ = 0;
  }
  // The phase that new readers do not use drains for certain; then the two change places
  for (int turn = 0; turn < 2; ++turn) {
    const std::size_t idle = 1 - phase_.load(std::memory_order_relaxed);
    if (!drained(idle)) return;
    drained_phases_ |= 1U << idle;
    if (drained_phases_ == 3) break;
    phase_.store(idle, std::memory_order_relaxed);
  }
  if (drained_phases_ != 3) return;
  for (const Row* row : waiting_) delete row;
  waiting_.clear();
}

bool Table::drained(std::size_t phase) const {
  return std::ranges::all_of(stripes_, [phase](const Stripe& stripe) {
    return stripe.readers[phase].load(std::memory_order_seq_cst) == 0;
  });
}

std::uint32_t Table::range_of(ShardId shard) const {
  return static_cast<std::uint32_t>(std::uint64_t{shard.value} * range_count_ / shard_count_);
}

std::uint32_t Table::range_begin(std::uint32_t range) const {
  // The smallest shard whose range_of() is `range`: shard * ranges >= range * shards, rounded up
  const std::uint64_t product = std::uint64_t{range} * shard_count_;
  return static_cast<std::uint32_t>((product + range_count_ - 1) / range_count_);
}

}  // namespace troupe::placement
