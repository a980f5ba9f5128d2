#include "storage/raft/raft.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace troupe::raft {
namespace {

using std::chrono::milliseconds;

constexpr Time kStart{std::chrono::hours(1)};

Address address(std::uint64_t node, std::uint64_t replica = 1) {
  return {.node = {.high = 0, .low = node}, .replica = ReplicaId{replica}};
}

Configuration voters(std::uint64_t count) {
  Configuration group;
  for (std::uint64_t node = 1; node <= count; ++node) {
    group.members.push_back({.address = address(node), .voter = true});
  }
  return group;
}

// Replica 1 of a group, and the others played by the test.
class RaftTest : public testing::Test {
 protected:
  Raft founder(std::uint64_t count, RaftOptions options = {}) {
    options.self = address(1);
    return {options, {.log_start = {.configuration = voters(count)}}, random_, kStart};
  }

  Message from(std::uint64_t node, Term term, Body body) {
    return {.from = address(node), .to = address(1), .term = term, .body = std::move(body)};
  }

  // Takes what there is, makes it durable, and so on; returns all messages.
  std::vector<Message> settle(Raft& raft, Time now) {
    std::vector<Message> all;
    for (Ready ready = raft.take_ready(); !ready.empty(); ready = raft.take_ready()) {
      all.insert(all.end(), ready.messages.begin(), ready.messages.end());
      lost_ = lost_ || ready.lost_leadership;
      snapshots_.insert(snapshots_.end(), ready.snapshots.begin(), ready.snapshots.end());
      reads_.insert(reads_.end(), ready.reads.begin(), ready.reads.end());
      if (ready.ticket != 0) raft.persisted(now, ready.ticket);
    }
    return all;
  }

  // Elected by replica 2 at `now`, which last heard of a leader `ago`.
  void elect(Raft& raft, Time now, Duration ago = {}) {
    raft.tick(now);
    settle(raft, now);
    raft.receive(now, from(2, raft.term() + 1, VoteResponse{.pre = true, .granted = true}));
    settle(raft, now);
    raft.receive(now, from(2, raft.term(), VoteResponse{.granted = true, .heard_leader_ago = ago}));
    settle(raft, now);
    ASSERT_EQ(raft.role(), Role::kLeader);
  }

  template <class T>
  static std::size_t count(const std::vector<Message>& messages) {
    return static_cast<std::size_t>(std::ranges::count_if(
        messages, [](const Message& m) { return std::holds_alternative<T>(m.body); }));
  }

