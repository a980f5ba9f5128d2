#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "actors/reminders/reminder_record.h"
#include "actors/timers/timer_wheel.h"

namespace troupe {

/// Finds the entry of a wheel by its registration. Keeps handles only, 4 bytes and a third to twice
/// as much of empty room each: the wheel knows the registrations.
///
/// Open addressing with linear probing; erasing moves later ones up, so nothing is left behind.
/// Not thread-safe.
class HandleIndex {
 public:
  using Wheel = TimerWheel<Registration>;

  /// None is `kNone`.
  static constexpr WheelHandle kNone = ~WheelHandle{0};

  WheelHandle find(const Wheel& wheel, Registration registration) const {
    if (size_ == 0) return kNone;
    for (std::size_t i = home(registration);; i = (i + 1) & mask()) {
      if (slots_[i] == kNone || wheel.value(slots_[i]) == registration) return slots_[i];
    }
  }

  /// Requires an entry of the wheel whose registration is not in the index.
  void insert(const Wheel& wheel, WheelHandle handle) {
    if ((size_ + 1) * 4 > slots_.size() * 3) grow(wheel);
    place(wheel, handle);
    ++size_;
  }

  /// Requires one in the index whose entry is still in the wheel.
  void erase(const Wheel& wheel, Registration registration) {
    std::size_t gap = home(registration);
    while (wheel.value(slots_[gap]) != registration) gap = (gap + 1) & mask();
    for (std::size_t i = (gap + 1) & mask(); slots_[i] != kNone; i = (i + 1) & mask()) {
      // What lies nearer to its home than the gap is stays.
      const std::size_t distance = (i - home(wheel.value(slots_[i]))) & mask();
      if (distance < ((i - gap) & mask())) continue;
      slots_[gap] = slots_[i];
      gap = i;
    }
    slots_[gap] = kNone;
    if (--size_ == 0) slots_ = {};
  }

  std::size_t bytes() const { return slots_.capacity() * sizeof(WheelHandle); }

 private:
  static constexpr std::size_t kFewest = 16;

  std::size_t mask() const { return slots_.size() - 1; }
  // Registrations are numbers in a row: the multiplication spreads them (Fibonacci hashing).
  std::size_t home(Registration registration) const {
    return (registration.value * 0x9E37'79B9'7F4A'7C15U) >> (64 - std::countr_zero(slots_.size()));
  }
  void place(const Wheel& wheel, WheelHandle handle) {
    std::size_t i = home(wheel.value(handle));
    while (slots_[i] != kNone) i = (i + 1) & mask();
    slots_[i] = handle;
  }
  void grow(const Wheel& wheel) {
    std::vector<WheelHandle> old(slots_.empty() ? kFewest : slots_.size() * 2, kNone);
    old.swap(slots_);
    for (const WheelHandle handle : old) {
      if (handle != kNone) place(wheel, handle);
    }
  }

  std::vector<WheelHandle> slots_;  // a power of two of them, or none
  std::size_t size_ = 0;
};

}  // namespace troupe
