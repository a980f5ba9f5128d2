#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>

namespace troupe {

/// A number that means one thing: two ids of different tags cannot be swapped by mistake.
template <class Tag, class Number>
struct Id {
  Number value = 0;

  friend auto operator<=>(const Id&, const Id&) = default;
};

/// A shard of the keys, from 0 to shard_count - 1. The meta shard has an id of its own.
using ShardId = Id<struct ShardTag, std::uint32_t>;
inline constexpr ShardId kMetaShard{0xffff'ffff};

/// One copy of one shard on one node; never used again once removed. 0 is none.
using ReplicaId = Id<struct ReplicaTag, std::uint64_t>;

/// The fencing token of the owner of a (shard, type). 0: never owned.
using Epoch = Id<struct EpochTag, std::uint64_t>;

/// One start of one node's process, issued by the meta shard. 0: not registered yet.
using Generation = Id<struct GenerationTag, std::uint64_t>;

/// A node, for as long as its data directory lives: 128 random bits. All zero is nobody.
struct NodeId {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  bool empty() const { return high == 0 && low == 0; }
  friend auto operator<=>(const NodeId&, const NodeId&) = default;
};

/// 32 hexadecimal digits.
std::string to_string(NodeId node);

/// The first 8 of them: enough for people to tell nodes apart.
std::string short_name(NodeId node);

/// The NodeId that `text`, 32 hexadecimal digits, spells; nobody if it spells none.
NodeId parse_node_id(const std::string& text);

/// Orders the rows of the placement table for one shard: the newer wins.
struct RowVersion {
  std::uint64_t term = 0;
  std::uint64_t index = 0;  // of the last applied assign or configure

  friend auto operator<=>(const RowVersion&, const RowVersion&) = default;
};

}  // namespace troupe

template <class Tag, class Number>
struct std::hash<troupe::Id<Tag, Number>> {
  std::size_t operator()(const troupe::Id<Tag, Number>& id) const noexcept {
    return std::hash<Number>()(id.value);
  }
};
template <>
struct std::hash<troupe::NodeId> {
  std::size_t operator()(const troupe::NodeId& id) const noexcept {
    return static_cast<std::size_t>(id.high ^ id.low);
  }
};
