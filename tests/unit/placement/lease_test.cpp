#include <gtest/gtest.h>

#include "placement/lease/lease_grantor.h"
#include "placement/lease/lease_holder.h"

namespace troupe::placement {
namespace {

using std::chrono::milliseconds;

constexpr ShardId kShard{3};
constexpr LeaseConfig kConfig{.length = std::chrono::seconds(1)};
constexpr NodeId kLeader{.high = 0, .low = 1};
constexpr NodeId kOwner{.high = 0, .low = 2};
constexpr NodeId kOther{.high = 0, .low = 3};
constexpr Generation kOne{1};

Time at(int ms) { return Time(milliseconds(ms)); }

/// A leader and an owner whose clock is an hour ahead; the network is a millisecond each way.
struct Pair {
  static constexpr Duration kAhead = std::chrono::hours(1);

  LeaseGrantor grantor{kLeader, kOne, kConfig};
  LeaseHolder holder{kOwner, kOne, kConfig};
  Row row{.version = {1, 1},
          .shard = kShard,
          .leader = kLeader,
          .replicas = {},
          .owners = {{"Cart", kOwner, kOne, Epoch{5}}, {"Wallet", kOwner, kOne, Epoch{2}}}};

  Pair() {
    grantor.set_peer(kOwner, kOne);
    grantor.set_peer(kOther, kOne);
    holder.apply(row);
  }

  void lead(Time now, Duration silence = kConfig.length) {
    grantor.lead({.shard = kShard, .term = 2, .elected_at = now, .leader_silence = silence},
                 row.owners);
  }

  void exchange(Time now) {
    for (const auto& due : grantor.take_renewals(now)) {
      if (due.to != kOwner) continue;
      const RenewalAck ack = holder.receive(now + kAhead + milliseconds(1), kLeader, due.renewal);
      grantor.receive(now + milliseconds(2), kOwner, kOne, ack);
    }
  }

