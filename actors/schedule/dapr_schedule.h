#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "actors/schedule/schedule.h"
#include <troupe/result.h>
#include <troupe/time.h>

namespace troupe {

/// The texts of a Dapr registration. Empty means not given.
struct ScheduleTexts {
  std::string due_time;
  std::string period;
  std::string ttl;

  friend bool operator==(const ScheduleTexts&, const ScheduleTexts&) = default;
};

/// A timer: no due time means now; calendar periods allowed; R0 is an error; a period of zero ticks
/// once. `owner`, as in `Cart||alice||reprice`, is for the message only. Messages begin as Dapr's.
Result<Schedule> parse_timer_schedule(const ScheduleTexts& texts, WallTime now,
                                      std::string_view owner);

/// A reminder: due time or period needed; no due time means one period from now; years, months,
/// weeks and days are refused as periods; R0 means no limit; a ttl needs a period.
Result<Schedule> parse_reminder_schedule(const ScheduleTexts& texts, WallTime now);

/// A job: `texts.period` is Dapr's `schedule`, cron of six fields (seconds first), a descriptor or
/// `@every`. `repeats` is none when not given.
Result<Schedule> parse_job_schedule(const ScheduleTexts& texts,
                                    std::optional<std::uint32_t> repeats, WallTime now);

/// What Dapr's GET of a reminder shows: `@every 1m0s` for the period, and the ttl only if it was
/// given as a time.
ScheduleTexts shown_texts(const ScheduleTexts& texts, const Schedule& schedule);

}  // namespace troupe
