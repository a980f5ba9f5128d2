// ShardMachine's part that is filled from a backup.
#include <algorithm>
#include <utility>

#include "storage/shard/machine.h"
#include "storage/shard/machine_outcome.h"
#include "storage/shard/row_codec.h"

namespace troupe::storage {
namespace {

using Step = RestoreCommand::Step;
using State = RestoreMark::State;

}  // namespace

Result<Outcome> ShardMachine::run(const At& at, const RestoreCommand& restore, Batch& out) {
  switch (restore.step) {
    case Step::kBegin:
      return begin_restore(at, restore, out);
    case Step::kLoad:
      return load_part(at, restore, out);
    case Step::kFinish:
      return finish_restore(at, restore, out);
    case Step::kAbandon:
      return abandon_restore(at, out);
  }
  return refused(at.index, Code::kInvalid, "an unknown step of a restore");
}

Result<Outcome> ShardMachine::begin_restore(const At& at, const RestoreCommand& restore,
                                            Batch& out) {
  const std::string shard = "shard " + std::to_string(keys_.shard().value);
  if (restore_.state == State::kFinished) {
    return refused(at.index, Code::kPrecondition, shard + " has been restored before");
  }
  if (restore_.state == State::kNone) {
    const Result<bool> used = has_actors_rows(reads_, keys_);
    if (!used) return fail(used.error());
    if (*used) return refused(at.index, Code::kPrecondition, shard + " is not empty");
  }
  wipe(out);
  for (auto& [type, owner] : owners_) {
    if (owner.node.empty()) continue;
    owner = {.node = {}, .generation = {}, .epoch = {owner.epoch.value + 1}, .last_sequence = 0};
    out.put(keys_.owner(type), encode_owner(owner));
    restore_.open_from = at.now + kRestoreClosed;
  }
  row_version_ = {.term = at.term, .index = at.index};
  out.put(keys_.row_version(), encode_row_version(row_version_));
  restore_ = {.state = State::kLoading,
              .restore = restore.restore,
              .parts = 0,
              .open_from = restore_.open_from};
  put_restore_mark(out);
  return applied(at.index);
}

Result<Outcome> ShardMachine::load_part(const At& at, const RestoreCommand& restore, Batch& out) {
  const bool ours = restoring() && restore_.restore == restore.restore;
  if (ours && restore.part <= restore_.parts) return applied(at.index);  // it came before
  if (!ours || restore.part != restore_.parts + 1) {
    return refused(at.index, Code::kPrecondition,
                   "shard " + std::to_string(keys_.shard().value) +
                       " does not wait for this part of this restore");
  }
  const auto mine = [&](const RestoredRow& row) {
    const auto* message = std::get_if<RestoredMessage>(&row);
    return message == nullptr || message->target.value < shard_count_;
  };
  if (!std::ranges::all_of(restore.rows, mine)) {
    return refused(at.index, Code::kInvalid, "a message to a shard that there is not");
  }
  for (const RestoredRow& row : restore.rows) {
    std::visit([&](const auto& fields) { put(at, fields, out); }, row);
  }
  ++restore_.parts;
  put_restore_mark(out);
  return applied(at.index);
}

Result<Outcome> ShardMachine::finish_restore(const At& at, const RestoreCommand& restore,
                                             Batch& out) {
  const std::string shard = "shard " + std::to_string(keys_.shard().value);
  const bool ours = restore_.state != State::kNone && restore_.restore == restore.restore;
  if (ours && restore_.state == State::kFinished) return applied(at.index);
  if (!ours || (restore.part != 0 && restore.part != restore_.parts)) {
    return refused(at.index, Code::kPrecondition,
                   shard + " does not wait for the end of this restore");
  }
  if (at.now < restore_.open_from) {
    return refused(at.index, Code::kUnavailable,
                   "rights in " + shard + " from before the restore may last; try again");
  }
  restore_.state = State::kFinished;
  put_restore_mark(out);
  return applied(at.index);
}

Result<Outcome> ShardMachine::abandon_restore(const At& at, Batch& out) {
  if (restore_.state == State::kNone) return applied(at.index);
  if (restore_.state == State::kFinished) {
    return refused(at.index, Code::kPrecondition,
                   "shard " + std::to_string(keys_.shard().value) + " has been restored");
  }
  wipe(out);
  restore_ = {};
  out.erase(keys_.restore_mark());
  return applied(at.index);
}

void ShardMachine::put(const At& at, const RestoredValue& row, Batch& out) {
  if (row.expires) {
    out.put(keys_.expiry(*row.expires, row.type, row.id, row.name), {});
    next_value_expiry_ = std::min(next_value_expiry_.value_or(*row.expires), *row.expires);
  }
  out.put(keys_.value(row.type, row.id, row.name), encode_value_head(at.index, row.expires),
          row.value);
}

void ShardMachine::put(const At& at, const RestoredReminder& row, Batch& out) {
  const ReminderMark mark{.registration = at.index, .number = row.number, .due = row.due};
  out.put(keys_.reminder(row.type, row.id, row.name), encode_reminder_head(mark), row.body);
  out.put(keys_.due(row.due, row.type, row.id, row.name), {});
}

// Also beyond the bounds of an outbox: what was accepted once is kept, and new turns that send are
// refused until there is room.
void ShardMachine::put(const At& /*at*/, const RestoredMessage& row, Batch& out) {
  OutboxState& state = outbox_[row.target];
  ++state.last;
  ++state.messages;
  state.bytes += row.message.size();
  ++outbox_messages_;
  outbox_bytes_ += row.message.size();
  out.put(keys_.outbox(row.target, state.last), row.message);
  out.put(keys_.outbox_state(row.target), encode_outbox_state(state));
}

void ShardMachine::put(const At& /*at*/, const RestoredCall& row, Batch& out) {
  if (recorded_.contains(row.id)) return;
  out.put(keys_.call(row.id), encode_recorded_call({.keep_until = row.keep_until,
                                                    .reply_recorded = row.reply_recorded,
                                                    .reply = row.reply}));
  record(row.id, row.keep_until, row.reply.size());
}

void ShardMachine::put(const At& /*at*/, const RestoredEpoch& row, Batch& out) {
  Owner& owner = owners_[row.type];
  owner.epoch = std::max(owner.epoch, row.epoch);
  out.put(keys_.owner(row.type), encode_owner(owner));
}

// All but owners and marks.
void ShardMachine::wipe(Batch& out) {
  for (const std::string& prefix :
       {keys_.values_prefix(), keys_.expiry_prefix(), keys_.reminders_prefix(), keys_.due_prefix(),
        keys_.call_prefix(), keys_.done_prefix(), keys_.outbox_state_prefix(),
        keys_.outbox_prefix(), keys_.inbox_low_water_prefix(), keys_.inbox_prefix()}) {
    out.erase_range(prefix, after_prefix(prefix));
  }
  out.erase(keys_.watermark());
  forget_contents();
}

void ShardMachine::put_restore_mark(Batch& out) const {
  out.put(keys_.restore_mark(), encode(restore_));
}

}  // namespace troupe::storage
