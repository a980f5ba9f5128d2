#include "storage/shard/row_codec.h"

#include <utility>

#include "runtime/base/codec.h"
#include "storage/keys.h"

namespace troupe::storage {
namespace {

void write(Writer& out, WallTime when) { out.integer(when.time_since_epoch().count()); }
WallTime read_time(Reader& in) { return WallTime(Duration(in.integer())); }

ReminderMark read_mark(Reader& in) {
  ReminderMark mark;
  mark.registration = in.number();
  mark.number = in.number();
  mark.due = read_time(in);
  return mark;
}

template <class T>
std::optional<T> whole(const Reader& in, T value) {
  if (!in.finished()) return std::nullopt;
  return value;
}

}  // namespace

std::string encode_owner(const Owner& owner) {
  Writer out;
  out.id(owner.node);
  out.id(owner.generation);
  out.id(owner.epoch);
  out.number(owner.last_sequence);
  return out.take();
}

std::optional<Owner> decode_owner(std::string_view bytes) {
  Reader in(bytes);
  Owner owner;
  owner.node = in.id<NodeId>();
  owner.generation = in.id<Generation>();
  owner.epoch = in.id<Epoch>();
  owner.last_sequence = in.number();
  return whole(in, owner);
}

std::string encode_value_head(std::uint64_t etag, const std::optional<WallTime>& expires) {
  Writer head;
  head.number(etag);
  head.boolean(expires.has_value());
  if (expires) write(head, *expires);
  return head.take();
}

std::optional<ValueRow> decode_value(std::string_view bytes) {
  Reader in(bytes);
  ValueRow row;
  row.etag = in.number();
  if (in.boolean()) row.expires = read_time(in);
  if (!in.ok()) return std::nullopt;
  row.value = bytes.substr(bytes.size() - in.left());
  return row;
}

std::string encode_reminder_head(const ReminderMark& mark) {
  Writer out;
  out.number(mark.registration);
  out.number(mark.number);
  write(out, mark.due);
  return out.take();
}

std::optional<ReminderMark> decode_reminder_head(std::string_view bytes) {
  Reader in(bytes);
  const ReminderMark mark = read_mark(in);
  return in.ok() ? std::optional(mark) : std::nullopt;
}

std::optional<ReminderRow> decode_reminder(std::string_view bytes) {
  Reader in(bytes);
  const ReminderMark mark = read_mark(in);
  if (!in.ok()) return std::nullopt;
  ReminderRow row;
  row.registration = mark.registration;
  row.number = mark.number;
  row.due = mark.due;
  row.body = bytes.substr(bytes.size() - in.left());
  return row;
}

std::string encode_recorded_call(const RecordedCall& call) {
  Writer out;
  write(out, call.keep_until);
  out.boolean(call.reply_recorded);
  return out.take().append(call.reply);
}

std::optional<RecordedCall> decode_recorded_call(std::string_view bytes) {
  Reader in(bytes);
  RecordedCall call;
  call.keep_until = read_time(in);
  call.reply_recorded = in.boolean();
  if (!in.ok()) return std::nullopt;
  call.reply = bytes.substr(bytes.size() - in.left());
  return call;
}

std::string encode_done_calls(const DoneCalls& done) {
  Writer out;
  out.number(done.below);
  write(out, done.keep_until);
  return out.take();
}

std::optional<DoneCalls> decode_done_calls(std::string_view bytes) {
  Reader in(bytes);
  DoneCalls done;
  done.below = in.number();
  done.keep_until = read_time(in);
  return whole(in, done);
}

std::string encode_outbox_state(const OutboxState& state) {
  Writer out;
  out.number(state.last);
  out.number(state.low_water);
  out.number(state.messages);
  out.number(state.bytes);
  return out.take();
}

std::optional<OutboxState> decode_outbox_state(std::string_view bytes) {
  Reader in(bytes);
  OutboxState state;
  state.last = in.number();
  state.low_water = in.number();
  state.messages = in.number();
  state.bytes = in.number();
  return whole(in, state);
}

std::string encode_number(std::uint64_t number) {
  Writer out;
  out.number(number);
  return out.take();
}

std::optional<std::uint64_t> decode_number(std::string_view bytes) {
  Reader in(bytes);
  const std::uint64_t number = in.number();
  return whole(in, number);
}

std::string encode_time(WallTime when) {
  Writer out;
  write(out, when);
  return out.take();
}

std::optional<WallTime> decode_time(std::string_view bytes) {
  Reader in(bytes);
  const WallTime when = read_time(in);
  return whole(in, when);
}

std::string encode_row_version(RowVersion version) {
  Writer out;
  out.id(version);
  return out.take();
}

std::optional<RowVersion> decode_row_version(std::string_view bytes) {
  Reader in(bytes);
  const auto version = in.id<RowVersion>();
  return whole(in, version);
}

std::optional<ActorRowKey> decode_actor_row_key(std::string_view rest) {
  std::optional<std::string> type = take_ordered(rest);
  if (!type) return std::nullopt;
  std::optional<std::string> id = take_ordered(rest);
  if (!id) return std::nullopt;
  return ActorRowKey{.type = *std::move(type), .id = *std::move(id), .name = std::string(rest)};
}

}  // namespace troupe::storage
