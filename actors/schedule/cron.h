#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "actors/schedule/time_zone.h"
#include <troupe/result.h>
#include <troupe/time.h>

namespace troupe {

/// Times given by a cron expression: `[second] minute hour day month weekday`, with `*`, `?`,
/// lists, ranges, steps, names (JAN, MON), or `@yearly`, `@annually`, `@monthly`, `@weekly`,
/// `@daily`, `@midnight`, `@hourly`; in front `TZ=Europe/Berlin ` or `CRON_TZ=...`, else UTC.
/// Where both day and weekday are restricted, either is enough.
///
/// When clocks are put forward, a time that is skipped happens at the shift. When they are put
/// back, a time that is shown twice happens the first time only. An expression for every hour
/// (hour `*`) follows the passing of time instead: nothing extra at the shift, both hours count.
///
/// Immutable. Thread-safe.
class Cron {
 public:
  static Result<Cron> parse(std::string_view text);

  /// The first time after `time`; none when there is none before the year 10000.
  std::optional<WallTime> next(WallTime time) const;

  /// As it was given.
  const std::string& text() const { return text_; }

  friend bool operator==(const Cron& a, const Cron& b) { return a.text_ == b.text_; }

 private:
  // Bit n stands for the value n.
  struct Fields {
    std::uint64_t seconds = 0;
    std::uint64_t minutes = 0;
    std::uint64_t hours = 0;
    std::uint64_t days = 0;
    std::uint64_t months = 0;
    std::uint64_t weekdays = 0;  // 0 is Sunday
    bool every_day = false;      // the day field is `*`
    bool every_weekday = false;
  };

  Cron() = default;
  Result<void> read_fields(std::string_view text);
  bool day_matches(std::chrono::year_month_day day) const;
  std::optional<std::chrono::seconds> next_time_of_day(std::chrono::seconds from) const;
  std::optional<std::chrono::sys_seconds> next_local(std::chrono::sys_seconds from) const;
  std::optional<WallTime> next_shown(WallTime time) const;
  std::optional<WallTime> next_passed(WallTime time) const;

  std::string text_;
  Fields fields_;
  TimeZone zone_;
};

}  // namespace troupe
