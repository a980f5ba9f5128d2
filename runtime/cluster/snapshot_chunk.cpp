#include "runtime/cluster/snapshot_chunk.h"

#include <utility>

#include "runtime/base/codec.h"
#include "storage/raft/configuration.h"

namespace troupe::cluster {
namespace {

// Of what is beside the rows and the configuration, at most.
constexpr std::size_t kHeadBytes = 128;

}  // namespace

std::string encode(const SnapshotChunk& chunk) {
  const std::string configuration = raft::encode(chunk.start.configuration);
  Writer out;
  out.reserve(kHeadBytes + configuration.size() + chunk.rows.size());
  out.id(chunk.shard);
  out.id(chunk.replica);
  out.number(chunk.term);
  out.number(chunk.attempt);
  out.number(chunk.number);
  out.number(chunk.start.index);
  out.number(chunk.start.term);
  out.bytes(configuration);
  out.bytes(chunk.rows);
  if (chunk.last()) {
    out.number(chunk.hash.high);
    out.number(chunk.hash.low);
  }
  return out.take();
}

Result<SnapshotChunk> decode_snapshot_chunk(std::string_view bytes) {
  Reader in(bytes);
  SnapshotChunk chunk;
  chunk.shard = in.id<ShardId>();
  chunk.replica = in.id<ReplicaId>();
  chunk.term = in.number();
  chunk.attempt = in.number();
  chunk.number = in.number();
  chunk.start.index = in.number();
  chunk.start.term = in.number();
  const std::string_view configuration = in.bytes();
  chunk.rows = in.string();
  if (chunk.last()) {
    chunk.hash.high = in.number();
    chunk.hash.low = in.number();
  }
  if (!in.finished()) return fail(Code::kInvalid, "a part of a snapshot is damaged");
  Result<raft::Configuration> decoded = raft::decode_configuration(configuration);
  if (!decoded) return fail(decoded.error());
  chunk.start.configuration = std::move(*decoded);
  return chunk;
}

}  // namespace troupe::cluster
