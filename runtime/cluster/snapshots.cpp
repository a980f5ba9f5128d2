// Replicas' part that moves snapshots between nodes.
#include <utility>

#include "runtime/base/codec.h"
#include "runtime/cluster/replicas.h"
#include "storage/replica_log.h"
#include "storage/shard/snapshot.h"

namespace troupe::cluster {
namespace {

constexpr auto kChunkPatience = std::chrono::seconds(5);

// A part of a snapshot. The last one has no rows, and says what the rows are.
struct Chunk {
  ShardId shard;
  ReplicaId replica;  // the receiver's
  std::uint64_t number = 0;
  bool last = false;
  std::string rows;
  raft::LogStart start;
};

std::string encode(const Chunk& chunk) {
  Writer out;
  out.id(chunk.shard);
  out.id(chunk.replica);
  out.number(chunk.number);
  out.boolean(chunk.last);
  out.bytes(chunk.rows);
  out.number(chunk.start.index);
  out.number(chunk.start.term);
  out.bytes(raft::encode(chunk.start.configuration));
  return out.take();
}

Result<Chunk> decode_chunk(std::string_view bytes) {
  Reader in(bytes);
  Chunk chunk;
  chunk.shard = in.id<ShardId>();
  chunk.replica = in.id<ReplicaId>();
  chunk.number = in.number();
  chunk.last = in.boolean();
  chunk.rows = in.string();
  chunk.start.index = in.number();
  chunk.start.term = in.number();
  const std::string_view configuration = in.bytes();
  if (!in.finished()) return fail(Code::kInvalid, "a part of a snapshot is damaged");
  if (chunk.last) {
    Result<raft::Configuration> decoded = raft::decode_configuration(configuration);
    if (!decoded) return fail(decoded.error());
    chunk.start.configuration = std::move(*decoded);
  }
  return chunk;
}

}  // namespace

struct Replicas::Sending {
  ShardId shard;
  raft::Address to;
  raft::LogStart start;
  std::unique_ptr<storage::SnapshotReader> reader;
  std::uint64_t next = 0;
};

void Replicas::send_snapshot(ShardId shard, const raft::SendSnapshot& request) {
  // Later, when this step is over and what it applied is on its way to the engine.
  deps_.loop.post([this, alive = alive_, shard, to = request.to] {
    if (*alive) begin_snapshot(shard, to);
  });
}

void Replicas::begin_snapshot(ShardId shard, raft::Address to) {
  Replica* replica = find(shard);
  if (replica == nullptr) return;
  auto sending = std::make_shared<Sending>();
  sending->shard = shard;
  sending->to = to;
  if (sending_.contains(shard) || sending_.size() >= options_.snapshots_max) {
    // Not now: the core asks again.
    replica->raft().snapshot_sent(deps_.clock.now(), to, false, 0);
    return wake(shard);
  }
  std::unique_ptr<storage::View> view = deps_.disk.view();
  const Result<storage::ReplicaLog> stored = storage::load_replica_log(*view, replica->keys());
  const std::uint64_t index = stored ? stored->applied : 0;
  const raft::Log& log = replica->raft().log();
  if (index < log.start().index || !log.term(index)) {
    replica->raft().snapshot_sent(deps_.clock.now(), to, false, 0);
    return wake(shard);
  }
  sending->start = {
      .index = index, .term = *log.term(index), .configuration = log.configuration_at(index)};
  sending->reader = std::make_unique<storage::SnapshotReader>(std::move(view), replica->keys(),
                                                              options_.snapshot_chunk_bytes);
  sending_.insert(shard);
  send_chunk(sending);
}

void Replicas::send_chunk(const std::shared_ptr<Sending>& sending) {
  Result<std::string> rows = sending->reader->next();
  if (!rows) return deps_.fatal(rows.error());
  Chunk chunk{.shard = sending->shard,
              .replica = sending->to.replica,
              .number = sending->next++,
              .last = rows->empty(),
              .rows = std::move(*rows),
              .start = sending->start};
  const bool last = chunk.last;
  deps_.rpc.ask(sending->to.node, Service::kSnapshot, encode(chunk), kChunkPatience,
                [this, alive = alive_, sending, last](const Result<std::string>& answer) {
                  if (!*alive) return;
                  if (!answer || last) return finish_snapshot(sending, answer.has_value());
                  send_chunk(sending);
                });
}

void Replicas::finish_snapshot(const std::shared_ptr<Sending>& sending, bool installed) {
  sending_.erase(sending->shard);
  Replica* replica = find(sending->shard);
  if (replica == nullptr) return;
  replica->raft().snapshot_sent(deps_.clock.now(), sending->to, installed, sending->start.index);
  wake(sending->shard);
}

void Replicas::receive_chunk(NodeId from, std::string_view body, Done<std::string> respond) {
  Result<Chunk> chunk = decode_chunk(body);
  if (!chunk) return respond(fail(chunk.error()));
  Replica* replica = replica_for({.node = options_.self, .replica = chunk->replica}, chunk->shard);
  if (replica == nullptr) {
    return respond(fail(Code::kPrecondition, "this node holds no such replica"));
  }
  Staging& staging = staging_[chunk->shard];
  if (chunk->number == 0) {
    staging = {};
    staging.replica = chunk->replica;
    staging.from = from;
  }
  if (staging.from != from || staging.replica != chunk->replica ||
      staging.number != chunk->number) {
    return respond(fail(Code::kPrecondition, "this part of a snapshot is out of order"));
  }
  ++staging.number;
  staging.bytes += chunk->rows.size();
  if (staging.bytes > options_.snapshot_bytes_max) {
    staging_.erase(chunk->shard);
    return respond(fail(Code::kExhausted, "this snapshot is too large"));
  }
  if (!chunk->last) {
    staging.chunks.push_back(std::move(chunk->rows));
    return respond(std::string());
  }
  std::vector<std::string> chunks = std::move(staging.chunks);
  staging_.erase(chunk->shard);
  replica->install(deps_.clock.now(), std::move(chunk->start), std::move(chunks));
  wake(chunk->shard);
  respond(std::string());
}

}  // namespace troupe::cluster
