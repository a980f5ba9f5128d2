#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "actors/directory/call.h"
#include "runtime/base/codec.h"
#include "runtime/base/ids.h"
#include "storage/raft/message.h"
#include <troupe/result.h>
#include <troupe/time.h>

/// What nodes say to one another, as bytes. Formats: README.md beside this file.
namespace troupe::cluster {

/// Messages of Raft groups, from this node's replicas to those of one other node: all of one loop
/// turn in one frame.
struct RaftFrame {
  struct Item {
    ShardId shard;
    raft::Message message;
  };
  std::vector<Item> items;  // decoding leaves out messages that make no sense
};

/// Makes the bytes of a RaftFrame, a message at a time.
class RaftFrameWriter {
 public:
  void add(ShardId shard, const raft::Message& message);
  /// The whole frame; the writer is empty after it.
  std::string take();

 private:
  std::uint64_t count_ = 0;
  Writer items_;
  Writer message_;
};

/// What one node may ask of another, outside calls of actors.
enum class Service : std::uint8_t {
  kPropose = 1,  // an entry, to the shard's leader
  kLoad,         // values of an actor, to the shard's leader
  kReminders,    // reminders of an actor, likewise
  kConfirm,      // is this epoch still the current one?
  kOwner,        // who owns a type in a shard? Assigns somebody if nobody does
  kReconfigure,  // a membership change or a transfer, to the shard's leader
  kSnapshot,     // a part of a replica's data
  kMeta,         // a command, to the leader of the meta shard
  kMetaRead,     // what the meta shard knows
  kBootstrap,    // a step of founding a cluster
  kLease,        // prolongs the rights of one owner
  kRelease,      // an owner gives a right back
  kAdmin,        // a question of a person, by way of another node
  kRecall,       // what was answered to a call, to the shard's leader
  kTestify,      // a node saw that a process is gone
  kLast = kTestify,
};

struct RequestFrame {
  std::uint64_t id = 0;
  Service service = Service::kPropose;
  Duration time_left{0};
  std::string body;
};
struct ResponseFrame {
  std::uint64_t id = 0;
  Result<std::string> result;
};

/// A call of an actor. `done` does not travel; the deadline travels as the time left.
struct CallFrame {
  std::uint64_t id = 0;
  RowVersion row;  // the row that led here: a receiver that knows less waits until it has caught up
  actors::Call call;
};
struct ReplyFrame {
  std::uint64_t id = 0;
  Result<actors::Reply> result;
  bool elsewhere = false;  // the call did not run: the receiver does not own the actor
  std::string row;         // then: what it knows of the shard, see placement/table
};

struct GossipFrame {
  std::string bytes;
};

using Frame =
    std::variant<RaftFrame, RequestFrame, ResponseFrame, CallFrame, ReplyFrame, GossipFrame>;

/// `now` turns the deadline of a call into the time left.
std::string encode(const Frame& frame, Time now);
/// Two that are encoded often: the same bytes, without a copy of what they hold.
std::string encode_call(std::uint64_t id, RowVersion row, const actors::Call& call, Time now);
std::string encode_reply(const ReplyFrame& reply);
/// kInvalid for anything that is not one whole frame.
Result<Frame> decode_frame(std::string_view bytes, Time now);

/// Two that are decoded often. Empty for anything else than one whole frame of the kind.
std::optional<CallFrame> decode_call(std::string_view bytes, Time now);
std::optional<ReplyFrame> decode_reply(std::string_view bytes);

/// What a frame says it is. kOther for any bytes but the first two kinds'.
enum class FrameKind : std::uint8_t { kCall, kReply, kOther };
FrameKind kind_of(std::string_view bytes);

// Parts of other formats.
void write_error(Writer& out, const Error& error);
Error read_error(Reader& in);
void write_call_id(Writer& out, const storage::CallId& id);
storage::CallId read_call_id(Reader& in);

std::string encode_outcome(const storage::Outcome& outcome);
/// kInternal for anything else than one whole outcome.
Result<storage::Outcome> decode_outcome(std::string_view bytes);

}  // namespace troupe::cluster
