#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::placement {

/// Says which node owns a key.
///
/// Every node stands at `kPointsPerNode` points on a circle of 64-bit hashes. A key belongs to the
/// node whose point comes first at or after the key's own hash:
///
///     0 ──── b ── a ─── key ──→ c ──── a ─── b ──── 2^64 = 0        owner(key) == "c"
///
/// The circle depends on nothing but the set of names, so nodes that agree on the members agree on
/// every owner without asking one another. One node joining or leaving n others moves only about
/// 1/(n+1) of the keys, all of them to or from that node.
///
/// A ring never changes. Share it between threads freely, and build another when members change.
class HashRing {
 public:
  /// With 128 points the busiest of 50 nodes owns about 25 % more keys than the average node.
  static constexpr std::size_t kPointsPerNode = 128;

  /// The ring of no nodes, on which no key has an owner.
  HashRing() = default;

  /// The order of `nodes` does not matter, and a name given twice counts once.
  explicit HashRing(std::vector<std::string> nodes);

  bool empty() const { return nodes_.empty(); }

  /// The names, sorted.
  const std::vector<std::string>& nodes() const { return nodes_; }

  /// The owner of `key`. Requires !empty(). The name lives as long as the ring.
  std::string_view owner(std::string_view key) const;

  /// The owner of `key` and the nodes that would own it next, should those before them leave: the
  /// first `count` of them, or all nodes if there are fewer.
  std::vector<std::string_view> successors(std::string_view key, std::size_t count) const;

 private:
  struct Point {
    std::uint64_t hash;
    std::uint32_t node;  // index into nodes_

    friend auto operator<=>(const Point&, const Point&) = default;
  };

  std::size_t locate(std::string_view key) const;

  std::vector<std::string> nodes_;  // sorted, each name once
  std::vector<Point> points_;       // sorted
};

}  // namespace troupe::placement