  bool admits(Time now) const { return holder.admits(now + kAhead, kShard, "Cart").has_value(); }
};

TEST(Lease, ARowAloneGivesNoTime) {
  const Pair pair;
  EXPECT_FALSE(pair.admits(at(0)));
  EXPECT_EQ(pair.holder.right(kShard, "Cart")->epoch, Epoch{5});
}

TEST(Lease, EndsDAfterTheSendingOfTheRoundThatAQuorumAcknowledged) {
  Pair pair;
  pair.lead(at(0));
  pair.exchange(at(100));
  pair.grantor.quorum_acknowledged(kShard, 2, at(60));
  pair.exchange(at(110));
  EXPECT_TRUE(pair.admits(at(111)));
  EXPECT_TRUE(pair.admits(at(1040)));
  EXPECT_FALSE(pair.admits(at(1060)));
}

TEST(Lease, ALateRenewalIsNotALongerOne) {
  Pair pair;
  pair.lead(at(0));
  pair.exchange(at(0));
  pair.grantor.quorum_acknowledged(kShard, 2, at(60));
  auto due = pair.grantor.take_renewals(at(100));
  pair.holder.receive(at(900) + Pair::kAhead, kLeader, due[0].renewal);
  EXPECT_TRUE(pair.admits(at(900)));
  EXPECT_FALSE(pair.admits(at(1060)));
}

TEST(Lease, ARenewalThatMeansOtherRightsGivesNothing) {
  Pair pair;
  pair.lead(at(0));
  pair.exchange(at(0));
  pair.row.version.index = 2;
  pair.row.owners[0] = {"Cart", kOther, kOne, Epoch{6}};
  pair.grantor.set_owners(kShard, pair.row.owners);
  pair.grantor.quorum_acknowledged(kShard, 2, at(10));
  auto due = pair.grantor.take_renewals(at(20));
  const RenewalAck ack = pair.holder.receive(at(21) + Pair::kAhead, kLeader, due[0].renewal);
  EXPECT_FALSE(pair.admits(at(22)));
  EXPECT_EQ(ack.misunderstood, std::vector{kShard});
  EXPECT_EQ(pair.grantor.receive(at(22), kOwner, kOne, ack), std::vector{kShard});
}

TEST(Lease, ANewerRowTakesARightAwayAtOnce) {
  Pair pair;
  pair.row.version.index = 2;
  pair.row.owners.erase(pair.row.owners.begin());
  pair.holder.apply(pair.row);
  EXPECT_FALSE(pair.holder.right(kShard, "Cart"));
  EXPECT_TRUE(pair.holder.right(kShard, "Wallet"));
}

TEST(Lease, AReleasedRightStaysReleasedUnderItsEpoch) {
  Pair pair;
  EXPECT_TRUE(pair.holder.release(kShard, "Cart", Epoch{5}));
  pair.row.version.index = 2;
  pair.holder.apply(pair.row);
  EXPECT_FALSE(pair.holder.right(kShard, "Cart"));
  pair.row.version.index = 3;
  pair.row.owners[0].epoch = Epoch{6};
  pair.holder.apply(pair.row);
  EXPECT_TRUE(pair.holder.right(kShard, "Cart"));
}

TEST(Lease, ANewLeaderWaitsForWhatOldOnesGranted) {
  Pair pair;
  pair.lead(at(500), milliseconds(300));
  EXPECT_EQ(pair.grantor.assignable_from(kShard, "Cart"), at(500 + 700));
  EXPECT_FALSE(pair.grantor.propose_assign(at(1199), kShard, "Cart", kOther));
  const Result<Owner> next = pair.grantor.propose_assign(at(1200), kShard, "Cart", kOther);
  ASSERT_TRUE(next);
  EXPECT_EQ(*next, (Owner{"Cart", kOther, kOne, Epoch{6}}));
}

TEST(Lease, ALeaderWaitsForWhatItGrantedItself) {
  Pair pair;
  pair.lead(at(0));
  pair.exchange(at(0));
  pair.grantor.quorum_acknowledged(kShard, 2, at(50));
  pair.exchange(at(60));
  EXPECT_EQ(pair.grantor.assignable_from(kShard, "Cart"), at(1050));
}

TEST(Lease, AnOwnerThatIsWithheldIsNotRenewed) {
  Pair pair;
  pair.lead(at(0));
  pair.exchange(at(0));
  ASSERT_TRUE(pair.grantor.propose_assign(at(0), kShard, "Cart", kOther));
  pair.grantor.quorum_acknowledged(kShard, 2, at(50));
  pair.exchange(at(60));
  EXPECT_FALSE(pair.admits(at(61)));
  pair.grantor.resume(kShard, "Cart");
  pair.exchange(at(400));
  EXPECT_TRUE(pair.admits(at(401)));
}

TEST(Lease, ANodeInDoubtIsGrantedNothingAndEverythingOnceItIsThereAfterAll) {
  Pair pair;
  pair.lead(at(0));
  pair.exchange(at(0));
  pair.grantor.quorum_acknowledged(kShard, 2, at(50));
  pair.grantor.set_doubted(kOwner, true);
  pair.exchange(at(400));
  EXPECT_FALSE(pair.admits(at(401)));
  EXPECT_EQ(pair.grantor.assignable_from(kShard, "Cart"), at(0));
  pair.grantor.set_doubted(kOwner, false);
  pair.exchange(at(402));
  EXPECT_TRUE(pair.admits(at(403)));
}

TEST(Lease, AReleaseOrASuccessorCutsALeaseShort) {
  Pair pair;
  pair.lead(at(500), milliseconds(0));
  pair.grantor.released(kShard, "Cart", Epoch{4});
  EXPECT_FALSE(pair.grantor.propose_assign(at(500), kShard, "Cart", kOther));
  pair.grantor.released(kShard, "Cart", Epoch{5});
  EXPECT_TRUE(pair.grantor.propose_assign(at(500), kShard, "Cart", kOther));
  EXPECT_FALSE(pair.grantor.propose_assign(at(500), kShard, "Wallet", kOther));
  pair.grantor.registered(kOwner, Generation{2});
  EXPECT_TRUE(pair.grantor.propose_assign(at(500), kShard, "Wallet", kOther));
}

TEST(Lease, OnlyNodesThatAcknowledgedWithinDAreChosen) {
  Pair pair;
  pair.lead(at(0));
  EXPECT_EQ(pair.grantor.choose_owner(at(0), kShard, "Cart", {kOwner, kOther}), std::nullopt);
  pair.exchange(at(0));
  EXPECT_EQ(pair.grantor.choose_owner(at(999), kShard, "Cart", {kOwner, kOther}), kOwner);
  EXPECT_EQ(pair.grantor.choose_owner(at(1000), kShard, "Cart", {kOwner, kOther}), std::nullopt);
  EXPECT_EQ(pair.grantor.choose_owner(at(1000), kShard, "Cart", {kOwner, kLeader}), kLeader);
}

TEST(Lease, MessagesSurviveTheWire) {
  Pair pair;
  pair.lead(at(0));
  pair.exchange(at(0));
  pair.grantor.quorum_acknowledged(kShard, 2, at(50));
  const Renewal renewal = pair.grantor.take_renewals(at(60))[0].renewal;
  Writer out;
  encode(out, renewal);
  const std::string bytes = out.take();
  Reader in(bytes);
  const Renewal read = decode_renewal(in);
  ASSERT_TRUE(in.finished());
  ASSERT_EQ(read.shards.size(), 1U);
  EXPECT_EQ(read.shards[0].stamp, renewal.shards[0].stamp);
  EXPECT_EQ(read.shards[0].remaining, renewal.shards[0].remaining);
  EXPECT_EQ(read.held, renewal.held);
  EXPECT_EQ(read.echo, renewal.echo);
}

}  // namespace
}  // namespace troupe::placement
