#include <algorithm>
#include <string>
#include <utility>

#include "sdk/src/test_host.h"

/// What turns leave behind: state, timers, reminders, messages.
namespace troupe {

// All or nothing: whatever can fail comes before whatever takes effect.
Result<void> TestHost::Impl::commit(const ActorKey& key, std::vector<TurnResult> effects) {
  std::vector<Prepared> prepared;
  for (const TurnResult& each : effects) {
    Result<std::vector<Prepared>> changes = prepare(key, each);
    if (!changes) return fail(changes.error());
    for (Prepared& change : *changes) prepared.push_back(std::move(change));
  }
  for (TurnResult& each : effects) {
    if (each.state) states_[key] = std::move(*each.state);
    for (TimerChange& change : each.timers) change_timer(key, std::move(change));
    for (OneWayMessage& message : each.outbox) send(std::move(message));
  }
  for (Prepared& change : prepared) {
    if (!change.reminder) {
      reminders_[key].erase(change.name);
      continue;
    }
    change.reminder->number = ++numbers_;
    arm_reminder(key, change.name, *change.reminder, change.reminder->schedule.next);
    reminders_[key].insert_or_assign(change.name, std::move(*change.reminder));
  }
  return {};
}

Result<std::vector<TestHost::Impl::Prepared>> TestHost::Impl::prepare(const ActorKey& key,
                                                                      const TurnResult& effects) {
  std::vector<Prepared> prepared;
  for (const ReminderChange& change : effects.reminders) {
    if (change.cancel) {
      prepared.push_back({change.name, std::nullopt});
      continue;
    }
    const auto of_actor = reminders_.find(key);
    if (!change.overwrite && of_actor != reminders_.end() &&
        of_actor->second.contains(change.name)) {
      return fail(Code::kConflict,
                  "there is a reminder '" + change.name + "' of " + to_string(key) + " already");
    }
    Result<TestSchedule> schedule = parse_test_schedule(change, now_);
    if (!schedule) return fail(schedule.error());
    prepared.push_back({change.name, Reminder{change, *schedule, 0, 0}});
  }
  return prepared;
}

void TestHost::Impl::send(OneWayMessage message) {
  const std::uint64_t number = ++numbers_;
  outbox_.emplace(number, std::move(message));
  deliver_message(number);
}

void TestHost::Impl::deliver_message(std::uint64_t number) {
  post(now_, [this, number] {
    const auto message = outbox_.find(number);
    if (message == outbox_.end()) return;
    const auto type = types_.find(message->second.target.type);
    const Duration limit = type == types_.end() ? Duration(0) : type->second.options.turn_timeout;
    deliver({message->second.target,
             {message->second.method, message->second.message, "application/json"},
             {},
             deadline_after(limit),
             {},
             [this, number](const Result<Payload>& outcome) {
               outbox_.erase(number);
               if (!outcome) failures_.push_back(outcome.error());
             }});
  });
}

void TestHost::Impl::change_timer(const ActorKey& key, TimerChange change) {
  Activation& activation = activations_[key];
  if (change.cancel) {
    activation.timers.erase(change.name);
    return;
  }
  const std::uint64_t number = ++numbers_;
  std::optional<WallTime> expiry;
  if (change.ttl) expiry = deadline_after(*change.ttl);
  const std::string name = change.name;
  const Duration wait = change.after;
  activation.timers.insert_or_assign(name, Timer{std::move(change), number, expiry});
  arm_timer(key, name, number, wait);
}

void TestHost::Impl::arm_timer(const ActorKey& key, const std::string& name, std::uint64_t number,
                               Duration wait) {
  post(now_ + wait, [this, key, name, number] { fire_timer(key, name, number); });
}

void TestHost::Impl::fire_timer(const ActorKey& key, const std::string& name,
                                std::uint64_t number) {
  const auto activation = activations_.find(key);
  if (activation == activations_.end()) return;
  const auto timer = activation->second.timers.find(name);
  if (timer == activation->second.timers.end() || timer->second.number != number) return;
  if (timer->second.expiry && now_ >= *timer->second.expiry) {
    activation->second.timers.erase(timer);
    return;
  }
  const TimerChange& change = timer->second.change;
  deliver({key,
           {change.method, change.message, "application/json"},
           {},
           deadline_after(activation->second.type->options.turn_timeout),
           {},
           [this, key, name, number](const Result<Payload>& outcome) {
             if (!outcome) failures_.push_back(outcome.error());
             timer_ended(key, name, number);
           }});
}

void TestHost::Impl::timer_ended(const ActorKey& key, const std::string& name,
                                 std::uint64_t number) {
  const auto activation = activations_.find(key);
  if (activation == activations_.end()) return;
  const auto timer = activation->second.timers.find(name);
  if (timer == activation->second.timers.end() || timer->second.number != number) return;
  TimerChange& change = timer->second.change;
  const bool last = change.repeats && --*change.repeats == 0;
  if (!change.every || last) {
    activation->second.timers.erase(timer);
  } else {
    arm_timer(key, name, number, *change.every);
  }
}

TestHost::Impl::Reminder* TestHost::Impl::reminder(const ActorKey& key, const std::string& name,
                                                   std::uint64_t number) {
  const auto of_actor = reminders_.find(key);
  if (of_actor == reminders_.end()) return nullptr;
  const auto found = of_actor->second.find(name);
  if (found == of_actor->second.end() || found->second.number != number) return nullptr;
  return &found->second;
}

void TestHost::Impl::arm_reminder(const ActorKey& key, const std::string& name,
                                  const Reminder& reminder, WallTime at) {
  post(std::max(at, now_),
       [this, key, name, number = reminder.number] { fire_reminder(key, name, number); });
}

void TestHost::Impl::fire_reminder(const ActorKey& key, const std::string& name,
                                   std::uint64_t number) {
  const Reminder* found = reminder(key, name, number);
  if (!found) return;
  const auto type = types_.find(key.type);
  const Duration limit = type == types_.end() ? Duration(0) : type->second.options.turn_timeout;
  deliver({key,
           {found->change.method, found->change.message, "application/json"},
           {},
           deadline_after(limit),
           {},
           [this, key, name, number](const Result<Payload>& outcome) {
             if (!outcome) failures_.push_back(outcome.error());
             reminder_ended(key, name, number, outcome.has_value());
           }});
}

void TestHost::Impl::reminder_ended(const ActorKey& key, const std::string& name,
                                    std::uint64_t number, bool succeeded) {
  Reminder* found = reminder(key, name, number);
  if (!found) return;
  const FailurePolicy& policy = found->change.failure;
  const bool retries =
      !succeeded && !policy.drop && (!policy.retries_max || found->attempts < *policy.retries_max);
  if (retries) {
    ++found->attempts;
    return arm_reminder(key, name, *found, now_ + policy.interval);
  }
  found->attempts = 0;
  if (found->schedule.advance(now_, found->change.catch_up)) {
    arm_reminder(key, name, *found, found->schedule.next);
  } else {
    reminders_[key].erase(name);
  }
}

std::vector<std::string> TestHost::Impl::timers(const ActorKey& key) const {
  std::vector<std::string> names;
  const auto found = activations_.find(key);
  if (found == activations_.end()) return names;
  for (const auto& [name, timer] : found->second.timers) names.push_back(name);
  return names;
}

std::vector<std::string> TestHost::Impl::reminders(const ActorKey& key) const {
  std::vector<std::string> names;
  const auto found = reminders_.find(key);
  if (found == reminders_.end()) return names;
  for (const auto& [name, reminder] : found->second) names.push_back(name);
  return names;
}

}  // namespace troupe
