// Replication: a leader's entries to the logs of the others.
#include <algorithm>
#include <string>
#include <utility>

#include "runtime/base/check.h"
#include "storage/raft/raft.h"

namespace troupe::raft {
namespace {

Failure not_leader() { return fail(Code::kPrecondition, "this replica does not lead its group"); }

Failure handing_over() {
  return fail(Code::kUnavailable, "the leader is handing over to another replica");
}

}  // namespace

bool Raft::settled() const { return role_ == Role::kLeader && committed_ >= first_own_; }

const Progress* Raft::progress(const Address& member) const {
  const auto peer = peers_.find(member);
  return peer == peers_.end() ? nullptr : &peer->second;
}

Result<Index> Raft::propose(Time now, Payload data) {
  advance(now);
  if (role_ != Role::kLeader) return not_leader();
  if (transfer_) return handing_over();
  if (data.size() > options_.entry_bytes_max) {
    return fail(Code::kInvalid, "an entry of " + std::to_string(data.size()) +
                                    " bytes exceeds the limit of " +
                                    std::to_string(options_.entry_bytes_max));
  }
  if (uncommitted_bytes_ + data.size() > options_.uncommitted_bytes_max) {
    return fail(Code::kExhausted, "too much of the log waits for a majority");
  }
  append_own(EntryKind::kData, std::move(data));
  return log_.last_index();
}

Result<Index> Raft::propose_configuration(Time now, const Configuration& next) {
  advance(now);
  if (role_ != Role::kLeader) return not_leader();
  if (transfer_) return handing_over();
  // Until then, an earlier leader's change may still be undone, or come back.
  if (!settled()) return fail(Code::kUnavailable, "the leader has not committed an entry yet");
  if (log_.configuration_index() > committed_) {
    return fail(Code::kUnavailable, "another change of members is under way");
  }
  if (auto step = check_step(configuration(), next); !step) return fail(step.error());
  for (const Member& member : next.members) {
    if (!member.voter || configuration().votes(member.address)) continue;
    // However short the log is: it may begin with a snapshot that is still on its way.
    const Progress* learner = progress(member.address);
    const bool follows = learner != nullptr && learner->mode == Progress::Mode::kReplicate;
    if (!follows || learner->match + options_.promotion_lag_max < log_.last_index()) {
      return fail(Code::kPrecondition, to_string(member.address) + " has not caught up yet");
    }
  }
  append_own(EntryKind::kConfiguration, Payload(encode(next)));
  follow_configuration();
  return log_.last_index();
}

void Raft::append_own(EntryKind kind, Payload data) {
  uncommitted_bytes_ += data.size();
  log_.append(
      {.term = term(), .index = log_.last_index() + 1, .kind = kind, .data = std::move(data)});
}

// Knows the members of the configuration in force, and nobody else.
void Raft::follow_configuration() {
  const Configuration& group = configuration();
  std::erase_if(peers_, [&group](const auto& peer) { return !group.contains(peer.first); });
  for (const Member& member : group.members) {
    if (member.address == self()) continue;
    const auto [peer, is_new] = peers_.try_emplace(member.address);
    if (!is_new) continue;
    peer->second.heard_at = now_;  // gets an election timeout to show up
    peer->second.probe(log_.last_index() + 1);
  }
  if (transfer_ && !group.votes(transfer_->target)) transfer_.reset();
}

void Raft::heard(Progress& peer) {
  peer.heard_at = now_;
  peer.answers = true;
}

void Raft::replicate() {
  for (auto& [address, peer] : peers_) replicate_to(address, peer);
}

void Raft::tell_commit() {
  for (auto& [address, peer] : peers_) {
    const bool follows = peer.mode == Progress::Mode::kReplicate && peer.next > log_.start().index;
    if (follows && peer.committed_sent < committed_) send_append(address, peer);
  }
}

void Raft::replicate_to(const Address& to, Progress& peer) {
  while (wants_append(peer)) {
    if (peer.next <= log_.start().index) {
      if (now_ - peer.heard_at >= options_.election_max) return;  // not there
      peer.send_snapshot();
      snapshots_.push_back({.to = to, .at_least = log_.start().index});
      return;
    }
    send_append(to, peer);
  }
}

// A commit index has no message of its own: it goes with the next entries or the next heartbeat, so
// that an entry costs a follower one request and one answer.
bool Raft::wants_append(const Progress& peer) const {
  switch (peer.mode) {
    case Progress::Mode::kSnapshot:
      return false;
    case Progress::Mode::kProbe:
      return !peer.paused && (peer.match < log_.last_index() || peer.committed_sent < committed_);
    case Progress::Mode::kReplicate:
      // What is compacted meanwhile comes as a snapshot, whatever is on its way.
      return peer.next <= log_.start().index ||
             (peer.next <= log_.last_index() && window_open(peer));
  }
  return false;
}

bool Raft::window_open(const Progress& peer) const {
  return peer.window.size() < options_.window_requests_max &&
         peer.window_bytes < options_.window_bytes_max;
}

// Without entries if none are left or the window is full: then it tells of the commit index, or
// finds out whether earlier requests were lost.
void Raft::send_append(const Address& to, Progress& peer) {
  const Index previous = peer.next - 1;
  AppendRequest request{.previous_index = previous,
                        .previous_term = log_.term(previous).value(),
                        .committed = committed_,
                        .entries = {}};
  if (window_open(peer)) {
    request.entries =
        log_.slice(peer.next, options_.request_entries_max, options_.request_bytes_max);
  }
  std::size_t bytes = 0;
  for (const Entry& entry : request.entries) bytes += entry.data.size();
  peer.sent(previous + request.entries.size(), bytes);
  peer.committed_sent = committed_;
  send(to, std::move(request));
}

// What a majority holds durably is committed, but only up from an entry of this term: an older one,
// though on a majority, may still lose against a longer log (figure 8 of the Raft paper).
void Raft::advance_commit() {
  const Index majority = of_majority(
      [this](const Progress* peer) { return peer != nullptr ? peer->match : log_.durable(); });
  if (majority <= committed_ || log_.term(majority) != term()) return;
  bool members_changed = false;
  for (Index index = committed_ + 1; index <= majority; ++index) {
    const Entry& entry = log_.at(index);
    uncommitted_bytes_ -= entry.data.size();
    members_changed = members_changed || entry.kind == EntryKind::kConfiguration;
  }
  commit(majority);
  finish_rounds();  // reads wait for the first commit
  if (!members_changed) return;
  tell_commit();  // a member that was removed gets no more heartbeats
  leave_if_removed();
}

void Raft::leave_if_removed() {
  if (log_.configuration_index() > committed_ || configuration().votes(self())) return;
  replicate();  // so that the others learn that it is committed
  tell_commit();
  step_down();
}

void Raft::hear_leader(const Message& message) {
  if (role_ != Role::kFollower || leader_ != message.from) become_follower(term(), message.from);
  heard_leader_at_ = now_;
  acknowledged_at_ = now_;
  leader_gone_ = false;
  election_at_ = now_ + election_timeout_;
}

void Raft::on(const Message& message, const AppendRequest& request) {
  if (role_ == Role::kLeader) return;  // two leaders in a term: nothing of the other's is true
  hear_leader(message);
  const Index previous = request.previous_index;
  if (previous >= committed_ && !log_.matches(previous, request.previous_term)) {
    const Index hint = log_.newest_not_after(previous, request.previous_term);
    return send(message.from, AppendResponse{.rejected = true,
                                             .index = previous,
                                             .hint_index = hint,
                                             .hint_term = log_.term(hint).value_or(0)});
  }
  if (!take_entries(request)) return;
  // Not further than the request reached: what follows may be another leader's.
  const Index agreed = std::max(previous + request.entries.size(), committed_);
  commit(std::max(committed_, std::min(request.committed, agreed)));
  send(message.from, AppendResponse{.index = agreed}, agreed);
}

// False if it contradicts what is committed: no leader that keeps to the protocol says that.
bool Raft::take_entries(const AppendRequest& request) {
  for (const Entry& entry : request.entries) {
    if (log_.matches(entry.index, entry.term)) continue;
    if (entry.index <= log_.start().index) continue;
    if (entry.index <= committed_) return false;
    if (entry.index <= log_.last_index()) log_.truncate(entry.index);
    log_.append(entry);
  }
  return true;
}

void Raft::on(const Message& message, const AppendResponse& response) {
  const auto found = peers_.find(message.from);
  if (role_ != Role::kLeader || found == peers_.end()) return;
  Progress& peer = found->second;
  heard(peer);
  if (response.rejected) return handle_rejection(peer, response);
  if (response.index > log_.last_index()) return;  // it cannot have agreed to that
  peer.accepted(response.index);
  const bool reachable = peer.match >= log_.start().index;
  if (peer.mode != Progress::Mode::kReplicate && reachable) peer.replicate();
  advance_commit();
  continue_transfer();
}

void Raft::handle_rejection(Progress& peer, const AppendResponse& response) {
  if (peer.mode == Progress::Mode::kSnapshot || response.index <= peer.match) return;
  // An answer to an earlier probe says nothing about the one on its way.
  if (peer.mode == Progress::Mode::kProbe && response.index != peer.next - 1) return;
  const Index meeting = log_.newest_not_after(response.hint_index, response.hint_term);
  peer.probe(std::min(meeting + 1, response.index));
}

void Raft::snapshot_sent(Time now, const Address& to, bool installed, Index index) {
  advance(now);
  const auto found = peers_.find(to);
  if (found == peers_.end() || found->second.mode != Progress::Mode::kSnapshot) return;
  Progress& peer = found->second;
  peer.probe(installed ? std::min(index, log_.last_index()) + 1 : peer.match + 1);
  peer.paused = !installed;  // tries again when it answers a heartbeat
}

}  // namespace troupe::raft
