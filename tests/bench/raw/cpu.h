#pragma once

#include <ctime>

namespace troupe::bench {

/// CPU that this process has used so far, of all its threads.
inline double cpu_seconds() {
  timespec spent{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
  return static_cast<double>(spent.tv_sec) + static_cast<double>(spent.tv_nsec) * 1e-9;
}

}  // namespace troupe::bench
