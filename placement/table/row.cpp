#include "placement/table/row.h"

#include <algorithm>
#include <array>

#define XXH_INLINE_ALL  // every call hashes a few bytes
#include <xxhash.h>

#include "runtime/base/check.h"

namespace troupe::placement {
namespace {

// Node ids are 16 bytes and come again and again in a row, so each is written once.
struct Nodes {
  std::vector<NodeId> ids;

  std::uint64_t index(NodeId node) {
    const auto known = std::ranges::find(ids, node);
    if (known != ids.end()) return static_cast<std::uint64_t>(known - ids.begin());
    ids.push_back(node);
    return ids.size() - 1;
  }
};

NodeId read_node(Reader& in, const std::vector<NodeId>& nodes) {
  const std::uint64_t index = in.number_up_to(nodes.empty() ? 0 : nodes.size() - 1);
  if (index < nodes.size()) return nodes[index];
  in.damage();
  return {};
}

}  // namespace

const Owner* Row::owner(std::string_view type) const {
  if (owners.size() == 1) return owners.front().type == type ? owners.data() : nullptr;
  const auto found = std::ranges::lower_bound(
      owners, type, {}, [](const Owner& o) -> std::string_view { return o.type; });
  return found != owners.end() && found->type == type ? &*found : nullptr;
}

void encode(Writer& out, const Row& row) {
  Nodes nodes;
  Writer rest;
  rest.number(nodes.index(row.leader));
  rest.number(row.replicas.size());
  for (const RowReplica& replica : row.replicas) {
    rest.number(nodes.index(replica.node));
    rest.id(replica.replica);
    rest.boolean(replica.voter);
  }
  rest.number(row.owners.size());
  for (const Owner& owner : row.owners) {
    rest.bytes(owner.type);
    rest.number(nodes.index(owner.node));
    rest.id(owner.generation);
    rest.id(owner.epoch);
  }
  out.id(row.version);
  out.id(row.shard);
  out.number(nodes.ids.size());
  for (const NodeId node : nodes.ids) out.id(node);
  out.bytes(rest.take());
}

Row decode_row(Reader& in) {
  Row row;
  row.version = in.id<RowVersion>();
  row.shard = in.id<ShardId>();
  std::vector<NodeId> nodes;
  const std::uint64_t node_count = in.number_up_to(Row::kReplicasMax + Row::kOwnersMax + 1);
  for (std::uint64_t i = 0; i < node_count && in.ok(); ++i) nodes.push_back(in.id<NodeId>());

  Reader rest(in.bytes());
  row.leader = read_node(rest, nodes);
  const std::uint64_t replicas = rest.number_up_to(Row::kReplicasMax);
  for (std::uint64_t i = 0; i < replicas && rest.ok(); ++i) {
    const NodeId node = read_node(rest, nodes);
    const auto id = rest.id<ReplicaId>();
    row.replicas.push_back({.node = node, .replica = id, .voter = rest.boolean()});
  }
  const std::uint64_t owners = rest.number_up_to(Row::kOwnersMax);
  for (std::uint64_t i = 0; i < owners && rest.ok(); ++i) {
    Owner owner;
    owner.type = rest.string();
    owner.node = read_node(rest, nodes);
    owner.generation = rest.id<Generation>();
    owner.epoch = rest.id<Epoch>();
    // Sorted and each once: lookups search by halves
    const bool follows = row.owners.empty() || row.owners.back().type < owner.type;
    if (!follows || owner.type.size() > Row::kTypeSizeMax) rest.damage();
    row.owners.push_back(std::move(owner));
  }
  if (!rest.finished()) in.damage();
  return row;
}

ShardId shard_of(std::string_view full_type, std::string_view id, std::uint32_t shard_count) {
  check(shard_count > 0, "a cluster has at least one shard");
  constexpr std::size_t kInlineMax = 512;
  const std::size_t size = full_type.size() + 1 + id.size();
  std::uint64_t hash = 0;
  if (size <= kInlineMax) {
    std::array<char, kInlineMax> bytes;  // filled below
    char* end = std::ranges::copy(full_type, bytes.data()).out;
    *end++ = '\0';
    std::ranges::copy(id, end);
    hash = XXH3_64bits(bytes.data(), size);
  } else {
    std::string bytes(full_type);
    bytes.append(1, '\0').append(id);
    hash = XXH3_64bits(bytes.data(), bytes.size());
  }
  // A power of two, in all clusters there are: no division.
  const bool halves = (shard_count & (shard_count - 1)) == 0;
  return ShardId{
      static_cast<std::uint32_t>(halves ? hash & (shard_count - 1) : hash % shard_count)};
}

}  // namespace troupe::placement
