#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "runtime/base/codec.h"
#include "storage/raft/types.h"
#include <troupe/result.h>
#include <troupe/time.h>

namespace troupe::raft {

/// Asks for a vote in Message::term; if `pre`, only whether it would be given.
struct VoteRequest {
  bool pre = false;
  bool transfer = false;  // the leader itself asked for this election
  Index last_index = 0;
  Term last_term = 0;

  friend bool operator==(const VoteRequest&, const VoteRequest&) = default;
};

struct VoteResponse {
  bool pre = false;
  bool granted = false;
  /// Since the voter last acknowledged anything to the leader before: no lease from an earlier
  /// acknowledgement of its lives on. Since its start, if it never did.
  Duration heard_leader_ago{};

  friend bool operator==(const VoteResponse&, const VoteResponse&) = default;
};

/// Entries that follow (previous_index, previous_term).
struct AppendRequest {
  Index previous_index = 0;
  Term previous_term = 0;
  Index committed = 0;
  std::vector<Entry> entries{};

  friend bool operator==(const AppendRequest&, const AppendRequest&) = default;
};

/// Accepted: the log is durable and equal to the leader's up to `index`. Rejected: it has nothing
/// equal at `index`; the logs can meet at `hint_index` at best, where its term is `hint_term`.
struct AppendResponse {
  bool rejected = false;
  Index index = 0;
  Index hint_index = 0;
  Term hint_term = 0;

  friend bool operator==(const AppendResponse&, const AppendResponse&) = default;
};

struct Heartbeat {
  std::uint64_t round = 0;
  Index committed = 0;  // and known to be in the receiver's log

  friend bool operator==(const Heartbeat&, const Heartbeat&) = default;
};

struct HeartbeatResponse {
  std::uint64_t round = 0;

  friend bool operator==(const HeartbeatResponse&, const HeartbeatResponse&) = default;
};

/// The leader hands over: campaign at once.
struct TimeoutNow {
  friend bool operator==(const TimeoutNow&, const TimeoutNow&) = default;
};

using Body = std::variant<VoteRequest, VoteResponse, AppendRequest, AppendResponse, Heartbeat,
                          HeartbeatResponse, TimeoutNow>;

/// What replicas say to one another. May be lost, repeated and overtaken.
struct Message {
  Address from;
  Address to;
  Term term = 0;
  Body body;

  friend bool operator==(const Message&, const Message&) = default;
};

/// Longer messages and larger entries are refused by decode_message().
inline constexpr std::size_t kMessageEntriesMax = 4096;

std::string encode(const Message& message);
/// The same, behind what `out` holds.
void encode(Writer& out, const Message& message);

/// kDataLoss for anything that encode() does not write of a message that makes sense: entries
/// without gaps whose terms never fall or exceed the message's, configurations that decode, and
/// indexes and terms far from overflow.
Result<Message> decode_message(std::string_view bytes);

/// The forms on disk, for those who store a log. kDataLoss if damaged.
std::string encode(const HardState& state);
Result<HardState> decode_hard_state(std::string_view bytes);

}  // namespace troupe::raft