  Random random_{1};
  bool lost_ = false;
  std::vector<SendSnapshot> snapshots_;
  std::vector<ReadState> reads_;
};

constexpr Time kElection = kStart + milliseconds(800);

TEST_F(RaftTest, ASingleVoterLeadsWhenItsVoteIsDurable) {
  Raft raft = founder(1);
  raft.tick(kElection);
  EXPECT_EQ(raft.role(), Role::kCandidate);
  settle(raft, kElection);
  EXPECT_EQ(raft.role(), Role::kLeader);
  EXPECT_TRUE(raft.settled());
  EXPECT_EQ(raft.quorum_acked_at(kElection + milliseconds(5)), kElection + milliseconds(5));
}

TEST_F(RaftTest, RequestsForVotesLeaveOnlyWhenTheVoteIsDurable) {
  Raft raft = founder(3);
  raft.tick(kElection);
  EXPECT_EQ(count<VoteRequest>(raft.take_ready().messages), 2U);  // pre-votes promise nothing
  raft.receive(kElection, from(2, 1, VoteResponse{.pre = true, .granted = true}));
  const Ready ready = raft.take_ready();
  EXPECT_EQ(ready.hard_state, (HardState{.term = 1, .vote = address(1)}));
  EXPECT_TRUE(ready.messages.empty());
  raft.persisted(kElection, ready.ticket);
  EXPECT_EQ(count<VoteRequest>(raft.take_ready().messages), 2U);
}

TEST_F(RaftTest, VotesLeaveOnlyWhenDurable) {
  Raft raft = founder(3);
  raft.receive(kStart, from(2, 5, VoteRequest{}));
  const Ready ready = raft.take_ready();
  EXPECT_EQ(ready.hard_state, (HardState{.term = 5, .vote = address(2)}));
  EXPECT_TRUE(ready.messages.empty());
  raft.persisted(kStart, ready.ticket);
  const auto messages = raft.take_ready().messages;
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_TRUE(std::get<VoteResponse>(messages[0].body).granted);
}

TEST_F(RaftTest, AcknowledgementsLeaveOnlyWhenEntriesAreDurable) {
  Raft raft = founder(3);
  raft.receive(kStart, from(2, 1, Heartbeat{.round = 1}));
  settle(raft, kStart);
  const Entry entry{.term = 1, .index = 1, .kind = EntryKind::kNoOp, .data = {}};
  raft.receive(kStart, from(2, 1, AppendRequest{.entries = {entry}}));
  const Ready ready = raft.take_ready();
  EXPECT_EQ(ready.entries.size(), 1U);
  EXPECT_TRUE(ready.messages.empty());
  raft.receive(kStart, from(2, 1, Heartbeat{.round = 2}));
  EXPECT_EQ(count<HeartbeatResponse>(raft.take_ready().messages), 1U);  // never waits for the disk
  raft.persisted(kStart, ready.ticket);
  EXPECT_EQ(count<AppendResponse>(raft.take_ready().messages), 1U);
}

TEST_F(RaftTest, AnUnsaidAcknowledgementIsNotSaidInALaterTerm) {
  Raft raft = founder(3);
  const Entry entry{.term = 1, .index = 1, .kind = EntryKind::kNoOp, .data = {}};
  raft.receive(kStart, from(2, 1, AppendRequest{.entries = {entry}}));
  const Ready ready = raft.take_ready();
  raft.receive(kStart, from(3, 2, VoteRequest{.transfer = true, .last_index = 9, .last_term = 1}));
  const auto vote = raft.take_ready();
  raft.persisted(kStart, vote.ticket);
  EXPECT_EQ(count<AppendResponse>(raft.take_ready().messages), 0U);
}

TEST_F(RaftTest, ALeaderSendsBeforeItsOwnDiskButDoesNotCountItself) {
  Raft raft = founder(3);
  elect(raft, kElection);
  raft.receive(kElection, from(2, 1, AppendResponse{.index = 1}));
  settle(raft, kElection);
  ASSERT_TRUE(raft.propose(kElection, {"x"}));
  const Ready ready = raft.take_ready();
  EXPECT_EQ(count<AppendRequest>(ready.messages), 1U);
  raft.receive(kElection, from(2, 1, AppendResponse{.index = 2}));
  EXPECT_EQ(raft.committed(), 1U);
  raft.persisted(kElection, ready.ticket);
  EXPECT_EQ(raft.committed(), 2U);
}

// The entries, and what commit indexes they came with.
std::vector<Index> commits_told(const std::vector<Message>& messages) {
  std::vector<Index> told;
  for (const Message& message : messages) {
    if (const auto* append = std::get_if<AppendRequest>(&message.body)) {
      told.push_back(append->committed);
    }
  }
  return told;
}

TEST_F(RaftTest, ACommitIndexGoesWithTheNextEntriesOrTheNextHeartbeat) {
  Raft raft = founder(3);
  elect(raft, kElection);
  for (const std::uint64_t node : {2U, 3U}) {
    raft.receive(kElection, from(node, 1, AppendResponse{.index = 1}));
  }
  settle(raft, kElection);
  ASSERT_TRUE(raft.propose(kElection, {"x"}));
  settle(raft, kElection);
  for (const std::uint64_t node : {2U, 3U}) {
    raft.receive(kElection, from(node, 1, AppendResponse{.index = 2}));
  }
  EXPECT_EQ(raft.committed(), 2U);
  EXPECT_TRUE(settle(raft, kElection).empty());
  ASSERT_TRUE(raft.propose(kElection, {"y"}));
  EXPECT_EQ(commits_told(settle(raft, kElection)), (std::vector<Index>{2, 2}));
  raft.receive(kElection, from(2, 1, AppendResponse{.index = 3}));
  settle(raft, kElection);
  raft.tick(kElection + milliseconds(100));
  const auto beats = settle(raft, kElection + milliseconds(100));
  ASSERT_EQ(count<Heartbeat>(beats), 2U);
  EXPECT_EQ(std::get<Heartbeat>(beats.front().body).committed, 3U);
}

TEST_F(RaftTest, ACommittedChangeOfMembersIsToldAtOnce) {
  Raft raft = founder(3);
  elect(raft, kElection);
  for (const std::uint64_t node : {2U, 3U}) {
    raft.receive(kElection, from(node, 1, AppendResponse{.index = 1}));
  }
  settle(raft, kElection);
  Configuration group = voters(3);
  group.members.push_back({.address = address(4), .voter = false});
  ASSERT_TRUE(raft.propose_configuration(kElection, group));
  settle(raft, kElection);
  raft.receive(kElection, from(2, 1, AppendResponse{.index = 2}));
  EXPECT_EQ(commits_told(settle(raft, kElection)), (std::vector<Index>{2, 2}));
}

TEST_F(RaftTest, MessagesForAnotherReplicaIdAreIgnored) {
  Raft raft = founder(3);
  Message message = from(2, 9, VoteRequest{});
  message.to.replica = ReplicaId{2};
  raft.receive(kStart, message);
  EXPECT_EQ(raft.term(), 0U);
  EXPECT_TRUE(settle(raft, kStart).empty());
}

TEST_F(RaftTest, MessagesFromAReplacedReplicaAreIgnored) {
  Configuration group = voters(3);
  group.members[1].address = address(2, 8);
  RaftOptions options{.self = address(1)};
  Raft raft(options, {.log_start = {.configuration = group}}, random_, kStart);
  raft.receive(kStart, from(2, 9, VoteRequest{}));
  EXPECT_EQ(raft.term(), 0U);
  Message newer = from(2, 9, VoteRequest{});
  newer.from.replica = ReplicaId{9};  // not known yet, but not replaced either
  raft.receive(kStart, newer);
  EXPECT_EQ(raft.term(), 9U);
}

TEST_F(RaftTest, WhoeverHearsTheLeaderDoesNotHelpToDeposeIt) {
  Raft raft = founder(3);
  raft.receive(kStart, from(2, 1, Heartbeat{.round = 1}));
  settle(raft, kStart);
  const Time soon = kStart + milliseconds(399);
  raft.receive(soon, from(3, 7, VoteRequest{.last_index = 9, .last_term = 1}));
  raft.receive(soon, from(3, 7, VoteRequest{.pre = true, .last_index = 9, .last_term = 1}));
  EXPECT_EQ(raft.term(), 1U);
  EXPECT_TRUE(settle(raft, soon).empty());
  const Time later = kStart + milliseconds(400);
  raft.receive(later, from(3, 7, VoteRequest{.pre = true, .last_index = 9, .last_term = 1}));
  EXPECT_EQ(count<VoteResponse>(settle(raft, later)), 1U);
}

TEST_F(RaftTest, ALeaderIsNotDeposedByARequestForVotesUnlessItAskedForIt) {
  Raft raft = founder(3);
  elect(raft, kElection);
  raft.receive(kElection, from(3, 7, VoteRequest{.last_index = 9, .last_term = 6}));
  EXPECT_EQ(raft.role(), Role::kLeader);
  raft.receive(kElection,
               from(3, 7, VoteRequest{.transfer = true, .last_index = 9, .last_term = 6}));
  EXPECT_EQ(raft.role(), Role::kFollower);
  EXPECT_TRUE(raft.take_ready().lost_leadership);
}

TEST_F(RaftTest, AReplicaWhoseTermRanAheadTellsTheLeader) {
  RaftOptions options{.self = address(1)};
  Raft raft(options, {.hard_state = {.term = 5}, .log_start = {.configuration = voters(3)}},
            random_, kStart);
  raft.receive(kStart, from(2, 3, Heartbeat{.round = 1}));
  const auto messages = settle(raft, kStart);
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(messages[0].term, 5U);
}

TEST_F(RaftTest, WhatContradictsCommittedEntriesIsIgnored) {
  Raft raft = founder(3);
  const auto entry = [](Index index, Term term) {
    return Entry{.term = term, .index = index, .kind = EntryKind::kNoOp};
  };
  raft.receive(kStart,
               from(2, 3, AppendRequest{.committed = 2, .entries = {entry(1, 3), entry(2, 3)}}));
  settle(raft, kStart);
  EXPECT_EQ(raft.committed(), 2U);
  raft.receive(kStart,
               from(2, 3, AppendRequest{.entries = {entry(1, 1), entry(2, 1), entry(3, 2)}}));
  EXPECT_TRUE(settle(raft, kStart).empty());
  raft.receive(
      kStart,
      from(2, 3, AppendRequest{.previous_index = 2, .previous_term = 1, .entries = {entry(3, 2)}}));
  EXPECT_EQ(count<AppendResponse>(settle(raft, kStart)), 1U);  // rejected
  EXPECT_EQ(raft.log().last_index(), 2U);
}

TEST_F(RaftTest, LeaderSilenceIsTheLeastOfItsVotersAndItself) {
  Raft raft = founder(3);
  elect(raft, kElection, milliseconds(300));
  EXPECT_EQ(raft.leader_silence(), milliseconds(300));
  Raft other = founder(3);
  elect(other, kElection, milliseconds(5000));  // itself: since its start
  EXPECT_EQ(other.leader_silence(), milliseconds(800));
}

TEST_F(RaftTest, VotesTellWhenTheLeaderWasLastAcknowledged) {
  Raft raft = founder(3);
  raft.receive(kStart, from(2, 1, Heartbeat{.round = 1}));
  settle(raft, kStart);
  const Time later = kStart + milliseconds(700);
  raft.receive(later, from(3, 2, VoteRequest{.last_index = 9, .last_term = 1}));
  const auto messages = settle(raft, later);
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(std::get<VoteResponse>(messages[0].body).heard_leader_ago, milliseconds(700));
}

TEST_F(RaftTest, ALeaseCountsFromTheSendingOfTheAcknowledgedRound) {
  Raft raft = founder(3);
  elect(raft, kElection);
  EXPECT_EQ(raft.quorum_acked_at(kElection), std::nullopt);
  const Time second = kElection + milliseconds(100);
  raft.tick(second);
  settle(raft, second);
  const Time later = second + milliseconds(90);
  raft.receive(later, from(2, 1, HeartbeatResponse{.round = 1}));
  EXPECT_EQ(raft.quorum_acked_at(later), kElection);
  raft.receive(later, from(3, 1, HeartbeatResponse{.round = 2}));
  EXPECT_EQ(raft.quorum_acked_at(later), second);
}

TEST_F(RaftTest, UncommittedBytesAreBounded) {
  RaftOptions options;
  options.uncommitted_bytes_max = 100;
  options.entry_bytes_max = 90;
  Raft raft = founder(3, options);
  elect(raft, kElection);
  EXPECT_EQ(raft.propose(kElection, std::string(91, 'x')).error().code, Code::kInvalid);
  EXPECT_TRUE(raft.propose(kElection, std::string(90, 'x')));
  EXPECT_EQ(raft.propose(kElection, std::string(11, 'x')).error().code, Code::kExhausted);
  settle(raft, kElection);
  raft.receive(kElection, from(2, 1, AppendResponse{.index = 2}));
  EXPECT_EQ(raft.committed(), 2U);
  EXPECT_TRUE(raft.propose(kElection, std::string(90, 'x')));
}

TEST_F(RaftTest, RequestsOnTheirWayAreBounded) {
  RaftOptions options;
  options.window_requests_max = 4;
  options.request_entries_max = 1;
  Raft raft = founder(2, options);
  elect(raft, kElection);
  raft.receive(kElection, from(2, 1, AppendResponse{.index = 1}));
  settle(raft, kElection);
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(raft.propose(kElection, {"x"}));
  EXPECT_EQ(count<AppendRequest>(settle(raft, kElection)), 4U);
  raft.receive(kElection, from(2, 1, AppendResponse{.index = 3}));
  EXPECT_EQ(raft.progress(address(2))->window.size(), 2U);
  settle(raft, kElection);
  EXPECT_EQ(raft.progress(address(2))->window.size(), 4U);
}

TEST_F(RaftTest, ReadsOfOneTurnShareOneRound) {
  Raft raft = founder(3);
  elect(raft, kElection);
  raft.receive(kElection, from(2, 1, AppendResponse{.index = 1}));
  settle(raft, kElection);
  for (std::uint64_t context = 1; context <= 3; ++context) {
    ASSERT_TRUE(raft.read_index(kElection, context));
  }
  const auto messages = settle(raft, kElection);
  EXPECT_EQ(count<Heartbeat>(messages), 2U);
  EXPECT_TRUE(reads_.empty());
  raft.receive(kElection, from(2, 1, HeartbeatResponse{.round = 1}));  // an earlier round
  settle(raft, kElection);
  EXPECT_TRUE(reads_.empty());
  raft.receive(kElection, from(2, 1, HeartbeatResponse{.round = 2}));
  settle(raft, kElection);
  EXPECT_EQ(reads_, (std::vector<ReadState>{{1, 1}, {2, 1}, {3, 1}}));
}

TEST_F(RaftTest, ASnapshotThatFailedIsSentAgainWhenTheFollowerAnswers) {
  Raft raft = founder(2);
  elect(raft, kElection);
  raft.receive(kElection, from(2, 1, AppendResponse{.index = 1}));
  settle(raft, kElection);
  raft.compact(1);
  Configuration group = voters(2);
  group.members.push_back({.address = address(3), .voter = false});
  ASSERT_TRUE(raft.propose_configuration(kElection, group));
  settle(raft, kElection);
  raft.receive(kElection, from(3, 1, AppendResponse{.rejected = true, .index = 2}));
  settle(raft, kElection);
  ASSERT_EQ(snapshots_, (std::vector<SendSnapshot>{{address(3), 1}}));
  raft.snapshot_sent(kElection, address(3), false, 0);
  settle(raft, kElection);
  EXPECT_EQ(snapshots_.size(), 1U);
  raft.receive(kElection, from(3, 1, HeartbeatResponse{.round = 1}));
  settle(raft, kElection);
  EXPECT_EQ(snapshots_.size(), 2U);
  raft.snapshot_sent(kElection, address(3), true, 1);
  EXPECT_EQ(count<AppendRequest>(settle(raft, kElection)), 1U);
}

TEST_F(RaftTest, WhatIsAppliedInOneReadyIsBounded) {
  RaftOptions options;
  options.apply_bytes_max = 10;
  Raft raft = founder(1, options);
  raft.tick(kElection);
  settle(raft, kElection);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(raft.propose(kElection, std::string(8, 'x')));
  const Ready ready = raft.take_ready();
  raft.persisted(kElection, ready.ticket);
  EXPECT_EQ(raft.take_ready().committed.size(), 1U);
  EXPECT_EQ(raft.take_ready().committed.size(), 1U);
}

TEST_F(RaftTest, OnlyALeaderAcceptsRequests) {
  Raft raft = founder(3);
  EXPECT_EQ(raft.propose(kStart, {"x"}).error().code, Code::kPrecondition);
  EXPECT_EQ(raft.propose_configuration(kStart, voters(2)).error().code, Code::kPrecondition);
  EXPECT_EQ(raft.transfer(kStart, address(2)).error().code, Code::kPrecondition);
  EXPECT_EQ(raft.read_index(kStart, 1).error().code, Code::kPrecondition);
}

TEST_F(RaftTest, ALearnerFarBehindIsNotPromoted) {
  RaftOptions options;
  options.promotion_lag_max = 1;
  Raft raft = founder(2, options);
  elect(raft, kElection);
  raft.receive(kElection, from(2, 1, AppendResponse{.index = 1}));
  settle(raft, kElection);
  Configuration group = voters(3);
  group.members[2].voter = false;
  ASSERT_TRUE(raft.propose_configuration(kElection, group));
  settle(raft, kElection);
  raft.receive(kElection, from(2, 1, AppendResponse{.index = 2}));
  EXPECT_EQ(raft.propose_configuration(kElection, voters(3)).error().code, Code::kPrecondition);
  raft.receive(kElection, from(3, 1, AppendResponse{.index = 1}));
  EXPECT_TRUE(raft.propose_configuration(kElection, voters(3)));
}

// It would be half of the votes while its snapshot is on its way.
TEST_F(RaftTest, ALearnerThatHasNotAnsweredIsNotPromotedHoweverShortTheLog) {
  Raft raft = founder(1);
  raft.tick(kElection);
  settle(raft, kElection);
  Configuration group = voters(2);
  group.members[1].voter = false;
  ASSERT_TRUE(raft.propose_configuration(kElection, group));
  settle(raft, kElection);
  EXPECT_EQ(raft.propose_configuration(kElection, voters(2)).error().code, Code::kPrecondition);
  raft.receive(kElection, from(2, 1, AppendResponse{.index = 2}));
  EXPECT_TRUE(raft.propose_configuration(kElection, voters(2)));
}

}  // namespace
}  // namespace troupe::raft
