#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/codec.h"
#include "runtime/base/ids.h"

namespace troupe::placement {

/// Who may activate the actors of one type in one shard.
struct Owner {
  std::string type;  // full name
  NodeId node;       // nobody: released, and not assigned again yet
  Generation generation;
  Epoch epoch;

  friend bool operator==(const Owner&, const Owner&) = default;
};

struct RowReplica {
  NodeId node;
  ReplicaId replica;
  bool voter = true;  // false: a learner

  friend bool operator==(const RowReplica&, const RowReplica&) = default;
};

/// What is known of one shard. A hint: the shard's log decides.
struct Row {
  static constexpr std::size_t kReplicasMax = 16;
  static constexpr std::size_t kOwnersMax = 512;
  static constexpr std::size_t kTypeSizeMax = 256;       // bytes
  static constexpr std::size_t kEncodedSizeMax = 32768;  // bytes

  RowVersion version;
  ShardId shard;
  NodeId leader;  // nobody: unknown
  std::vector<RowReplica> replicas;
  std::vector<Owner> owners;  // sorted by type

  /// Null if the type has none. Lives as long as the row.
  const Owner* owner(std::string_view type) const;

  friend bool operator==(const Row&, const Row&) = default;
};

void encode(Writer& out, const Row& row);
/// Damages `in` if the row breaks a limit or is not sorted.
Row decode_row(Reader& in);

/// The shard of an actor: xxh3_64(full type, a zero byte, id) mod shard_count. Part of the format
/// of the data on disk: never changes. No allocation below 512 bytes. Requires
/// shard_count > 0.
ShardId shard_of(std::string_view full_type, std::string_view id, std::uint32_t shard_count);

}  // namespace troupe::placement
