#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <troupe/result.h>
#include <troupe/time.h>

namespace troupe {

/// The rules of one place for turning moments into what its clocks show and back, from the
/// machine's tz database. Local times are counted in seconds as if the place were at UTC.
///
/// Immutable; copies share the rules. Thread-safe.
class TimeZone {
 public:
  /// UTC.
  TimeZone();

  /// The zone of that name, such as `Europe/Berlin`; `UTC` needs no database. Reads files when the
  /// process meets a name for the first time.
  static Result<TimeZone> load(const std::string& name);

  const std::string& name() const { return name_; }

  /// What the clocks show at `time`.
  std::chrono::sys_seconds local(WallTime time) const;

  /// The moments at which the clocks show `local`.
  struct Moments {
    enum class Kind : std::uint8_t { kOnce, kSkipped, kTwice };
    Kind kind;
    WallTime first;  // kSkipped: the shift itself
    WallTime last;   // differs from `first` for kTwice only
  };
  Moments moments(std::chrono::sys_seconds local) const;

  /// The first change of the offset after `time`, or kLastWallTime.
  WallTime next_shift(WallTime time) const;

  friend bool operator==(const TimeZone& a, const TimeZone& b) { return a.name_ == b.name_; }

 private:
  struct Rules;

  std::string name_ = "UTC";
  std::shared_ptr<const Rules> rules_;  // null: UTC
};

}  // namespace troupe
