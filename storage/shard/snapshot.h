#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "storage/engine.h"
#include "storage/keys.h"
#include <troupe/result.h>

struct XXH3_state_s;

/// Moving and comparing the rows of whole replicas.
namespace troupe::storage {

/// 128 bits over all rows of a replica, without its replica id: equal for equal rows, wherever and
/// however they are stored.
struct ReplicaHash {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  friend bool operator==(const ReplicaHash&, const ReplicaHash&) = default;
};
Result<ReplicaHash> replica_hash(const Reads& reads, ReplicaKeys keys);

/// A ReplicaHash as it comes about, row by row.
class RowsHash {
 public:
  RowsHash();

  /// The next row in the order of keys; `key` without the prefix of its replica.
  void add(std::string_view key, std::string_view value);
  ReplicaHash value() const;

 private:
  struct Free {
    void operator()(XXH3_state_s* state) const;
  };
  std::unique_ptr<XXH3_state_s, Free> state_;
};

/// Reads a replica's rows in chunks: the bytes of a snapshot.
///
///     SnapshotReader reader(engine.view(), keys, 1 << 20);
///     for (auto chunk = reader.next(); chunk && !chunk->empty(); chunk = reader.next())
///     send(*chunk);
///
/// A chunk names no replica id: it is installed under the receiver's own. For one thread at a time,
/// any.
class SnapshotReader {
 public:
  /// Chunks have about `chunk_bytes`, and at least one row. The rows are those of `view`, whatever
  /// is written meanwhile; its applied index (applied_index()) is the snapshot's index.
  SnapshotReader(std::unique_ptr<View> view, ReplicaKeys keys, std::size_t chunk_bytes);

  /// The next rows; empty once all were given.
  Result<std::string> next();
  /// Of all rows given so far.
  ReplicaHash hash() const { return hash_.value(); }

 private:
  std::unique_ptr<View> view_;
  ReplicaKeys keys_;
  std::size_t chunk_bytes_;
  std::unique_ptr<Cursor> cursor_;
  RowsHash hash_;
};

/// Calls `visit` with each row of a chunk, keys without the prefix of their replica, until it
/// fails. kDataLoss for a damaged chunk, of which nothing is given; or what `visit` says.
using VisitRow = std::function<Result<void>(std::string_view key, std::string_view value)>;
Result<void> each_row(std::string_view chunk, const VisitRow& visit);

/// Adds the rows of a chunk to the side of a replica that is not in use, and to `hash`. kDataLoss
/// for a damaged chunk, of which nothing is added.
///
/// The way of a snapshot: drop_rows() of what an earlier try left on that side; chunk after chunk,
/// each its own batch; then, if `hash` is that of the sender's reader, one batch that drops the
/// rows of the side in use, with put_log_start(), put_applied() and put_current(), which makes the
/// other one the side in use.
Result<void> install_chunk(Batch& batch, ReplicaKeys keys, std::string_view chunk, RowsHash& hash);

}  // namespace troupe::storage
