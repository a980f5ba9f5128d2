#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "actors/schedule/dapr_schedule.h"
#include "actors/schedule/schedule.h"
#include <troupe/payload.h>
#include <troupe/result.h>
#include <troupe/time.h>

namespace troupe {

/// What a timer does, and when.
struct Timer {
  std::string method;  // the native callback, or Dapr's `callback`; empty: the timer's name
  Payload data;
  Schedule schedule;
  TickCatchUp catch_up = TickCatchUp::kOne;  // Dapr's timers: kAll
  ScheduleTexts texts;                       // as registered, for Dapr's callback body; else empty
};

/// One tick of one timer. Between take_due() and begin() it may wait in a mailbox.
struct TimerTick {
  std::string name;
  std::uint64_t registration = 0;  // grows with every set()
  std::uint64_t number = 0;        // of the tick, from 1
  WallTime scheduled{};

  friend bool operator==(const TimerTick&, const TimerTick&) = default;
};

/// The timers of one activation. They live and die with it, and it is not idle while there are any.
///
/// Each timer is waiting, or has one tick out: taken by take_due() and not yet finished(). The
/// next one is computed when the one before is over, from when that was *scheduled*, so ticks of a
/// timer never overlap and never drift; whether it failed makes no difference. A slow tick holds up
/// its own timer only.
///
/// Both clocks are read once, when the timer is set: from then on it follows the boot clock, and
/// does not notice when the operator sets the wall clock.
///
/// Not thread-safe: belongs to its activation.
class Timers {
 public:
  static constexpr std::size_t kCountMax = 1000;

  /// Sets or replaces the timer of that name; a tick of the old one that is out is void.
  /// kExhausted beyond kCountMax timers.
  Result<void> set(Time now, WallTime wall, std::string name, Timer timer);

  /// False if there is none. A tick that waits is void from now on.
  bool cancel(const std::string& name);

  /// When take_due() has something to say; none while nothing waits.
  std::optional<Time> next_due() const;

  /// The ticks due by `now`, the earliest first.
  std::vector<TimerTick> take_due(Time now);

  /// Asked when the turn of a tick begins: the timer, or null if the tick is void because the
  /// timer was cancelled or replaced. Valid until the next set(), cancel() or finished().
  const Timer* begin(const TimerTick& tick) const;

  /// The turn of a tick is over, well or not. A tick that is void is ignored.
  void finished(Time now, const TimerTick& tick);

  std::size_t count() const { return timers_.size(); }
  /// The names, sorted.
  std::vector<std::string> names() const;

 private:
  struct Entry {
    Timer timer;
    std::uint64_t registration;
    std::uint64_t number = 1;  // of the next tick, or the one that is out
    WallTime scheduled;        // of that tick
    Duration shift;            // wall clock minus boot clock when it was set
    std::optional<Time> due;   // none: a tick is out
    WallTime taken{};          // when it went out
  };
  using Entries = std::map<std::string, Entry>;

  void arm(Entries::iterator entry);
  void disarm(Entries::iterator entry);
  bool current(const TimerTick& tick, const Entry& entry) const;

  Entries timers_;
  std::set<std::pair<Time, std::string>> waiting_;
  std::uint64_t last_registration_ = 0;
};

}  // namespace troupe
