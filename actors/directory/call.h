#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/shard/entry.h"
#include <troupe/actor_key.h>
#include <troupe/actor_type.h>
#include <troupe/function.h>
#include <troupe/payload.h>
#include <troupe/time.h>

namespace troupe::actors {

/// What a call asks of the actor.
enum class CallKind : std::uint8_t {
  kMethod,
  kTimer,      // a timer of the activation
  kTick,       // a reminder is due: `cause` names it
  kOneWay,     // a message from an outbox: `cause` names it
  kState,      // a state transaction of the API, as a turn of its own; see StateOperations
  kReminders,  // a reminder operation of the API, without an activation
  kTimers,     // a timer operation of the API: sets or cancels one timer of the activation
};

using troupe::Metadata;

/// Metadata that stands for the query of a URL, as it was written; no header can have this name.
inline constexpr std::string_view kQueryMetadata = ":query";
/// Beside a reply whose body is an error, as Dapr's SDKs mark it; in these letters.
inline constexpr std::string_view kErrorMetadata = "X-Daprerrorresponseheader";
/// What a call hears that enters a reentrant actor too often: Dapr's words, which its API looks
/// for.
inline constexpr std::string_view kTooDeep = "maximum stack depth exceeded";

/// The calls that led to this one, the oldest first: for reentrancy, and to see a deadlock coming.
struct Chain {
  std::string id;                 // the reentrancy id; empty until a reentrant actor is met
  std::vector<ActorKey> waiting;  // whose turns wait for this call
};
/// A chain longer than this is refused.
inline constexpr std::size_t kChainLengthMax = 64;

struct Reply {
  Payload body;
  std::string content_type;
  std::vector<Metadata> metadata;
};

/// One call on its way to an actor. Moves from hand to hand; whoever holds it last calls `done`.
struct Call {
  ActorKey key;
  CallKind kind = CallKind::kMethod;
  std::string method;
  Payload message;
  std::string content_type;
  std::vector<Metadata> metadata;
  std::string traceparent;  // W3C trace context
  Time deadline;
  Chain chain;
  storage::CallId id;          // stays the same through redirects and retries
  bool may_repeat = false;     // the caller may send it again under the same id: record the reply
  bool may_have_run = false;   // an earlier try of it, that a node of the cluster made
  bool asked_before = false;   // an earlier try of it, that its caller made, may have run
  bool must_record = false;    // its turn cannot be undone: the reply is recorded whatever it left
  bool here_only = false;      // by the activation on this node, or not at all
  std::uint32_t unknowns = 0;  // tries of which nobody could say whether they took effect
  std::uint64_t done_below = 0;  // its caller repeats none of its calls below this number any more
  storage::Cause cause;          // of kTick and kOneWay
  std::uint32_t redirects = 0;
  Time ownerless_since{};     // since when its owner is looked for in vain
  NodeId from;                // the node it came from; nobody: begun here
  std::uint64_t from_id = 0;  // its number for the call
  Done<Reply> done;           // on any thread; must not block

  /// It may have been sent before, and have had its effect.
  bool repeated() const { return may_repeat && redirects > 0; }
  /// Its caller has named it, and keeps the name when it asks again.
  bool named() const { return may_repeat && id.generation == Generation{}; }
};

}  // namespace troupe::actors
