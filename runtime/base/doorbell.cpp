#include "runtime/base/doorbell.h"

#include <cerrno>
#include <chrono>
#include <ctime>

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace troupe {
namespace {

// A condition variable would take its mutex back from the one who rings: twice the calls.
long futex(std::atomic<std::uint32_t>& word, int operation, std::uint32_t value,
           const timespec* patience) {
  static_assert(std::atomic<std::uint32_t>::is_always_lock_free);
  return ::syscall(SYS_futex, &word, operation, value, patience, nullptr, 0);
}

}  // namespace

void Doorbell::ring() {
  if (state_.exchange(kRung, std::memory_order_acq_rel) != kWaitedFor) return;
  futex(state_, FUTEX_WAKE_PRIVATE, 1, nullptr);
}

void Doorbell::wait() {
  while (!sleep(nullptr)) {
  }
}

bool Doorbell::wait_for(Duration patience) { return sleep(&patience); }

// True once rung. False when the time is over, or the thread was woken by something else.
bool Doorbell::sleep(const Duration* patience) {
  State seen = kQuiet;
  if (state_.compare_exchange_strong(seen, kWaitedFor, std::memory_order_acq_rel)) {
    timespec time{};
    if (patience != nullptr) {
      const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(*patience);
      time.tv_sec = seconds.count();
      time.tv_nsec = std::chrono::nanoseconds(*patience - seconds).count();
    }
    futex(state_, FUTEX_WAIT_PRIVATE, kWaitedFor, patience == nullptr ? nullptr : &time);
  }
  return state_.exchange(kQuiet, std::memory_order_acq_rel) == kRung;
}

}  // namespace troupe
