#include "storage/replica_log.h"

#include "runtime/base/codec.h"
#include "storage/scan.h"

namespace troupe::storage {
namespace {

Result<LogEntry> decode_log_entry(std::uint64_t index, std::string_view value) {
  Reader in(value);
  LogEntry entry{.index = index, .term = in.number(), .kind = 0, .data = {}};
  entry.kind = static_cast<std::uint8_t>(in.number_up_to(0xff));
  if (!in.ok()) return damaged("log entry " + std::to_string(index));
  entry.data = value.substr(value.size() - in.left());
  return entry;
}

struct WantedEntries {
  KeyRange range;
  std::uint64_t first;    // index of the first in it
  std::size_t bytes_max;  // but at least one entry
};

// What is wanted into `entries`, which has the one before it at its end, if any.
Result<void> read_entries(const Reads& reads, ReplicaKeys keys, const WantedEntries& wanted,
                          std::vector<LogEntry>& entries) {
  std::uint64_t expected = wanted.first;
  std::size_t bytes = 0;
  return each(
      reads, wanted.range, [&](std::string_view key, std::string_view value) -> Result<bool> {
        const std::uint64_t index = big_endian_64(key.substr(key.size() - 8));
        if (index != expected) {
          return fail(Code::kDataLoss, "log entry " + std::to_string(expected) + " of shard " +
                                           std::to_string(keys.shard().value) + " is missing");
        }
        bytes += value.size();
        if (bytes > wanted.bytes_max && !entries.empty()) return false;
        Result<LogEntry> entry = decode_log_entry(index, value);
        if (!entry) return fail(entry.error());
        entries.push_back(*std::move(entry));
        ++expected;
        return true;
      });
}

Result<void> read_hard_state(const Reads& reads, ReplicaKeys keys, HardState& state) {
  const auto value = reads.get(keys.hard_state());
  if (!value) return fail(value.error());
  if (!*value) return {};
  Reader in(**value);
  state.term = in.number();
  state.vote_node = in.id<NodeId>();
  state.vote = in.id<ReplicaId>();
  if (!in.finished()) return damaged("hard state");
  return {};
}

Result<void> read_log_start(const Reads& reads, ReplicaKeys keys, LogStart& start) {
  const auto value = reads.get(keys.log_start());
  if (!value) return fail(value.error());
  if (!*value) return {};
  Reader in(**value);
  start.index = in.number();
  start.term = in.number();
  start.configuration = in.string();
  if (!in.finished()) return damaged("log start");
  return {};
}

Result<ReplicaKeys> decode_current(ShardId shard, std::string_view value) {
  Reader in(value);
  const ReplicaId replica{in.number()};
  const bool second = in.ok() && in.left() > 0 && in.number_up_to(1) == 1;
  if (!in.finished()) return damaged("current replica");
  return ReplicaKeys(shard, replica, second ? Side::kSecond : Side::kFirst);
}

}  // namespace

void put_hard_state(Batch& batch, ReplicaKeys keys, const HardState& state) {
  Writer out;
  out.number(state.term);
  out.id(state.vote_node);
  out.id(state.vote);
  batch.put(keys.hard_state(), out.take());
}

void put_log_start(Batch& batch, ReplicaKeys keys, const LogStart& start) {
  Writer out;
  out.number(start.index);
  out.number(start.term);
  out.bytes(start.configuration);
  batch.put(keys.log_start(), out.take());
}

void put_log_entry(Batch& batch, ReplicaKeys keys, const LogEntryView& entry) {
  Writer head;
  head.number(entry.term);
  head.number(entry.kind);
  batch.put(keys.log_entry(entry.index), head.view(), entry.data);
}

void put_applied(Batch& batch, ReplicaKeys keys, std::uint64_t index) {
  Writer out;
  out.number(index);
  batch.put(keys.applied(), out.take());
}

void truncate_log_after(Batch& batch, ReplicaKeys keys, std::uint64_t from, std::uint64_t last) {
  for (std::uint64_t index = from; index <= last; ++index) batch.erase(keys.log_entry(index));
}

void compact_log(Batch& batch, ReplicaKeys keys, std::uint64_t first, const LogStart& start) {
  put_log_start(batch, keys, start);
  const KeyRange range = keys.log_range(first, start.index + 1);
  batch.erase_range(range.from, range.to);
}

Result<std::uint64_t> applied_index(const Reads& reads, ReplicaKeys keys) {
  const auto value = reads.get(keys.applied());
  if (!value) return fail(value.error());
  if (!*value) return std::uint64_t{0};
  Reader in(**value);
  const std::uint64_t applied = in.number();
  if (!in.finished()) return damaged("applied index");
  return applied;
}

Result<ReplicaLog> load_replica_log(const Reads& reads, ReplicaKeys keys) {
  ReplicaLog log;
  if (auto read = read_hard_state(reads, keys, log.hard_state); !read) return fail(read.error());
  if (auto read = read_log_start(reads, keys, log.start); !read) return fail(read.error());
  const Result<std::uint64_t> applied = applied_index(reads, keys);
  if (!applied) return fail(applied.error());
  auto read = read_entries(reads, keys,
                           {.range = prefix_range(keys.log_prefix()),
                            .first = log.start.index + 1,
                            .bytes_max = static_cast<std::size_t>(-1)},
                           log.entries);
  if (!read) return fail(read.error());
  log.applied = std::max(*applied, log.start.index);
  if (log.applied > log.start.index + log.entries.size()) {
    return fail(Code::kDataLoss, "the log of shard " + std::to_string(keys.shard().value) +
                                     " ends before its applied index " +
                                     std::to_string(log.applied));
  }
  return log;
}

Result<std::vector<LogEntry>> load_entries(const Reads& reads, ReplicaKeys keys, std::uint64_t from,
                                           std::uint64_t to, std::size_t bytes_max) {
  std::vector<LogEntry> entries;
  auto read = read_entries(
      reads, keys, {.range = keys.log_range(from, to), .first = from, .bytes_max = bytes_max},
      entries);
  if (!read) return fail(read.error());
  return entries;
}

void put_current(Batch& batch, ReplicaKeys keys) {
  Writer out;
  out.id(keys.replica());
  // Programs that know only one side do not take these rows for the others: they stop.
  if (keys.side() == Side::kSecond) out.number(1);
  batch.put(current_key(keys.shard()), out.take());
}

void erase_current(Batch& batch, ShardId shard) { batch.erase(current_key(shard)); }

Result<std::optional<ReplicaKeys>> current_replica(const Reads& reads, ShardId shard) {
  const auto value = reads.get(current_key(shard));
  if (!value) return fail(value.error());
  if (!*value) return std::optional<ReplicaKeys>();
  const Result<ReplicaKeys> keys = decode_current(shard, **value);
  if (!keys) return fail(keys.error());
  return std::optional(*keys);
}

Result<std::vector<ReplicaKeys>> current_replicas(const Reads& reads) {
  std::vector<ReplicaKeys> replicas;
  const KeyRange range = prefix_range(std::string(1, static_cast<char>(KeySpace::kCurrent)));
  auto read = each(reads, range, [&](std::string_view key, std::string_view value) -> Result<bool> {
    if (key.size() != 5) return damaged("current replica");
    const Result<ReplicaKeys> keys = decode_current(ShardId{big_endian_32(key.substr(1))}, value);
    if (!keys) return fail(keys.error());
    replicas.push_back(*keys);
    return true;
  });
  if (!read) return fail(read.error());
  return replicas;
}

void put_tombstone(Batch& batch, ReplicaKeys keys) {
  batch.put(tombstone_key(keys.shard(), keys.replica()), {});
}

Result<bool> has_tombstone(const Reads& reads, ReplicaKeys keys) {
  const auto value = reads.get(tombstone_key(keys.shard(), keys.replica()));
  if (!value) return fail(value.error());
  return value->has_value();
}

void drop_replica(Batch& batch, ReplicaKeys keys) {
  for (const KeyRange& range : keys.all()) batch.erase_range(range.from, range.to);
}

void drop_rows(Batch& batch, ReplicaKeys keys) {
  const KeyRange rows = prefix_range(keys.data_prefix());
  batch.erase_range(rows.from, rows.to);
}

Result<bool> has_rows(const Reads& reads, ReplicaKeys keys) {
  const KeyRange rows = prefix_range(keys.data_prefix());
  const auto cursor = reads.scan(rows.from, rows.to);
  if (cursor->valid()) return true;
  if (auto status = cursor->status(); !status) return fail(status.error());
  return false;
}

void put_node_record(Batch& batch, std::string_view name, std::string_view value) {
  batch.put(node_key(name), value);
}

Result<std::optional<std::string>> node_record(const Reads& reads, std::string_view name) {
  return reads.get(node_key(name));
}

}  // namespace troupe::storage
