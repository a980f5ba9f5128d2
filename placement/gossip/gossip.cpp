#include "placement/gossip/gossip.h"

#include <algorithm>
#include <utility>

#include "runtime/base/check.h"

namespace troupe::placement {
namespace {

// What every datagram begins with; the last letter is the version of the format.
constexpr std::string_view kMagic = "TRG1";

enum class PartFor : std::uint8_t { kMembership = 1, kTable = 2 };

// The kind and the length of a part.
constexpr std::size_t kPartOverhead = 4;
// Too little room for a row to be worth looking.
constexpr std::size_t kRowsSizeMin = 128;
// A stream carries the rows of a comparison in pieces of this size.
constexpr std::size_t kStreamPartSize = 60 << 10;

MembershipConfig with_room(MembershipConfig config, std::size_t envelope_size) {
  config.datagram_size_max =
      std::min(config.datagram_size_max, Gossip::kDatagramSizeMax - envelope_size - kPartOverhead);
  return config;
}

void append_part(std::string& out, PartFor kind, std::string_view bytes) {
  Writer part;
  part.number(static_cast<std::uint64_t>(kind));
  part.bytes(bytes);
  out.append(part.take());
}

std::size_t envelope_size(const GossipConfig& config) {
  check(!config.cluster.empty() && config.cluster.size() <= Gossip::kClusterSizeMax,
        "a cluster's name has 1 to 64 bytes");
  return kMagic.size() + 1 + config.cluster.size();
}

}  // namespace

Gossip::Gossip(Member self, Table& table, GossipConfig config, Random& random)
    : config_(std::move(config)),
      membership_(std::move(self), with_room(config_.membership, envelope_size(config_)), random),
      rows_(table, config_.table, random) {}

std::string Gossip::envelope() const {
  Writer cluster;
  cluster.bytes(config_.cluster);
  return std::string(kMagic) + cluster.take();
}

void Gossip::tick(Time now) {
  membership_.tick(now);
  if (rows_.take_digest_due(now)) {
    for (const Address& to : membership_.random_peers(1)) send_rows(to, rows_.digest());
  }
  if (now < next_round_) return;
  next_round_ = now + config_.membership.gossip_interval;
  if (!rows_.has_news()) return;
  const std::size_t room = kDatagramSizeMax - envelope().size() - kPartOverhead;
  for (const Address& to : membership_.random_peers(config_.membership.gossip_fanout)) {
    for (const std::string& news : rows_.take_news(config_.row_datagrams_per_round, room)) {
      send_rows(to, news);
    }
  }
}

Time Gossip::next_tick() const {
  const Time rows = rows_.has_news() ? next_round_ : rows_.next_digest();
  return std::min(membership_.next_tick(), rows);
}

Result<void> Gossip::receive(Time now, const Address& from, std::string_view bytes, bool stream) {
  if (bytes.size() > (stream ? kStreamSizeMax : kDatagramSizeMax)) {
    ++refusals_.oversize;
    return fail(Code::kInvalid, "a gossip message of " + std::to_string(bytes.size()) + " bytes");
  }
  const std::string expected = envelope();
  if (!bytes.starts_with(expected)) {
    ++refusals_.foreign;
    return fail(Code::kDenied, "a gossip message of another cluster than " + config_.cluster);
  }
  Reader in(bytes.substr(expected.size()));
  const std::size_t room = kDatagramSizeMax - expected.size() - kPartOverhead;
  std::vector<std::string> replies;
  Result<void> outcome;
  while (outcome && in.ok() && in.left() > 0) {
    const std::uint64_t kind = in.number();
    const std::string_view part = in.bytes();
    if (!in.ok()) break;
    if (kind == static_cast<std::uint64_t>(PartFor::kMembership)) {
      outcome = membership_.receive(now, from, part);
    } else if (kind == static_cast<std::uint64_t>(PartFor::kTable)) {
      outcome = rows_.receive(part, stream ? kStreamPartSize : room, replies);
    }  // others are of a later version
  }
  for (const std::string& reply : replies) send_rows(from, reply);
  if (outcome && in.ok()) return {};
  ++refusals_.damaged;
  return outcome ? fail(Code::kInvalid, "a damaged gossip message") : outcome;
}

void Gossip::send_rows(const Address& to, std::string_view part) {
  std::string bytes = envelope();
  append_part(bytes, PartFor::kTable, part);
  const bool stream = bytes.size() > kDatagramSizeMax;
  outgoing_.push_back({.to = to, .bytes = std::move(bytes), .stream = stream});
}

std::vector<Outgoing> Gossip::take_outgoing() {
  for (Outgoing& message : membership_.take_outgoing()) {
    std::string bytes = envelope();
    append_part(bytes, PartFor::kMembership, message.bytes);
    const std::size_t used = bytes.size() + kPartOverhead;
    if (!message.stream && used + kRowsSizeMin < kDatagramSizeMax && rows_.has_news()) {
      for (const std::string& news : rows_.take_news(1, kDatagramSizeMax - used)) {
        append_part(bytes, PartFor::kTable, news);
      }
    }
    message.bytes = std::move(bytes);
    outgoing_.push_back(std::move(message));
  }
  return std::exchange(outgoing_, {});
}

}  // namespace troupe::placement
