#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/base/ids.h"
#include "storage/raft/log.h"
#include "storage/shard/snapshot.h"
#include <troupe/result.h>

namespace troupe::cluster {

/// A part of a snapshot on its way from a leader to a follower.
struct SnapshotChunk {
  ShardId shard;
  ReplicaId replica;          // the receiver's
  raft::Term term = 0;        // in which the sender leads
  std::uint64_t attempt = 0;  // chosen by the sender, to tell its attempts apart
  std::uint64_t number = 0;   // of the part: 0, 1, 2 ...
  raft::LogStart start;       // what the snapshot stands for
  std::string rows;           // none: this is the last part
  storage::ReplicaHash hash;  // of all rows; in the last part

  bool last() const { return rows.empty(); }
};

std::string encode(const SnapshotChunk& chunk);
/// Safe on any bytes. kInvalid for what makes no sense.
Result<SnapshotChunk> decode_snapshot_chunk(std::string_view bytes);

}  // namespace troupe::cluster
