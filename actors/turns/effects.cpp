#include "actors/turns/effects.h"

#include <algorithm>
#include <utility>

#include "actors/schedule/calendar.h"
#include "actors/turns/outbox_message.h"
#include "actors/turns/reminder_writes.h"
#include "runtime/base/codec.h"

namespace troupe::actors {
namespace {

std::size_t size_bytes(const storage::TurnCommand& command) {
  std::size_t bytes = command.type.size() + command.id.size() + command.reply.size();
  for (const auto& each : command.state)
    bytes += each.name.size() + (each.value ? each.value->size() : 0);
  for (const auto& each : command.reminders) bytes += each.name.size() + each.body.size();
  for (const auto& each : command.outbox) bytes += each.message.size();
  return bytes;
}

Result<void> check_size(const Call& call, const storage::TurnCommand& command) {
  const std::size_t bytes = size_bytes(command);
  if (bytes <= kEntryBytesMax) return {};
  return fail(Code::kInvalid, "the turn of " + call.method + " on " + to_string(call.key) +
                                  " leaves " + std::to_string(bytes) +
                                  " bytes, at most 4 MiB fit an entry");
}

// What nobody may ask for, whether or not it is committed.
Result<void> check_timers(const TurnResult& result) {
  for (const TimerChange& each : result.timers) {
    if (each.every && *each.every <= Duration{0}) {
      return fail(Code::kInvalid, "timer '" + each.name + "' repeats every 0 s or less");
    }
  }
  return {};
}

// Deadlines travel as the time left, so that a try that was long on its way, or found its receiver
// stopped, runs that much later than its caller gave it up.
constexpr auto kRepeatMargin = std::chrono::seconds(15);

storage::Cause cause_of(const Call& call, WallTime now, Time boot_now) {
  if (call.kind == CallKind::kTick || call.kind == CallKind::kOneWay) return call.cause;
  if (!call.may_repeat) return {};
  const WallTime deadline = saturating_add(now, call.deadline - boot_now);
  return storage::CallCause{.id = call.id,
                            .keep_until = saturating_add(deadline, kRepeatMargin),
                            .done_below = call.done_below};
}

// The tick's reminder moves on, unless its own handler has registered or cancelled it.
Result<void> add_tick(const Call& call, TickEnd end, WallTime now, storage::TurnCommand& command,
                      bool* given_up = nullptr) {
  const auto& tick = std::get<storage::TickCause>(call.cause);
  for (const storage::ReminderWrite& each : command.reminders) {
    if (each.name == tick.name) return {};
  }
  Result<storage::ReminderWrite> write = tick_write(tick, call.message.view(), end, now, given_up);
  if (!write) return fail(write.error());
  command.reminders.push_back(*std::move(write));
  return {};
}

Result<void> add_reminders(const Call& call, const TurnResult& result, WallTime now,
                           storage::TurnCommand& command) {
  for (const ReminderChange& each : result.reminders) {
    Result<storage::ReminderWrite> write = reminder_write(call.key, each, now);
    if (!write) return fail(write.error());
    command.reminders.push_back(*std::move(write));
  }
  if (call.kind == CallKind::kTick) return add_tick(call, TickEnd::kDone, now, command);
  return {};
}

void add_outbox(const Call& call, const TurnResult& result, const Shards& shards,
                storage::TurnCommand& command) {
  for (const OneWayMessage& each : result.outbox) {
    command.outbox.push_back(
        {.target = shards.shard_of(each.target.type, each.target.id),
         .message = encode(OutboxMessage{.message = each, .traceparent = call.traceparent})});
  }
}

}  // namespace

bool needs_entry(const Call& call) {
  return call.kind == CallKind::kTick || call.kind == CallKind::kOneWay || call.repeated() ||
         call.must_record;
}

Result<Effects> effects_of(const Call& call, TurnResult& result,
                           const std::optional<ContentHash>& committed, const Clock& clock,
                           const Shards& shards) {
  if (Result<void> sound = check_timers(result); !sound) return fail(sound.error());
  Effects effects;
  if (result.state) {
    const ContentHash hash = content_hash(*result.state);
    if (hash != committed) effects.state = hash;
  }
  if (!effects.state && result.reminders.empty() && result.outbox.empty() && !needs_entry(call)) {
    return effects;
  }
  const WallTime now = clock.wall();
  const Time boot_now = clock.now();
  storage::TurnCommand& command = effects.command.emplace();
  command.type = call.key.type;
  command.id = call.key.id;
  command.cause = cause_of(call, now, boot_now);
  if (effects.state) command.state.emplace_back().value = std::move(result.state);
  if (Result<void> added = add_reminders(call, result, now, command); !added) {
    return fail(added.error());
  }
  add_outbox(call, result, shards, command);
  if (std::holds_alternative<storage::CallCause>(command.cause)) {
    command.reply =
        encode_reply({.body = result.reply, .content_type = result.content_type, .metadata = {}});
  }
  if (Result<void> fits = check_size(call, command); !fits) return fail(fits.error());
  return effects;
}

Result<storage::TurnCommand> consumption_of(const Call& call, WallTime now, bool& given_up) {
  storage::TurnCommand command;
  command.type = call.key.type;
  command.id = call.key.id;
  command.cause = call.cause;
  if (call.kind == CallKind::kTick) {
    if (Result<void> added = add_tick(call, TickEnd::kFailed, now, command, &given_up); !added) {
      return fail(added.error());
    }
  }
  return command;
}

Result<storage::TurnCommand> skip_of(const Call& call, WallTime now) {
  storage::TurnCommand command;
  command.type = call.key.type;
  command.id = call.key.id;
  command.cause = call.cause;
  const Result<void> added = add_tick(call, TickEnd::kSkipped, now, command);
  return added ? Result<storage::TurnCommand>(std::move(command)) : fail(added.error());
}

Result<storage::TurnCommand> entry_of(const Call& call, const StateOperations& operations,
                                      WallTime now, Time boot_now) {
  storage::TurnCommand command;
  command.type = call.key.type;
  command.id = call.key.id;
  command.cause = cause_of(call, now, boot_now);
  for (const StateOperation& each : operations.changes) {
    storage::StateWrite& write = command.state.emplace_back();
    write.name = each.name;
    write.value = each.value;
    write.etag = each.etag;
    if (each.ttl) write.expires = now + *each.ttl;
  }
  if (Result<void> fits = check_size(call, command); !fits) return fail(fits.error());
  return command;
}

std::string encode_reply(const Reply& reply) {
  Writer writer;
  writer.bytes(reply.body.view());
  writer.bytes(reply.content_type);
  return writer.take();
}

Result<Reply> recorded_reply(const storage::Outcome& outcome) {
  Reply reply;
  if (!outcome.reply_recorded) {
    reply.metadata.push_back({.name = std::string(kAppliedBefore), .value = "true"});
    return reply;
  }
  Reader reader(outcome.reply);
  reply.body = reader.string();
  reply.content_type = reader.string();
  if (!reader.finished()) return fail(Code::kDataLoss, "damaged recorded reply");
  return reply;
}

}  // namespace troupe::actors
