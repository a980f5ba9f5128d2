#pragma once

#include <troupe/time.h>

namespace troupe {

/// The time. Handed in wherever time matters, so that tests and simulations turn the hands.
/// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;

  /// For deadlines, leases and intervals.
  virtual Time now() const = 0;

  /// For what people and calendars see: reminders, logs.
  virtual WallTime wall() const = 0;
};

/// The machine's clocks.
class SystemClock final : public Clock {
 public:
  Time now() const override;
  WallTime wall() const override;
};

}  // namespace troupe
