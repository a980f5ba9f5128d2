#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "storage/shard/entry.h"
#include <troupe/result.h>
#include <troupe/time.h>

/// How a caller outside the cluster names its call, so that it may send it again, to any node, when
/// it cannot know what became of it.
namespace troupe::api {

/// The header, or entry of gRPC's metadata: 32 hexadecimal digits that are the caller's own, as
/// random as a node's id, then `-` and the number of the call, at least 1:
///
///     troupe-call-key: 9f86d081884c7d659a2feaa0c55ad015-17
inline constexpr std::string_view kCallKeyHeader = "troupe-call-key";
/// Beside a key: 1 plus the attempts before this one that may have reached a node. From 2 on the
/// shard is asked first whether the call has had its effect.
inline constexpr std::string_view kCallAttemptHeader = "troupe-call-attempt";
/// Beside a key: no call of this caller with a number below is sent again, by whatever way; at most
/// the call's own. What shards remember of those goes, and they are refused where they still come.
inline constexpr std::string_view kCallsDoneHeader = "troupe-calls-done-below";
/// A call with a key is remembered until its deadline and a little longer, so that may not be far.
inline constexpr Duration kKeyedTimeoutMax = std::chrono::minutes(10);

/// What a caller says about its call; empty: nothing.
struct CallKey {
  std::string key = {};
  std::string attempt = {};
  std::string done_below = {};

  bool given() const { return !key.empty() || !attempt.empty() || !done_below.empty(); }
  /// Takes the value of an entry named as one of the above. False, if it is named otherwise.
  bool take(std::string_view name, std::string_view value);
};

/// The id of the call that `key` names. Its generation is 0, which no process has: it is never that
/// of a call that a node named. kInvalid, saying what is right, for anything else than a key.
Result<storage::CallId> call_id_of(std::string_view key);

/// Whether an earlier attempt may have run. Empty is the first. kInvalid for what is no number from
/// 1 on.
Result<bool> is_repeat(std::string_view attempt);

/// The number below which the caller of `id` repeats nothing, at most that of `id`. Empty is 0.
/// kInvalid for anything else.
Result<std::uint64_t> done_below_of(std::string_view done_below, const storage::CallId& id);

}  // namespace troupe::api
