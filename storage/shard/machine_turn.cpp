#include "storage/shard/machine_turn.h"

#include <algorithm>
#include <utility>

#include "storage/scan.h"
#include "storage/shard/row_codec.h"

namespace troupe::storage {
namespace {

bool consumes(const TickCause& tick, const std::optional<ReminderMark>& mark) {
  return !mark || mark->registration != tick.registration || mark->number != tick.number;
}

}  // namespace

Result<Outcome> ShardMachine::Turn::run(Batch& out) {
  // True whatever becomes of the turn.
  if (const auto* call = std::get_if<CallCause>(&command_.cause)) machine_.drop_done(*call, out);
  Result<std::optional<Outcome>> ended = decide();
  if (!ended) return fail(ended.error());
  if (*ended) return **std::move(ended);
  if (auto written = write_values(out); !written) return fail(written.error());
  gather_reminders(out);
  write_outbox(out);
  if (const auto* call = std::get_if<CallCause>(&command_.cause)) consume(*call, out);
  if (const auto* message = std::get_if<OutboxCause>(&command_.cause)) consume(*message, out);
  advance_sequence();
  return outcome(Outcome::Kind::kApplied);
}

Result<std::optional<Outcome>> ShardMachine::Turn::decide() {
  if (auto ended = check_owner()) return ended;
  if (auto ended = check_cause(); !ended || *ended) return ended;
  if (auto ended = check_values(); !ended || *ended) return ended;
  if (auto ended = check_outbox()) return ended;
  return check_reminders();
}

std::optional<Outcome> ShardMachine::Turn::check_owner() const {
  const auto owner = machine_.owners_.find(command_.type);
  if (owner == machine_.owners_.end() || owner->second.node.empty() ||
      owner->second.epoch != command_.epoch) {
    return outcome(Outcome::Kind::kStaleEpoch);
  }
  if (command_.sequence != owner->second.last_sequence + 1) return outcome(Outcome::Kind::kGap);
  return std::nullopt;
}

Result<std::optional<Outcome>> ShardMachine::Turn::check_cause() {
  if (const auto* call = std::get_if<CallCause>(&command_.cause)) return check_call(*call);
  if (const auto* tick = std::get_if<TickCause>(&command_.cause)) return check_tick(*tick);
  if (const auto* message = std::get_if<OutboxCause>(&command_.cause)) {
    return check_message(*message);
  }
  return std::optional<Outcome>();
}

Result<std::optional<Outcome>> ShardMachine::Turn::check_call(const CallCause& call) const {
  if (call.id.empty()) return std::optional(refused(Code::kInvalid, "a call without an id"));
  Result<std::optional<Outcome>> before = machine_.consumed(call.id);
  if (!before) return before;
  if (*before) {
    Outcome known = outcome((*before)->kind);
    known.reply = std::move((*before)->reply);
    known.reply_recorded = (*before)->reply_recorded;
    known.error = std::move((*before)->error);
    return std::optional(std::move(known));
  }
  // Never forgotten early to make room: the retry would run twice.
  const std::size_t reply = std::min(command_.reply.size(), kRecordedReplyMax);
  if (machine_.recorded_.rows() >= machine_.limits_.recorded_calls_max ||
      machine_.recorded_.bytes() + recorded_call_bytes(reply) >
          machine_.limits_.recorded_bytes_max) {
    return std::optional(refused(Code::kExhausted, "the shard keeps too many replies for retries"));
  }
  return std::optional<Outcome>();
}

Result<std::optional<Outcome>> ShardMachine::Turn::check_tick(const TickCause& tick) {
  const Result<Reminder*> named = reminder(tick.name);
  if (!named) return fail(named.error());
  if (consumes(tick, (*named)->after)) return std::optional(outcome(Outcome::Kind::kConsumed));
  return std::optional<Outcome>();
}

std::optional<Outcome> ShardMachine::Turn::check_message(const OutboxCause& message) const {
  if (message.number == 0 || message.source.value >= machine_.shard_count_) {
    return refused(Code::kInvalid, "a message of no shard, or without a number");
  }
  if (message.number < message.low_water) return outcome(Outcome::Kind::kConsumed);
  const auto found = machine_.inbox_.find(message.source);
  if (found == machine_.inbox_.end()) return std::nullopt;
  const Inbox& inbox = found->second;
  if (message.number < inbox.low_water || inbox.consumed.contains(message.number)) {
    return outcome(Outcome::Kind::kConsumed);
  }
  if (inbox.consumed.size() >= machine_.limits_.inbox_gap_max &&
      message.number != inbox.low_water) {
    return refused(Code::kExhausted, "too many messages were consumed before message " +
                                         std::to_string(inbox.low_water) + " of shard " +
                                         std::to_string(message.source.value));
  }
  return std::nullopt;
}

Result<std::optional<Outcome>> ShardMachine::Turn::check_values() const {
  for (const StateWrite& write : command_.state) {
    if (!write.etag) continue;
    const auto row = value(machine_.reads_, keys_, command_.type, command_.id, write.name, at_.now);
    if (!row) return fail(row.error());
    const std::uint64_t etag = *row ? (*row)->etag : 0;
    if (etag == *write.etag) continue;
    return std::optional(refused(Code::kConflict, "the version of '" + write.name + "' of " +
                                                      command_.type + "/" + command_.id + " is " +
                                                      std::to_string(etag) + ", not " +
                                                      std::to_string(*write.etag)));
  }
  return std::optional<Outcome>();
}

std::optional<Outcome> ShardMachine::Turn::check_outbox() const {
  if (command_.outbox.empty()) return std::nullopt;
  std::uint64_t bytes = machine_.outbox_bytes_;
  for (const OutboxWrite& write : command_.outbox) {
    if (write.target.value >= machine_.shard_count_) {
      return refused(Code::kInvalid, "a message to shard " + std::to_string(write.target.value) +
                                         " of " + std::to_string(machine_.shard_count_));
    }
    bytes += write.message.size();
  }
  if (machine_.outbox_messages_ + command_.outbox.size() > machine_.limits_.outbox_messages_max ||
      bytes > machine_.limits_.outbox_bytes_max) {
    return refused(Code::kExhausted, "the outbox of shard " + std::to_string(keys_.shard().value) +
                                         " is full: " + std::to_string(machine_.outbox_messages_) +
                                         " messages");
  }
  return std::nullopt;
}

// Works the changes out on copies, one after another, since one may build on another.
Result<std::optional<Outcome>> ShardMachine::Turn::check_reminders() {
  const auto* tick = std::get_if<TickCause>(&command_.cause);
  for (const ReminderWrite& write : command_.reminders) {
    const Result<Reminder*> found = reminder(write.name);
    if (!found) return fail(found.error());
    Reminder& named = **found;
    const ReminderMark next{.registration = at_.index,
                            .number = write.number,
                            .due = std::max(write.due, machine_.watermark_)};
    switch (write.kind) {
      case ReminderWrite::Kind::kRegisterIfAbsent:
        if (named.after) {
          return std::optional(refused(Code::kConflict, "there is a reminder '" + write.name +
                                                            "' of " + command_.type + "/" +
                                                            command_.id + " already"));
        }
        named.set(next, write.body);
        break;
      case ReminderWrite::Kind::kRegister:
        named.set(next, write.body);
        break;
      case ReminderWrite::Kind::kAdvance:
        if (tick == nullptr || tick->name != write.name) {
          return std::optional(
              refused(Code::kInvalid, "only its own tick advances reminder '" + write.name + "'"));
        }
        // Otherwise the turn itself has replaced or erased it.
        if (named.after && named.after->registration == tick->registration) {
          named.set({.registration = tick->registration, .number = next.number, .due = next.due},
                    write.body);
        }
        break;
      case ReminderWrite::Kind::kErase:
        named.after.reset();
        break;
    }
  }
  if (tick == nullptr) return std::optional<Outcome>();
  const auto& [before, after, body] = reminders_.at(tick->name);
  const bool later = after && before && after->due > before->due;  // one more attempt
  if (!later && !consumes(*tick, after)) {
    return std::optional(refused(
        Code::kInvalid,
        "the turn of a tick has to advance, replace or erase reminder '" + tick->name + "'"));
  }
  return std::optional<Outcome>();
}

Outcome ShardMachine::Turn::outcome(Outcome::Kind kind) const {
  const auto owner = machine_.owners_.find(command_.type);
  Outcome result;
  result.kind = kind;
  result.index = at_.index;
  if (owner != machine_.owners_.end()) result.last_sequence = owner->second.last_sequence;
  return result;
}

Outcome ShardMachine::Turn::refused(Code code, std::string message) const {
  Outcome refusal = outcome(Outcome::Kind::kRefused);
  refusal.error = Error{.code = code, .message = std::move(message)};
  return refusal;
}

void ShardMachine::Turn::Reminder::set(const ReminderMark& mark, const std::string& the_body) {
  after = mark;
  body = &the_body;
}

// As the turn has left it so far.
Result<ShardMachine::Turn::Reminder*> ShardMachine::Turn::reminder(const std::string& name) {
  if (const auto known = reminders_.find(name); known != reminders_.end()) return &known->second;
  const Result<std::optional<ReminderMark>> mark = read_mark(name);
  if (!mark) return fail(mark.error());
  return &reminders_.emplace(name, Reminder{.before = *mark, .after = *mark}).first->second;
}

Result<std::optional<ReminderMark>> ShardMachine::Turn::read_mark(const std::string& name) const {
  const std::string key = keys_.reminder(command_.type, command_.id, name);
  // Whatever becomes of this turn, the row is not known any more.
  if (const auto known = machine_.handed_out_.extract(key)) return std::optional(known.mapped());
  const auto bytes = machine_.reads_.get(key);
  if (!bytes) return fail(bytes.error());
  if (!*bytes) return std::optional<ReminderMark>();
  const std::optional<ReminderMark> mark = decode_reminder_head(**bytes);
  if (!mark) return damaged("reminder");
  return mark;
}

void ShardMachine::Turn::gather_reminders(Batch& out) const {
  for (const auto& [name, reminder] : reminders_) {
    const auto& [before, after, body] = reminder;
    if (before == after && (!after || body == nullptr)) continue;
    if (before && (!after || after->due != before->due)) {
      out.erase(keys_.due(before->due, command_.type, command_.id, name));
    }
    const std::string key = keys_.reminder(command_.type, command_.id, name);
    if (!after) {
      out.erase(key);
      continue;
    }
    out.put(key, encode_reminder_head(*after), *body);
    if (!before || before->due != after->due) {
      out.put(keys_.due(after->due, command_.type, command_.id, name), {});
    }
  }
}

Result<void> ShardMachine::Turn::write_values(Batch& out) {
  for (const StateWrite& write : command_.state) {
    const std::string key = keys_.value(command_.type, command_.id, write.name);
    if (!write.value) {
      out.erase(key);
      continue;
    }
    if (write.expires) {
      // A value that is given new times again and again leaves no trail in the index.
      const auto found = machine_.reads_.get(key);
      if (!found) return fail(found.error());
      if (*found) {
        const std::optional<ValueRow> old = decode_value(**found);
        if (!old) return damaged("value");
        if (old->expires) {
          out.erase(keys_.expiry(*old->expires, command_.type, command_.id, write.name));
        }
      }
      out.put(keys_.expiry(*write.expires, command_.type, command_.id, write.name), {});
      machine_.next_value_expiry_ =
          std::min(machine_.next_value_expiry_.value_or(*write.expires), *write.expires);
    }
    out.put(key, encode_value_head(at_.index, write.expires), *write.value);
  }
  return {};
}

void ShardMachine::Turn::write_outbox(Batch& out) {
  std::map<ShardId, OutboxState> changed;
  for (const OutboxWrite& write : command_.outbox) {
    OutboxState& state = machine_.outbox_[write.target];
    ++state.last;
    ++state.messages;
    state.bytes += write.message.size();
    ++machine_.outbox_messages_;
    machine_.outbox_bytes_ += write.message.size();
    out.put(keys_.outbox(write.target, state.last), write.message);
    changed[write.target] = state;
  }
  for (const auto& [target, state] : changed) {
    out.put(keys_.outbox_state(target), encode_outbox_state(state));
  }
}

void ShardMachine::Turn::consume(const CallCause& call, Batch& out) {
  const bool kept = command_.reply.size() <= kRecordedReplyMax;
  const RecordedCall recorded{.keep_until = call.keep_until,
                              .reply_recorded = kept,
                              .reply = kept ? command_.reply : std::string()};
  out.put(keys_.call(call.id), encode_recorded_call(recorded));
  machine_.record(call.id, call.keep_until, recorded.reply.size());
}

// The mark also rises by itself, past every number that was consumed in order: then no row of its
// own is needed.
void ShardMachine::Turn::consume(const OutboxCause& message, Batch& out) {
  Inbox& inbox = machine_.inbox_[message.source];
  const std::uint64_t before = inbox.low_water;
  inbox.consumed.insert(message.number);
  inbox.low_water = std::max(before, message.low_water);
  while (!inbox.consumed.empty() && *inbox.consumed.begin() <= inbox.low_water) {
    const std::uint64_t number = *inbox.consumed.begin();
    inbox.consumed.erase(inbox.consumed.begin());
    inbox.low_water = std::max(inbox.low_water, number + 1);
    if (number != message.number) out.erase(keys_.inbox(message.source, number));
  }
  if (inbox.consumed.contains(message.number)) {
    out.put(keys_.inbox(message.source, message.number), {});
  }
  if (inbox.low_water != before) {
    out.put(keys_.inbox_low_water(message.source), encode_number(inbox.low_water));
  }
}

void ShardMachine::Turn::advance_sequence() {
  const auto owner = machine_.owners_.find(command_.type);
  owner->second.last_sequence = command_.sequence;
  auto& advanced = machine_.advanced_;
  if (std::ranges::find(advanced, owner) == advanced.end()) advanced.emplace_back(owner);
}

}  // namespace troupe::storage
