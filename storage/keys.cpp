#include "storage/keys.h"

#include <bit>

#include "runtime/base/codec.h"

namespace troupe::storage {
namespace {

// Kinds of rows of the state machine.
constexpr char kCall = 'c';
constexpr char kDue = 'd';
constexpr char kOwner = 'e';
constexpr char kInbox = 'i';
constexpr char kDone = 'k';
constexpr char kInboxLowWater = 'l';
constexpr char kOutboxState = 'm';
constexpr char kOutbox = 'o';
constexpr char kReminder = 'r';
constexpr char kValue = 's';
constexpr char kRowVersion = 'v';
constexpr char kWatermark = 'w';
constexpr char kRestoreMark = 'b';
constexpr char kExpiry = 'x';

// Kinds of Raft's records.
constexpr char kApplied = 'a';
constexpr char kHardState = 'h';
constexpr char kLogStart = 's';

// Within an ordered text: after a zero byte, what it means.
constexpr char kZero = '\xff';
constexpr char kEnd = '\x01';

constexpr std::uint64_t kSign = std::uint64_t{1} << 63U;

// More than most keys of an actor's rows need.
constexpr std::size_t kKeyBytes = 62;

std::string shard_key(KeySpace space, ShardId shard) {
  std::string key;
  key.reserve(kKeyBytes);
  key.push_back(static_cast<char>(space));
  append_big_endian(key, shard.value);
  return key;
}

std::string replica_key(KeySpace space, ShardId shard, ReplicaId replica) {
  std::string key = shard_key(space, shard);
  append_big_endian(key, replica.value);
  return key;
}

template <class... Number>
std::string with(std::string key, Number... number) {
  (append_big_endian(key, number), ...);
  return key;
}

std::string with_actor(std::string key, std::string_view type, std::string_view id,
                       std::string_view name) {
  append_ordered(key, type);
  append_ordered(key, id);
  key += name;
  return key;
}

}  // namespace

std::string after_prefix(std::string_view prefix) {
  std::string end(prefix);
  while (!end.empty() && end.back() == '\xff') end.pop_back();
  if (!end.empty()) end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1);
  return end;
}

KeyRange prefix_range(std::string prefix) {
  std::string to = after_prefix(prefix);
  return {.from = std::move(prefix), .to = std::move(to)};
}

void append_ordered(std::string& key, std::string_view text) {
  if (text.find('\0') == std::string_view::npos) {
    key += text;
  } else {
    for (const char byte : text) {
      key += byte;
      if (byte == '\0') key += kZero;
    }
  }
  key += '\0';
  key += kEnd;
}

std::optional<std::string> take_ordered(std::string_view& key) {
  std::string text;
  for (std::size_t i = 0; i < key.size(); ++i) {
    if (key[i] != '\0') {
      text += key[i];
      continue;
    }
    if (++i == key.size()) return std::nullopt;
    if (key[i] == kEnd) {
      key.remove_prefix(i + 1);
      return text;
    }
    if (key[i] != kZero) return std::nullopt;
    text += '\0';
  }
  return std::nullopt;
}

void append_ordered(std::string& key, WallTime when) {
  // Moved up by half the range: negative numbers come first.
  append_big_endian(key, std::bit_cast<std::uint64_t>(when.time_since_epoch().count()) ^ kSign);
}

std::optional<WallTime> take_time(std::string_view& key) {
  if (key.size() < 8) return std::nullopt;
  const std::uint64_t number = big_endian_64(key.substr(0, 8)) ^ kSign;
  key.remove_prefix(8);
  return WallTime(Duration(std::bit_cast<std::int64_t>(number)));
}

std::string current_key(ShardId shard) { return shard_key(KeySpace::kCurrent, shard); }

std::string tombstone_key(ShardId shard, ReplicaId replica) {
  return replica_key(KeySpace::kTombstone, shard, replica);
}

std::string node_key(std::string_view name) {
  return std::string(1, static_cast<char>(KeySpace::kNode)).append(name);
}

std::string ReplicaKeys::key(KeySpace space, char kind) const {
  return replica_key(space, shard_, replica_) + kind;
}

std::string ReplicaKeys::data_key(char kind) const { return data_prefix() + kind; }

std::string ReplicaKeys::actor_key(char kind, std::string_view type) const {
  std::string result = data_key(kind);
  append_ordered(result, type);
  return result;
}

std::string ReplicaKeys::hard_state() const { return key(KeySpace::kReplica, kHardState); }
std::string ReplicaKeys::log_start() const { return key(KeySpace::kReplica, kLogStart); }
std::string ReplicaKeys::applied() const { return key(KeySpace::kReplica, kApplied); }

