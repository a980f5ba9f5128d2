#include "placement/hash_ring.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace troupe::placement {
namespace {

constexpr int kKeys = 10'000;

std::string key(int i) { return "Cart/" + std::to_string(i); }

std::vector<std::string> names(int count) {
  std::vector<std::string> all;
  all.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) all.push_back("node-" + std::to_string(i));
  return all;
}

TEST(HashRing, OwnerDependsOnTheSetOfNodesOnly) {
  const HashRing one({"a", "b", "c"});
  const HashRing other({"c", "a", "b", "a"});
  EXPECT_EQ(one.nodes(), other.nodes());
  for (int i = 0; i < kKeys; ++i) EXPECT_EQ(one.owner(key(i)), other.owner(key(i)));
}

// A failure here means that this version would not agree with nodes already running.
TEST(HashRing, OwnersNeverChangeBetweenVersions) {
  const HashRing ring({"a", "b", "c"});
  EXPECT_EQ(ring.owner("Cart/alice"), "c");
  EXPECT_EQ(ring.owner("Cart/carol"), "a");
  EXPECT_EQ(ring.owner("Cart/frank"), "b");
  EXPECT_EQ(ring.owner(""), "a");
}

TEST(HashRing, SharesAreNearlyEven) {
  for (const int count : {1, 2, 3, 10, 50}) {
    const HashRing ring(names(count));
    std::map<std::string_view, int> owned;
    for (int i = 0; i < kKeys; ++i) ++owned[ring.owner(key(i))];
    const double even = static_cast<double>(kKeys) / count;
    ASSERT_EQ(owned.size(), static_cast<std::size_t>(count));
    for (const auto& [node, keys] : owned) EXPECT_NEAR(keys, even, even * 0.4) << node;
  }
}

TEST(HashRing, OnlyKeysOfTheLeavingNodeMove) {
  auto left = names(10);
  left.erase(left.begin() + 3);
  const HashRing before(names(10));
  const HashRing after(left);
  for (int i = 0; i < kKeys; ++i) {
    if (before.owner(key(i)) == "node-3") {
      EXPECT_EQ(after.owner(key(i)), before.successors(key(i), 2)[1]);
    } else {
      EXPECT_EQ(after.owner(key(i)), before.owner(key(i)));
    }
  }
}

TEST(HashRing, SuccessorsAreDifferentNodesStartingWithTheOwner) {
  const HashRing ring({"a", "b", "c"});
  EXPECT_TRUE(ring.successors("k", 0).empty());
  EXPECT_EQ(ring.successors("k", 1), std::vector{ring.owner("k")});
  auto all = ring.successors("k", 99);
  EXPECT_EQ(all[0], ring.owner("k"));
  std::ranges::sort(all);
  EXPECT_EQ(all, (std::vector<std::string_view>{"a", "b", "c"}));
  EXPECT_TRUE(HashRing().successors("k", 3).empty());
}

TEST(HashRingDeathTest, EmptyRingHasNoOwner) {
  EXPECT_DEATH(HashRing().owner("k"), "owns no keys");
}

}  // namespace
}  // namespace troupe::placement
