#include "storage/shard/restored.h"

#include <utility>

#include "runtime/base/codec.h"

// Rows: each its kind (the place in RestoredRow, from 0) and its fields, one after another.
namespace troupe::storage {
namespace {

void write(Writer& out, WallTime when) { out.integer(when.time_since_epoch().count()); }
WallTime read_time(Reader& in) { return WallTime(Duration(in.integer())); }

void write(Writer& out, const RestoredValue& row) {
  out.bytes(row.type);
  out.bytes(row.id);
  out.bytes(row.name);
  out.bytes(row.value);
  out.boolean(row.expires.has_value());
  if (row.expires) write(out, *row.expires);
}

void write(Writer& out, const RestoredReminder& row) {
  out.bytes(row.type);
  out.bytes(row.id);
  out.bytes(row.name);
  out.number(row.number);
  write(out, row.due);
  out.bytes(row.body);
}

void write(Writer& out, const RestoredMessage& row) {
  out.id(row.target);
  out.bytes(row.message);
}

void write(Writer& out, const RestoredCall& row) {
  out.id(row.id.origin);
  out.id(row.id.generation);
  out.number(row.id.sequence);
  write(out, row.keep_until);
  out.boolean(row.reply_recorded);
  out.bytes(row.reply);
}

void write(Writer& out, const RestoredEpoch& row) {
  out.bytes(row.type);
  out.id(row.epoch);
}

RestoredValue read_value(Reader& in) {
  RestoredValue row;
  row.type = in.string();
  row.id = in.string();
  row.name = in.string();
  row.value = in.string();
  if (in.boolean()) row.expires = read_time(in);
  return row;
}

RestoredReminder read_reminder(Reader& in) {
  RestoredReminder row;
  row.type = in.string();
  row.id = in.string();
  row.name = in.string();
  row.number = in.number();
  row.due = read_time(in);
  row.body = in.string();
  return row;
}

RestoredMessage read_message(Reader& in) {
  RestoredMessage row;
  row.target = in.id<ShardId>();
  row.message = in.string();
  return row;
}

RestoredCall read_call(Reader& in) {
  RestoredCall row;
  row.id.origin = in.id<NodeId>();
  row.id.generation = in.id<Generation>();
  row.id.sequence = in.number();
  row.keep_until = read_time(in);
  row.reply_recorded = in.boolean();
  row.reply = in.string();
  return row;
}

RestoredEpoch read_epoch(Reader& in) {
  RestoredEpoch row;
  row.type = in.string();
  row.epoch = in.id<Epoch>();
  return row;
}

RestoredRow read_row(Reader& in) {
  switch (in.number_up_to(std::variant_size_v<RestoredRow> - 1)) {
    case 1:
      return read_reminder(in);
    case 2:
      return read_message(in);
    case 3:
      return read_call(in);
    case 4:
      return read_epoch(in);
    default:
      return read_value(in);
  }
}

}  // namespace

std::string encode(const std::vector<RestoredRow>& rows) {
  Writer out;
  for (const RestoredRow& row : rows) {
    out.number(row.index());
    std::visit([&](const auto& fields) { write(out, fields); }, row);
  }
  return out.take();
}

Result<std::vector<RestoredRow>> decode_restored_rows(std::string_view bytes) {
  Reader in(bytes);
  std::vector<RestoredRow> rows;
  while (in.ok() && in.left() > 0) rows.push_back(read_row(in));
  if (!in.ok()) return fail(Code::kDataLoss, "rows to be restored make no sense");
  return rows;
}

std::size_t size_about(const RestoredRow& row) {
  struct Size {
    std::size_t operator()(const RestoredValue& row) const {
      return row.type.size() + row.id.size() + row.name.size() + row.value.size();
    }
    std::size_t operator()(const RestoredReminder& row) const {
      return row.type.size() + row.id.size() + row.name.size() + row.body.size();
    }
    std::size_t operator()(const RestoredMessage& row) const { return row.message.size(); }
    std::size_t operator()(const RestoredCall& row) const { return row.reply.size(); }
    std::size_t operator()(const RestoredEpoch& row) const { return row.type.size(); }
  };
  constexpr std::size_t kFixed = 40;
  return kFixed + std::visit(Size(), row);
}

std::string encode(const RestoreMark& mark) {
  Writer out;
  out.number(static_cast<std::uint64_t>(mark.state));
  out.bytes(mark.restore);
  out.number(mark.parts);
  write(out, mark.open_from);
  return out.take();
}

std::optional<RestoreMark> decode_restore_mark(std::string_view bytes) {
  Reader in(bytes);
  RestoreMark mark;
  mark.state = static_cast<RestoreMark::State>(
      in.number_up_to(static_cast<std::uint64_t>(RestoreMark::State::kFinished)));
  mark.restore = in.string();
  mark.parts = in.number();
  mark.open_from = read_time(in);
  if (!in.finished()) return std::nullopt;
  return mark;
}

}  // namespace troupe::storage
