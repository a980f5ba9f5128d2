#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "runtime/base/random.h"
#include "storage/raft/log.h"
#include "storage/raft/message.h"
#include "storage/raft/options.h"
#include "storage/raft/progress.h"
#include "storage/raft/ready.h"
#include "storage/raft/types.h"
#include <troupe/result.h>
#include <troupe/time.h>

namespace troupe::raft {

/// What a replica finds on its disk. A new one has none of it but a LogStart at index 0.
struct Restored {
  HardState hard_state{};
  LogStart log_start{};
  std::vector<Entry> entries{};  // all that follow log_start
  Index applied = 0;             // the state machine has applied up to here, durably
};

/// One replica of a group that agrees on a log, by Raft.
///
/// Has no clock, socket, thread or disk of its own: its driver tells it what happened, with the
/// time, then takes what is to be done (ready.h). Equal inputs give equal outputs.
///
///     tick, receive, propose ... ──→ Raft ──→ take_ready: write, send, apply
///                     persisted ───────↑
///
/// Never changes: one leader in a term; equal entries at equal indexes once committed; nothing that
/// depends on a write leaves before persisted() confirmed that write. Not thread-safe.
///
/// Messages to another replica id than `self`, or from a replica id that the configuration knows to
/// be replaced by a higher one, are ignored.
class Raft {
 public:
  /// `random` must outlive it. Requires that `restored` is what earlier Readys asked to write.
  Raft(RaftOptions options, Restored restored, Random& random, Time now);

  // What happened. `now` never goes back.

  /// Call at least every heartbeat_interval / 2.
  void tick(Time now);
  void receive(Time now, const Message& message);
  /// The batch with the writes of the Ready of this ticket is durable, and all before it.
  void persisted(Time now, std::uint64_t ticket);
  /// The connection to the leader was reset: do not wait for the election timeout. The next voter
  /// in the ring campaigns at once, those after it a step later each. Without a leader, as at the
  /// start of a group: campaigns at once. Nothing on a leader.
  void campaign_now(Time now);

  // Leader only: others answer kPrecondition.

  /// Appends an entry. Committed when it comes back in Ready::committed with the same index and
  /// term(); another term there means that it was lost. kUnavailable during a transfer; kExhausted
  /// above uncommitted_bytes_max; kInvalid above entry_bytes_max.
  Result<Index> propose(Time now, Payload data);
  /// Changes the members by one step (check_step). In force at once, undone if it is lost.
  /// kUnavailable before the first entry of this term is committed, and while an earlier change is
  /// not; kPrecondition when the new voter has not answered yet, or is further behind than
  /// promotion_lag_max.
  Result<Index> propose_configuration(Time now, const Configuration& next);
  /// Hands leadership to a voter once its log is complete. Proposals are refused meanwhile; given
  /// up after election_min. The new Standing tells how it ended.
  /// kUnavailable, too, if `target` has not answered this leader of late.
  Result<void> transfer(Time now, const Address& target);
  /// Answers in Ready::reads, or in Ready::failed_reads if leadership is lost first.
  /// kExhausted above reads_max.
  Result<void> read_index(Time now, std::uint64_t context);

  // Snapshots and compaction.

  /// How a SendSnapshot ended: whether the receiver has installed it, up to `index`.
  void snapshot_sent(Time now, const Address& to, bool installed, Index index);
  /// A whole snapshot arrived. If true, the next Ready makes it current (snapshot_installed), and
  /// applying goes on behind it. If false, it is older than what is here: drop it.
  bool snapshot_installed(Time now, LogStart snapshot);
  /// Forgets the entries up to `index`, at most the last one handed out in Ready::committed; the
  /// next Ready asks to write it. Nothing if it is at or before the log's start.
  void compact(Index index);

  // What to do, and what is.

  /// take_ready() would return an empty Ready.
  bool idle() const;
  Ready take_ready();

  Standing standing() const;
  Role role() const { return role_; }
  Term term() const { return hard_state_.term; }
  const Address& self() const { return options_.self; }
  const Log& log() const { return log_; }
  Index committed() const { return committed_; }
  /// Handed out to be applied.
  Index applied() const { return applied_; }
  /// In force, maybe not yet committed.
  const Configuration& configuration() const { return log_.configuration(); }
  const Configuration& committed_configuration() const { return log_.configuration_at(committed_); }
  /// On a leader: an entry of its own term is committed, so committed() is the group's.
  bool settled() const;
  /// Null unless leader and `member` is another one of its configuration.
  const Progress* progress(const Address& member) const;

  /// On a leader: when the newest heartbeat round that a quorum acknowledged was sent; none before
  /// the first. `now` with a single voter. Leases may count from here. Requires role() == kLeader.
  std::optional<Time> quorum_acked_at(Time now) const;
  /// On a leader: the least time since a voter that elected it, itself included, last acknowledged
  /// the leader before, at its election. Requires role() == kLeader.
  Duration leader_silence() const;
  /// On a leader: when it was elected.
  Time elected_at() const { return elected_at_; }

