#include "runtime/cluster/snapshot_sender.h"

#include <algorithm>
#include <ratio>
#include <utility>

#include "storage/replica_log.h"

namespace troupe::cluster {
namespace {

// So near the end of the log that it need not be kept for this follower.
constexpr raft::Index kNear = 100;

// The part may not have come, or its answer not: worth another try.
bool transient(const Error& error) {
  return error.code == Code::kTimeout || error.code == Code::kUnavailable ||
         error.code == Code::kUnknownOutcome;
}

}  // namespace

SnapshotSender::SnapshotSender(Options options, Dependencies dependencies)
    : options_(options), deps_(std::move(dependencies)) {}

SnapshotSender::~SnapshotSender() { *alive_ = false; }

void SnapshotSender::stop() {
  *alive_ = false;
  sendings_.clear();
}

void SnapshotSender::send(ShardId shard, const raft::Address& to) {
  deps_.loop.post([this, alive = alive_, shard, to] {
    if (*alive) begin(shard, to);
  });
}

void SnapshotSender::begin(ShardId shard, const raft::Address& to) {
  look_after(deps_.clock.now());
  Replica* const replica = deps_.find(shard);
  if (replica == nullptr) return;
  const auto before = sendings_.find(shard);
  const bool busy = before != sendings_.end() && before->second.reader != nullptr;
  const bool full = before == sendings_.end() && sendings_.size() >= options_.at_once_max;
  if (!busy && !full && start_sending(*replica, to)) return;
  // Not now: the core asks again.
  replica->raft().snapshot_sent(deps_.clock.now(), to, false, 0);
  deps_.wake(shard);
}

bool SnapshotSender::start_sending(Replica& replica, const raft::Address& to) {
  const ShardId shard = replica.shard();
  std::unique_ptr<storage::View> view = deps_.disk.view();
  const Result<std::uint64_t> index = storage::applied_index(*view, replica.keys());
  if (!index) {
    deps_.fatal(index.error());
    return false;
  }
  // Of what it has just become, or received, the engine may not know yet.
  const raft::Log& log = replica.raft().log();
  if (*index < log.start().index || !log.term(*index)) return false;
  Sending& sending = sendings_[shard];
  sending = {.from = replica.keys().replica(),
             .to = to,
             .term = replica.raft().term(),
             .attempt = deps_.random.next(),
             .start = {.index = *index,
                       .term = *log.term(*index),
                       .configuration = log.configuration_at(*index)},
             .reader = std::make_shared<storage::SnapshotReader>(std::move(view), replica.keys(),
                                                                 options_.chunk_bytes)};
  replica.hold_log(true);
  deps_.log.debug("sends a snapshot",
                  {{"shard", shard.value}, {"to", short_name(to.node)}, {"index", *index}});
  read_part(shard, sending);
  return true;
}

SnapshotSender::Sending* SnapshotSender::find(ShardId shard, std::uint64_t attempt) {
  const auto found = sendings_.find(shard);
  return found == sendings_.end() || found->second.attempt != attempt ? nullptr : &found->second;
}

// The leader that has asked for it, if it still leads.
Replica* SnapshotSender::leader(ShardId shard, const Sending& sending) const {
  Replica* const replica = deps_.find(shard);
  const bool leads = replica != nullptr && replica->keys().replica() == sending.from &&
                     replica->raft().role() == raft::Role::kLeader &&
                     replica->raft().term() == sending.term;
  return leads ? replica : nullptr;
}

// When those before it have had their time, whichever snapshot they were of.
void SnapshotSender::read_part_in_turn(ShardId shard, Sending& sending) {
  const Time now = deps_.clock.now();
  const Time at = std::max(now, next_part_at_);
  next_part_at_ = at + std::chrono::microseconds(std::micro::den * sending.part_rows /
                                                 options_.bytes_per_second);
  if (at == now) return read_part(shard, sending);
  deps_.loop.post_at(at, [this, alive = alive_, shard, attempt = sending.attempt] {
    if (!*alive) return;
    if (Sending* const waiting = find(shard, attempt)) read_part(shard, *waiting);
  });
}

void SnapshotSender::read_part(ShardId shard, Sending& sending) {
  deps_.disk.read([this, alive = alive_, shard, attempt = sending.attempt,
                   reader = sending.reader]() mutable -> Work {
    Result<std::string> rows = reader->next();
    // The view must not outlive its engine, as what is posted to the loop may.
    reader.reset();
    return [this, alive, shard, attempt, rows = std::move(rows)]() mutable {
      if (*alive) send_part(shard, attempt, std::move(rows));
    };
  });
}

void SnapshotSender::send_part(ShardId shard, std::uint64_t attempt, Result<std::string> rows) {
  Sending* const sending = find(shard, attempt);
  if (sending == nullptr) return;
  if (!rows) return deps_.fatal(rows.error());
  if (leader(shard, *sending) == nullptr) return finish(shard, *sending, false);
  sending->part_rows = rows->size();
  SnapshotChunk chunk{.shard = shard,
                      .replica = sending->to.replica,
                      .term = sending->term,
                      .attempt = attempt,
                      .number = sending->next++,
                      .start = sending->start,
                      .rows = *std::move(rows),
                      .hash = {}};
  if (chunk.last()) chunk.hash = sending->reader->hash();
  sending->part = encode(chunk);
  sending->tries_left = options_.tries;
  ask(shard, *sending);
}

void SnapshotSender::ask(ShardId shard, Sending& sending) {
  --sending.tries_left;
  deps_.rpc.ask(
      sending.to.node, Service::kSnapshot, sending.part, options_.part_patience,
      [this, alive = alive_, shard, attempt = sending.attempt](const Result<std::string>& answer) {
        if (*alive) answered(shard, attempt, answer);
      });
}

void SnapshotSender::answered(ShardId shard, std::uint64_t attempt,
                              const Result<std::string>& answer) {
  Sending* const sending = find(shard, attempt);
  if (sending == nullptr || sending->reader == nullptr) return;
  if (answer) {
    SnapshotMetrics::count(deps_.metrics.bytes_sent, sending->part_rows);
    const bool last = sending->part_rows == 0;
    sending->part = {};
    return last ? finish(shard, *sending, true) : read_part_in_turn(shard, *sending);
  }
  if (!transient(answer.error()) || sending->tries_left == 0 ||
      leader(shard, *sending) == nullptr) {
    tell_refusal(shard, *sending, answer.error());
    return finish(shard, *sending, false);
  }
  deps_.loop.post_at(deps_.clock.now() + options_.pause, [this, alive = alive_, shard, attempt] {
    if (!*alive) return;
    if (Sending* const again = find(shard, attempt)) ask(shard, *again);
  });
}

void SnapshotSender::tell_refusal(ShardId shard, const Sending& sending, const Error& why) const {
  // Of a busy node, which is asked again soon, and often.
  if (why.code == Code::kExhausted) return;
  deps_.log.info("a snapshot was not taken", {{"shard", shard.value},
                                              {"to", short_name(sending.to.node)},
                                              {"part", sending.next - 1},
                                              {"why", why.message}});
}

void SnapshotSender::finish(ShardId shard, Sending& sending, bool installed) {
  using M = SnapshotMetrics;
  M::count(installed ? deps_.metrics.sent : deps_.metrics.sends_failed);
  const raft::Address to = sending.to;
  const raft::Index index = sending.start.index;
  sending.reader.reset();
  sending.part = {};
  sending.follow_until = deps_.clock.now();
  if (installed) sending.follow_until += options_.follow_patience;
  if (Replica* const replica = deps_.find(shard)) {
    replica->raft().snapshot_sent(deps_.clock.now(), to, installed, index);
    deps_.wake(shard);
  }
  look_after(deps_.clock.now());
}

bool SnapshotSender::follows(const Replica& replica, const Sending& sending) const {
  const raft::Progress* progress = replica.raft().progress(sending.to);
  return progress == nullptr || progress->match + kNear >= replica.applied();
}

void SnapshotSender::look_after(Time now) {
  std::erase_if(sendings_, [&](const auto& each) {
    const auto& [shard, sending] = each;
    if (sending.reader != nullptr) return false;
    Replica* const leads = leader(shard, sending);
    if (leads != nullptr && now < sending.follow_until && !follows(*leads, sending)) return false;
    if (Replica* const replica = deps_.find(shard)) replica->hold_log(false);
    return true;
  });
}

std::size_t SnapshotSender::bytes_held() const {
  std::size_t bytes = 0;
  for (const auto& [shard, sending] : sendings_) bytes += sending.part.size();
  return bytes;
}

}  // namespace troupe::cluster
