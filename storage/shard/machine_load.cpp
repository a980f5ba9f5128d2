#include <algorithm>
#include <functional>

#include "runtime/base/codec.h"
#include "storage/scan.h"
#include "storage/shard/machine.h"
#include "storage/shard/machine_turn.h"
#include "storage/shard/row_codec.h"
#include "storage/shard/rows.h"

namespace troupe::storage {
namespace {

// The number that a key of the form `prefix | shard` ends with.
std::optional<ShardId> shard_at_end(std::string_view key, const KeyRange& range) {
  if (key.size() != range.from.size() + 4) return std::nullopt;
  return ShardId{big_endian_32(key.substr(range.from.size()))};
}

}  // namespace

// All that is kept in memory of rows that a restore replaces.
void ShardMachine::forget_contents() {
  watermark_ = WallTime::min();
  outbox_.clear();
  outbox_messages_ = outbox_bytes_ = 0;
  inbox_.clear();
  recorded_.clear();
  next_value_expiry_.reset();
  handed_out_.clear();
}

Result<void> ShardMachine::load() {
  advanced_.clear();
  owners_.clear();
  row_version_ = {};
  restore_ = {};
  forget_contents();
  loaded_ = true;
  for (const auto part :
       {&ShardMachine::load_owners, &ShardMachine::load_marks, &ShardMachine::load_outbox,
        &ShardMachine::load_inbox, &ShardMachine::load_recorded}) {
    if (auto loaded = (this->*part)(); !loaded) {
      loaded_ = false;
      return loaded;
    }
  }
  return {};
}

Result<void> ShardMachine::load_owners() {
  const KeyRange range = prefix_range(keys_.owner_prefix());
  return each(reads_, range, [&](std::string_view key, std::string_view value) -> Result<bool> {
    const std::optional<Owner> owner = decode_owner(value);
    if (!owner) return damaged("owner");
    owners_.emplace(key.substr(range.from.size()), *owner);
    return true;
  });
}

Result<void> ShardMachine::load_marks() {
  const auto version = reads_.get(keys_.row_version());
  if (!version) return fail(version.error());
  if (*version) {
    const std::optional<RowVersion> decoded = decode_row_version(**version);
    if (!decoded) return damaged("row version");
    row_version_ = *decoded;
  }
  const auto watermark = reads_.get(keys_.watermark());
  if (!watermark) return fail(watermark.error());
  if (*watermark) {
    const std::optional<WallTime> decoded = decode_time(**watermark);
    if (!decoded) return damaged("watermark");
    watermark_ = *decoded;
  }
  const auto mark = read_restore_mark(reads_, keys_);
  if (!mark) return fail(mark.error());
  restore_ = *mark;
  const KeyRange range = prefix_range(keys_.expiry_prefix());
  return each(reads_, range, [&](std::string_view key, std::string_view) -> Result<bool> {
    key.remove_prefix(range.from.size());
    next_value_expiry_ = take_time(key);
    if (!next_value_expiry_) return damaged("expiry index");
    return false;
  });
}

Result<void> ShardMachine::load_outbox() {
  const KeyRange range = prefix_range(keys_.outbox_state_prefix());
  return each(reads_, range, [&](std::string_view key, std::string_view value) -> Result<bool> {
    const std::optional<ShardId> target = shard_at_end(key, range);
    const std::optional<OutboxState> state = decode_outbox_state(value);
    if (!target || !state) return damaged("outbox state");
    outbox_.emplace(*target, *state);
    outbox_messages_ += state->messages;
    outbox_bytes_ += state->bytes;
    return true;
  });
}

Result<void> ShardMachine::load_inbox() {
  const KeyRange marks = prefix_range(keys_.inbox_low_water_prefix());
  auto read =
      each(reads_, marks, [&](std::string_view key, std::string_view value) -> Result<bool> {
        const std::optional<ShardId> source = shard_at_end(key, marks);
        const std::optional<std::uint64_t> low_water = decode_number(value);
        if (!source || !low_water) return damaged("inbox low-water mark");
        inbox_[*source].low_water = *low_water;
        return true;
      });
  if (!read) return read;
  const KeyRange numbers = prefix_range(keys_.inbox_prefix());
  return each(reads_, numbers, [&](std::string_view key, std::string_view) -> Result<bool> {
    if (key.size() != numbers.from.size() + 12) return damaged("inbox");
    key.remove_prefix(numbers.from.size());
    inbox_[ShardId{big_endian_32(key.substr(0, 4))}].consumed.insert(big_endian_64(key.substr(4)));
    return true;
  });
}

Result<void> ShardMachine::load_recorded() {
  const KeyRange range = prefix_range(keys_.call_prefix());
  auto read =
      each(reads_, range, [&](std::string_view key, std::string_view value) -> Result<bool> {
        const std::optional<RecordedCall> call = decode_recorded_call(value);
        if (!call || key.size() != range.from.size() + 32) return damaged("recorded call");
        key.remove_prefix(range.from.size());
        CallId id;
        id.origin = {.high = big_endian_64(key.substr(0, 8)),
                     .low = big_endian_64(key.substr(8, 8))};
        id.generation = {big_endian_64(key.substr(16, 8))};
        id.sequence = big_endian_64(key.substr(24, 8));
        record(id, call->keep_until, call->reply.size());
        return true;
      });
  if (!read) return read;
  const KeyRange marks = prefix_range(keys_.done_prefix());
  return each(reads_, marks, [&](std::string_view key, std::string_view value) -> Result<bool> {
    const std::optional<DoneCalls> done = decode_done_calls(value);
    if (!done || key.size() != marks.from.size() + 24) return damaged("mark of a caller");
    key.remove_prefix(marks.from.size());
    recorded_.set_mark({.origin = {.high = big_endian_64(key.substr(0, 8)),
                                   .low = big_endian_64(key.substr(8, 8))},
                        .generation = {big_endian_64(key.substr(16, 8))}},
                       *done);
    return true;
  });
}

void ShardMachine::record(const CallId& id, WallTime keep_until, std::size_t reply_bytes) {
  recorded_.record(id, keep_until, recorded_call_bytes(reply_bytes));
}

}  // namespace troupe::storage
