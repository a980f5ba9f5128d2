#include "placement/affinity.h"

#include <cmath>
#include <string>

#include <xxhash.h>

#include "runtime/base/codec.h"

namespace troupe::placement {

std::uint64_t affinity(NodeId node, std::string_view key) {
  std::string bytes;
  bytes.reserve(16 + key.size());
  append_big_endian(bytes, node.high);
  append_big_endian(bytes, node.low);
  bytes.append(key);
  return XXH3_64bits(bytes.data(), bytes.size());
}

std::uint64_t affinity(NodeId node, ShardId shard) {
  std::string key;
  append_big_endian(key, shard.value);
  return affinity(node, key);
}

double weighted_affinity(NodeId node, ShardId shard, std::uint32_t weight) {
  // The 52 bits that a double holds, and a half so that the logarithm is finite and not zero
  const double fraction = (static_cast<double>(affinity(node, shard) >> 12) + 0.5) * 0x1p-52;
  return -static_cast<double>(weight) / std::log(fraction);
}

}  // namespace troupe::placement
