#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "actors/timers/timers.h"
#include <troupe/actor_type.h>
#include <troupe/result.h>

/// What is asked of the timers of an activation: by a turn, or by the API, as the message of a call
/// of kind kTimers.
namespace troupe::actors {

struct TimerOperation {
  std::string name;
  std::optional<Timer> timer;  // to be set; none: the one of that name is cancelled
};

/// What a native turn asks for at `wall`. Ticks that were missed are not made up for.
TimerOperation operation_of(const TimerChange& change, WallTime wall);

std::string encode(const TimerOperation& operation);
/// kInvalid for damaged bytes.
Result<TimerOperation> decode_timer_operation(std::string_view bytes);

}  // namespace troupe::actors
