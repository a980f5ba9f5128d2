#include "runtime/cluster/deliveries.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace troupe::cluster {
namespace {

const storage::ShardMachine& machine_of(const Replica& replica) {
  return static_cast<const ShardStateMachine&>(replica.machine()).machine();
}

// Whether the actor dealt with what it was sent. It answers for its own failures by an entry of
// its own; what could not reach it is sent again.
bool settled(const Result<actors::Reply>& result) {
  if (result) return true;
  switch (result.error().code) {
    case Code::kApplication:
    case Code::kInvalid:
    case Code::kUnimplemented:
      return true;
    default:
      return false;
  }
}

}  // namespace

Deliveries::Deliveries(DeliveriesOptions options, Dependencies dependencies)
    : options_(options),
      deps_(dependencies),
      calendar_(dependencies.clock.wall().time_since_epoch() -
                dependencies.clock.now().time_since_epoch()) {
  watch_calendar();
}

// Waits are measured by a clock that does not go along when the calendar is set, or the machine
// was asleep. Whoever waits too long then must look again; who waits too briefly does so anyway.
void Deliveries::watch_calendar() {
  const Time now = deps_.clock.now();
  const Duration calendar = deps_.clock.wall().time_since_epoch() - now.time_since_epoch();
  const bool ahead = calendar - calendar_ > options_.calendar_step;
  calendar_ = calendar;
  if (ahead) {
    for (auto& [shard, led] : led_) plan_scan_for_due(shard, led);
  }
  deps_.loop.post_at(now + options_.calendar_interval, [this, alive = alive_] {
    if (*alive) watch_calendar();
  });
}

void Deliveries::lead(ShardId shard) {
  const Replica* replica = deps_.replicas.find(shard);
  if (replica == nullptr || shard == kMetaShard || led_.contains(shard)) return;
  // It begins once all is there: what is loaded may be due long before it came.
  if (machine_of(*replica).restoring()) return;
  Led& led = led_.try_emplace(shard, Led{.keys = replica->keys()}).first->second;
  led.session = next_session_++;
  led.from = machine_of(*replica).watermark();
  led.watermark_at = deps_.clock.now() + options_.watermark_interval;
  for (const auto& [target, outbox] : machine_of(*replica).outbox()) {
    led.targets[target].next = outbox.low_water;
  }
  plan_scan(shard);
}

void Deliveries::stop_leading(ShardId shard) {
  const auto led = led_.find(shard);
  if (led == led_.end()) return;
  in_flight_ -= led->second.in_flight;
  led_.erase(led);
  freed();
}

void Deliveries::stop() {
  *alive_ = false;
  held_.clear();
  led_.clear();
  held_back_.clear();
}

void Deliveries::applied(ShardId shard, const storage::Entry& entry) {
  const auto led = led_.find(shard);
  if (led == led_.end()) return;
  if (std::holds_alternative<storage::RestoreCommand>(entry.command)) return stop_leading(shard);
  const auto* turn = std::get_if<storage::TurnCommand>(&entry.command);
  if (turn == nullptr || (turn->reminders.empty() && turn->outbox.empty())) return;
  Led& present = led->second;
  for (const storage::ReminderWrite& write : turn->reminders) {
    if (write.kind == storage::ReminderWrite::Kind::kErase) continue;
    present.from = std::min(present.from, write.due);
    if (!present.out.empty()) {
      // A tick that is to be sent again and now has a later date is sent at that date.
      const auto out = present.out.find(present.keys.reminder(turn->type, turn->id, write.name));
      if (out != present.out.end() && out->second.flight == nullptr) present.out.erase(out);
    }
    const WallTime now = deps_.clock.wall();
    wake_at(shard, deps_.clock.now() + std::max(Duration(0), write.due - now));
  }
  if (std::holds_alternative<storage::TickCause>(turn->cause)) tick_applied(shard, present, *turn);
  if (!turn->outbox.empty()) plan_scan(shard);
}

