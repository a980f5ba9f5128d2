#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "actors/schedule/dapr_schedule.h"
#include "actors/schedule/schedule.h"
#include "runtime/base/ids.h"
#include <troupe/actor_key.h>
#include <troupe/result.h>
#include <troupe/time.h>

namespace troupe {

/// One registration of a reminder, unique within its shard and never used again: registering the
/// same name anew gives a new one. Made of the index of the entry that registered it and its
/// position among that entry's registrations.
using Registration = Id<struct RegistrationTag, std::uint64_t>;
inline constexpr std::uint32_t kRegistrationsPerEntry = 4096;
/// Requires position < kRegistrationsPerEntry and index < 2^52.
Registration registration_at(std::uint64_t index, std::uint32_t position);

/// What to do with a tick whose turn failed.
struct TickFailurePolicy {
  enum class Kind : std::uint8_t {
    kBackOff,   // again after 1 s, 2 s, 4 s ... up to 5 min, until it succeeds
    kDrop,      // go on with the next tick; a reminder without one ends
    kConstant,  // again every `interval`
  };
  Kind kind = Kind::kBackOff;
  Duration interval{};
  std::optional<std::uint32_t> retries_max;  // kConstant; none: until it succeeds

  friend bool operator==(const TickFailurePolicy&, const TickFailurePolicy&) = default;
};
/// Dapr's default: after one second, three times, then the tick is dropped.
TickFailurePolicy dapr_failure_policy();

/// A reminder as its shard keeps it. A value; see README.md for its bytes.
struct ReminderRecord {
  ActorKey key;
  std::string name;
  std::string method;  // the native callback; empty: Dapr's remind
  std::string data;
  Schedule schedule;
  Registration registration;
  std::uint64_t number = 1;   // of the next tick; a tick keeps it through its retries
  std::uint64_t skipped = 0;  // ticks that had a number but were not sent
  WallTime scheduled{};       // when that tick was to run
  WallTime due{};             // when it is tried next: whole milliseconds, never before `scheduled`
  TickFailurePolicy failure;
  TickCatchUp catch_up = TickCatchUp::kOne;
  std::uint32_t attempts = 0;  // failed ones of that tick
  bool paused = false;         // keeps its due time, does not fire
  ScheduleTexts texts;         // as registered; Dapr's GET shows them

  std::string encode() const;
  static Result<ReminderRecord> decode(std::string_view bytes);

  friend bool operator==(const ReminderRecord&, const ReminderRecord&) = default;
};

/// The record of a new registration: its first tick is next. Sets `number`, `skipped`, `scheduled`,
/// `due` and `attempts`, and takes the rest as given.
ReminderRecord registered(ReminderRecord record);

/// A recurring reminder with TickCatchUp::kSkip drops a tick that is later than this.
inline constexpr Duration kSkipAfter = std::chrono::minutes(1);

/// What to do with a record that was read because it is due.
enum class Verdict : std::uint8_t {
  kFire,
  kWait,  // paused, or due later: it was changed
  kSkip,  // too late: commit advance(record, kSkipped)
};
Verdict judge(const ReminderRecord& record, WallTime now);

/// How a tick went. `fired` is the wall clock when it was sent off.
struct TickOutcome {
  enum class Kind : std::uint8_t {
    kDone,
    kFailed,
    kCancelled,  // the turn asked for the end of the reminder (X-Daprremindercancel)
    kSkipped,    // was not sent at all
  };
  Kind kind = Kind::kDone;
  WallTime fired{};
};

/// The record after its next tick went that way, to be committed in the same entry; none: the
/// reminder is over, and that entry deletes it. Pure: equal arguments give equal records.
std::optional<ReminderRecord> advance(ReminderRecord record, const TickOutcome& outcome,
                                      WallTime now);

}  // namespace troupe
