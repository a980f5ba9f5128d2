#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "actors/schedule/calendar.h"
#include "actors/schedule/cron.h"
#include "runtime/base/codec.h"
#include <troupe/result.h>
#include <troupe/time.h>

namespace troupe {

/// What becomes of ticks that could not run in time: the node was down, the turn before took long.
enum class TickCatchUp : std::uint8_t {
  kOne,   // one tick stands for all that were missed
  kAll,   // each runs, back to back
  kSkip,  // none runs: the next one in time does
};

/// How ticks follow one another: not at all; every fixed or calendar length after the first; or by
/// the calendar.
using Period = std::variant<std::monostate, Duration, CalendarStep, Cron>;

/// A moment asked for: now (none), at a time, or so long from another moment.
using Moment = std::variant<std::monostate, WallTime, Duration, CalendarStep>;

/// A schedule as asked for; resolve() makes a Schedule of it.
struct ScheduleRequest {
  Moment first;  // from now. None: with a cron its first time, else see below
  Period period;
  std::uint32_t repeats = 0;  // ticks in all, the first included. 0: no limit
  Moment ttl;                 // none: no end. Relative: from the first tick
  /// Without `first`, a fixed or calendar period ticks at once, not after one period.
  bool at_once = false;
};

/// When something ticks: at `first`, and then on a grid that `first` and `period` span, so that
/// lateness never adds up.
///
/// A value. All times lie between the years 0 and 9999.
struct Schedule {
  WallTime first{};
  Period period;
  std::uint32_t repeats = 0;       // ticks in all, the first included. 0: no limit
  std::optional<WallTime> expiry;  // no tick but the first at or after it

  bool recurring() const { return !std::holds_alternative<std::monostate>(period); }

  /// The first tick later than `after`, whatever was missed in between; none when the schedule has
  /// come to its end. `ticks` is how many have run: the limit counts those that run.
  std::optional<WallTime> next(WallTime after, std::uint64_t ticks) const;

  void encode(Writer& writer) const;
  /// Fails on damage, and on a cron whose time zone this machine does not know.
  static Result<Schedule> decode(Reader& reader);

  friend bool operator==(const Schedule&, const Schedule&) = default;
};

/// Makes times of lengths. Refuses a period of zero or less, a first tick
/// beyond the year 9999, and a ttl that ends before the first tick.
Result<Schedule> resolve(const ScheduleRequest& request, WallTime now);

/// Reads any period: a Go or ISO 8601 duration, repeated or not, `@every <Go duration>` or cron.
struct RepeatedPeriod {
  std::optional<std::uint32_t> repeats;
  Period period;  // none when the text says zero
};
Result<RepeatedPeriod> parse_period(std::string_view text);

/// `@every 1m0s`, the cron expression, `P1M`: reads back as the same period. Empty for none.
std::string format_period(const Period& period);

}  // namespace troupe