// The tick that is its cause has had its effect: what the actor's answer will say is known.
void Deliveries::tick_applied(ShardId shard, Led& led, const storage::TurnCommand& turn) {
  const auto& cause = std::get<storage::TickCause>(turn.cause);
  const auto out = led.out.find(led.keys.reminder(turn.type, turn.id, cause.name));
  if (out == led.out.end() || out->second.flight == nullptr) return;
  Flight& flight = *out->second.flight;
  if (flight.registration != cause.registration || flight.number != cause.number) return;
  flight.over.store(true, std::memory_order_release);
  led.out.erase(out);
  tick_over(shard, led);
}

void Deliveries::plan_scan(ShardId shard) {
  const auto led = led_.find(shard);
  if (led == led_.end() || led->second.scan_planned) return;
  led->second.scan_planned = true;
  planned_.emplace_back(shard, led->second.session);
  if (planned_.size() > 1) return;  // taken along
  deps_.loop.post([this, alive = alive_] {
    if (*alive) run_scans();
  });
}

void Deliveries::plan_scan_for_due(ShardId shard, Led& led) {
  led.look_for_due = true;
  plan_scan(shard);
}

void Deliveries::run_scans() {
  if (deps_.scheduler != nullptr) deps_.scheduler->hold();
  for (const auto& [shard, session] : std::exchange(planned_, {})) {
    if (find(shard, session) != nullptr) scan(shard);
  }
  if (deps_.scheduler != nullptr) deps_.scheduler->release();
}

// A shard with nothing out has no completion of its own to go on from: it waits its turn.
bool Deliveries::full(ShardId shard, Led& led) {
  if (in_flight_ < options_.in_flight) return false;
  if (!std::exchange(led.held_back, true)) held_back_.push_back(shard);
  return true;
}

// For ticks.
std::size_t Deliveries::room_for(ShardId shard, Led& led) {
  if (led.in_flight >= options_.in_flight_per_shard || full(shard, led)) return 0;
  return std::min(options_.in_flight_per_shard - led.in_flight, options_.in_flight - in_flight_);
}

// There is room again. Not for each that comes back: every shard that goes on scans what it has.
void Deliveries::freed() {
  if (in_flight_ > options_.in_flight / 4 * 3) return;
  constexpr std::size_t kRoomEach = 32;
  for (std::size_t taken = in_flight_; taken < options_.in_flight && !held_back_.empty();
       taken += kRoomEach) {
    const ShardId shard = held_back_.front();
    held_back_.pop_front();
    const auto led = led_.find(shard);
    if (led == led_.end() || !std::exchange(led->second.held_back, false)) continue;
    plan_scan_for_due(shard, led->second);
  }
}

void Deliveries::wake_at(ShardId shard, Time when) {
  const auto led = led_.find(shard);
  if (led == led_.end() || when >= led->second.wake_at) return;
  led->second.wake_at = when;
  deps_.loop.post_at(when, [this, alive = alive_, shard, when, session = led->second.session] {
    Led* present = *alive ? find(shard, session) : nullptr;
    if (present == nullptr) return;
    if (present->wake_at == when) present->wake_at = Time::max();
    plan_scan_for_due(shard, *present);
  });
}

Deliveries::Led* Deliveries::find(ShardId shard, std::uint64_t session) {
  const auto led = led_.find(shard);
  return led == led_.end() || led->second.session != session ? nullptr : &led->second;
}

void Deliveries::scan(ShardId shard) {
  Led& led = led_.at(shard);
  led.scan_planned = false;
  Replica* replica = deps_.replicas.find(shard);
  if (replica == nullptr || !replica->leads()) return;
  if (std::exchange(led.look_for_due, false)) scan_reminders(*replica, led);
  scan_outbox(*replica, led);
}

