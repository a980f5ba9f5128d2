#include "actors/timers/timers.h"

#include <algorithm>
#include <utility>

namespace troupe {
namespace {

WallTime wall_at(Time now, Duration shift) { return WallTime(now.time_since_epoch() + shift); }

}  // namespace

Result<void> Timers::set(Time now, WallTime wall, std::string name, Timer timer) {
  auto entry = timers_.find(name);
  if (entry != timers_.end()) {
    disarm(entry);
  } else if (timers_.size() >= kCountMax) {
    return fail(Code::kExhausted, "timer '" + name + "': the actor has " +
                                      std::to_string(kCountMax) + " timers, which is the most");
  } else {
    entry = timers_.try_emplace(std::move(name)).first;
  }
  const WallTime first = timer.schedule.first;
  entry->second = {.timer = std::move(timer),
                   .registration = ++last_registration_,
                   .number = 1,
                   .scheduled = first,
                   .shift = wall.time_since_epoch() - now.time_since_epoch(),
                   .due = {},
                   .taken = {}};
  arm(entry);
  return {};
}

bool Timers::cancel(const std::string& name) {
  const auto entry = timers_.find(name);
  if (entry == timers_.end()) return false;
  disarm(entry);
  timers_.erase(entry);
  return true;
}

std::optional<Time> Timers::next_due() const {
  if (waiting_.empty()) return std::nullopt;
  return waiting_.begin()->first;
}

std::vector<TimerTick> Timers::take_due(Time now) {
  std::vector<TimerTick> due;
  while (!waiting_.empty() && waiting_.begin()->first <= now) {
    const auto entry = timers_.find(waiting_.begin()->second);
    disarm(entry);
    Entry& timer = entry->second;
    timer.taken = wall_at(now, timer.shift);
    due.push_back({.name = entry->first,
                   .registration = timer.registration,
                   .number = timer.number,
                   .scheduled = timer.scheduled});
  }
  return due;
}

const Timer* Timers::begin(const TimerTick& tick) const {
  const auto entry = timers_.find(tick.name);
  return entry != timers_.end() && current(tick, entry->second) ? &entry->second.timer : nullptr;
}

void Timers::finished(Time now, const TimerTick& tick) {
  const auto entry = timers_.find(tick.name);
  if (entry == timers_.end() || !current(tick, entry->second)) return;
  Entry& timer = entry->second;
  WallTime after = timer.scheduled;
  if (timer.timer.catch_up == TickCatchUp::kOne) after = std::max(after, timer.taken);
  if (timer.timer.catch_up == TickCatchUp::kSkip)
    after = std::max(after, wall_at(now, timer.shift));
  const auto next = timer.timer.schedule.next(after, timer.number);
  if (!next) {
    timers_.erase(entry);
    return;
  }
  timer.scheduled = *next;
  ++timer.number;
  arm(entry);
}

std::vector<std::string> Timers::names() const {
  std::vector<std::string> names;
  names.reserve(timers_.size());
  for (const auto& [name, entry] : timers_) names.push_back(name);
  return names;
}

void Timers::arm(Entries::iterator entry) {
  Entry& timer = entry->second;
  timer.due = Time(timer.scheduled.time_since_epoch() - timer.shift);
  waiting_.emplace(*timer.due, entry->first);
}

void Timers::disarm(Entries::iterator entry) {
  Entry& timer = entry->second;
  if (timer.due) waiting_.erase({*timer.due, entry->first});
  timer.due.reset();
}

// The tick is the one that is out.
bool Timers::current(const TimerTick& tick, const Entry& entry) const {
  return entry.registration == tick.registration && entry.number == tick.number && !entry.due;
}

}  // namespace troupe
