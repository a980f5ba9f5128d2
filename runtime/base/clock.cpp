#include "runtime/base/clock.h"

#include <ctime>

namespace troupe {
namespace {

Duration read(clockid_t id) {
  timespec now{};
  clock_gettime(id, &now);
  return std::chrono::duration_cast<Duration>(std::chrono::seconds(now.tv_sec) +
                                              std::chrono::nanoseconds(now.tv_nsec));
}

}  // namespace

Time SystemClock::now() const { return Time(read(CLOCK_BOOTTIME)); }

WallTime SystemClock::wall() const { return WallTime(read(CLOCK_REALTIME)); }

}  // namespace troupe