void Deliveries::scan_reminders(Replica& replica, Led& led) {
  const WallTime wall = deps_.clock.wall();
  const WallTime after = wall + Duration(1);
  const Time now = deps_.clock.now();
  const std::size_t room = room_for(replica.shard(), led);
  if (room == 0) {
    led.more_due = true;
    return;
  }
  // Those that are out stand in the index too.
  const std::size_t limit = led.out.size() + room;
  const auto found =
      storage::due_index(deps_.replicas.writer(), replica.keys(), led.from, after, limit);
  if (!found) return cannot_read(replica, found.error());
  led.from = found->due.empty() ? std::max(led.from, wall) : found->due.front().due;
  led.more_due = found->next && *found->next < after;
  for (const storage::DueReminder& each : found->due) {
    std::string key = replica.keys().reminder(each.type, each.id, each.name);
    const auto out = led.out.find(key);
    if (out != led.out.end() && out->second.not_before > now) {
      if (out->second.flight == nullptr) wake_at(replica.shard(), out->second.not_before);
      continue;
    }
    if (room_for(replica.shard(), led) == 0) {
      led.more_due = true;
      break;
    }
    Result<storage::ReminderRow> row = machine_of(replica).hand_out(each);
    if (!row) return cannot_read(replica, row.error());
    const auto tick = led.out.insert_or_assign(std::move(key), Tick{}).first;
    fire(replica.shard(), led, tick->second, tick->first, *std::move(row));
  }
  if (led.more_due) {
    full(replica.shard(), led);
  } else if (found->next) {
    wake_at(replica.shard(), now + (*found->next - wall));
  }
  if (now >= led.watermark_at) move_watermark(replica, led);
}

void Deliveries::cannot_read(const Replica& replica, const Error& error) {
  deps_.log.error("cannot read reminders",
                  {{"shard", replica.shard().value}, {"error", error.message}});
}

// `key` is as old as `tick`, and gone with it.
void Deliveries::fire(ShardId shard, Led& led, Tick& tick, const std::string& key,
                      storage::ReminderRow row) {
  tick.flight = std::make_shared<Flight>(row.registration, row.number);
  ++led.in_flight;
  ++in_flight_;
  ++ticks_fired_;
  actors::Call call;
  call.key = {.type = std::move(row.type), .id = std::move(row.id)};
  call.kind = actors::CallKind::kTick;
  call.method = row.name;
  call.message = Payload(std::move(row.body));
  call.deadline = deps_.clock.now() + options_.turn_patience;
  call.cause = storage::TickCause{
      .name = std::move(row.name), .registration = row.registration, .number = row.number};
  call.done = [this, alive = alive_, shard, session = led.session, key = key,
               flight = tick.flight](const Result<actors::Reply>& result) mutable {
    if (flight->over.load(std::memory_order_acquire)) return;
    deps_.loop.post([this, alive, shard, session, key = std::move(key), flight = std::move(flight),
                     delivered = settled(result)] {
      if (*alive) tick_answered(shard, session, key, *flight, delivered);
    });
  };
  deps_.router.route(std::move(call));
}

// Nothing of it was applied, or that was not seen here: the index says whether it is still due.
void Deliveries::tick_answered(ShardId shard, std::uint64_t session, const std::string& key,
                               const Flight& flight, bool delivered) {
  Led* led = find(shard, session);
  if (led == nullptr || flight.over.load(std::memory_order_relaxed)) return;
  const auto out = led->out.find(key);
  if (delivered) {
    led->out.erase(out);
    plan_scan_for_due(shard, *led);
  } else {
    out->second = {.not_before = deps_.clock.now() + options_.retry_interval, .flight = nullptr};
    wake_at(shard, out->second.not_before);
  }
  tick_over(shard, *led);
}

void Deliveries::tick_over(ShardId shard, Led& led) {
  --led.in_flight;
  --in_flight_;
  freed();
  // Each scan passes those that are out: so not for every one that comes back.
  const bool room = led.in_flight <= options_.in_flight_per_shard / 2;
  if (led.more_due && room && !led.held_back) plan_scan_for_due(shard, led);
}

