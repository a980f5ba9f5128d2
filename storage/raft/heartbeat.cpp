// What a leader does in rounds: heartbeats, reads, check-quorum, handing over.
#include <algorithm>
#include <utility>

#include "runtime/base/check.h"
#include "storage/raft/raft.h"

namespace troupe::raft {
namespace {

// Reads start rounds of their own only up to here; beyond, they wait for the next heartbeat.
constexpr std::size_t kReadRoundsMax = 64;
// Of older rounds nobody asks whether they are acknowledged.
constexpr std::size_t kRoundsMax = 256;

}  // namespace

void Raft::tick_leader() {
  if (!quorum_is_alive()) return step_down();
  if (transfer_ && now_ >= transfer_->deadline) transfer_.reset();
  if (now_ < heartbeat_at_) return;
  start_round();
  continue_transfer();
}

// A leader that nobody hears would go on promising reads and proposals that it cannot keep.
bool Raft::quorum_is_alive() const {
  std::size_t alive = 0;
  for (const Member& member : configuration().members) {
    if (!member.voter) continue;
    const Progress* peer = progress(member.address);
    if (peer == nullptr || now_ - peer->heard_at < options_.election_max) ++alive;
  }
  return alive >= configuration().quorum();
}

void Raft::start_round() {
  heartbeat_at_ = now_ + options_.heartbeat_interval;
  acknowledged_at_ = now_;
  rounds_.push_back({.number = ++round_, .sent_at = now_});
  if (rounds_.size() > kRoundsMax) rounds_.pop_front();
  for (Read& read : reads_) {
    if (read.round == 0) read.round = round_;
  }
  for (const auto& [address, peer] : peers_) {
    // Not beyond what it surely has: a heartbeat does not check what follows.
    send(address, Heartbeat{.round = round_, .committed = std::min(peer.match, committed_)});
  }
  finish_rounds();
}

void Raft::start_read_round() {
  if (reads_.empty() || reads_.back().round != 0 || rounds_.size() >= kReadRoundsMax) return;
  start_round();
}

void Raft::finish_rounds() {
  const std::uint64_t majority =
      of_majority([this](const Progress* peer) { return peer != nullptr ? peer->round : round_; });
  while (!rounds_.empty() && rounds_.front().number <= majority) {
    quorum_acked_at_ = rounds_.front().sent_at;
    rounds_.pop_front();
  }
  while (!reads_.empty() && reads_.front().round != 0 && reads_.front().round <= majority &&
         reads_.front().index <= committed_) {
    answered_reads_.push_back({.context = reads_.front().context, .index = reads_.front().index});
    reads_.pop_front();
  }
}

std::optional<Time> Raft::quorum_acked_at(Time now) const {
  check(role_ == Role::kLeader, "only a leader is acknowledged");
  const bool alone = configuration().voters() == 1 && configuration().votes(self());
  return alone ? std::optional(now) : quorum_acked_at_;
}

// The index is at least that of this leader's first entry: only when that is committed does it know
// what earlier leaders have committed.
Result<void> Raft::read_index(Time now, std::uint64_t context) {
  advance(now);
  if (role_ != Role::kLeader) {
    return fail(Code::kPrecondition, "this replica does not lead its group");
  }
  if (reads_.size() >= options_.reads_max) {
    return fail(Code::kExhausted, "too many reads wait for a majority");
  }
  reads_.push_back({.context = context, .index = std::max(committed_, first_own_), .round = 0});
  return {};
}

void Raft::on(const Message& message, const Heartbeat& heartbeat) {
  if (role_ == Role::kLeader) return;
  hear_leader(message);
  commit(std::max(committed_, std::min(heartbeat.committed, log_.last_index())));
  send(message.from, HeartbeatResponse{.round = heartbeat.round});
}

void Raft::on(const Message& message, const HeartbeatResponse& response) {
  const auto found = peers_.find(message.from);
  if (role_ != Role::kLeader || found == peers_.end()) return;
  Progress& peer = found->second;
  heard(peer);
  peer.round = std::max(peer.round, std::min(response.round, round_));
  peer.paused = false;
  // It may have lost requests without a later one to show the gap.
  const bool behind = peer.match < log_.last_index();
  if (behind && peer.mode == Progress::Mode::kReplicate && peer.next > log_.start().index) {
    send_append(message.from, peer);
  }
  finish_rounds();
}

Result<void> Raft::transfer(Time now, const Address& target) {
  advance(now);
  if (role_ != Role::kLeader) {
    return fail(Code::kPrecondition, "this replica does not lead its group");
  }
  if (target == self()) return {};
  if (!configuration().votes(target)) {
    return fail(Code::kInvalid, to_string(target) + " is not a voter of the group");
  }
  if (transfer_ && transfer_->target != target) {
    return fail(Code::kUnavailable, "the leader is handing over to another replica");
  }
  const Progress* const progress_of_target = progress(target);
  if (!progress_of_target->answers ||
      now_ - progress_of_target->heard_at >= options_.election_min) {
    return fail(Code::kUnavailable, to_string(target) + " does not answer");
  }
  if (!transfer_) transfer_ = {.target = target, .deadline = now_ + options_.election_min};
  continue_transfer();
  return {};
}

void Raft::continue_transfer() {
  if (role_ != Role::kLeader || !transfer_) return;
  const Progress* target = progress(transfer_->target);
  if (target != nullptr && target->match == log_.last_index()) {
    send(transfer_->target, TimeoutNow{});
  }
}

}  // namespace troupe::raft
