#include "runtime/net/timeout_wheel.h"

#include <algorithm>
#include <utility>

#include "runtime/base/check.h"

namespace troupe::net {

void Timeout::clear() {
  if (wheel_) wheel_->unlink(*this);
}

TimeoutWheel::TimeoutWheel(Time now, Duration tick) : tick_(tick), now_(now) {
  check(tick > Duration::zero(), "a wheel ticks");
  next_tick_ = tick_number(now);
}

TimeoutWheel::~TimeoutWheel() { check(size_ == 0, "time-outs leave before their wheel"); }

// The tick at whose end everything with this deadline is due.
std::int64_t TimeoutWheel::tick_number(Time time) const { return time.time_since_epoch() / tick_; }

void TimeoutWheel::set(Timeout& timeout, Time deadline) {
  check(!timeout.wheel_ || timeout.wheel_ == this, "a time-out keeps to one wheel");
  // Put off: the slot it lies in comes earlier, and files it again.
  if (timeout.wheel_ && deadline >= timeout.deadline_) {
    timeout.deadline_ = deadline;
    return;
  }
  timeout.clear();
  timeout.deadline_ = deadline;
  file(timeout);
}

void TimeoutWheel::file(Timeout& timeout) {
  // What lies beyond one turn of the wheel waits in the farthest slot, to be filed again there.
  const auto slots = static_cast<std::int64_t>(kSlots);
  const std::int64_t tick =
      std::clamp(tick_number(timeout.deadline_), next_tick_, next_tick_ + slots - 1);
  timeout.slot_ = static_cast<std::size_t>(tick % slots);
  Timeout*& head = slots_[timeout.slot_];
  timeout.wheel_ = this;
  timeout.previous_ = nullptr;
  timeout.next_ = head;
  if (head) head->previous_ = &timeout;
  head = &timeout;
  ++size_;
}

void TimeoutWheel::unlink(Timeout& timeout) {
  if (timeout.previous_) {
    timeout.previous_->next_ = timeout.next_;
  } else if (expiring_ == &timeout) {
    expiring_ = timeout.next_;
  } else {
    slots_[timeout.slot_] = timeout.next_;
  }
  if (timeout.next_) timeout.next_->previous_ = timeout.previous_;
  timeout.previous_ = timeout.next_ = nullptr;
  timeout.wheel_ = nullptr;
  --size_;
}

void TimeoutWheel::advance(Time now) {
  now_ = std::max(now_, now);
  // After a long pause one turn sees every slot.
  const std::int64_t last = tick_number(now_) - 1;
  const auto slots = static_cast<std::int64_t>(kSlots);
  std::int64_t tick = std::max(next_tick_, last - slots + 1);
  for (; tick <= last; ++tick) {
    next_tick_ = tick + 1;
    expire_slot(static_cast<std::size_t>(tick % slots));
  }
}

void TimeoutWheel::expire_slot(std::size_t slot) {
  expiring_ = std::exchange(slots_[slot], nullptr);
  while (expiring_) {
    Timeout& timeout = *expiring_;
    unlink(timeout);
    if (timeout.deadline_ <= now_) {
      timeout.expired_();
    } else {
      file(timeout);
    }
  }
}

}  // namespace troupe::net
