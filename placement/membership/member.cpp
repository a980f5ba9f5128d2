#include "placement/membership/member.h"

#include <algorithm>
#include <charconv>

namespace troupe::placement {
namespace {

constexpr std::uint64_t kPortMax = 65535;
enum Flags : std::uint8_t { kStorage = 1, kHosting = 2, kDraining = 4, kAllFlags = 7 };

std::string read_text(Reader& in) {
  const std::string_view text = in.bytes();
  if (text.size() <= Member::kTextSizeMax) return std::string(text);
  in.damage();
  return {};
}

bool may_be_called(const View::Entry& entry) {
  return entry.status == MemberStatus::kAlive || entry.status == MemberStatus::kSuspect;
}

}  // namespace

std::string to_string(const Address& address) {
  const bool ipv6 = address.host.find(':') != std::string::npos;
  return (ipv6 ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

std::optional<Address> parse_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  Address address;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (host.empty() || error != std::errc() || end != port.data() + port.size()) {
    return std::nullopt;
  }
  address.host = host;
  return address;
}

void encode(Writer& out, const Member& member) {
  out.id(member.id);
  out.id(member.generation);
  out.number(member.incarnation);
  out.bytes(member.address.host);
  out.number(member.address.port);
  out.number((member.storage ? kStorage : 0U) | (member.hosting ? kHosting : 0U) |
             (member.draining ? kDraining : 0U));
  out.number(member.weight);
  out.bytes(member.zone);
  out.bytes(member.app_id);
  out.number(member.http_port);
  out.number(member.grpc_port);
  out.number(member.types.size());
  for (const std::string& type : member.types) out.bytes(type);
}

Member decode_member(Reader& in) {
  Member member;
  member.id = in.id<NodeId>();
  member.generation = in.id<Generation>();
  member.incarnation = in.number();
  member.address.host = read_text(in);
  member.address.port = static_cast<std::uint16_t>(in.number_up_to(kPortMax));
  const std::uint64_t flags = in.number_up_to(kAllFlags);
  member.storage = (flags & kStorage) != 0;
  member.hosting = (flags & kHosting) != 0;
  member.draining = (flags & kDraining) != 0;
  member.weight = static_cast<std::uint32_t>(in.number_up_to(0xffff'ffff));
  member.zone = read_text(in);
  member.app_id = read_text(in);
  member.http_port = static_cast<std::uint16_t>(in.number_up_to(kPortMax));
  member.grpc_port = static_cast<std::uint16_t>(in.number_up_to(kPortMax));
  const std::uint64_t types = in.number_up_to(Member::kTypesMax);
  std::size_t size_bytes = 0;
  for (std::uint64_t i = 0; i < types && in.ok(); ++i) {
    member.types.push_back(read_text(in));
    size_bytes += member.types.back().size();
  }
  if (size_bytes > Member::kEncodedSizeMax || member.id.empty()) in.damage();
  return member;
}

const View::Entry* View::find(NodeId node) const {
  const auto found =
      std::ranges::lower_bound(members, node, {}, [](const Entry& e) { return e.member->id; });
  return found != members.end() && found->member->id == node ? &*found : nullptr;
}

std::vector<std::shared_ptr<const Member>> View::reachable() const {
  std::vector<std::shared_ptr<const Member>> found;
  for (const Entry& entry : members) {
    if (may_be_called(entry)) found.push_back(entry.member);
  }
  return found;
}

bool View::reaches(NodeId node) const {
  const Entry* entry = find(node);
  return entry != nullptr && may_be_called(*entry);
}

}  // namespace troupe::placement