std::string ReplicaKeys::log_prefix() const {
  return replica_key(KeySpace::kLog, shard_, replica_);
}

std::string ReplicaKeys::log_entry(std::uint64_t index) const { return with(log_prefix(), index); }

KeyRange ReplicaKeys::log_range(std::uint64_t from, std::uint64_t to) const {
  return {.from = log_entry(from), .to = log_entry(to)};
}

std::string ReplicaKeys::data_prefix() const {
  return replica_key(side_ == Side::kFirst ? KeySpace::kData : KeySpace::kOtherData, shard_,
                     replica_);
}

std::string ReplicaKeys::owner_prefix() const { return data_key(kOwner); }
std::string ReplicaKeys::owner(std::string_view type) const { return owner_prefix().append(type); }
std::string ReplicaKeys::row_version() const { return data_key(kRowVersion); }
std::string ReplicaKeys::watermark() const { return data_key(kWatermark); }
std::string ReplicaKeys::restore_mark() const { return data_key(kRestoreMark); }

std::string ReplicaKeys::values_prefix() const { return data_key(kValue); }

std::string ReplicaKeys::value_prefix(std::string_view type) const {
  return actor_key(kValue, type);
}

std::string ReplicaKeys::value_prefix(std::string_view type, std::string_view id) const {
  return value(type, id, {});
}

std::string ReplicaKeys::value(std::string_view type, std::string_view id,
                               std::string_view name) const {
  return with_actor(values_prefix(), type, id, name);
}

std::string ReplicaKeys::expiry_prefix() const { return data_key(kExpiry); }

std::string ReplicaKeys::expiry(WallTime when, std::string_view type, std::string_view id,
                                std::string_view name) const {
  std::string result = expiry_prefix();
  append_ordered(result, when);
  return with_actor(std::move(result), type, id, name);
}

std::string ReplicaKeys::reminders_prefix() const { return data_key(kReminder); }

std::string ReplicaKeys::reminder_prefix(std::string_view type) const {
  return actor_key(kReminder, type);
}

std::string ReplicaKeys::reminder_prefix(std::string_view type, std::string_view id) const {
  return reminder(type, id, {});
}

std::string ReplicaKeys::reminder(std::string_view type, std::string_view id,
                                  std::string_view name) const {
  return with_actor(reminders_prefix(), type, id, name);
}

std::string ReplicaKeys::due_prefix() const { return data_key(kDue); }

std::string ReplicaKeys::due_from(WallTime when) const {
  std::string result = due_prefix();
  append_ordered(result, when);
  return result;
}

std::string ReplicaKeys::due(WallTime when, std::string_view type, std::string_view id,
                             std::string_view name) const {
  return with_actor(due_from(when), type, id, name);
}

std::string ReplicaKeys::call_prefix() const { return data_key(kCall); }

std::string ReplicaKeys::call(const CallId& id) const {
  return with(call_prefix(), id.origin.high, id.origin.low, id.generation.value, id.sequence);
}

std::string ReplicaKeys::done_prefix() const { return data_key(kDone); }

std::string ReplicaKeys::done(const CallId& call) const {
  return with(done_prefix(), call.origin.high, call.origin.low, call.generation.value);
}

std::string ReplicaKeys::outbox_state_prefix() const { return data_key(kOutboxState); }

std::string ReplicaKeys::outbox_state(ShardId target) const {
  return with(outbox_state_prefix(), target.value);
}

std::string ReplicaKeys::outbox_prefix() const { return data_key(kOutbox); }

std::string ReplicaKeys::outbox_prefix(ShardId target) const {
  return with(outbox_prefix(), target.value);
}

std::string ReplicaKeys::outbox(ShardId target, std::uint64_t number) const {
  return with(outbox_prefix(), target.value, number);
}

std::string ReplicaKeys::inbox_low_water_prefix() const { return data_key(kInboxLowWater); }

std::string ReplicaKeys::inbox_low_water(ShardId source) const {
  return with(inbox_low_water_prefix(), source.value);
}

std::string ReplicaKeys::inbox_prefix() const { return data_key(kInbox); }

std::string ReplicaKeys::inbox(ShardId source, std::uint64_t number) const {
  return with(inbox_prefix(), source.value, number);
}

std::vector<KeyRange> ReplicaKeys::all() const {
  std::vector<KeyRange> ranges;
  for (const KeySpace space :
       {KeySpace::kData, KeySpace::kOtherData, KeySpace::kLog, KeySpace::kReplica}) {
    ranges.push_back(prefix_range(replica_key(space, shard_, replica_)));
  }
  return ranges;
}

}  // namespace troupe::storage
