#pragma once

#include <string>
#include <string_view>

#include <troupe/actor_type.h>
#include <troupe/result.h>

/// What the API asks of the timers of an activation: the messages of calls of kind kTimers.
namespace troupe::actors {

std::string encode(const TimerChange& change);
/// kInvalid for damaged bytes.
Result<TimerChange> decode_timer_change(std::string_view bytes);

}  // namespace troupe::actors
