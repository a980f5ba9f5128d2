#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>

#include "runtime/base/ids.h"
#include <troupe/payload.h>

namespace troupe::raft {

/// A place in the log, from 1. 0 comes before the first entry.
using Index = std::uint64_t;

/// A reign: in each term there is at most one leader. 0 comes before the first.
using Term = std::uint64_t;

/// Where a replica is. A node that lost or dropped its replica comes back under a higher replica
/// id, and is then somebody else: what the old replica promised does not bind the new one.
struct Address {
  NodeId node;
  ReplicaId replica;

  bool empty() const { return node.empty(); }
  friend auto operator<=>(const Address&, const Address&) = default;
};

/// "1a2b3c4d/7", for people.
std::string to_string(const Address& address);

/// What an entry of the log is for. Part of the formats on disk and on the wire.
enum class EntryKind : std::uint8_t {
  kNoOp = 0,           // the first entry of every leader; says nothing
  kData = 1,           // a proposal: for the state machine
  kConfiguration = 2,  // an encoded Configuration
};

struct Entry {
  Term term = 0;
  Index index = 0;
  EntryKind kind = EntryKind::kNoOp;
  Payload data{};

  friend bool operator==(const Entry&, const Entry&) = default;
};

/// What a replica must never forget: the newest term it has seen and whom it gave its vote in it.
struct HardState {
  Term term = 0;
  Address vote{};  // empty: nobody yet

  friend bool operator==(const HardState&, const HardState&) = default;
};

}  // namespace troupe::raft