 private:
  struct Held {
    std::uint64_t ticket;
    Message message;
  };
  struct Vote {
    bool granted;
    Duration heard_leader_ago;
  };
  struct Round {
    std::uint64_t number;
    Time sent_at;
  };
  struct Read {
    std::uint64_t context;
    Index index;
    std::uint64_t round;  // 0: waits for the next
  };
  struct Transfer {
    Address target;
    Time deadline;
  };

  // What is common to all roles.
  void advance(Time now);
  bool stranger(const Message& message) const;
  bool higher_term(const Message& message);
  void lower_term(const Message& message);
  void dispatch(const Message& message);
  void send(const Address& to, Body body, Index acknowledged = 0);
  void send_unpromised(Term term, const Address& to, Body body);
  void hold(std::uint64_t ticket, Message message);
  std::uint64_t next_ticket() const { return last_ticket_ + 1; }
  void release();
  bool hard_state_durable() const;
  void set_term(Term term);
  void set_vote(const Address& vote);
  void commit(Index index);
  void take_writes(Ready& ready);
  void take_committed(Ready& ready);

  // Elections.
  void become_follower(Term term, const Address& leader);
  void become_leader();
  void step_down();
  void arm_election(Duration least, Duration spread);
  void arm_after_leader();
  Duration succession_step() const;
  Duration::rep succession() const;
  void start_pre_vote();
  void start_election(bool transfer);
  void ask_for_votes();
  void count_votes();
  Duration heard_leader_ago() const;
  bool leader_is_alive() const;
  void on(const Message& message, const VoteRequest& request);
  void on(const Message& message, const VoteResponse& response);
  void on(const Message& message, const TimeoutNow& request);

  // Replication.
  void append_own(EntryKind kind, Payload data);
  void follow_configuration();
  void heard(Progress& peer);
  void replicate();
  void replicate_to(const Address& to, Progress& peer);
  void tell_commit();
  void send_append(const Address& to, Progress& peer);
  bool wants_append(const Progress& peer) const;
  bool window_open(const Progress& peer) const;
  void advance_commit();
  template <class Of>
  std::uint64_t of_majority(Of&& of) const;
  void leave_if_removed();
  void hear_leader(const Message& message);
  void on(const Message& message, const AppendRequest& request);
  void on(const Message& message, const AppendResponse& response);
  bool take_entries(const AppendRequest& request);
  void handle_rejection(Progress& peer, const AppendResponse& response);

  // Rounds: heartbeats, reads, check-quorum, transfer.
  void tick_leader();
  void start_round();
  void start_read_round();
  void finish_rounds();
  void continue_transfer();
  bool quorum_is_alive() const;
  void on(const Message& message, const Heartbeat& request);
  void on(const Message& message, const HeartbeatResponse& response);

  RaftOptions options_;
  Random& random_;
  Time now_;
  HardState hard_state_;
  Log log_;
  Index committed_;
  Index applied_;

  // Standing.
  Role role_ = Role::kFollower;
  Address leader_;
  Time heard_leader_at_;      // when the leader of this term was last heard
  Time acknowledged_at_;      // when any leader was last acknowledged; at first, the start
  bool leader_gone_ = false;  // its connection was reset since
  bool lost_leadership_ = false;
  Standing reported_;

  // Elections.
  Duration election_timeout_{};
  Time election_at_;
  Time ask_again_at_;
  bool transfer_election_ = false;
  std::map<Address, Vote> votes_;
  Duration leader_silence_{};
  Time elected_at_;

  // Leading.
  std::map<Address, Progress> peers_;
  Index first_own_ = 0;  // the no-op of this term
  std::size_t uncommitted_bytes_ = 0;
  std::optional<Transfer> transfer_;
  Time heartbeat_at_;
  std::uint64_t round_ = 0;
  std::deque<Round> rounds_;  // not yet acknowledged by a quorum
  std::optional<Time> quorum_acked_at_;
  std::deque<Read> reads_;

  // Output.
  bool hard_state_unwritten_ = false;
  std::uint64_t hard_state_ticket_ = 0;  // of its newest write
  std::uint64_t last_ticket_ = 0;
  std::uint64_t durable_ticket_ = 0;
  bool snapshot_installed_ = false;
  std::vector<Held> held_;
  std::vector<Message> outgoing_;
  std::vector<ReadState> answered_reads_;
  std::vector<std::uint64_t> failed_reads_;
  std::vector<SendSnapshot> snapshots_;
};

/// What most voters have reached, where `of` says how far one is: of a member's Progress, or of
/// null for this replica.
template <class Of>
std::uint64_t Raft::of_majority(Of&& of) const {
  std::array<std::uint64_t, Configuration::kMembersMax> reached{};
  std::size_t voters = 0;
  for (const Member& member : configuration().members) {
    if (member.voter) reached[voters++] = of(progress(member.address));
  }
  std::sort(reached.begin(), reached.begin() + static_cast<std::ptrdiff_t>(voters), std::greater());
  return reached[voters / 2];
}

}  // namespace troupe::raft
