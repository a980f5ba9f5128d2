#include <stdexcept>
#include <utility>

#include <troupe/actor.h>
#include <troupe/turn.h>

namespace troupe {

detail::Turn& ActorBase::turn() const {
  if (turn_) return *turn_;
  throw std::logic_error(
      "no turn runs: an actor may do this in its methods, on_activate() and on_deactivate(), not "
      "in its constructor or destructor");
}

const ActorKey& ActorBase::key() const { return turn().context().self(); }
WallTime ActorBase::now() const { return turn().context().now(); }
Time ActorBase::deadline() const { return turn().context().deadline(); }
Duration ActorBase::time_left() const { return turn().context().time_left(); }
std::uint64_t ActorBase::fencing_token() const { return turn().context().fencing_token(); }
std::string_view ActorBase::traceparent() const { return turn().context().traceparent(); }

void ActorBase::send(OneWayMessage message) {
  turn().effects().outbox.push_back(std::move(message));
}

void ActorBase::set_timer(std::string method, TimerOptions options, Payload message) {
  Result<TimerChange> change = timer_change(std::move(options));
  if (!change) throw ActorError(change.error().code, change.error().message);
  if (change->name.empty()) change->name = method;
  change->method = std::move(method);
  change->message = std::move(message);
  turn().effects().timers.push_back(std::move(*change));
}

void ActorBase::cancel_timer(std::string name) {
  TimerChange change;
  change.name = std::move(name);
  change.cancel = true;
  turn().effects().timers.push_back(std::move(change));
}

void ActorBase::set_reminder(std::string method, ReminderOptions options, Payload message) {
  Result<ReminderChange> change = reminder_change(std::move(options));
  if (!change) throw ActorError(change.error().code, change.error().message);
  if (change->name.empty()) change->name = method;
  change->method = std::move(method);
  change->message = std::move(message);
  turn().effects().reminders.push_back(std::move(*change));
}

void ActorBase::cancel_reminder(std::string name) {
  ReminderChange change;
  change.name = std::move(name);
  change.cancel = true;
  turn().effects().reminders.push_back(std::move(change));
}

void ActorBase::deactivate_when_idle() { turn().effects().deactivate_when_idle = true; }

}  // namespace troupe
