#include "storage/raft/configuration.h"

#include <string>

#include <gtest/gtest.h>

namespace troupe::raft {
namespace {

Address address(std::uint64_t node, std::uint64_t replica = 1) {
  return {.node = {.high = 0, .low = node}, .replica = ReplicaId{replica}};
}
Member voter(std::uint64_t node, std::uint64_t replica = 1) {
  return {.address = address(node, replica), .voter = true};
}
Member learner(std::uint64_t node, std::uint64_t replica = 1) {
  return {.address = address(node, replica), .voter = false};
}

Code code_of(const Configuration& from, const Configuration& to) {
  const auto step = check_step(from, to);
  EXPECT_FALSE(step.has_value());
  return step ? Code::kInternal : step.error().code;
}

TEST(Configuration, QuorumIsAMajorityOfVoters) {
  EXPECT_EQ(Configuration{{voter(1)}}.quorum(), 1U);
  EXPECT_EQ((Configuration{{voter(1), voter(2), learner(3)}}.quorum()), 2U);
  EXPECT_EQ((Configuration{{voter(1), voter(2), voter(3), voter(4)}}.quorum()), 3U);
}

TEST(Configuration, SuccessionGoesRoundTheRingFromTheLeader) {
  const Configuration group{{voter(1), learner(2), voter(3), voter(4)}};
  EXPECT_EQ(group.succession(address(4), address(3)), 0U);
  EXPECT_EQ(group.succession(address(1), address(3)), 1U);
  EXPECT_EQ(group.succession(address(3), address(1)), 0U);  // learners do not count
  EXPECT_EQ(group.succession(address(1), Address{}), 0U);
  EXPECT_EQ(group.succession(address(4), Address{}), 2U);
}

TEST(Configuration, OnlyOneVoterChangesAtATime) {
  const Configuration three{{voter(1), voter(2), voter(3)}};
  const Configuration waiting{{voter(1), voter(2), voter(3), learner(4)}};
  EXPECT_TRUE(check_step(three, waiting).has_value());
  EXPECT_TRUE(check_step(waiting, Configuration{{voter(1), voter(2), voter(3), voter(4)}}));
  EXPECT_TRUE(check_step(three, Configuration{{voter(1), voter(2)}}));
  EXPECT_TRUE(check_step(three, Configuration{{voter(1), voter(2), learner(3)}}));
  EXPECT_EQ(code_of(three, Configuration{{voter(1)}}), Code::kInvalid);
  EXPECT_EQ(code_of(waiting, Configuration{{voter(1), voter(2), voter(4)}}), Code::kInvalid);
}

TEST(Configuration, AVoterWasALearnerBefore) {
  const Configuration one{{voter(1)}};
  EXPECT_EQ(code_of(one, Configuration{{voter(1), voter(2)}}), Code::kInvalid);
}

TEST(Configuration, AGroupKeepsAVoterAndEachNodeOneReplica) {
  const Configuration one{{voter(1)}};
  EXPECT_EQ(code_of(one, Configuration{}), Code::kInvalid);
  EXPECT_EQ(code_of(one, Configuration{{voter(1), learner(1, 2)}}), Code::kInvalid);
  EXPECT_EQ(code_of(one, Configuration{{voter(1), learner(0)}}), Code::kInvalid);
}

TEST(Configuration, AReplacedReplicaGetsAHigherId) {
  const Configuration from{{voter(1), learner(2, 5)}};
  EXPECT_TRUE(check_step(from, Configuration{{voter(1), learner(2, 6)}}));
  EXPECT_EQ(code_of(from, Configuration{{voter(1), learner(2, 4)}}), Code::kInvalid);
}

TEST(Configuration, ReadsWhatItWroteAndRefusesTheRest) {
  const Configuration group{{voter(1), learner(2, 9)}};
  const std::string bytes = encode(group);
  EXPECT_EQ(*decode_configuration(bytes), group);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode_configuration(bytes.substr(0, size))) << size;
  }
  EXPECT_FALSE(decode_configuration(bytes + "x"));
  EXPECT_FALSE(decode_configuration(encode(Configuration{{voter(1), voter(1)}})));
  EXPECT_FALSE(decode_configuration(encode(Configuration{{voter(0)}})));
}

TEST(ConfigurationHistory, TruncationBringsTheEarlierOneBack) {
  ConfigurationHistory history(0, Configuration{{voter(1)}});
  history.append(3, Configuration{{voter(1), learner(2)}});
  history.append(7, Configuration{{voter(1), voter(2)}});
  EXPECT_EQ(history.at(6).members.size(), 2U);
  EXPECT_FALSE(history.at(6).votes(address(2)));
  history.truncate(7);
  EXPECT_EQ(history.latest_index(), 3U);
  history.truncate(1);
  EXPECT_EQ(history.latest(), Configuration{{voter(1)}});
}

TEST(ConfigurationHistory, CompactionKeepsTheOneInForce) {
  ConfigurationHistory history(0, Configuration{{voter(1)}});
  history.append(3, Configuration{{voter(1), learner(2)}});
  history.append(7, Configuration{{voter(1), voter(2)}});
  history.compact(5);
  EXPECT_EQ(history.at(5).members.size(), 2U);
  history.truncate(1);  // cannot happen below what is compacted; the first stays
  EXPECT_EQ(history.latest_index(), 3U);
}

}  // namespace
}  // namespace troupe::raft
