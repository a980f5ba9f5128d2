// What is no conversation: datagrams that no member of ours sent.

#include <vector>

#include <gtest/gtest.h>

#include "tests/support/gossip_world.h"

namespace troupe::placement {
namespace {

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
