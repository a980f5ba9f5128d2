#include "storage/shard/entry.h"

#include <xxhash.h>

#include "runtime/base/codec.h"

// The format: xxh3_64 of the rest, 8 bytes big-endian; version; now; the command's kind; the
// command. tests/unit/storage/entry_test.cpp pins it.
namespace troupe::storage {
namespace {

constexpr std::size_t kHashBytes = 8;

std::uint64_t hash(std::string_view bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

void write(Writer& out, WallTime when) { out.integer(when.time_since_epoch().count()); }
WallTime read_time(Reader& in) { return WallTime(Duration(in.integer())); }

// How many there are, each at least a byte: more than bytes left is damage.
std::uint64_t read_count(Reader& in) { return in.number_up_to(in.left()); }

// The first that can say it.
std::uint64_t version_of(const Entry& entry) {
  if (std::holds_alternative<RestoreCommand>(entry.command)) return 2;
  const auto* turn = std::get_if<TurnCommand>(&entry.command);
  const auto* call = turn == nullptr ? nullptr : std::get_if<CallCause>(&turn->cause);
  return call != nullptr && call->done_below > 0 ? 2 : 1;
}

void write(Writer& out, const Cause& cause) {
  out.number(cause.index());
  if (const auto* call = std::get_if<CallCause>(&cause)) {
    out.id(call->id.origin);
    out.id(call->id.generation);
    out.number(call->id.sequence);
    write(out, call->keep_until);
    if (call->done_below > 0) out.number(call->done_below);
  } else if (const auto* tick = std::get_if<TickCause>(&cause)) {
    out.bytes(tick->name);
    out.number(tick->registration);
    out.number(tick->number);
  } else if (const auto* message = std::get_if<OutboxCause>(&cause)) {
    out.id(message->source);
    out.number(message->number);
    out.number(message->low_water);
  }
}

Cause read_cause(Reader& in, std::uint64_t version) {
  switch (in.number_up_to(3)) {
    case 1: {
      CallCause call;
      call.id.origin = in.id<NodeId>();
      call.id.generation = in.id<Generation>();
      call.id.sequence = in.number();
      call.keep_until = read_time(in);
      if (version >= 2) call.done_below = in.number();
      return call;
    }
    case 2: {
      TickCause tick;
      tick.name = in.string();
      tick.registration = in.number();
      tick.number = in.number();
      return tick;
    }
    case 3: {
      OutboxCause message;
      message.source = in.id<ShardId>();
      message.number = in.number();
      message.low_water = in.number();
      return message;
    }
    default:
      return {};
  }
}

void write(Writer& out, const StateWrite& state) {
  out.bytes(state.name);
  out.boolean(state.value.has_value());
  if (state.value) out.bytes(*state.value);
  out.boolean(state.expires.has_value());
  if (state.expires) write(out, *state.expires);
  out.boolean(state.etag.has_value());
  if (state.etag) out.number(*state.etag);
}

StateWrite read_state(Reader& in) {
  StateWrite state;
  state.name = in.string();
  if (in.boolean()) state.value = in.string();
  if (in.boolean()) state.expires = read_time(in);
  if (in.boolean()) state.etag = in.number();
  return state;
}

void write(Writer& out, const ReminderWrite& reminder) {
  out.number(static_cast<std::uint64_t>(reminder.kind));
  out.bytes(reminder.name);
  out.number(reminder.number);
  write(out, reminder.due);
  out.bytes(reminder.body);
}

ReminderWrite read_reminder(Reader& in) {
  ReminderWrite reminder;
  reminder.kind = static_cast<ReminderWrite::Kind>(
      in.number_up_to(static_cast<std::uint64_t>(ReminderWrite::Kind::kErase)));
  reminder.name = in.string();
  reminder.number = in.number();
  reminder.due = read_time(in);
  reminder.body = in.string();
  return reminder;
}

void write(Writer& out, const TurnCommand& turn) {
  out.bytes(turn.type);
  out.bytes(turn.id);
  out.id(turn.epoch);
  out.number(turn.sequence);
  write(out, turn.cause);
  out.number(turn.state.size());
  for (const StateWrite& state : turn.state) write(out, state);
  out.number(turn.reminders.size());
  for (const ReminderWrite& reminder : turn.reminders) write(out, reminder);
  out.number(turn.outbox.size());
  for (const OutboxWrite& message : turn.outbox) {
    out.id(message.target);
    out.bytes(message.message);
  }
  out.bytes(turn.reply);
}

// Of the encoded turn: seldom less than it takes.
std::size_t size_about(const TurnCommand& turn) {
  constexpr std::size_t kFixed = 96;
  constexpr std::size_t kEach = 48;
  std::size_t bytes = kFixed + turn.type.size() + turn.id.size() + turn.reply.size();
  for (const auto& each : turn.state) {
    bytes += kEach + each.name.size() + (each.value ? each.value->size() : 0);
  }
  for (const auto& each : turn.reminders) bytes += kEach + each.name.size() + each.body.size();
  for (const auto& each : turn.outbox) bytes += kEach + each.message.size();
  return bytes;
}

TurnCommand read_turn(Reader& in, std::uint64_t version) {
  TurnCommand turn;
  turn.type = in.string();
  turn.id = in.string();
  turn.epoch = in.id<Epoch>();
  turn.sequence = in.number();
  turn.cause = read_cause(in, version);
  for (auto left = read_count(in); left > 0 && in.ok(); --left) {
    turn.state.push_back(read_state(in));
  }
  for (auto left = read_count(in); left > 0 && in.ok(); --left) {
    turn.reminders.push_back(read_reminder(in));
  }
  for (auto left = read_count(in); left > 0 && in.ok(); --left) {
    OutboxWrite message;
    message.target = in.id<ShardId>();
    message.message = in.string();
    turn.outbox.push_back(std::move(message));
  }
  turn.reply = in.string();
  return turn;
}

void write(Writer& out, const AssignCommand& assign) {
  out.bytes(assign.type);
  out.id(assign.node);
  out.id(assign.generation);
  out.id(assign.replaces);
}

AssignCommand read_assign(Reader& in) {
  AssignCommand assign;
  assign.type = in.string();
  assign.node = in.id<NodeId>();
  assign.generation = in.id<Generation>();
  assign.replaces = in.id<Epoch>();
  return assign;
}

void write(Writer& out, const OutboxDoneCommand& done) {
  out.id(done.target);
  out.number(done.numbers.size());
  for (const std::uint64_t number : done.numbers) out.number(number);
}

OutboxDoneCommand read_outbox_done(Reader& in) {
  OutboxDoneCommand done;
  done.target = in.id<ShardId>();
  for (auto left = read_count(in); left > 0 && in.ok(); --left) {
    done.numbers.push_back(in.number());
  }
  return done;
}

void write(Writer& out, const WatermarkCommand& command) { write(out, command.watermark); }

void write(Writer& out, const RestoreCommand& restore) {
  out.number(static_cast<std::uint64_t>(restore.step));
  out.bytes(restore.restore);
  out.number(restore.part);
  out.bytes(encode(restore.rows));
}

RestoreCommand read_restore(Reader& in) {
  RestoreCommand restore;
  restore.step = static_cast<RestoreCommand::Step>(
      in.number_up_to(static_cast<std::uint64_t>(RestoreCommand::Step::kAbandon)));
  restore.restore = in.string();
  restore.part = in.number();
  Result<std::vector<RestoredRow>> rows = decode_restored_rows(in.bytes());
  if (!rows) in.damage();
  if (rows) restore.rows = *std::move(rows);
  return restore;
}

Command read_command(Reader& in, std::uint64_t version) {
  const std::size_t known = version < 2 ? 4 : std::variant_size_v<Command>;
  switch (in.number_up_to(known - 1)) {
    case 4:
      return read_restore(in);
    case 1:
      return read_assign(in);
    case 2:
      return read_outbox_done(in);
    case 3:
      return WatermarkCommand{.watermark = read_time(in)};
    default:
      return read_turn(in, version);
  }
}

}  // namespace

std::string encode(const Entry& entry) {
  Writer out;
  if (const auto* turn = std::get_if<TurnCommand>(&entry.command)) out.reserve(size_about(*turn));
  out.append(std::string_view("\0\0\0\0\0\0\0\0", kHashBytes));  // until it is known
  out.number(version_of(entry));
  write(out, entry.now);
  out.number(entry.command.index());
  std::visit([&](const auto& command) { write(out, command); }, entry.command);
  std::string hashed;
  append_big_endian(hashed, hash(out.view().substr(kHashBytes)));
  std::string bytes = out.take();
  return bytes.replace(0, kHashBytes, hashed);
}

Result<Entry> decode_entry(std::string_view bytes) {
  if (bytes.size() < kHashBytes) return fail(Code::kDataLoss, "an entry is cut off");
  const std::string_view body = bytes.substr(kHashBytes);
  if (big_endian_64(bytes.substr(0, kHashBytes)) != hash(body)) {
    return fail(Code::kDataLoss, "an entry does not match its checksum");
  }
  Reader in(body);
  const std::uint64_t version = in.number();
  if (version > kEntryVersion) {
    return fail(Code::kUnimplemented, "an entry of version " + std::to_string(version) +
                                          ", this node reads up to " +
                                          std::to_string(kEntryVersion) + ": upgrade it");
  }
  Entry entry;
  entry.now = read_time(in);
  entry.command = read_command(in, version);
  if (version == 0 || !in.finished()) return fail(Code::kDataLoss, "an entry makes no sense");
  return entry;
}

}  // namespace troupe::storage
