#include "placement/lease/lease.h"

#include <algorithm>
#include <string>

#include <xxhash.h>

namespace troupe::placement {
namespace {

// A day: what a damaged or hostile message can claim at most
constexpr std::uint64_t kDurationMax = 86'400'000'000;

void write(Writer& out, Duration duration) {
  out.number(static_cast<std::uint64_t>(std::max<Duration::rep>(0, duration.count())));
}

Duration read_duration(Reader& in) {
  return Duration(static_cast<Duration::rep>(in.number_up_to(kDurationMax)));
}

}  // namespace

RightsStamp rights_stamp(const std::vector<Owner>& owners, NodeId node, Generation generation) {
  Writer rights;
  rights.id(node);
  rights.id(generation);
  bool any = false;
  for (const Owner& owner : owners) {
    if (owner.node != node || owner.generation != generation) continue;
    rights.bytes(owner.type);
    rights.id(owner.epoch);
    any = true;
  }
  if (!any) return {};
  const std::string bytes = rights.take();
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return {.high = hash.high64, .low = hash.low64 | 1};  // never the stamp of nothing
}

void encode(Writer& out, const Renewal& renewal) {
  out.number(renewal.number);
  out.number(renewal.echo);
  write(out, renewal.held);
  out.number(renewal.shards.size());
  for (const Renewal::Shard& shard : renewal.shards) {
    out.id(shard.shard);
    out.number(shard.term);
    out.id(NodeId{.high = shard.stamp.high, .low = shard.stamp.low});
    write(out, shard.remaining);
  }
}

Renewal decode_renewal(Reader& in) {
  Renewal renewal;
  renewal.number = in.number();
  renewal.echo = in.number();
  renewal.held = read_duration(in);
  const std::uint64_t count = in.number_up_to(Renewal::kShardsMax);
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
    Renewal::Shard shard;
    shard.shard = in.id<ShardId>();
    shard.term = in.number();
    const auto stamp = in.id<NodeId>();
    shard.stamp = {.high = stamp.high, .low = stamp.low};
    shard.remaining = read_duration(in);
    renewal.shards.push_back(shard);
  }
  return renewal;
}

void encode(Writer& out, const RenewalAck& ack) {
  out.number(ack.number);
  out.number(ack.renewal);
  out.number(ack.misunderstood.size());
  for (const ShardId shard : ack.misunderstood) out.id(shard);
}

RenewalAck decode_renewal_ack(Reader& in) {
  RenewalAck ack;
  ack.number = in.number();
  ack.renewal = in.number();
  const std::uint64_t count = in.number_up_to(Renewal::kShardsMax);
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
    ack.misunderstood.push_back(in.id<ShardId>());
  }
  return ack;
}

}  // namespace troupe::placement