void Deliveries::hold_messages(Time until) {
  held_until_ = std::max(held_until_, until);
  deps_.loop.post_at(until, [this, alive = alive_] {
    if (*alive && !holds_messages()) release_messages();
  });
}

void Deliveries::release_messages() {
  held_until_ = {};
  for (Work& work : std::exchange(held_, {})) work();
  for (const auto& [shard, led] : led_) plan_scan(shard);
}

// What it does must look whether its shard is still led, as after any wait.
void Deliveries::once_released(Work work) {
  if (holds_messages()) {
    held_.push_back(std::move(work));
  } else {
    work();
  }
}

void Deliveries::scan_outbox(Replica& replica, Led& led) {
  if (holds_messages()) return;  // all are scanned afterwards
  for (const auto& [target_shard, outbox] : machine_of(replica).outbox()) {
    Target& target = led.targets[target_shard];
    target.next = std::max(target.next, outbox.low_water);
    if (target.next > outbox.last || target.out.size() >= options_.in_flight_per_shard) continue;
    const auto rows =
        storage::outbox_messages(deps_.replicas.writer(), replica.keys(), target_shard, target.next,
                                 options_.in_flight_per_shard - target.out.size());
    if (!rows) {
      return deps_.log.error("cannot read an outbox",
                             {{"shard", replica.shard().value}, {"error", rows.error().message}});
    }
    for (const storage::OutboxRow& row : *rows) {
      if (full(replica.shard(), led)) break;
      target.next = row.number + 1;
      if (target.out.contains(row.number)) continue;
      queue(replica, led, target_shard, row);
    }
  }
}

// Messages from here to one actor arrive in order: its next turn could not begin before the last
// one's entry is applied, so nothing is gained by sending more of them ahead.
void Deliveries::queue(const Replica& replica, Led& led, ShardId target,
                       const storage::OutboxRow& row) {
  led.targets[target].out.insert(row.number);
  Result<actors::OutboxMessage> message = actors::decode_outbox_message(row.message);
  if (!message) {
    deps_.log.error("an outbox holds a damaged message", {{"shard", replica.shard().value}});
    return message_over(replica.shard(), led, target, row.number);
  }
  std::deque<std::uint64_t>& numbers = led.targets[target].queues[message->message.target];
  numbers.push_back(row.number);
  if (numbers.size() == 1) send(replica, led, target, row, *std::move(message));
}

void Deliveries::send(const Replica& replica, Led& led, ShardId target,
                      const storage::OutboxRow& row, actors::OutboxMessage message) {
  ++led.in_flight;
  ++in_flight_;
  const auto outbox = machine_of(replica).outbox().find(target);
  const bool known = outbox != machine_of(replica).outbox().end();
  const ShardId shard = replica.shard();
  actors::Call call;
  call.key = message.message.target;
  call.kind = actors::CallKind::kOneWay;
  call.method = std::move(message.message.method);
  call.message = std::move(message.message.message);
  call.traceparent = std::move(message.traceparent);
  call.deadline = deps_.clock.now() + options_.turn_patience;
  call.cause = storage::OutboxCause{
      .source = shard, .number = row.number, .low_water = known ? outbox->second.low_water : 0};
  call.done = [this, alive = alive_, shard, session = led.session, target,
               to = call.key](const Result<actors::Reply>& result) {
    deps_.loop.post([this, alive, shard, session, target, to, delivered = settled(result)] {
      if (*alive) message_done(shard, session, target, to, delivered);
    });
  };
  deps_.router.route(std::move(call));
}

