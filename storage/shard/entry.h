#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "runtime/base/ids.h"
#include "storage/shard/call_id.h"
#include "storage/shard/restored.h"
#include <troupe/payload.h>
#include <troupe/result.h>
#include <troupe/time.h>

/// What a shard's log holds: commands whose times and schedules the proposer has worked out, so
/// that applying one is the same pure computation on every replica.
namespace troupe::storage {

/// A turn ran because a caller that may retry asked.
struct CallCause {
  CallId id;
  WallTime keep_until;  // how long the reply is kept for retries: the call's deadline
  /// The caller repeats none of its calls below this number any more, and their replies go.
  std::uint64_t done_below = 0;
};
/// Because a reminder was due: the reminder's row must still be of this registration and number.
struct TickCause {
  std::string name;
  std::uint64_t registration = 0;  // index of the entry that registered it
  std::uint64_t number = 0;        // the first tick is number 1
};
/// Because a one-way message arrived: number `number` from `source` to this shard. Everything below
/// `low_water` is consumed for good, and is forgotten.
struct OutboxCause {
  ShardId source;
  std::uint64_t number = 0;
  std::uint64_t low_water = 0;
};
using Cause = std::variant<std::monostate, CallCause, TickCause, OutboxCause>;

/// A named value of the actor. A native actor's own state has the empty name.
struct StateWrite {
  std::string name;
  std::optional<std::string> value;  // nothing: erase
  std::optional<WallTime> expires;
  std::optional<std::uint64_t> etag;  // if given, the entry is refused unless this is the version
};

/// A change to a reminder of the actor.
struct ReminderWrite {
  enum class Kind : std::uint8_t {
    kRegister,          // replaces one of that name; the entry's index becomes its registration
    kRegisterIfAbsent,  // the entry is refused with kConflict if there is one of that name
    kAdvance,           // of the turn's own tick: new number, or the same and a later due time for
                        // another attempt; new body; keeps registration
    kErase,
  };
  Kind kind = Kind::kRegister;
  std::string name;
  std::uint64_t number = 1;  // of the next tick
  WallTime due;              // of the next attempt
  std::string body;          // what actors/reminders makes of it; opaque here
};

/// A one-way message, or a publish.
struct OutboxWrite {
  ShardId target;
  std::string message;  // opaque here
};

/// The effects of one turn of one actor.
struct TurnCommand {
  std::string type;
  std::string id;
  Epoch epoch;
  std::uint64_t sequence = 0;
  Cause cause;
  std::vector<StateWrite> state;
  std::vector<ReminderWrite> reminders;
  std::vector<OutboxWrite> outbox;
  std::string
      reply;  // recorded if the cause is a call; longer than kRecordedReplyMax: only that it ran
};
inline constexpr std::size_t kRecordedReplyMax = 4096;

/// Makes `node` the owner of a type's actors in this shard, under epoch `replaces` + 1. Refused
/// unless the current epoch is `replaces`. Nobody as `node` releases.
struct AssignCommand {
  std::string type;
  NodeId node;
  Generation generation;
  Epoch replaces;
};

/// The receiver has consumed these numbers for good: the messages go.
struct OutboxDoneCommand {
  ShardId target;
  std::vector<std::uint64_t> numbers;
};

/// Every reminder due before `watermark` has been consumed: the due index below it goes.
struct WatermarkCommand {
  WallTime watermark;
};

/// Fills an empty shard with what a backup holds for it.
///
///     kBegin ──→ kLoad 1 ──→ kLoad 2 ... ──→ kFinish        kBegin again: from the start
///        └───────────┴──────────────→ kAbandon: empty again
///
/// In between the shard has no owners and gets none, so nothing runs in it. Refused with
/// kPrecondition: the beginning where there are rows or another restore has finished; all others
/// where not this restore, or not this part, is next. A part or an end that comes again changes
/// nothing.
struct RestoreCommand {
  enum class Step : std::uint8_t { kBegin, kLoad, kFinish, kAbandon };
  Step step = Step::kBegin;
  std::string restore;     // names the attempt; not that of kAbandon
  std::uint64_t part = 0;  // of kLoad: its number, from 1; of kFinish: how many there were, 0: any
  std::vector<RestoredRow> rows = {};
};
/// An entry to finish is refused with kUnavailable until rights given out before the beginning have
/// ended: this long after it. Twice a lease.
inline constexpr Duration kRestoreClosed = std::chrono::seconds(2);

using Command =
    std::variant<TurnCommand, AssignCommand, OutboxDoneCommand, WatermarkCommand, RestoreCommand>;

struct Entry {
  WallTime now;  // the proposer's clock; replicas never read their own
  Command command;
};

/// The newest version of entries that this build reads. It writes each in the oldest that can say
/// it. 2: a call's `done_below`, and restores.
inline constexpr std::uint64_t kEntryVersion = 2;

std::string encode(const Entry& entry);
/// kDataLoss for damaged bytes, kUnimplemented for a version newer than ours.
Result<Entry> decode_entry(std::string_view bytes);

/// What became of an entry, known once it is applied.
struct Outcome {
  enum class Kind : std::uint8_t {
    kApplied,
    kConsumed,    // the cause had its effect before; `reply` is the recorded one
    kStaleEpoch,  // the proposer is no longer the owner
    kGap,         // the sequence is not the last plus one; `last_sequence` is
    kRefused,     // a condition did not hold: see `error`
  };
  Kind kind = Kind::kApplied;
  std::uint64_t index = 0;
  std::uint64_t last_sequence = 0;
  std::string reply;
  bool reply_recorded = false;  // false with kConsumed: it ran, and its reply was too long to keep
  std::optional<Error> error;
  /// What was applied, if whoever proposed it is in this process: memory is cheapest to free where
  /// it was allocated.
  std::shared_ptr<const Entry> entry{};
};

}  // namespace troupe::storage
