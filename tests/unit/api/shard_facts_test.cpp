#include "runtime/api/shard_facts.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace troupe::api {
namespace {

using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::IsEmpty;

ReplicaView replica(const std::string& node, const std::string& role, std::uint64_t term,
                    std::uint64_t committed, std::uint64_t applied) {
  return {.shard = 3,
          .node = node,
          .replica = 7,
          .role = role,
          .term = term,
          .committed = committed,
          .applied = applied,
          .elections_won = 2};
}

TEST(ShardFacts, EachReplicaIsSoFarBehindWhatTheLeaderHasCommitted) {
  std::vector<ReplicaView> replicas = {replica("a", "leader", 5, 100, 98),
                                       replica("b", "follower", 5, 90, 60),
                                       replica("c", "learner", 5, 101, 101)};
  measure_lag(replicas);
  EXPECT_THAT(replicas, ElementsAre(Field(&ReplicaView::lag, 2), Field(&ReplicaView::lag, 40),
                                    Field(&ReplicaView::lag, 0)));
  ShardFacts shard;
  add_replicas(shard, replicas);
  EXPECT_EQ(shard.leader, "a");
  EXPECT_EQ(shard.term, 5U);
  EXPECT_EQ(shard.applied, 98U);
  EXPECT_EQ(shard.lag, 40U);
  EXPECT_EQ(shard.elections_won, 6U);
  EXPECT_EQ(shard.silent, 0U);
}

TEST(ShardFacts, OfTwoThatBelieveToLeadTheOneOfTheLaterTermCounts) {
  std::vector<ReplicaView> replicas = {replica("old", "leader", 5, 500, 500),
                                       replica("new", "leader", 6, 100, 100)};
  measure_lag(replicas);
  ShardFacts shard;
  add_replicas(shard, replicas);
  EXPECT_EQ(shard.leader, "new");
  EXPECT_EQ(shard.lag, 0U);
}

TEST(ShardFacts, WhatTheTableKnowsStandsWhileNobodySaysToLead) {
  ShardFacts shard{.shard = 3, .leader = "a", .term = 4};
  std::vector<ReplicaView> replicas = {replica("b", "candidate", 5, 90, 60)};
  measure_lag(replicas);
  add_replicas(shard, replicas);
  EXPECT_EQ(shard.leader, "a");
  EXPECT_EQ(shard.term, 4U);
  EXPECT_EQ(shard.lag, 0U);
}

TEST(ShardFacts, ReplicasThatSayNothingAreShownAsSilent) {
  const ShardFacts known{
      .shard = 3,
      .replicas = {
          {.node = "a", .replica = 7}, {.node = "b", .replica = 7}, {.node = "a", .replica = 6}}};
  const std::vector<ReplicaView> silent = silent_of(known, {replica("a", "leader", 5, 1, 1)});
  EXPECT_THAT(silent, ElementsAre(Field(&ReplicaView::node, "b"), Field(&ReplicaView::replica, 6)));
  EXPECT_EQ(silent.front().role, "silent");
  ShardFacts shard = known;
  add_replicas(shard, silent);
  EXPECT_EQ(shard.silent, 2U);
  EXPECT_THAT(silent_of(ShardFacts{}, {}), IsEmpty());
}

}  // namespace
}  // namespace troupe::api
