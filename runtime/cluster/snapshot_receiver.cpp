#include "runtime/cluster/snapshot_receiver.h"

#include <tuple>
#include <utility>

#include "storage/replica_log.h"

namespace troupe::cluster {

SnapshotReceiver::SnapshotReceiver(Options options, storage::GroupWriter& writer,
                                   SnapshotMetrics& metrics, Log log)
    : options_(options), writer_(writer), metrics_(metrics), log_(log) {}

Result<SnapshotReceiver::Taken> SnapshotReceiver::receive(Time now, NodeId from,
                                                          const SnapshotChunk& chunk,
                                                          const Target& target) {
  // Until it is done, the side where rows gather holds those that are about to be in use.
  if (target.installing) return fail(Code::kUnavailable, "a snapshot is being installed");
  if (chunk.term < target.term) return fail(Code::kPrecondition, "there is a newer leader");
  auto found = arriving_.find(chunk.shard);
  if (chunk.start.index <= target.committed) {
    if (found != arriving_.end() && found->second.index <= target.committed) {
      give_up(found, "the replica got there by its log");
    }
    if (chunk.last()) return Taken::kKnown;
    return fail(Code::kPrecondition, "this replica is no longer behind the snapshot");
  }
  const bool known = found != arriving_.end() && found->second.from == from &&
                     found->second.attempt == chunk.attempt;
  if (chunk.number == 0 && !known) {
    if (auto begun = begin(now, from, chunk, target); !begun) return fail(begun.error());
    found = arriving_.find(chunk.shard);
  } else if (!known) {
    return fail(Code::kPrecondition, "this snapshot is not on its way to this replica");
  }
  Arriving& arriving = found->second;
  arriving.heard_at = now;
  if (chunk.number + 1 == arriving.next) return Taken::kKnown;
  if (chunk.number != arriving.next) {
    return fail(Code::kPrecondition, "this part of a snapshot is out of order");
  }
  return chunk.last() ? finish(found, chunk) : add(found, chunk);
}

Result<void> SnapshotReceiver::begin(Time now, NodeId from, const SnapshotChunk& chunk,
                                     const Target& target) {
  const auto found = arriving_.find(chunk.shard);
  if (found != arriving_.end()) {
    const Arriving& before = found->second;
    if (std::tie(chunk.term, chunk.start.index) < std::tie(before.term, before.index)) {
      return fail(Code::kPrecondition, "a newer snapshot is on its way to this replica");
    }
    give_up(found, "a newer one begins");
  } else if (arriving_.size() >= options_.at_once_max) {
    return fail(Code::kExhausted, "this node is sent enough snapshots; try again");
  }
  const storage::ReplicaKeys keys = target.keys.other_side();
  storage::drop_rows(writer_.pending(), keys);
  arriving_.emplace(chunk.shard, Arriving{.keys = keys,
                                          .from = from,
                                          .term = chunk.term,
                                          .index = chunk.start.index,
                                          .attempt = chunk.attempt,
                                          .next = 0,
                                          .hash = {},
                                          .heard_at = now});
  return {};
}

Result<SnapshotReceiver::Taken> SnapshotReceiver::add(Found arriving, const SnapshotChunk& chunk) {
  const Result<void> added = storage::install_chunk(writer_.pending(), arriving->second.keys,
                                                    chunk.rows, arriving->second.hash);
  if (!added) {
    give_up(arriving, "a part of it is damaged");
    return fail(added.error());
  }
  ++arriving->second.next;
  SnapshotMetrics::count(metrics_.bytes_received, chunk.rows.size());
  return Taken::kPart;
}

Result<SnapshotReceiver::Taken> SnapshotReceiver::finish(Found arriving,
                                                         const SnapshotChunk& chunk) {
  if (chunk.hash != arriving->second.hash.value()) {
    give_up(arriving, "its rows are not those that were sent");
    return fail(Code::kDataLoss, "the rows of this snapshot are not those that were sent");
  }
  arriving_.erase(arriving);
  SnapshotMetrics::count(metrics_.received);
  return Taken::kWhole;
}

SnapshotReceiver::Found SnapshotReceiver::give_up(Found arriving, const char* why) {
  const auto& [shard, snapshot] = *arriving;
  log_.info("gives up a snapshot", {{"shard", shard.value},
                                    {"replica", snapshot.keys.replica().value},
                                    {"parts", snapshot.next},
                                    {"why", why}});
  storage::drop_rows(writer_.pending(), snapshot.keys);
  SnapshotMetrics::count(metrics_.receives_failed);
  return arriving_.erase(arriving);
}

void SnapshotReceiver::look_after(Time now) {
  for (auto each = arriving_.begin(); each != arriving_.end();) {
    const bool silent = now - each->second.heard_at > options_.patience;
    each = silent ? give_up(each, "nothing more came") : std::next(each);
  }
}

void SnapshotReceiver::dropped(ShardId shard) {
  if (arriving_.erase(shard) > 0) SnapshotMetrics::count(metrics_.receives_failed);
}

}  // namespace troupe::cluster
