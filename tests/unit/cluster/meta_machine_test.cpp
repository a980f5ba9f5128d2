#include "runtime/cluster/meta_machine.h"

#include <cstdint>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace troupe::cluster {
namespace {

using ::testing::HasSubstr;
using Kind = storage::Outcome::Kind;

constexpr NodeId kAnn{1, 1};
constexpr NodeId kBob{1, 2};

std::uint64_t number_in(const storage::Outcome& outcome) {
  Reader in(outcome.reply);
  const std::uint64_t number = in.number();
  EXPECT_TRUE(in.finished());
  return number;
}

class MetaMachines : public ::testing::Test {
 protected:
  storage::Outcome apply(const MetaCommand& command) {
    // As entries come: over the wire.
    const Result<MetaCommand> decoded = decode_meta_command(encode(command));
    EXPECT_TRUE(decoded);
    return machine.apply(++index, *decoded);
  }
  storage::Outcome enroll(NodeId node, std::uint64_t start, std::uint64_t generation = 0,
                          std::vector<std::uint64_t> earlier = {}) {
    RegisterNode command;
    command.node.id = node;
    command.node.address = "a:1";
    command.node.start = start;
    command.node.generation = Generation{generation};
    command.earlier_starts = std::move(earlier);
    return apply(command);
  }

  MetaMachine machine;
  std::uint64_t index = 0;
};

TEST_F(MetaMachines, TheFirstFoundingCounts) {
  apply(FoundCluster{.cluster = "c", .shard_count = 64, .next_replica = 193});
  apply(FoundCluster{.cluster = "other", .shard_count = 8, .next_replica = 1});
  EXPECT_EQ(machine.cluster(), "c");
  EXPECT_EQ(machine.shard_count(), 64U);
  EXPECT_EQ(number_in(apply(IssueReplica{})), 193U);
  EXPECT_EQ(number_in(apply(IssueReplica{})), 194U);
}

TEST_F(MetaMachines, EachProcessGetsAGenerationOfItsOwn) {
  const std::uint64_t first = number_in(enroll(kAnn, 11));
  EXPECT_EQ(number_in(enroll(kAnn, 11)), first) << "asked again, as its answer was lost";
  const std::uint64_t other = number_in(enroll(kBob, 21));
  EXPECT_GT(other, first);
  EXPECT_GT(number_in(enroll(kAnn, 12, first)), other);
}

TEST_F(MetaMachines, ARolledBackDirectoryIsRefused) {
  const std::uint64_t first = number_in(enroll(kAnn, 11));
  const std::uint64_t second = number_in(enroll(kAnn, 12, first));
  const storage::Outcome refused = enroll(kAnn, 13, first, {10});
  EXPECT_EQ(refused.kind, Kind::kRefused);
  EXPECT_EQ(refused.error->code, Code::kPrecondition);
  EXPECT_THAT(refused.error->message, HasSubstr("copied or rolled back"));
  EXPECT_EQ(machine.nodes().at(kAnn).generation.value, second);
}

TEST_F(MetaMachines, AProcessThatDiedBeforeItWroteItsGenerationIsKnownByItsStart) {
  number_in(enroll(kAnn, 11));
  EXPECT_EQ(enroll(kAnn, 12, 0, {11}).kind, Kind::kApplied);
}

// Its registration waited for a quorum while the next process came and died as well.
TEST_F(MetaMachines, ARegistrationThatTakesEffectAfterItsProcessDiedShutsNobodyOut) {
  number_in(enroll(kAnn, 11));
  EXPECT_EQ(enroll(kAnn, 13, 0, {11, 12}).kind, Kind::kApplied);
  EXPECT_EQ(enroll(kAnn, 12, 0, {11}).kind, Kind::kRefused) << "of the one in between, too late";
}

TEST_F(MetaMachines, ADrainedNodeThatStartsAgainServesAgain) {
  const std::uint64_t first = number_in(enroll(kAnn, 11));
  apply(DrainNode{.node = kAnn, .draining = true});
  EXPECT_TRUE(machine.nodes().at(kAnn).draining);
  enroll(kAnn, 12, first);
  EXPECT_FALSE(machine.nodes().at(kAnn).draining);
}

TEST_F(MetaMachines, OnlyNodesItKnowsCanBeDrained) {
  const storage::Outcome refused = apply(DrainNode{.node = kBob, .draining = true});
  EXPECT_EQ(refused.kind, Kind::kRefused);
  EXPECT_EQ(refused.error->code, Code::kNotFound);
}

TEST_F(MetaMachines, ARemovedNodeIsForgotten) {
  enroll(kAnn, 11);
  apply(RemoveNode{.node = kAnn});
  EXPECT_TRUE(machine.nodes().empty());
}

TEST_F(MetaMachines, TheSameEntriesGiveTheSameBytesAndTheBytesTheSameMachine) {
  apply(FoundCluster{.cluster = "c", .shard_count = 64, .next_replica = 7});
  enroll(kBob, 21);
  enroll(kAnn, 11);
  apply(DrainNode{.node = kBob, .draining = true});
  MetaMachine copy;
  ASSERT_TRUE(copy.load(machine.stored()));
  EXPECT_EQ(copy.stored(), machine.stored());
  EXPECT_EQ(copy.nodes(), machine.nodes());
  EXPECT_EQ(number_in(copy.apply(9, IssueReplica{})), 7U);
}

TEST_F(MetaMachines, DamagedBytesAreRefused) {
  enroll(kAnn, 11);
  const std::string stored = machine.stored();
  for (std::size_t length = 1; length < stored.size(); ++length) {
    MetaMachine cut;
    EXPECT_EQ(cut.load(stored.substr(0, length)).error().code, Code::kDataLoss) << length;
  }
  const std::string command = encode(MetaCommand(DrainNode{.node = kAnn, .draining = true}));
  for (std::size_t length = 0; length < command.size(); ++length) {
    EXPECT_FALSE(decode_meta_command(command.substr(0, length))) << length;
  }
  EXPECT_FALSE(decode_meta_command(command + "x"));
}

TEST_F(MetaMachines, AnEntryOfANewerFormatIsNotGuessedAt) {
  std::string command = encode(MetaCommand(IssueReplica{}));
  command[0] = 2;
  EXPECT_EQ(decode_meta_command(command).error().code, Code::kUnimplemented);
}

}  // namespace
}  // namespace troupe::cluster
