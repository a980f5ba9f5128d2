#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include <troupe/actor_type.h>
#include <troupe/result.h>
#include <troupe/time.h>

namespace troupe {

/// When a reminder of the testing kit fires: the part of the schedule grammar that needs no
/// calendar.
struct TestSchedule {
  WallTime next;
  std::optional<Duration> period;
  std::optional<std::uint32_t> left;  // ticks to come, `next` included
  std::optional<WallTime> expiry;

  /// Goes to the tick after `next`, and past those missed by `now` unless all are wanted. False at
  /// the end of the schedule.
  bool advance(WallTime now, CatchUp catch_up);
};

/// kInvalid for what is no schedule; kUnimplemented for calendar periods, such as cron.
Result<TestSchedule> parse_test_schedule(const ReminderChange& change, WallTime now);

/// "1h30m", "250ms", "PT1H30M".
std::optional<Duration> parse_test_duration(std::string_view text);

/// RFC 3339 in UTC, "2026-01-31T09:30:00.25Z".
std::optional<WallTime> parse_time(std::string_view text);

}  // namespace troupe
