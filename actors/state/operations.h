#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "actors/turns/shards.h"
#include <troupe/payload.h>
#include <troupe/result.h>
#include <troupe/time.h>

/// What the API asks of an actor's named values: the messages of calls of kind kState.
namespace troupe::actors {

/// A change to one named value.
struct StateOperation {
  std::string name;                   // not empty: that is the native state
  std::optional<std::string> value;   // nothing: erase
  std::optional<std::uint64_t> etag;  // kConflict unless this is the version
  std::optional<Duration> ttl;        // from the commit on
};

/// All of the changes, or none; or, without changes, a read.
struct StateOperations {
  std::vector<StateOperation> changes;
  std::vector<std::string> reads;  // without changes only; the reply is encoded StoredValues
  bool read_all = false;
};
inline constexpr std::size_t kStateOperationsMax = 10'000;

std::string encode(const StateOperations& operations);
/// kInvalid for damaged bytes.
Result<StateOperations> decode_state_operations(std::string_view bytes);

/// Whether they are changes, and not a read; damaged bytes are neither.
bool changes_values(std::string_view operations);

using StoredValues = std::vector<std::pair<std::string, StoredValue>>;
std::string encode(const StoredValues& values);
Result<StoredValues> decode_stored_values(std::string_view bytes);

}  // namespace troupe::actors
