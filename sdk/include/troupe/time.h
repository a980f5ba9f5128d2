#pragma once

#include <chrono>

namespace troupe {

/// Microseconds: fine enough for latencies, and wide enough for the year 9999.
using Duration = std::chrono::microseconds;

/// The clock of deadlines and leases: counts from the machine's start, also while it sleeps
/// (CLOCK_BOOTTIME), and is never set back. Read through troupe::Clock only.
struct BootClock {
  using rep = Duration::rep;
  using period = Duration::period;
  using duration = Duration;
  using time_point = std::chrono::time_point<BootClock>;
  static constexpr bool is_steady = true;
};

/// A moment on this machine, for deadlines and leases. Means nothing on another machine: deadlines
/// travel as remaining time.
using Time = BootClock::time_point;

/// A moment on the calendar (UTC), for reminders and logs. May be stepped by the operator.
using WallTime = std::chrono::sys_time<Duration>;

}  // namespace troupe
