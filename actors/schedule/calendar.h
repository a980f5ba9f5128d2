#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <troupe/time.h>

namespace troupe {

/// The last moment that a schedule can name: the end of the year 9999.
inline constexpr WallTime kLastWallTime{Duration{253'402'300'799'999'999}};
/// The first: the beginning of the year 0.
inline constexpr WallTime kFirstWallTime{Duration{-62'167'219'200'000'000}};

/// `time + length`, held within the first and the last moment instead of overflowing.
WallTime saturating_add(WallTime time, Duration length);

/// A length of time whose months and days depend on the calendar, as in `P1Y2M3W4DT5H6M7S`.
struct CalendarStep {
  std::int32_t months = 0;  // years are 12 of them
  std::int32_t days = 0;    // weeks are 7 of them
  Duration exact{};         // hours and less

  bool zero() const { return months == 0 && days == 0 && exact == Duration::zero(); }
  /// Neither months nor days: the same as `exact`.
  bool fixed() const { return months == 0 && days == 0; }

  friend bool operator==(const CalendarStep&, const CalendarStep&) = default;
};

/// `from` and `count` steps after it, in UTC: first the months, the day held within its month
/// (31 January + P1M = 28 February), then days and the rest. None beyond the year 9999 or before
/// the year 0.
std::optional<WallTime> add_steps(WallTime from, const CalendarStep& step, std::int64_t count);

/// `2026-11-22T20:07:45.5Z`, with as many digits of the second as are needed, at most six.
std::string format_rfc3339(WallTime time);

}  // namespace troupe
