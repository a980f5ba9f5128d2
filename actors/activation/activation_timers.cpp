#include "actors/activation/activation_timers.h"

#include <algorithm>

namespace troupe::actors {

Result<void> ActivationTimers::change(const TimerChange& change, Time now) {
  if (change.cancel) {
    timers_.erase(change.name);
    return {};
  }
  if (change.every && *change.every <= Duration{0}) {
    return fail(Code::kInvalid, "timer '" + change.name + "' has no length between its ticks");
  }
  if (!timers_.contains(change.name) && timers_.size() >= kCountMax) {
    return fail(Code::kExhausted, "more than " + std::to_string(kCountMax) + " timers");
  }
  Timer& timer = timers_[change.name];
  timer = {};
  timer.change = change;
  timer.registration = ++last_registration_;
  timer.due = now + std::max(change.after, Duration{0});
  if (change.ttl) timer.end = now + *change.ttl;
  return {};
}

std::vector<ActivationTimers::Tick> ActivationTimers::take_due(Time now) {
  std::vector<Tick> due;
  for (auto& [name, timer] : timers_) {
    if (!timer.due || *timer.due > now) continue;
    timer.last = *timer.due;
    timer.due.reset();
    ++timer.ticks;
    due.push_back({.method = timer.change.method,
                   .message = timer.change.message,
                   .registration = timer.registration});
  }
  return due;
}

bool ActivationTimers::current(std::uint64_t registration) const {
  return std::ranges::any_of(
      timers_, [&](const auto& each) { return each.second.registration == registration; });
}

void ActivationTimers::ended(std::uint64_t registration, Time now) {
  const auto found = std::ranges::find_if(
      timers_, [&](const auto& each) { return each.second.registration == registration; });
  if (found == timers_.end()) return;
  Timer& timer = found->second;
  const bool over = timer.change.repeats && timer.ticks >= *timer.change.repeats;
  if (!timer.change.every || over) {
    timers_.erase(found);
    return;
  }
  const Duration every = *timer.change.every;
  const Duration::rep missed = std::max<Duration::rep>(0, (now - timer.last) / every - 1);
  timer.due = timer.last + (missed + 1) * every;
  if (timer.end && *timer.due >= *timer.end) timers_.erase(found);
}

std::optional<Time> ActivationTimers::next_due() const {
  std::optional<Time> next;
  for (const auto& [name, timer] : timers_) {
    if (timer.due && (!next || *timer.due < *next)) next = timer.due;
  }
  return next;
}

}  // namespace troupe::actors
