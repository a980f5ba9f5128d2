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
  // Of the width that the system waits on.
  using State = std::uint32_t;
  static constexpr State kQuiet = 0;
  static constexpr State kRung = 1;
  static constexpr State kWaitedFor = 2;

  bool sleep(const Duration* patience);

  std::atomic<State> state_{kQuiet};
};

}  // namespace troupe
