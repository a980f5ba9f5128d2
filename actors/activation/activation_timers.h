#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <troupe/actor_type.h>
#include <troupe/time.h>

namespace troupe::actors {

/// The timers of one activation. A timer waits, or has one tick out: the next is armed when that
/// turn has ended, on the grid of the first, so ticks never overlap and never drift. Pure.
class ActivationTimers {
 public:
  static constexpr std::size_t kCountMax = 1000;

  struct Tick {
    std::string method;
    Payload message;
    std::uint64_t registration = 0;
  };

  /// Sets, replaces or cancels; a tick that is out is void then. kExhausted beyond kCountMax.
  Result<void> change(const TimerChange& change, Time now);

  /// Takes what is due. Those are out until ended().
  std::vector<Tick> take_due(Time now);

  /// False: the timer was cancelled or replaced after its tick was taken.
  bool current(std::uint64_t registration) const;

  /// The turn of a tick has ended, well or not.
  void ended(std::uint64_t registration, Time now);

  /// None while nothing waits.
  std::optional<Time> next_due() const;
  bool empty() const { return timers_.empty(); }

 private:
  struct Timer {
    TimerChange change;
    std::uint64_t registration = 0;
    std::optional<Time> due;  // none: a tick is out
    Time last;                // when that was due
    std::optional<Time> end;
    std::uint32_t ticks = 0;  // taken
  };

  std::map<std::string, Timer> timers_;
  std::uint64_t last_registration_ = 0;
};

}  // namespace troupe::actors
