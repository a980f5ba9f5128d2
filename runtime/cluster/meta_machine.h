#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "runtime/base/codec.h"
#include "runtime/base/ids.h"
#include "storage/shard/entry.h"
#include <troupe/result.h>

namespace troupe::cluster {

/// A node as the meta shard knows it.
struct RegisteredNode {
  NodeId id;
  Generation generation;
  std::string address;
  std::string zone;
  std::uint32_t weight = 1;
  bool storage = true;
  bool draining = false;
  std::uint64_t start = 0;  // random number of the process start that registered

  friend bool operator==(const RegisteredNode&, const RegisteredNode&) = default;
};

void encode(Writer& out, const RegisteredNode& node);
RegisteredNode decode_registered_node(Reader& in);

/// The first entry: what the cluster is. Later ones of its kind change nothing.
struct FoundCluster {
  std::string cluster;
  std::uint32_t shard_count = 0;
  std::uint64_t next_replica = 1;  // ids below are taken by the first replicas
};

/// A process of a node starts. Answered with its generation; again with the same one if it asks
/// again. Refused with kPrecondition if what its data directory holds is older than what is
/// registered: its disk was rolled back or copied.
///
/// A process writes its `start` to its directory before it registers, and wipes out all that stand
/// there together with writing down its generation. So one that died in between, or whose
/// registration takes effect after its death, is known again by `earlier_starts`.
struct RegisterNode {
  static constexpr std::size_t kEarlierStartsMax = 64;

  RegisteredNode node;  // its generation is what the data directory holds; 0: never registered
  std::vector<std::uint64_t> earlier_starts;  // of processes since that generation, oldest first
};

/// Answered with a replica id that nobody had before.
struct IssueReplica {};

struct DrainNode {
  NodeId node;
  bool draining = true;
};

/// The node is gone for good.
struct RemoveNode {
  NodeId node;
};

using MetaCommand = std::variant<FoundCluster, RegisterNode, IssueReplica, DrainNode, RemoveNode>;

std::string encode(const MetaCommand& command);
Result<MetaCommand> decode_meta_command(std::string_view bytes);

/// What the meta shard knows: cluster, shard count, nodes, issued ids. Small: kept whole in memory,
/// and written as one value with every change.
class MetaMachine {
 public:
  /// The value under which the state is stored; empty bytes are the state of a new cluster.
  Result<void> load(std::string_view stored);
  std::string stored() const;

  storage::Outcome apply(std::uint64_t index, const MetaCommand& command);

  const std::string& cluster() const { return cluster_; }
  std::uint32_t shard_count() const { return shard_count_; }
  const std::map<NodeId, RegisteredNode>& nodes() const { return nodes_; }

 private:
  storage::Outcome found(const FoundCluster& command);
  storage::Outcome enroll(const RegisterNode& command);

  std::string cluster_;
  std::uint32_t shard_count_ = 0;
  std::uint64_t next_replica_ = 1;
  std::uint64_t next_generation_ = 1;
  std::map<NodeId, RegisteredNode> nodes_;
};

}  // namespace troupe::cluster
