#include "storage/raft/raft.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "runtime/base/check.h"

namespace troupe::raft {

Raft::Raft(RaftOptions options, Restored restored, Random& random, Time now)
    : options_(options),
      random_(random),
      now_(now),
      hard_state_(restored.hard_state),
      log_(std::move(restored.log_start), std::move(restored.entries)),
      committed_(std::max(restored.applied, log_.start().index)),
      applied_(committed_),
      acknowledged_at_(now) {
  check(!options_.self.empty(), "a replica has an address");
  check(committed_ <= log_.last_index(), "what was applied is in the log");
  check(hard_state_.term >= log_.last_term(), "a log holds no entries of terms to come");
  check(options_.election_min < options_.election_max, "elections need room to differ");
  reported_ = standing();
  arm_after_leader();
}

Standing Raft::standing() const { return {.role = role_, .term = term(), .leader = leader_}; }

void Raft::advance(Time now) { now_ = std::max(now_, now); }

void Raft::tick(Time now) {
  advance(now);
  if (role_ == Role::kLeader) {
    tick_leader();
  } else if (!configuration().votes(self())) {
    return;
  } else if (now_ >= election_at_) {
    start_pre_vote();
  } else if (role_ != Role::kFollower && now_ >= ask_again_at_) {
    ask_for_votes();  // the first requests may be lost, or have come too early
  }
}

void Raft::receive(Time now, const Message& message) {
  advance(now);
  if (stranger(message)) return;
  if (message.term < term()) return lower_term(message);
  if (message.term > term() && !higher_term(message)) return;
  std::visit([this, &message](const auto& body) { on(message, body); }, message.body);
}

// Meant for, or sent by, a replica that has been replaced. A higher replica id than known is none:
// this replica may be the last to learn of a change.
bool Raft::stranger(const Message& message) const {
  if (message.to != self() || message.from.node == self().node) return true;
  const Member* known = configuration().on(message.from.node);
  return known != nullptr && known->address.replica > message.from.replica;
}

// Whether to go on with the message, in its term unless it only asks about that.
bool Raft::higher_term(const Message& message) {
  if (const auto* request = std::get_if<VoteRequest>(&message.body)) {
    // Whoever cannot hear the leader does not depose it while others can.
    if (!request->transfer && leader_is_alive()) return false;
    if (request->pre) return true;
  }
  if (const auto* response = std::get_if<VoteResponse>(&message.body)) {
    if (response->pre && response->granted) return true;
  }
  const bool leads = std::holds_alternative<AppendRequest>(message.body) ||
                     std::holds_alternative<Heartbeat>(message.body);
  become_follower(message.term, leads ? message.from : Address{});
  return true;
}

// Tells the sender of the newer term. Without that, a replica whose term ran ahead could neither
// follow the leader nor, because of the pre-vote, depose it.
void Raft::lower_term(const Message& message) {
  if (const auto* request = std::get_if<VoteRequest>(&message.body)) {
    send(message.from, VoteResponse{.pre = request->pre});
  } else if (std::holds_alternative<AppendRequest>(message.body) ||
             std::holds_alternative<Heartbeat>(message.body)) {
    send(message.from, HeartbeatResponse{});
  }
}

void Raft::persisted(Time now, std::uint64_t ticket) {
  advance(now);
  check(ticket <= last_ticket_, "only what was handed out becomes durable");
  durable_ticket_ = std::max(durable_ticket_, ticket);
  log_.persisted(ticket);
  release();
  if (role_ == Role::kCandidate) count_votes();
  if (role_ == Role::kLeader) advance_commit();
}

bool Raft::hard_state_durable() const {
  return !hard_state_unwritten_ && hard_state_ticket_ <= durable_ticket_;
}

void Raft::set_term(Term term) {
  check(term > hard_state_.term, "terms never fall");
  hard_state_ = {.term = term, .vote = {}};
  hard_state_unwritten_ = true;
  // They were not said yet, and must not be said after what this replica may promise in the new
  // term: an acknowledgement may name entries that are truncated by then.
  held_.clear();
}

void Raft::set_vote(const Address& vote) {
  if (hard_state_.vote == vote) return;
  hard_state_.vote = vote;
  hard_state_unwritten_ = true;
}

// Messages wait until the term and vote that they rest on are durable, and, if they acknowledge
// entries up to `acknowledged`, those too.
void Raft::send(const Address& to, Body body, Index acknowledged) {
  std::uint64_t ticket = hard_state_unwritten_ ? next_ticket() : hard_state_ticket_;
  ticket = std::max(ticket, log_.ticket_of(acknowledged, next_ticket()));
  Message message{.from = self(), .to = to, .term = term(), .body = std::move(body)};
  if (ticket <= durable_ticket_) {
    outgoing_.push_back(std::move(message));
  } else {
    hold(ticket, std::move(message));
  }
}

// At most one of a kind for each receiver and ticket, so that a slow disk does not pile them up.
void Raft::hold(std::uint64_t ticket, Message message) {
  const auto* accepted = std::get_if<AppendResponse>(&message.body);
  for (Held& held : held_) {
    if (held.ticket != ticket || held.message.to != message.to) continue;
    if (held.message.body.index() != message.body.index()) continue;
    if (const auto* earlier = std::get_if<AppendResponse>(&held.message.body)) {
      if (earlier->rejected != accepted->rejected) continue;
      if (!earlier->rejected && earlier->index > accepted->index) return;
    }
    held.message = std::move(message);
    return;
  }
  held_.push_back({.ticket = ticket, .message = std::move(message)});
}

void Raft::release() {
  for (Held& held : held_) {
    if (held.ticket <= durable_ticket_) outgoing_.push_back(std::move(held.message));
  }
  std::erase_if(held_, [this](const Held& held) { return held.ticket <= durable_ticket_; });
}

void Raft::commit(Index index) {
  check(index <= log_.last_index(), "only what is in the log is committed");
  committed_ = std::max(committed_, index);
}

bool Raft::snapshot_installed(Time now, LogStart snapshot) {
  advance(now);
  if (snapshot.index <= committed_ || role_ == Role::kLeader) return false;
  if (snapshot.term > term()) become_follower(snapshot.term, {});
  const Index index = snapshot.index;
  log_.restore(std::move(snapshot), committed_);
  committed_ = index;
  applied_ = index;
  snapshot_installed_ = true;
  if (!leader_.empty()) send(leader_, AppendResponse{.index = index}, index);
  return true;
}

void Raft::compact(Index index) {
  check(index <= applied_, "only what was applied is compacted");
  log_.compact(index);
}

bool Raft::idle() const {
  if (hard_state_unwritten_ || log_.unwritten() || applied_ != committed_) return false;
  if (lost_leadership_ || !outgoing_.empty() || standing() != reported_) return false;
  if (!answered_reads_.empty() || !failed_reads_.empty() || !snapshots_.empty()) return false;
  if (role_ != Role::kLeader) return true;
  if (!reads_.empty() && reads_.back().round == 0) return false;
  return std::ranges::none_of(peers_,
                              [this](const auto& peer) { return wants_append(peer.second); });
}

Ready Raft::take_ready() {
  if (role_ == Role::kLeader) {
    start_read_round();
    replicate();
  }
  Ready ready;
  ready.lost_leadership = std::exchange(lost_leadership_, false);
  if (standing() != reported_) ready.standing = reported_ = standing();
  take_writes(ready);
  take_committed(ready);
  ready.messages = std::exchange(outgoing_, {});
  ready.reads = std::exchange(answered_reads_, {});
  ready.failed_reads = std::exchange(failed_reads_, {});
  ready.snapshots = std::exchange(snapshots_, {});
  return ready;
}

void Raft::take_writes(Ready& ready) {
  if (!hard_state_unwritten_ && !log_.unwritten()) return;
  ready.ticket = ++last_ticket_;
  if (hard_state_unwritten_) {
    ready.hard_state = hard_state_;
    hard_state_ticket_ = ready.ticket;
    hard_state_unwritten_ = false;
  }
  Log::Unwritten unwritten = log_.take_unwritten(ready.ticket);
  ready.snapshot_installed = std::exchange(snapshot_installed_, false);
  ready.log_start = std::move(unwritten.start);
  ready.truncate_from = unwritten.truncate_from;
  ready.entries = std::move(unwritten.entries);
}

void Raft::take_committed(Ready& ready) {
  if (applied_ == committed_) return;
  ready.committed = log_.slice(applied_ + 1, committed_ - applied_, options_.apply_bytes_max);
  applied_ = ready.committed.back().index;
}

}  // namespace troupe::raft
