#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "runtime/base/ids.h"
#include "storage/shard/call_id.h"
#include <troupe/result.h>
#include <troupe/time.h>

/// What a backup puts into a shard: rows without what belongs to the shard they came from (versions
/// of values, registrations of reminders, numbers of messages), which the new one gives anew.
namespace troupe::storage {

struct RestoredValue {
  std::string type;
  std::string id;
  std::string name;
  std::string value;
  std::optional<WallTime> expires;

  friend bool operator==(const RestoredValue&, const RestoredValue&) = default;
};

struct RestoredReminder {
  std::string type;
  std::string id;
  std::string name;
  std::uint64_t number = 1;  // of the next tick
  WallTime due;
  std::string body;

  friend bool operator==(const RestoredReminder&, const RestoredReminder&) = default;
};

/// A one-way message that its receiver has not consumed: becomes the last one to `target`.
struct RestoredMessage {
  ShardId target;
  std::string message;

  friend bool operator==(const RestoredMessage&, const RestoredMessage&) = default;
};

/// A call that had its effect, for callers that ask again.
struct RestoredCall {
  CallId id;
  WallTime keep_until;
  bool reply_recorded = false;
  std::string reply;

  friend bool operator==(const RestoredCall&, const RestoredCall&) = default;
};

/// The epochs of a type's owners in this shard go on above this one.
struct RestoredEpoch {
  std::string type;
  Epoch epoch;

  friend bool operator==(const RestoredEpoch&, const RestoredEpoch&) = default;
};

using RestoredRow =
    std::variant<RestoredValue, RestoredReminder, RestoredMessage, RestoredCall, RestoredEpoch>;

std::string encode(const std::vector<RestoredRow>& rows);
/// kDataLoss for damaged bytes.
Result<std::vector<RestoredRow>> decode_restored_rows(std::string_view bytes);
/// About what it takes encoded.
std::size_t size_about(const RestoredRow& row);

/// Where the restore of a shard stands.
struct RestoreMark {
  enum class State : std::uint8_t {
    kNone,      // the shard was founded empty
    kLoading,   // has no owners, and runs nothing
    kFinished,  // is what the backup was, and what happened since
  };
  State state = State::kNone;
  std::string restore;      // names the attempt
  std::uint64_t parts = 0;  // loaded
  WallTime open_from;       // rights that were given out before have ended by then

  friend bool operator==(const RestoreMark&, const RestoreMark&) = default;
};

std::string encode(const RestoreMark& mark);
std::optional<RestoreMark> decode_restore_mark(std::string_view bytes);

}  // namespace troupe::storage
