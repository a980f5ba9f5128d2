#include "storage/shard/machine.h"

#include <algorithm>
#include <utility>

#include "runtime/base/check.h"
#include "runtime/base/codec.h"
#include "storage/scan.h"
#include "storage/shard/machine_outcome.h"
#include "storage/shard/machine_turn.h"
#include "storage/shard/row_codec.h"

namespace troupe::storage {
namespace {

// Of what is kept for ticks on their way.
constexpr std::size_t kHandedOutMax = 256;

}  // namespace

ShardMachine::ShardMachine(ReplicaKeys keys, std::uint32_t shard_count, const Reads& reads,
                           ShardLimits limits)
    : keys_(keys), shard_count_(shard_count), reads_(reads), limits_(limits) {}

Result<Outcome> ShardMachine::apply(std::uint64_t index, std::uint64_t term, const Entry& entry,
                                    Batch& out) {
  check(loaded_, "a shard is loaded before it applies entries");
  if (auto dropped = drop_expired(entry.now, out); !dropped) return fail(dropped.error());
  return std::visit(
      [&](const auto& command) -> Result<Outcome> {
        return run({.index = index, .term = term, .now = entry.now}, command, out);
      },
      entry.command);
}

void ShardMachine::put_sequences(Batch& out) {
  for (const auto& owner : advanced_) {
    out.put(keys_.owner(owner->first), encode_owner(owner->second));
  }
  advanced_.clear();
}

Result<ReminderRow> ShardMachine::hand_out(const DueReminder& due) const {
  Result<ReminderRow> row = due_reminder(reads_, keys_, due);
  if (!row) return row;
  if (handed_out_.size() >= kHandedOutMax) handed_out_.clear();
  handed_out_.insert_or_assign(
      keys_.reminder(due.type, due.id, due.name),
      ReminderMark{.registration = row->registration, .number = row->number, .due = row->due});
  return row;
}

Result<std::optional<Outcome>> ShardMachine::consumed(const CallId& id) const {
  if (!recorded_.contains(id)) {
    if (!recorded_.done(id)) return std::optional<Outcome>();
    return std::optional(refused(0, Code::kConflict,
                                 "the caller of call " + std::to_string(id.sequence) +
                                     " has said before that it needs no answer to it any more"));
  }
  const auto found = reads_.get(keys_.call(id));
  if (!found) return fail(found.error());
  std::optional<RecordedCall> recorded;
  if (*found) recorded = decode_recorded_call(**found);
  if (!recorded) return damaged("recorded call");
  Outcome consumed;
  consumed.kind = Outcome::Kind::kConsumed;
  consumed.reply_recorded = recorded->reply_recorded;
  consumed.reply = std::move(recorded->reply);
  return std::optional(std::move(consumed));
}

Result<void> ShardMachine::drop_expired(WallTime now, Batch& out) {
  for (std::size_t left = limits_.expired_per_entry_max; left > 0; --left) {
    const auto gone = recorded_.take_expired(now);
    if (!gone) break;
    out.erase(gone->mark ? keys_.done(gone->id) : keys_.call(gone->id));
  }
  if (!next_value_expiry_ || *next_value_expiry_ > now) return {};
  return drop_expired_values(now, out);
}

void ShardMachine::drop_done(const CallCause& call, Batch& out) {
  const auto done = recorded_.drop_below(call.id, call.done_below, limits_.done_per_entry_max);
  if (!done) return;
  for (const CallId& each : done->dropped) out.erase(keys_.call(each));
  out.put(keys_.done(call.id), encode_done_calls(done->mark));
}

// The index may name a value that was written anew meanwhile, with another time or none: then only
// the index is mended, so that writing a value needs no look at the old one.
Result<void> ShardMachine::drop_expired_values(WallTime now, Batch& out) {
  next_value_expiry_.reset();
  std::size_t left = limits_.expired_per_entry_max;
  const KeyRange range = prefix_range(keys_.expiry_prefix());
  return each(reads_, range, [&](std::string_view key, std::string_view) -> Result<bool> {
    std::string_view rest = key.substr(range.from.size());
    const std::optional<WallTime> when = take_time(rest);
    if (!when) return damaged("expiry index");
    if (*when > now || left-- == 0) {
      next_value_expiry_ = *when;
      return false;
    }
    const std::string value_key = keys_.values_prefix().append(rest);
    const auto found = reads_.get(value_key);
    if (!found) return fail(found.error());
    if (*found) {
      const std::optional<ValueRow> row = decode_value(**found);
      if (!row) return damaged("value");
      if (row->expires == when) out.erase(value_key);
    }
    out.erase(std::string(key));
    return true;
  });
}

Result<Outcome> ShardMachine::run(const At& at, const TurnCommand& command, Batch& out) {
  Turn turn(*this, at, command);
  return turn.run(out);
}

Result<Outcome> ShardMachine::run(const At& at, const AssignCommand& assign, Batch& out) {
  if (restoring()) {
    return refused(at.index, Code::kUnavailable,
                   "shard " + std::to_string(keys_.shard().value) + " is being restored");
  }
  const auto found = owners_.find(assign.type);
  const Epoch current = found == owners_.end() ? Epoch{} : found->second.epoch;
  if (current != assign.replaces) {
    return refused(at.index, Code::kConflict,
                   "the epoch of '" + assign.type + "' is " + std::to_string(current.value) +
                       ", not " + std::to_string(assign.replaces.value));
  }
  if (found == owners_.end() && owners_.size() >= limits_.owners_max) {
    return refused(at.index, Code::kExhausted,
                   "the shard has owners of " + std::to_string(owners_.size()) + " types already");
  }
  const Owner owner{.node = assign.node,
                    .generation = assign.generation,
                    .epoch = {current.value + 1},
                    .last_sequence = 0};
  owners_[assign.type] = owner;
  row_version_ = {.term = at.term, .index = at.index};
  out.put(keys_.owner(assign.type), encode_owner(owner));
  out.put(keys_.row_version(), encode_row_version(row_version_));
  return applied(at.index);
}

Result<Outcome> ShardMachine::run(const At& at, const OutboxDoneCommand& done, Batch& out) {
  const auto found = outbox_.find(done.target);
  if (found == outbox_.end()) return applied(at.index);
  OutboxState state = found->second;
  const std::set<std::uint64_t> numbers(done.numbers.begin(), done.numbers.end());
  for (const std::uint64_t number : numbers) {
    if (number < state.low_water || number > state.last) continue;
    const std::string key = keys_.outbox(done.target, number);
    const auto message = reads_.get(key);
    if (!message) return fail(message.error());
    if (!*message) continue;
    out.erase(key);
    --state.messages;
    state.bytes -= (*message)->size();
  }
  // The first that is left. At most the numbers given are passed on the way.
  std::uint64_t low_water = state.last + 1;
  const KeyRange left{.from = keys_.outbox(done.target, state.low_water),
                      .to = after_prefix(keys_.outbox_prefix(done.target))};
  auto read = each(reads_, left, [&](std::string_view key, std::string_view) -> Result<bool> {
    const std::uint64_t number = big_endian_64(key.substr(key.size() - 8));
    if (numbers.contains(number)) return true;
    low_water = number;
    return false;
  });
  if (!read) return fail(read.error());
  state.low_water = low_water;
  outbox_messages_ -= found->second.messages - state.messages;
  outbox_bytes_ -= found->second.bytes - state.bytes;
  found->second = state;
  out.put(keys_.outbox_state(done.target), encode_outbox_state(state));
  return applied(at.index);
}

Result<Outcome> ShardMachine::run(const At& at, const WatermarkCommand& command, Batch& out) {
  if (restoring()) return applied(at.index);  // it knows nothing of the reminders that come
  WallTime to = std::min(command.watermark, at.now);
  const std::string prefix = keys_.due_prefix();
  const KeyRange pending{.from = keys_.due_from(watermark_), .to = after_prefix(prefix)};
  auto read = each(reads_, pending, [&](std::string_view key, std::string_view) -> Result<bool> {
    key.remove_prefix(prefix.size());
    const std::optional<WallTime> oldest = take_time(key);
    if (!oldest) return damaged("due index");
    to = std::min(to, *oldest);
    return false;
  });
  if (!read) return fail(read.error());
  if (to <= watermark_) return applied(at.index);
  watermark_ = to;
  // No row is left there, only the marks of erased ones, which every scan would have to pass.
  out.erase_range(prefix, keys_.due_from(to));
  out.put(keys_.watermark(), encode_time(to));
  return applied(at.index);
}

}  // namespace troupe::storage
