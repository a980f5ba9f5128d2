#include "storage/shard/snapshot.h"

#include <utility>
#include <vector>

#include <xxhash.h>

#include "runtime/base/codec.h"
#include "storage/scan.h"

namespace troupe::storage {
namespace {

constexpr std::size_t kHashBytes = 8;

struct HashStateDeleter {
  void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
};

std::uint64_t hash(std::string_view bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

}  // namespace

SnapshotReader::SnapshotReader(std::unique_ptr<View> view, ReplicaKeys keys,
                               std::size_t chunk_bytes)
    : view_(std::move(view)), keys_(keys), chunk_bytes_(chunk_bytes) {
  const KeyRange range = prefix_range(keys_.data_prefix());
  cursor_ = view_->scan(range.from, range.to);
}

// A chunk: xxh3_64 of the rest, 8 bytes big-endian; then key without prefix, value, key, value ...
Result<std::string> SnapshotReader::next() {
  const std::size_t prefix = keys_.data_prefix().size();
  Writer rows;
  for (; cursor_->valid() && rows.size() < chunk_bytes_; cursor_->next()) {
    rows.bytes(cursor_->key().substr(prefix));
    rows.bytes(cursor_->value());
  }
  if (auto status = cursor_->status(); !cursor_->valid() && !status) return fail(status.error());
  const std::string body = rows.take();
  if (body.empty()) return std::string();
  std::string chunk;
  append_big_endian(chunk, hash(body));
  return chunk.append(body);
}

Result<void> install_chunk(Batch& batch, ReplicaKeys keys, std::string_view chunk) {
  if (chunk.size() < kHashBytes ||
      big_endian_64(chunk.substr(0, kHashBytes)) != hash(chunk.substr(kHashBytes))) {
    return fail(Code::kDataLoss, "a part of a snapshot does not match its checksum");
  }
  const std::string prefix = keys.data_prefix();
  Batch rows;
  Reader in(chunk.substr(kHashBytes));
  while (in.ok() && in.left() > 0) {
    const std::string_view key = in.bytes();
    const std::string_view value = in.bytes();
    rows.put(std::string(prefix).append(key), std::string(value));
  }
  if (!in.ok()) return fail(Code::kDataLoss, "a part of a snapshot makes no sense");
  batch.append(rows);
  return {};
}

Result<ReplicaHash> replica_hash(const Reads& reads, ReplicaKeys keys) {
  const std::unique_ptr<XXH3_state_t, HashStateDeleter> state(XXH3_createState());
  XXH3_128bits_reset(state.get());
  const auto add = [&](std::string_view bytes) {
    std::string size;
    append_big_endian(size, std::uint64_t{bytes.size()});
    XXH3_128bits_update(state.get(), size.data(), size.size());
    XXH3_128bits_update(state.get(), bytes.data(), bytes.size());
  };
  const KeyRange range = prefix_range(keys.data_prefix());
  auto read = each(reads, range, [&](std::string_view key, std::string_view value) -> Result<bool> {
    add(key.substr(range.from.size()));
    add(value);
    return true;
  });
  if (!read) return fail(read.error());
  const XXH128_hash_t digest = XXH3_128bits_digest(state.get());
  return ReplicaHash{.high = digest.high64, .low = digest.low64};
}

}  // namespace troupe::storage
