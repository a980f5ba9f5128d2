#include "placement/hash_ring.h"

#include <algorithm>
#include <utility>

#include <xxhash.h>

#include "runtime/base/check.h"

namespace troupe::placement {
namespace {

// The seed sets a node's points apart from one another and from keys: without it a key that is also
// a node's name would always belong to that node.
constexpr std::uint64_t kKeySeed = 0;
constexpr std::uint64_t kFirstPointSeed = 1;

// Nodes of different versions must agree on owners, so these hashes are part of the wire protocol.
// hash_ring_test.cpp pins them.
std::uint64_t hash(std::string_view text, std::uint64_t seed) {
  return XXH3_64bits_withSeed(text.data(), text.size(), seed);
}

}  // namespace

HashRing::HashRing(std::vector<std::string> nodes) : nodes_(std::move(nodes)) {
  std::ranges::sort(nodes_);
  const auto repeated = std::ranges::unique(nodes_);
  nodes_.erase(repeated.begin(), repeated.end());

  points_.reserve(nodes_.size() * kPointsPerNode);
  for (std::uint32_t node = 0; node < nodes_.size(); ++node) {
    for (std::uint64_t point = 0; point < kPointsPerNode; ++point) {
      points_.push_back({.hash = hash(nodes_[node], kFirstPointSeed + point), .node = node});
    }
  }
  // Should two points share a hash, the order of their nodes decides, the same on every machine.
  std::ranges::sort(points_);
}

std::string_view HashRing::owner(std::string_view key) const {
  check(!empty(), "a ring without nodes owns no keys");
  return nodes_[points_[locate(key)].node];
}

std::vector<std::string_view> HashRing::successors(std::string_view key, std::size_t count) const {
  std::vector<std::string_view> found;
  const std::size_t wanted = std::min(count, nodes_.size());
  found.reserve(wanted);
  // One lap at most: it passes every node.
  for (std::size_t i = locate(key); found.size() < wanted; i = (i + 1) % points_.size()) {
    const std::string_view node = nodes_[points_[i].node];
    if (std::ranges::find(found, node) == found.end()) found.push_back(node);
  }
  return found;
}

// The index of the first point at or after `key`, going round past the last one.
std::size_t HashRing::locate(std::string_view key) const {
  const Point from{.hash = hash(key, kKeySeed), .node = 0};
  const auto point = std::ranges::lower_bound(points_, from);
  return point == points_.end() ? 0 : static_cast<std::size_t>(point - points_.begin());
}

}  // namespace troupe::placement
