#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "actors/directory/call.h"
#include "actors/state/content_hash.h"
#include "actors/state/operations.h"
#include "actors/turns/shards.h"
#include "runtime/base/clock.h"
#include "storage/shard/entry.h"
#include <troupe/actor_type.h>
#include <troupe/result.h>

namespace troupe::actors {

/// What a turn may write at most, in one entry.
inline constexpr std::size_t kEntryBytesMax = 4 << 20;

/// The entry that a turn leaves, if it leaves one.
struct Effects {
  std::optional<storage::TurnCommand> command;
  std::optional<ContentHash> state;  // of the state it writes
};

/// Turns what a turn left into its entry. An unchanged state is no effect; a tick, a one-way
/// message and a call that may be repeated always need an entry, which names them as its cause.
/// `clock`: the proposer's, for everything that is due; not read if there is no entry.
/// The entry takes the state out of `result`.
/// kInvalid: a reminder's times make no sense, or the entry would be too large.
Result<Effects> effects_of(const Call& call, TurnResult& result,
                           const std::optional<ContentHash>& committed, const Clock& clock,
                           const Shards& shards);

/// The entry of a turn that threw, but whose cause must not come again: it consumes the cause and
/// changes nothing else but the reminder's next tick. For ticks and one-way messages.
/// `given_up`: whether the tick gets no further attempt.
Result<storage::TurnCommand> consumption_of(const Call& call, WallTime now, bool& given_up);
/// The entry of a tick that nobody runs any more.
Result<storage::TurnCommand> skip_of(const Call& call, WallTime now);

/// The entry of changes to named values. kInvalid if it would be too large.
Result<storage::TurnCommand> entry_of(const Call& call, const StateOperations& operations,
                                      WallTime now, Time boot_now);

/// How a reply is recorded with its entry, for a caller that asks again.
std::string encode_reply(const Reply& reply);
/// What `outcome`, kConsumed, tells the caller who asks again.
Result<Reply> recorded_reply(const storage::Outcome& outcome);

/// Metadata of a reply to a call that ran before, whose own reply was too long to keep.
inline constexpr std::string_view kAppliedBefore = "troupe-applied-before";

/// Whether the turn of such a call ends with an entry even if it leaves nothing. So does a call
/// that was sent before: an earlier turn of it may have left something, and its reply is the one to
/// give. The first sending need not: if it left nothing, to run again does no harm.
bool needs_entry(const Call& call);

}  // namespace troupe::actors
