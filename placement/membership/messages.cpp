#include "placement/membership/messages.h"

#include <optional>
#include <utility>

namespace troupe::placement {
namespace {

// Positions in Part, and so the kinds on the wire: append only.
template <std::size_t I>
using PartAt = std::variant_alternative_t<I, Part>;
static_assert(std::is_same_v<PartAt<0>, Ping> && std::is_same_v<PartAt<7>, PushPull>);

void write(Writer& out, const Address& address) {
  out.bytes(address.host);
  out.number(address.port);
}

Address read_address(Reader& in) {
  Address address;
  const std::string_view host = in.bytes();
  if (host.size() > Member::kTextSizeMax) in.damage();
  if (in.ok()) address.host = host;
  address.port = static_cast<std::uint16_t>(in.number_up_to(65535));
  return address;
}

void write(Writer& out, const Ping& ping) {
  out.number(ping.number);
  out.id(ping.target);
}
void write(Writer& out, const PingRequest& request) {
  out.number(request.number);
  out.id(request.target);
  write(out, request.address);
}
void write(Writer& out, const Ack& ack) { out.number(ack.number); }
void write(Writer& out, const Nack& nack) { out.number(nack.number); }
void write(Writer& out, const Alive& alive) { encode(out, alive.member); }
void write(Writer& out, const Suspect& suspect) {
  out.id(suspect.node);
  out.id(suspect.generation);
  out.number(suspect.incarnation);
  out.id(suspect.from);
}
void write(Writer& out, const Dead& dead) {
  out.id(dead.node);
  out.id(dead.generation);
  out.number(dead.incarnation);
  out.boolean(dead.left);
}
void write(Writer& out, const PushPull& all) {
  out.boolean(all.answer);
  out.number(all.entries.size());
  for (const PushPull::Entry& entry : all.entries) {
    encode(out, entry.member);
    out.number(static_cast<std::uint64_t>(entry.status));
  }
}

PushPull read_push_pull(Reader& in, std::size_t members_max) {
  PushPull all;
  all.answer = in.boolean();
  const std::uint64_t count = in.number_up_to(members_max);
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
    Member member = decode_member(in);
    const auto status = static_cast<MemberStatus>(in.number_up_to(3));
    all.entries.push_back({.member = std::move(member), .status = status});
  }
  return all;
}

Suspect read_suspect(Reader& in) {
  Suspect suspect;
  suspect.node = in.id<NodeId>();
  suspect.generation = in.id<Generation>();
  suspect.incarnation = in.number();
  suspect.from = in.id<NodeId>();
  return suspect;
}

Dead read_dead(Reader& in) {
  Dead dead;
  dead.node = in.id<NodeId>();
  dead.generation = in.id<Generation>();
  dead.incarnation = in.number();
  dead.left = in.boolean();
  return dead;
}

// None for a kind of a later version.
std::optional<Part> read_part(Reader& in, std::size_t members_max) {
  switch (in.number()) {
    case 0: {
      const std::uint64_t number = in.number();
      return Ping{.number = number, .target = in.id<NodeId>()};
    }
    case 1: {
      PingRequest request;
      request.number = in.number();
      request.target = in.id<NodeId>();
      request.address = read_address(in);
      return request;
    }
    case 2:
      return Ack{.number = in.number()};
    case 3:
      return Nack{.number = in.number()};
    case 4:
      return Alive{.member = decode_member(in)};
    case 5:
      return read_suspect(in);
    case 6:
      return read_dead(in);
    case 7:
      return read_push_pull(in, members_max);
    default:
      return std::nullopt;
  }
}

}  // namespace

std::string message_header(NodeId sender) {
  Writer out;
  out.id(sender);
  return out.take();
}

std::string encode_part(const Part& part) {
  Writer body;
  body.number(part.index());
  std::visit([&](const auto& fields) { write(body, fields); }, part);
  Writer out;
  out.bytes(body.take());
  return out.take();
}

Result<Message> decode_message(std::string_view bytes, std::size_t members_max) {
  Reader in(bytes);
  Message message;
  message.sender = in.id<NodeId>();
  while (in.ok() && in.left() > 0) {
    Reader body(in.bytes());
    std::optional<Part> part = read_part(body, members_max);
    if (!part) continue;
    if (!body.finished()) in.damage();
    message.parts.push_back(std::move(*part));
  }
  if (!in.ok() || message.sender.empty()) return fail(Code::kInvalid, "a damaged gossip message");
  return message;
}

}  // namespace troupe::placement