// What waits for an actor behind a message that is done, or is to be sent once more.
void Deliveries::send_first(ShardId shard, std::uint64_t session, ShardId target,
                            const ActorKey& to) {
  Led* led = find(shard, session);
  const Replica* replica = deps_.replicas.find(shard);
  if (led == nullptr || replica == nullptr) return;
  const std::uint64_t number = led->targets[target].queues[to].front();
  const auto rows =
      storage::outbox_messages(deps_.replicas.writer(), replica->keys(), target, number, 1);
  if (!rows) {
    return deps_.log.error("cannot read an outbox",
                           {{"shard", shard.value}, {"error", rows.error().message}});
  }
  const bool stands = !rows->empty() && rows->front().number == number;
  Result<actors::OutboxMessage> message =
      stands ? actors::decode_outbox_message(rows->front().message)
             : fail(Code::kNotFound, "an earlier leader has had it consumed");
  if (message) return send(*replica, *led, target, rows->front(), *std::move(message));
  ++led->in_flight;
  ++in_flight_;
  message_done(shard, session, target, to, true);
}

void Deliveries::message_done(ShardId shard, std::uint64_t session, ShardId target,
                              const ActorKey& to, bool delivered) {
  Led* led = find(shard, session);
  if (led == nullptr) return;
  --led->in_flight;
  --in_flight_;
  freed();
  if (!delivered) {
    // The same once more; the receiver knows whether it came through.
    return deps_.loop.post_at(deps_.clock.now() + options_.retry_interval,
                              [this, alive = alive_, shard, session, target, to] {
                                if (!*alive) return;
                                once_released([this, shard, session, target, to] {
                                  send_first(shard, session, target, to);
                                });
                              });
  }
  const auto queued = led->targets[target].queues.find(to);
  const std::uint64_t number = queued->second.front();
  queued->second.pop_front();
  const bool more = !queued->second.empty();
  if (!more) led->targets[target].queues.erase(queued);
  message_over(shard, *led, target, number);
  if (!more) return;
  once_released([this, shard, session, target, to] { send_first(shard, session, target, to); });
}

void Deliveries::message_over(ShardId shard, Led& led, ShardId target, std::uint64_t number) {
  Target& to = led.targets[target];
  to.out.erase(number);
  to.done.push_back(number);
  plan_report(shard, target, options_.done_interval);
  plan_scan(shard);
}

void Deliveries::report(ShardId shard, ShardId target) {
  Target& to = led_.at(shard).targets[target];
  to.report_planned = false;
  if (to.done.empty()) return;
  std::vector<std::uint64_t> numbers = std::exchange(to.done, {});
  const storage::Entry entry{
      .now = deps_.clock.wall(),
      .command = storage::OutboxDoneCommand{.target = target, .numbers = numbers}};
  deps_.replicas.propose(shard, Payload(storage::encode(entry)),
                         [this, alive = alive_, shard, target, session = led_.at(shard).session,
                          numbers = std::move(numbers)](const Result<storage::Outcome>& outcome) {
                           Led* led = outcome || !*alive ? nullptr : find(shard, session);
                           if (led == nullptr) return;
                           // Still the leader: say it again, or the outbox keeps them.
                           Target& unreported = led->targets[target];
                           unreported.done.insert(unreported.done.end(), numbers.begin(),
                                                  numbers.end());
                           plan_report(shard, target, options_.retry_interval);
                         });
}

void Deliveries::plan_report(ShardId shard, ShardId target, Duration delay) {
  Led& led = led_.at(shard);
  if (std::exchange(led.targets[target].report_planned, true)) return;
  deps_.loop.post_at(deps_.clock.now() + delay,
                     [this, alive = alive_, shard, session = led.session, target] {
                       if (!*alive) return;
                       once_released([this, shard, target, session] {
                         if (find(shard, session) != nullptr) report(shard, target);
                       });
                     });
}

void Deliveries::move_watermark(Replica& replica, Led& led) {
  led.watermark_at = deps_.clock.now() + options_.watermark_interval;
  if (led.from <= machine_of(replica).watermark() || led.from == WallTime::max()) return;
  const storage::Entry entry{.now = deps_.clock.wall(),
                             .command = storage::WatermarkCommand{.watermark = led.from}};
  deps_.replicas.propose(replica.shard(), Payload(storage::encode(entry)),
                         [](const Result<storage::Outcome>& /*outcome*/) {});
}

}  // namespace troupe::cluster
