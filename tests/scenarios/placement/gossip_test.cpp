// Conversations of a few members, on virtual time.

#include <optional>

#include <gtest/gtest.h>

#include "runtime/base/check.h"
#include "tests/support/gossip_world.h"

namespace troupe::placement {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

NodeId id(std::size_t i) { return GossipWorld::member(i).id; }

std::optional<MemberStatus> status(GossipWorld& world, std::size_t at, std::size_t of) {
  const auto view = world[at].gossip.membership().view();
  const View::Entry* entry = view->find(id(of));
  if (entry == nullptr) return std::nullopt;
  return entry->status;
}

bool all_see(GossipWorld& world, std::size_t of, MemberStatus wanted) {
  for (std::size_t at = 0; at < world.size(); ++at) {
    if (at != of && world[at].running && status(world, at, of) != wanted) return false;
  }
  return true;
}

GossipWorld joined(std::size_t count) {
  GossipWorld world(count, 16, {}, 1);
  world.flush(0);
  for (std::size_t i = 1; i < count; ++i) world.join(i, 0);
  world.run_for(seconds(2));
  return world;
}

TEST(Gossip, WhoJoinsOneMemberIsKnownToAll) {
  GossipWorld world = joined(5);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_TRUE(all_see(world, i, MemberStatus::kAlive)) << i;
}

TEST(Gossip, AJoinIsRepeatedUntilASeedAnswers) {
  GossipWorld world(2, 16, {}, 1);
  world[0].running = false;
  world.join(1, 0);
  world.run_for(seconds(3));
  EXPECT_EQ(status(world, 1, 0), std::nullopt);
  world[0].running = true;
  world.run_for(seconds(2));
  EXPECT_EQ(status(world, 1, 0), MemberStatus::kAlive);
}

TEST(Gossip, ASilentMemberDiesAndAMemberThatLeftIsNotDead) {
  GossipWorld world = joined(5);
  world[3].running = false;
  world[4].gossip.membership().leave(world.now());
  world.flush(4);
  world[4].running = false;
  EXPECT_TRUE(world.run_until(
      [&] {
        return status(world, 0, 3) == MemberStatus::kDead &&
               status(world, 1, 3) == MemberStatus::kDead;
      },
      seconds(8)));
  EXPECT_EQ(status(world, 0, 4), MemberStatus::kLeft);
}

TEST(Gossip, AMemberThatComesBackFromAPauseRefutes) {
  GossipWorld world = joined(5);
  world[3].side = 1;
  ASSERT_TRUE(
      world.run_until([&] { return status(world, 0, 3) == MemberStatus::kSuspect; }, seconds(5)));
  world[3].side = 0;
  world.run_for(seconds(5));
  EXPECT_TRUE(all_see(world, 3, MemberStatus::kAlive));
  EXPECT_GT(world[3].gossip.membership().self().incarnation, 0U);
}

TEST(Gossip, SidesOfAPartitionFindOneAnotherAgain) {
  GossipWorld world = joined(6);
  for (std::size_t i = 3; i < 6; ++i) world[i].side = 1;
  world.run_for(seconds(15));
  EXPECT_EQ(status(world, 0, 5), MemberStatus::kDead);
  for (std::size_t i = 3; i < 6; ++i) world[i].side = 0;
  EXPECT_TRUE(world.run_until(
      [&] {
        for (std::size_t i = 0; i < 6; ++i) {
          if (!all_see(world, i, MemberStatus::kAlive)) return false;
        }
        return true;
      },
      seconds(60)));
}

TEST(Gossip, ANewerGenerationReplacesTheOlderAtOnceAndAnOlderIsIgnored) {
  Random random(1);
  Membership membership(GossipWorld::member(0), {}, random);
  const auto hear = [&](std::uint64_t generation, std::uint64_t incarnation) {
    Member other = GossipWorld::member(1);
    other.generation = Generation{generation};
    other.incarnation = incarnation;
    const std::string bytes = message_header(other.id) + encode_part(Alive{other});
    EXPECT_TRUE(membership.receive(Time{}, other.address, bytes));
    return membership.view()->find(other.id)->member->generation.value;
  };
  EXPECT_EQ(hear(2, 5), 2U);
  EXPECT_EQ(hear(1, 9), 2U);
  EXPECT_EQ(hear(3, 0), 3U);
  EXPECT_EQ(hear(2, 99), 3U);
}

TEST(Gossip, ADatagramOfAnotherClusterOrTooLargeIsRefused) {
  GossipWorld ours(1, 16, {}, 1);
  GossipWorld theirs(2, 16, {}, 1, {.cluster = "other", .membership = {}, .table = {}});
  const std::vector<Address> seeds = {GossipWorld::member(0).address};
  theirs[1].gossip.join(Time{}, seeds);
  const auto sent = theirs[1].gossip.take_outgoing();
  ASSERT_FALSE(sent.empty());
  EXPECT_FALSE(ours[0].gossip.receive(Time{}, {}, sent[0].bytes, sent[0].stream));
  EXPECT_FALSE(ours[0].gossip.receive(Time{}, {}, std::string(1401, 'x'), false));
  EXPECT_EQ(ours[0].gossip.refusals().foreign, 1U);
  EXPECT_EQ(ours[0].gossip.refusals().oversize, 1U);
  EXPECT_EQ(ours[0].gossip.membership().reachable_count(), 1U);
}

}  // namespace
}  // namespace troupe::placement
