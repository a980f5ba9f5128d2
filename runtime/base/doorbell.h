#pragma once

#include <atomic>
#include <cstdint>

#include <troupe/time.h>

namespace troupe {

/// Wakes the one thread that waits for it, at one system call for each side. A ring that nobody
/// waits for is kept, several are one. Only one thread waits; any may ring.
class Doorbell {
 public:
  void ring();
  void wait();
  /// False if nobody has rung in time.
  bool wait_for(Duration patience);

 private:
  enum State : std::uint32_t { kQuiet, kRung, kWaitedFor };

  bool sleep(const Duration* patience);

  std::atomic<std::uint32_t> state_{kQuiet};
};

}  // namespace troupe
