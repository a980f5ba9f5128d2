// Elections: pre-vote, vote, and who waits how long.
#include <algorithm>
#include <utility>

#include "runtime/base/check.h"
#include "storage/raft/raft.h"

namespace troupe::raft {

void Raft::become_follower(Term term, const Address& leader) {
  if (role_ == Role::kLeader) step_down();
  if (term > this->term()) set_term(term);
  const bool campaigned = role_ != Role::kFollower;
  role_ = Role::kFollower;
  leader_ = leader;
  votes_.clear();
  if (!leader_.empty()) {
    arm_after_leader();
  } else if (campaigned) {
    arm_election(options_.election_min, options_.election_max - options_.election_min);
  }
}

void Raft::become_leader() {
  role_ = Role::kLeader;
  leader_ = self();
  elected_at_ = now_;
  leader_silence_ = Duration::max();
  for (const auto& [voter, vote] : votes_) {
    if (vote.granted) leader_silence_ = std::min(leader_silence_, vote.heard_leader_ago);
  }
  votes_.clear();
  uncommitted_bytes_ = 0;
  for (Index index = committed_ + 1; index <= log_.last_index(); ++index) {
    uncommitted_bytes_ += log_.at(index).data.size();
  }
  peers_.clear();
  follow_configuration();
  first_own_ = log_.last_index() + 1;
  append_own(EntryKind::kNoOp, {});
  round_ = 0;
  rounds_.clear();
  quorum_acked_at_.reset();
  start_round();
}

void Raft::step_down() {
  role_ = Role::kFollower;
  leader_ = {};
  lost_leadership_ = true;
  acknowledged_at_ = now_;  // it counted itself among those that acknowledged its rounds
  for (const Read& read : reads_) failed_reads_.push_back(read.context);
  reads_.clear();
  rounds_.clear();
  peers_.clear();
  transfer_.reset();
  arm_election(options_.election_min, options_.election_max - options_.election_min);
}

// Campaigns `least` to `least + spread` after now, or after the leader was last heard.
void Raft::arm_election(Duration least, Duration spread) {
  const auto width = static_cast<std::uint64_t>(std::max<Duration::rep>(spread.count(), 1));
  election_timeout_ = least + Duration(static_cast<Duration::rep>(random_.below(width)));
  election_at_ = now_ + election_timeout_;
}

// The time between election_min and election_max is dealt out in ring order, so that the next
// replica campaigns first, and mostly alone.
void Raft::arm_after_leader() {
  const Duration step = succession_step();
  const Duration::rep place = succession();
  arm_election(options_.election_min + step * place, step);
}

Duration Raft::succession_step() const {
  const Configuration& group = configuration();
  const std::size_t others = group.voters() - (group.votes(leader_) ? 1 : 0);
  const auto parts = static_cast<Duration::rep>(std::max<std::size_t>(others, 1));
  return (options_.election_max - options_.election_min) / parts;
}

Duration::rep Raft::succession() const {
  if (!configuration().votes(self())) return 0;
  return static_cast<Duration::rep>(configuration().succession(self(), leader_));
}

void Raft::campaign_now(Time now) {
  advance(now);
  if (role_ != Role::kFollower) return;
  leader_gone_ = true;
  if (!configuration().votes(self())) return;
  if (leader_.empty()) return start_pre_vote();
  election_at_ = std::min(election_at_, now_ + succession_step() * succession());
  if (now_ >= election_at_) start_pre_vote();
}

bool Raft::leader_is_alive() const {
  if (role_ == Role::kLeader) return true;  // or it steps down by itself
  return !leader_.empty() && !leader_gone_ && now_ - heard_leader_at_ < options_.election_min;
}

Duration Raft::heard_leader_ago() const { return now_ - acknowledged_at_; }

Duration Raft::leader_silence() const {
  check(role_ == Role::kLeader, "only a leader was elected");
  return leader_silence_;
}

// Asks first whether it would be elected, which disturbs nobody if not.
void Raft::start_pre_vote() {
  role_ = Role::kPreCandidate;
  leader_ = {};
  votes_.clear();
  votes_[self()] = {.granted = true, .heard_leader_ago = heard_leader_ago()};
  arm_election(options_.election_min, options_.election_max - options_.election_min);
  ask_for_votes();
  count_votes();
}

void Raft::start_election(bool transfer) {
  role_ = Role::kCandidate;
  leader_ = {};
  transfer_election_ = transfer;
  set_term(term() + 1);
  set_vote(self());
  votes_.clear();
  votes_[self()] = {.granted = true, .heard_leader_ago = heard_leader_ago()};
  arm_election(options_.election_min, options_.election_max - options_.election_min);
  ask_for_votes();
  count_votes();
}

void Raft::ask_for_votes() {
  ask_again_at_ = now_ + options_.heartbeat_interval;
  const bool pre = role_ == Role::kPreCandidate;
  const VoteRequest request{.pre = pre,
                            .transfer = !pre && transfer_election_,
                            .last_index = log_.last_index(),
                            .last_term = log_.last_term()};
  for (const Member& member : configuration().members) {
    if (!member.voter || member.address == self() || votes_.contains(member.address)) continue;
    if (pre) {
      send_unpromised(term() + 1, member.address, request);
    } else {
      send(member.address, request);
    }
  }
}

// Nothing in it rests on a write, and its term is not this replica's.
void Raft::send_unpromised(Term term, const Address& to, Body body) {
  outgoing_.push_back({.from = self(), .to = to, .term = term, .body = std::move(body)});
}

void Raft::count_votes() {
  std::size_t granted = 0;
  std::size_t refused = 0;
  for (const Member& member : configuration().members) {
    const auto vote = votes_.find(member.address);
    if (!member.voter || vote == votes_.end()) continue;
    const bool own = member.address == self() && role_ == Role::kCandidate;
    if (own && !hard_state_durable()) continue;  // not given yet
    ++(vote->second.granted ? granted : refused);
  }
  const std::size_t quorum = configuration().quorum();
  if (granted >= quorum) {
    if (role_ == Role::kPreCandidate) return start_election(false);
    become_leader();
  } else if (configuration().voters() - refused < quorum) {
    become_follower(term(), {});
  }
}

// Also if this replica's own configuration knows neither itself nor the candidate as a voter: it
// may be behind. The candidate counts only votes of its own configuration.
void Raft::on(const Message& message, const VoteRequest& request) {
  const bool complete =
      request.last_term > log_.last_term() ||
      (request.last_term == log_.last_term() && request.last_index >= log_.last_index());
  if (request.pre) {
    const bool granted = message.term > term() && complete;
    const VoteResponse response{.pre = true, .granted = granted};
    if (granted) return send_unpromised(message.term, message.from, response);
    return send(message.from, response);
  }
  const bool free =
      hard_state_.vote == message.from || (hard_state_.vote.empty() && leader_.empty());
  const bool granted = free && complete;
  if (granted) {
    set_vote(message.from);
    arm_election(options_.election_min, options_.election_max - options_.election_min);
  }
  send(message.from, VoteResponse{.granted = granted, .heard_leader_ago = heard_leader_ago()});
}

void Raft::on(const Message& message, const VoteResponse& response) {
  const Role campaigning = response.pre ? Role::kPreCandidate : Role::kCandidate;
  const Term asked = response.pre && response.granted ? term() + 1 : term();
  if (role_ != campaigning || message.term != asked) return;
  votes_.try_emplace(message.from, Vote{.granted = response.granted,
                                        .heard_leader_ago = response.heard_leader_ago});
  count_votes();
}

void Raft::on(const Message& message, const TimeoutNow&) {
  const bool mine = role_ == Role::kFollower && message.from == leader_;
  if (mine && configuration().votes(self())) start_election(true);
}

}  // namespace troupe::raft
