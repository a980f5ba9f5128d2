#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "storage/engine.h"
#include "storage/keys.h"
#include <troupe/result.h>

/// Moving and comparing the rows of whole replicas.
namespace troupe::storage {

/// Reads a replica's rows in chunks: the bytes of a snapshot.
///
///     SnapshotReader reader(engine.view(), keys, 1 << 20);
///     for (auto chunk = reader.next(); chunk && !chunk->empty(); chunk = reader.next())
///     send(*chunk);
///
/// A chunk names no replica id: it is installed under the receiver's own. For one thread, any.
class SnapshotReader {
 public:
  /// Chunks have about `chunk_bytes`, and at least one row. The rows are those of `view`, whatever
  /// is written meanwhile; its applied index (load_replica_log) is the snapshot's index.
  SnapshotReader(std::unique_ptr<View> view, ReplicaKeys keys, std::size_t chunk_bytes);

  /// The next rows; empty once all were given.
  Result<std::string> next();

 private:
  std::unique_ptr<View> view_;
  ReplicaKeys keys_;
  std::size_t chunk_bytes_;
  std::unique_ptr<Cursor> cursor_;
};

/// Adds the rows of a chunk to a replica that is not in use yet. kDataLoss for a damaged chunk, of
/// which nothing is added.
///
/// The way of a snapshot: drop_replica() of what an earlier try left under the fresh replica id;
/// chunk after chunk, each its own batch; then one batch with put_log_start(), put_applied() and
/// put_current(), which makes it the replica in use; then drop_replica() of the old one.
Result<void> install_chunk(Batch& batch, ReplicaKeys keys, std::string_view chunk);

/// 128 bits over all rows of a replica, without its replica id: equal for equal rows, wherever and
/// however they are stored.
struct ReplicaHash {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  friend bool operator==(const ReplicaHash&, const ReplicaHash&) = default;
};
Result<ReplicaHash> replica_hash(const Reads& reads, ReplicaKeys keys);

}  // namespace troupe::storage
