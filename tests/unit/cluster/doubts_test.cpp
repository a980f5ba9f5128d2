#include "runtime/cluster/doubts.h"

#include <memory>

#include <gtest/gtest.h>

namespace troupe::cluster {
namespace {

using placement::MemberStatus;

constexpr NodeId kSelf{.high = 0, .low = 1};
constexpr NodeId kPeer{.high = 0, .low = 2};
constexpr NodeId kThird{.high = 0, .low = 3};
constexpr NodeId kFourth{.high = 0, .low = 4};
constexpr Generation kFirst{1};
constexpr Generation kSecond{2};

/// All are alive, but for what is said of the peer.
placement::View members(Generation generation = kFirst, MemberStatus status = MemberStatus::kAlive,
                        const char* address = "10.0.0.2:7400") {
  placement::View view;
  const auto add = [&](NodeId node, const char* at, Generation of, MemberStatus is) {
    placement::Member member;
    member.id = node;
    member.generation = of;
    member.address = *placement::parse_address(at);
    view.members.push_back(
        {.member = std::make_shared<const placement::Member>(std::move(member)), .status = is});
  };
  add(kSelf, "10.0.0.1:7400", kFirst, MemberStatus::kAlive);
  add(kPeer, address, generation, status);
  add(kThird, "10.0.0.3:7400", kFirst, MemberStatus::kAlive);
  add(kFourth, "10.0.0.4:7400", kFirst, MemberStatus::kAlive);
  return view;
}

/// Of a node that was connected to the peer.
struct DoubtsOfOne : testing::Test {
  void SetUp() override {
    EXPECT_TRUE(doubts.members_changed(members()).empty());
    doubts.connected(kPeer, members());
    EXPECT_FALSE(doubts.in_doubt(kPeer));
  }

  Doubts doubts{kSelf};
};

TEST_F(DoubtsOfOne, SilenceAndABrokenConnectionAreDoubtsEachByItself) {
  EXPECT_EQ(doubts.members_changed(members(kFirst, MemberStatus::kSuspect)), std::vector{kPeer});
  EXPECT_TRUE(doubts.members_changed(members(kFirst, MemberStatus::kDead)).empty()) << "no news";
  doubts.disconnected(kPeer, members());
  doubts.members_changed(members());
  EXPECT_TRUE(doubts.in_doubt(kPeer));
  doubts.connected(kPeer, members());
  EXPECT_FALSE(doubts.in_doubt(kPeer));
}

TEST_F(DoubtsOfOne, ItWitnessesTheEndOfTheProcessItWasConnectedToOnce) {
  EXPECT_FALSE(doubts.nobody_listens(kPeer, members())) << "it is connected";
  doubts.disconnected(kPeer, members());
  EXPECT_EQ(doubts.nobody_listens(kPeer, members()), kFirst);
  EXPECT_FALSE(doubts.nobody_listens(kPeer, members()));
}

TEST_F(DoubtsOfOne, ALaterProcessIsNotTakenForTheOneThatEnded) {
  doubts.disconnected(kPeer, members());
  EXPECT_FALSE(doubts.nobody_listens(kPeer, members(kSecond)));
}

TEST_F(DoubtsOfOne, AnAddressWhereItWasNeverMetProvesNothing) {
  const placement::View moved = members(kFirst, MemberStatus::kAlive, "10.0.0.9:7400");
  doubts.disconnected(kPeer, moved);
  EXPECT_FALSE(doubts.nobody_listens(kPeer, moved));
  EXPECT_FALSE(doubts.nobody_listens(kThird, moved)) << "never connected";
}

TEST_F(DoubtsOfOne, TwoDifferentWitnessesOfOneProcessAreEnough) {
  EXPECT_FALSE(doubts.testify(kSelf, kPeer, kFirst));
  EXPECT_FALSE(doubts.testify(kSelf, kPeer, kFirst));
  EXPECT_FALSE(doubts.testify(kThird, kPeer, kSecond)) << "of another process";
  EXPECT_TRUE(doubts.testify(kThird, kPeer, kFirst));
  EXPECT_FALSE(doubts.testify(kFourth, kPeer, kFirst)) << "known already";
  EXPECT_FALSE(doubts.testify(kThird, NodeId{.high = 7, .low = 7}, kFirst)) << "a stranger";
}

TEST_F(DoubtsOfOne, WhoIsThereAfterAllIsNotGoneByWhatWasSaidBefore) {
  EXPECT_FALSE(doubts.testify(kThird, kPeer, kFirst));
  doubts.connected(kPeer, members());
  EXPECT_FALSE(doubts.testify(kSelf, kPeer, kFirst));
}

}  // namespace
}  // namespace troupe::cluster
