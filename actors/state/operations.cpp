#include "actors/state/operations.h"

#include "runtime/base/codec.h"

namespace troupe::actors {
namespace {

template <class T, class Write>
void write_optional(Writer& writer, const std::optional<T>& value, Write write) {
  writer.boolean(value.has_value());
  if (value) write(*value);
}

template <class Read>
auto read_optional(Reader& reader, Read read) {
  std::optional<decltype(read())> value;
  if (reader.boolean()) value = read();
  return value;
}

std::size_t read_count(Reader& reader) {
  return static_cast<std::size_t>(reader.number_up_to(kStateOperationsMax));
}

}  // namespace

std::string encode(const StateOperations& operations) {
  Writer writer;
  writer.number(operations.changes.size());
  for (const StateOperation& each : operations.changes) {
    writer.bytes(each.name);
    write_optional(writer, each.value, [&](const std::string& value) { writer.bytes(value); });
    write_optional(writer, each.etag, [&](std::uint64_t etag) { writer.number(etag); });
    write_optional(writer, each.ttl, [&](Duration ttl) { writer.integer(ttl.count()); });
  }
  writer.number(operations.reads.size());
  for (const std::string& each : operations.reads) writer.bytes(each);
  writer.boolean(operations.read_all);
  return writer.take();
}

Result<StateOperations> decode_state_operations(std::string_view bytes) {
  Reader reader(bytes);
  StateOperations operations;
  for (std::size_t left = read_count(reader); left > 0 && reader.ok(); --left) {
    StateOperation change;
    change.name = reader.string();
    change.value = read_optional(reader, [&] { return reader.string(); });
    change.etag = read_optional(reader, [&] { return reader.number(); });
    change.ttl = read_optional(reader, [&] { return Duration(reader.integer()); });
    if (change.name.empty()) reader.damage();
    operations.changes.push_back(std::move(change));
  }
  for (std::size_t left = read_count(reader); left > 0 && reader.ok(); --left) {
    operations.reads.push_back(reader.string());
  }
  operations.read_all = reader.boolean();
  if (!reader.finished()) return fail(Code::kInvalid, "damaged state operations");
  return operations;
}

bool changes_values(std::string_view operations) {
  Reader reader(operations);
  return reader.number() > 0 && reader.ok();
}

std::string encode(const StoredValues& values) {
  Writer writer;
  writer.number(values.size());
  for (const auto& [name, stored] : values) {
    writer.bytes(name);
    writer.bytes(stored.value);
    writer.number(stored.etag);
    write_optional(writer, stored.expires,
                   [&](WallTime at) { writer.integer(at.time_since_epoch().count()); });
  }
  return writer.take();
}

Result<StoredValues> decode_stored_values(std::string_view bytes) {
  Reader reader(bytes);
  StoredValues values;
  for (std::uint64_t left = reader.number_up_to(bytes.size()); left > 0 && reader.ok(); --left) {
    std::string name = reader.string();
    StoredValue stored;
    stored.value = reader.string();
    stored.etag = reader.number();
    stored.expires = read_optional(reader, [&] { return WallTime(Duration(reader.integer())); });
    values.emplace_back(std::move(name), std::move(stored));
  }
  if (!reader.finished()) return fail(Code::kInvalid, "damaged stored values");
  return values;
}

}  // namespace troupe::actors
