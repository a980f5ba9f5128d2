#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/codec.h"
#include "runtime/base/ids.h"

namespace troupe::placement {

/// Where a node listens for its peers: one port number, for TCP (streams) and UDP (gossip).
struct Address {
  std::string host;  // a name or an IP address, without brackets
  std::uint16_t port = 0;

  friend auto operator<=>(const Address&, const Address&) = default;
};

/// `host:port`, with brackets around an IPv6 address.
std::string to_string(const Address& address);
/// The address that such a text spells; none if it spells none.
std::optional<Address> parse_address(std::string_view text);

enum class MemberStatus : std::uint8_t {
  kAlive,
  kSuspect,  // did not answer; may still refute
  kDead,     // did not answer for long, or another process has taken its place
  kLeft,     // said goodbye
};

/// What a member says about itself. Everything in it spreads to every node.
struct Member {
  static constexpr std::size_t kTypesMax = 512;
  static constexpr std::size_t kTextSizeMax = 256;       // bytes, of each name
  static constexpr std::size_t kEncodedSizeMax = 32768;  // bytes

  NodeId id;
  Generation generation;
  std::uint64_t incarnation = 0;  // SWIM's counter: raised by the member to refute or to change
  Address address;
  bool storage = true;    // holds replicas
  bool hosting = true;    // hosts actor types
  bool draining = false;  // wants to lose its replicas and owners
  std::uint32_t weight = 1;
  std::string zone;
  std::string app_id;
  std::uint16_t http_port = 0;  // 0: none
  std::uint16_t grpc_port = 0;
  std::vector<std::string> types;  // hosted actor types, full names, sorted

  friend bool operator==(const Member&, const Member&) = default;
};

void encode(Writer& out, const Member& member);
/// Damages `in` if the member breaks a limit.
Member decode_member(Reader& in);

/// All members, at one moment. Immutable.
struct View {
  struct Entry {
    std::shared_ptr<const Member> member;
    MemberStatus status = MemberStatus::kAlive;
  };

  std::uint64_t version = 0;   // grows with every change
  std::vector<Entry> members;  // sorted by node id; self included; the forgotten are not

  /// Null if unknown. The entry lives as long as the view.
  const Entry* find(NodeId node) const;
  /// Alive or suspect: those that may be called.
  std::vector<std::shared_ptr<const Member>> reachable() const;
  bool reaches(NodeId node) const;
};

/// What changed, in the order it was learned.
struct MemberEvent {
  enum class Kind : std::uint8_t {
    kJoined,     // first heard of, back after death, or replaced by a newer generation
    kUpdated,    // says something else about itself
    kSuspected,  //
    kRefuted,    // alive after all
    kDied,       //
    kLeft,       //
  };
  Kind kind = Kind::kJoined;
  std::shared_ptr<const Member> member;
};

}  // namespace troupe::placement
