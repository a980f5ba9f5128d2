#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <troupe/function.h>
#include <troupe/time.h>

namespace troupe::net {

class TimeoutWheel;

/// A place in a TimeoutWheel, kept by whoever may time out (a connection). Leaves the wheel by
/// itself when destroyed.
class Timeout {
 public:
  /// `expired` runs inside TimeoutWheel::advance, and may set, clear or destroy any Timeout,
  /// this one too.
  explicit Timeout(Function<void()> expired) : expired_(std::move(expired)) {}
  ~Timeout() { clear(); }
  Timeout(const Timeout&) = delete;
  Timeout& operator=(const Timeout&) = delete;

  bool armed() const { return wheel_ != nullptr; }
  /// Requires armed().
  Time deadline() const { return deadline_; }
  void clear();

 private:
  friend class TimeoutWheel;

  Function<void()> expired_;
  TimeoutWheel* wheel_ = nullptr;
  Time deadline_;
  std::size_t slot_ = 0;
  Timeout* previous_ = nullptr;
  Timeout* next_ = nullptr;
};

/// Many coarse time-outs for the price of a few: setting one is O(1), and putting off one that is
/// already set is a single store, so every request may do it.
///
///     slots:  | t0 | t1 | t2 | ... |  one per tick; a Timeout lies in the slot of its deadline at
///                    ^ advance        the latest, and is filed again if it was put off meanwhile
///
/// A time-out never fires early, and at most one tick late plus the time until `advance` is called.
/// Pure: it is told the time. Not thread-safe.
class TimeoutWheel {
 public:
  /// `tick` > 0: the resolution.
  TimeoutWheel(Time now, Duration tick);
  ~TimeoutWheel();
  TimeoutWheel(const TimeoutWheel&) = delete;
  TimeoutWheel& operator=(const TimeoutWheel&) = delete;

  /// Arms `timeout`, or moves it.
  void set(Timeout& timeout, Time deadline);

  /// Expires what is due.
  void advance(Time now);

  /// The time of the last `advance`.
  Time now() const { return now_; }
  std::size_t size() const { return size_; }

 private:
  friend class Timeout;
  static constexpr std::size_t kSlots = 512;

  std::int64_t tick_number(Time time) const;
  void file(Timeout& timeout);
  void unlink(Timeout& timeout);
  void expire_slot(std::size_t slot);

  const Duration tick_;
  Time now_;
  std::int64_t next_tick_ = 0;  // the first not yet looked at
  std::array<Timeout*, kSlots> slots_ = {};
  Timeout* expiring_ = nullptr;  // the rest of the slot being looked at
  std::size_t size_ = 0;
};

}  // namespace troupe::net
