#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "placement/membership/member.h"
#include <troupe/result.h>

namespace troupe::placement {

// What members say to one another. A message names its sender and holds parts; each part is its
// length, its kind and its fields, so that a part of an unknown kind is skipped.

/// Answer with an Ack of the same number, if you are `target`.
struct Ping {
  std::uint64_t number = 0;
  NodeId target;
};
/// Ping `target` for me; Ack if it answers, Nack if it does not in time.
struct PingRequest {
  std::uint64_t number = 0;
  NodeId target;
  Address address;
};
struct Ack {
  std::uint64_t number = 0;
};
struct Nack {
  std::uint64_t number = 0;
};
/// The member's own words.
struct Alive {
  Member member;
};
struct Suspect {
  NodeId node;
  Generation generation;
  std::uint64_t incarnation = 0;
  NodeId from;  // whoever suspects
};
struct Dead {
  NodeId node;
  Generation generation;
  std::uint64_t incarnation = 0;
  bool left = false;
};
/// Everything the sender knows.
struct PushPull {
  struct Entry {
    Member member;
    MemberStatus status = MemberStatus::kAlive;
  };
  bool answer = false;  // wants the same in return
  std::vector<Entry> entries;
};

using Part = std::variant<Ping, PingRequest, Ack, Nack, Alive, Suspect, Dead, PushPull>;

struct Message {
  NodeId sender;
  std::vector<Part> parts;
};

/// Bytes of a message's beginning.
inline constexpr std::size_t kMessageHeaderSize = 16;

std::string message_header(NodeId sender);
/// With its length in front: append it to a header.
std::string encode_part(const Part& part);
/// `members_max` bounds a PushPull.
Result<Message> decode_message(std::string_view bytes, std::size_t members_max);

}  // namespace troupe::placement
