#pragma once

#include <optional>
#include <string_view>

#include "storage/shard/entry.h"
#include <troupe/actor_type.h>
#include <troupe/result.h>

/// Reminders as turns see them: what the methods of a type ask for, and what a tick means.
namespace troupe::actors {

/// What registers, or erases, a reminder of `key`. kInvalid, saying why, for texts that are no
/// times.
Result<storage::ReminderWrite> reminder_write(const ActorKey& key, const ReminderChange& change,
                                              WallTime now);

/// The message of a tick, from the reminder's body as the shard has it; nothing if it comes so late
/// that the reminder wants it skipped.
/// `outside`: for such a type, with the facts of the tick.
Result<std::optional<TurnMessage>> tick_message(std::string_view body, WallTime now, bool outside);

enum class TickEnd : std::uint8_t { kDone, kFailed, kSkipped };

/// What the tick's own entry does to its reminder: the next tick, the next attempt, or the end.
/// `given_up`, if not null, is set to whether a failed tick gets no further attempt.
Result<storage::ReminderWrite> tick_write(const storage::TickCause& cause, std::string_view body,
                                          TickEnd end, WallTime now, bool* given_up = nullptr);

}  // namespace troupe::actors
