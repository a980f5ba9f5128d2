#include "runtime/cluster/rights.h"

#include <memory>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/manual_time.h"

namespace troupe::cluster {
namespace {

using testing::ManualClock;
using testing::ManualExecutor;

constexpr ShardId kShard{3};
constexpr NodeId kSelf{.high = 1, .low = 1};
constexpr NodeId kOther{.high = 2, .low = 2};
constexpr Generation kGeneration{5};

class RightsTest : public ::testing::Test {
 protected:
  // What the leader of `term` says, having applied its log up to `index`.
  void hear(std::uint64_t term, std::uint64_t index, std::vector<placement::Owner> owners) {
    placement::Row row;
    row.version = {.term = term, .index = index};
    row.shard = kShard;
    row.owners = std::move(owners);
    rights.apply(row);
  }
  static placement::Owner cart_of(NodeId node, std::uint64_t epoch) {
    return {.type = "Cart", .node = node, .generation = kGeneration, .epoch = Epoch{epoch}};
  }

  ManualClock clock;
  ManualExecutor loop{clock};
  Rights rights{kSelf,
                kGeneration,
                {},
                {.clock = clock,
                 .loop = loop,
                 .propose = [](ShardId, ProposedEntry, Done<storage::Outcome>) {},
                 .drain = [](const std::shared_ptr<actors::Right>&, Function<void()>) {}}};
};

TEST_F(RightsTest, ARightStaysWhenANewLeaderStillKnowsEarlierOwners) {
  hear(6, 10, {cart_of(kSelf, 2)});
  const auto right = rights.find(kShard, "Cart");
  ASSERT_NE(right, nullptr);
  hear(7, 9, {cart_of(kOther, 1)});
  hear(7, 9, {});
  EXPECT_FALSE(right->ended());
  hear(7, 11, {cart_of(kSelf, 2)});
  EXPECT_EQ(rights.find(kShard, "Cart"), right);
}

TEST_F(RightsTest, ARightEndsWhenALaterOwnerIsKnown) {
  hear(6, 10, {cart_of(kSelf, 2)});
  const auto right = rights.find(kShard, "Cart");
  ASSERT_NE(right, nullptr);
  hear(7, 11, {cart_of(kOther, 3)});
  EXPECT_TRUE(right->ended());
  EXPECT_EQ(rights.find(kShard, "Cart"), nullptr);
}

}  // namespace
}  // namespace troupe::cluster
