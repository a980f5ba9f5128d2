#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <troupe/actor_type.h>
#include <troupe/result.h>
#include <troupe/time.h>

/// When timers and reminders fire.
namespace troupe {

/// When a timer fires. Microseconds at the finest.
struct TimerOptions {
  std::optional<Duration> after = {};         // the first time: by default one period, else at once
  std::optional<Duration> every = {};         // again, counted from the end of the turn before
  std::optional<std::uint32_t> repeats = {};  // how often in all, the first included
  std::optional<Duration> ttl = {};           // from now; then no more
  std::string name = {};                      // by default the method's
};

/// When a reminder fires. Milliseconds at the finest. Say when at most once: `after`, `at` or
/// `due`; how often at most once: `every`, `cron` or `period`. Otherwise the turn fails with
/// kInvalid.
struct ReminderOptions {
  std::optional<Duration> after = {};
  std::optional<WallTime> at = {};
  std::string due = {};  // "10s", "PT1H", or RFC 3339
  std::optional<Duration> every = {};
  std::string cron = {};    // "0 30 9 * * MON": second minute hour day month weekday, UTC
  std::string period = {};  // "10s", "PT1H", "R5/PT10S", "@every 1m"
  std::optional<std::uint32_t> repeats = {};  // how often in all, the first included
  std::optional<Duration> ttl = {};           // then no more
  FailurePolicy failure = {};                 // what if a tick's turn fails
  CatchUp catch_up = CatchUp::kCoalesce;      // what becomes of ticks missed in an outage
  bool overwrite = true;                      // false: kConflict if there is one of that name
  std::string name = {};                      // by default the method's
};

/// Checks the options, and says the same as a TimerChange. kInvalid if they contradict themselves.
Result<TimerChange> timer_change(TimerOptions options);

/// Checks the options, and says the same in the texts of a ReminderChange. kInvalid if they
/// contradict themselves.
Result<ReminderChange> reminder_change(ReminderOptions options);

/// A duration as schedules spell it: "1h30m", "1.5s" is "1500ms".
std::string to_text(Duration duration);

/// A moment as RFC 3339, in UTC, to the microsecond: "2026-01-31T09:30:00Z".
std::string to_text(WallTime time);

}  // namespace troupe
