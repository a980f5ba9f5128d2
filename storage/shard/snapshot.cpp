#include "storage/shard/snapshot.h"

#include <utility>
#include <vector>

#include <xxhash.h>

#include "runtime/base/codec.h"
#include "storage/scan.h"

namespace troupe::storage {
namespace {

constexpr std::size_t kHashBytes = 8;

std::uint64_t checksum(std::string_view bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

bool makes_sense(std::string_view body) {
  Reader in(body);
  while (in.ok() && in.left() > 0) {
    in.bytes();
    in.bytes();
  }
  return in.ok();
}

}  // namespace

void RowsHash::Free::operator()(XXH3_state_s* state) const { XXH3_freeState(state); }

RowsHash::RowsHash() : state_(XXH3_createState()) { XXH3_128bits_reset(state_.get()); }

void RowsHash::add(std::string_view key, std::string_view value) {
  for (const std::string_view bytes : {key, value}) {
    std::string size;
    append_big_endian(size, std::uint64_t{bytes.size()});
    XXH3_128bits_update(state_.get(), size.data(), size.size());
    XXH3_128bits_update(state_.get(), bytes.data(), bytes.size());
  }
}

ReplicaHash RowsHash::value() const {
  const XXH128_hash_t digest = XXH3_128bits_digest(state_.get());
  return {.high = digest.high64, .low = digest.low64};
}

SnapshotReader::SnapshotReader(std::unique_ptr<View> view, ReplicaKeys keys,
                               std::size_t chunk_bytes)
    : view_(std::move(view)), keys_(keys), chunk_bytes_(chunk_bytes) {}

// A chunk: xxh3_64 of the rest, 8 bytes big-endian; then key without prefix, value, key, value ...
Result<std::string> SnapshotReader::next() {
  const KeyRange range = prefix_range(keys_.data_prefix());
  const std::size_t prefix = range.from.size();
  // Not before: even the first row may have to come from the disk.
  if (cursor_ == nullptr) cursor_ = view_->scan(range.from, range.to);
  Writer rows;
  for (; cursor_->valid() && rows.size() < chunk_bytes_; cursor_->next()) {
    const std::string_view key = cursor_->key().substr(prefix);
    const std::string_view value = cursor_->value();
    rows.bytes(key);
    rows.bytes(value);
    hash_.add(key, value);
  }
  if (auto status = cursor_->status(); !cursor_->valid() && !status) return fail(status.error());
  const std::string body = rows.take();
  if (body.empty()) return std::string();
  std::string chunk;
  chunk.reserve(kHashBytes + body.size());
  append_big_endian(chunk, checksum(body));
  return chunk.append(body);
}

Result<void> each_row(std::string_view chunk, const VisitRow& visit) {
  if (chunk.size() < kHashBytes ||
      big_endian_64(chunk.substr(0, kHashBytes)) != checksum(chunk.substr(kHashBytes))) {
    return fail(Code::kDataLoss, "a part of a snapshot does not match its checksum");
  }
  const std::string_view body = chunk.substr(kHashBytes);
  if (!makes_sense(body)) return fail(Code::kDataLoss, "a part of a snapshot makes no sense");
  Reader in(body);
  while (in.left() > 0) {
    const std::string_view key = in.bytes();
    const std::string_view value = in.bytes();
    if (auto visited = visit(key, value); !visited) return visited;
  }
  return {};
}

Result<void> install_chunk(Batch& batch, ReplicaKeys keys, std::string_view chunk, RowsHash& hash) {
  const std::string prefix = keys.data_prefix();
  std::string key_here;
  return each_row(chunk, [&](std::string_view key, std::string_view value) -> Result<void> {
    batch.put(key_here.assign(prefix).append(key), value);
    hash.add(key, value);
    return {};
  });
}

Result<ReplicaHash> replica_hash(const Reads& reads, ReplicaKeys keys) {
  RowsHash hash;
  const KeyRange range = prefix_range(keys.data_prefix());
  auto read = each(reads, range, [&](std::string_view key, std::string_view value) -> Result<bool> {
    hash.add(key.substr(range.from.size()), value);
    return true;
  });
  if (!read) return fail(read.error());
  return hash.value();
}

}  // namespace troupe::storage
