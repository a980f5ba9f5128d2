#pragma once

#include <troupe/time.h>

namespace troupe {

/// `wait` after `now`, or the end of all time if that comes first: whoever waits for as long as a
/// Duration can say has not waited already. Requires that `now` is not before the machine's start.
constexpr Time after(Time now, Duration wait) {
  return wait < Time::max() - now ? now + wait : Time::max();
}

}  // namespace troupe
