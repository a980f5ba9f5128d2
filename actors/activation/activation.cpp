// An activation's life: how calls come in, how it loads, and how it ends. What happens to a turn is
// in activation_turns.cpp.
#include "actors/activation/activation.h"

#include <algorithm>
#include <utility>

#include "runtime/base/deadline.h"

namespace troupe::actors {
namespace {

// Turns and events handled before other activations get their share.
constexpr int kFairShare = 64;

void count(Counter& counter) { counter.add(); }

std::string cycle(const Call& call) {
  std::string path;
  bool inside = false;
  for (const ActorKey& each : call.chain.waiting) {
    inside = inside || each == call.key;
    if (inside) path += to_string(each) + " -> ";
  }
  return path + to_string(call.key);
}

}  // namespace

Activation::Activation(std::shared_ptr<Home> home, ActorKey key,
                       std::shared_ptr<const ActorType> type, std::shared_ptr<Right> right)
    : home_(std::move(home)),
      key_(std::move(key)),
      type_(std::move(type)),
      right_(std::move(right)),
      since_(home_->dependencies.clock.now()),
      gate_(type_->options.reentrant, type_->options.reentrant_depth_max),
      used_(since_.time_since_epoch().count()) {
  Scheduler& scheduler =
      type_->options.blocking ? home_->dependencies.blocking : home_->dependencies.scheduler;
  slot_ = scheduler.attach(*this);
  count(home_->metrics.activations_begun);
}

// The instance first: coroutines left in it refer to their turns.
Activation::~Activation() {
  instance_.reset();
  while (Ticket* ticket = gate_.running().first()) {
    gate_.end(*ticket);
    const std::unique_ptr<Turn> turn(static_cast<Turn*>(ticket));
  }
  while (Ticket* ticket = gate_.take_waiting()) {
    const std::unique_ptr<Turn> turn(static_cast<Turn*>(ticket));
  }
}

bool Activation::offer(std::shared_ptr<Activation> to, Call& call) {
  Activation& self = *to;
  if (self.waiting_.fetch_add(1, std::memory_order_relaxed) >=
      self.type_->options.mailbox_length_max) {
    self.waiting_.fetch_sub(1, std::memory_order_relaxed);
    count(self.home_->metrics.calls_exhausted);
    call.done(fail(Code::kExhausted, "the mailbox of " + to_string(self.key_) + " is full"));
    return true;
  }
  auto turn = std::make_unique<Turn>(std::move(call));
  Turn* const made = turn.get();
  std::unique_ptr<Event> event = std::move(turn);
  switch (self.mailbox_.push(event)) {
    case Mailbox::Pushed::kWake:
      self.slot_->wake(std::move(to));
      break;
    case Mailbox::Pushed::kQueued:
      break;
    case Mailbox::Pushed::kClosed:
      call = std::move(made->request);
      return false;
  }
  return true;
}

bool Activation::offer_again(std::unique_ptr<Event>& turn) {
  waiting_.fetch_add(1, std::memory_order_relaxed);
  switch (mailbox_.push(turn)) {
    case Mailbox::Pushed::kWake:
      slot_->wake(shared_from_this());
      break;
    case Mailbox::Pushed::kQueued:
      break;
    case Mailbox::Pushed::kClosed:
      return false;
  }
  return true;
}

void Activation::post(std::unique_ptr<Event> event) {
  if (mailbox_.push(event) == Mailbox::Pushed::kWake) slot_->wake(shared_from_this());
}

void Activation::post_to(std::shared_ptr<Activation> to, std::unique_ptr<Event> event) {
  Activation& self = *to;
  if (self.mailbox_.push(event) == Mailbox::Pushed::kWake) self.slot_->wake(std::move(to));
}

ActivationFacts Activation::facts(Time now) const {
  const bool busy = open_.load(std::memory_order_relaxed) > 0;
  const Duration unused = now.time_since_epoch() - Duration(used_.load(std::memory_order_relaxed));
  return {.key = key_,
          .since = since_,
          .idle = busy ? Duration{0} : unused,
          .turns = turns_.load(std::memory_order_relaxed),
          .waiting = waiting_.load(std::memory_order_relaxed),
          .epoch = right_ == nullptr ? Epoch{} : right_->epoch};
}

Runnable::Outcome Activation::run() {
  for (int share = kFairShare; share > 0; --share) {
    if (work()) continue;
    if (phase_ == Phase::kEnded || mailbox_.sleep()) return Outcome::kAsleep;
  }
  return Outcome::kMore;
}

// One step. False: nothing to do until something comes in. Turns that may begin go before what
// comes in, so that a batch of arrivals is not sorted in whole before the first of it runs.
bool Activation::work() {
  if (phase_ == Phase::kEnded) return false;
  if (given_up_) {
    end();
    return false;
  }
  if (begin_one()) return true;
  std::unique_ptr<Event> event = next_event();
  if (event == nullptr) return try_end();
  Event* const handled = event.get();
  handled->handle(*this, std::move(event));
  return true;
}

std::unique_ptr<Event> Activation::next_event() {
  if (batch_.empty()) batch_ = mailbox_.take_all();
  return batch_.pop();
}

void Activation::arrive(std::unique_ptr<Turn> turn) {
  Call& call = turn->request;
  if (call.deadline == Time{}) {
    call.deadline = after(home_->dependencies.clock.now(), type_->options.turn_timeout);
  }
  const bool operation = call.kind == CallKind::kState || call.kind == CallKind::kTimers;
  const MethodInfo* const method = operation ? nullptr : type_->method(call.method);
  // Nobody waits for a timer's tick, and no other comes before it is over: it waits.
  turn->expires = call.kind == CallKind::kTimer ? Time::max() : call.deadline;
  if (type_->options.outside) {
    if (const std::optional<Error> refusal = refusal_outside(call)) {
      waiting_.fetch_sub(1, std::memory_order_relaxed);
      return turn->reply(fail(*refusal));
    }
  }
  turn->chain = call.chain.id;
  turn->access = operation           ? Access::kInterleave
                 : method == nullptr ? Access::kWrite
                                     : method->access;
  turn->chain_waits_here = std::ranges::find(call.chain.waiting, key_) != call.chain.waiting.end();
  if (operation && serves_outside()) turn->chain_waits_here = true;
  // A repeat of a call whose turn still runs waits for its end, rather than be part of it.
  if (call.repeated() && !turn->chain_waits_here && runs(call.id)) turn->chain = {};
  Result<Reply> refusal = Reply{};
  switch (gate_.arrive(*turn)) {
    case Gate::Verdict::kWaits:
      static_cast<void>(turn.release());
      return;
    case Gate::Verdict::kDeadlock:
      count(home_->metrics.calls_deadlocked);
      refusal = fail(Code::kInvalid, "deadlock: " + cycle(call));
      break;
    case Gate::Verdict::kTooDeep:
      refusal = fail(Code::kExhausted, std::string(kTooDeep));
      break;
    case Gate::Verdict::kClosed:
      if (call.here_only) {
        refusal = fail(Code::kPrecondition, to_string(key_) + " is not active here");
        break;
      }
      if (!moved_ && call.kind != CallKind::kTimer) return late_.push_back(std::move(turn));
      waiting_.fetch_sub(1, std::memory_order_relaxed);
      count(home_->metrics.calls_not_owned);
      return turn->hand_back(home_->dependencies.router);
  }
  waiting_.fetch_sub(1, std::memory_order_relaxed);
  turn->reply(std::move(refusal));
}

bool Activation::runs(const storage::CallId& id) const {
  for (Ticket* each = gate_.running().first(); each != nullptr; each = each->next) {
    if (static_cast<Turn*>(each)->request.id == id) return true;
  }
  return false;
}

// Begins the next turn, if one may. What running turns wait for may always begin: they would never
// end otherwise.
bool Activation::begin_one() {
  if (gate_.waiting() == 0) return false;
  if (phase_ == Phase::kEmpty) load();
  if (phase_ != Phase::kReady) return false;
  if (spoiled_ && gate_.running().empty()) {
    load();
    return false;
  }
  const Time now = home_->dependencies.clock.now();
  drop_expired(now);
  const bool awaited_only = spoiled_ || !may_begin(now);
  Ticket* const ticket = gate_.begin_next(awaited_only);
  if (ticket == nullptr) return false;
  waiting_.fetch_sub(1, std::memory_order_relaxed);
  begin(*static_cast<Turn*>(ticket), now);
  return true;
}

bool Activation::may_begin(Time now) {
  if (right_ == nullptr || right_->holds(now)) return true;
  if (!right_->ended() && !right_->draining()) {
    refuse_ownerless(now);
    pause();
    return false;
  }
  const std::shared_ptr<Right> current =
      home_->dependencies.shards.right(right_->shard, type_->name);
  if (current != nullptr && current != right_ && current->holds(now)) {
    close();  // this node owns it again: what waits is for the next activation
  } else {
    drain();
  }
  return false;
}

// Nobody tells when a lease is prolonged: it looks again, for as long as calls wait.
void Activation::pause() {
  if (pausing_) return;
  pausing_ = true;
  const ActorsDependencies& on = home_->dependencies;
  on.timers.post_at(on.clock.now() + home_->options.pause_interval, [back = weak_from_this()] {
    if (const std::shared_ptr<Activation> self = back.lock()) {
      self->post_work([](Activation& activation) { activation.pausing_ = false; });
    }
  });
}

void Activation::drop_expired(Time now) {
  while (Ticket* ticket = gate_.take_expired(now)) {
    const std::unique_ptr<Turn> turn(static_cast<Turn*>(ticket));
    waiting_.fetch_sub(1, std::memory_order_relaxed);
    count(home_->metrics.calls_expired);
    turn->reply(fail(Code::kTimeout, turn->request.method + " on " + to_string(key_) +
                                         " waited for its turn until its deadline"));
  }
}

void Activation::refuse_waiting(const Error& error) {
  while (Ticket* ticket = gate_.take_waiting()) {
    const std::unique_ptr<Turn> turn(static_cast<Turn*>(ticket));
    waiting_.fetch_sub(1, std::memory_order_relaxed);
    turn->reply(fail(error));
  }
}

// Those that have waited for longer than it takes to be heard again: another node may have become
// the owner, which this one cannot know.
void Activation::refuse_ownerless(Time now) {
  for (Ticket* next = gate_.queue().first(); next != nullptr;) {
    auto& turn = static_cast<Turn&>(*std::exchange(next, next->next));
    Time& since = turn.request.ownerless_since;
    if (turn.request.kind == CallKind::kTimer) continue;
    if (since == Time{}) since = now;
    if (now - since < home_->options.lapse_patience) continue;
    gate_.cancel(turn);
    waiting_.fetch_sub(1, std::memory_order_relaxed);
    const std::unique_ptr<Turn> taken(&turn);
    if (!taken->request.from.empty()) {
      taken->hand_back(home_->dependencies.router);
      continue;
    }
    taken->reply(fail(Code::kUnavailable,
                      to_string(key_) + " may not run here: too few of the replicas of shard " +
                          std::to_string(right_->shard.value) + " are reachable"));
  }
}

void Activation::return_waiting() {
  while (Ticket* ticket = gate_.take_waiting()) {
    const std::unique_ptr<Turn> turn(static_cast<Turn*>(ticket));
    waiting_.fetch_sub(1, std::memory_order_relaxed);
    turn->hand_back(home_->dependencies.router);
  }
}

void Activation::load() {
  phase_ = Phase::kLoading;
  if (right_ == nullptr) return loaded(std::vector<std::pair<std::string, StoredValue>>{});
  count(home_->metrics.loads);
  home_->dependencies.shards.load(right_, key_, [self = shared_from_this()](auto values) {
    self->post_work([values = std::move(values)](Activation& activation) mutable {
      activation.loaded(std::move(values));
    });
  });
}

void Activation::loaded(Result<std::vector<std::pair<std::string, StoredValue>>> values) {
  phase_ = Phase::kReady;
  Result<void> taken;
  if (!values) {
    taken = fail(values.error());
  } else {
    std::optional<std::string_view> state;
    for (const auto& [name, stored] : *values) {
      if (name.empty()) state = stored.value;
    }
    if (instance_ == nullptr || spoiled_) {
      instance_ = type_->make();
      activates_ = true;
    }
    taken = instance_->load(state);
    committed_.reset();
    if (state) committed_ = content_hash(*state);
  }
  spoiled_ = false;
  if (taken) return;
  // Nobody who could answer, or another owner: nothing has run, so that it may elsewhere.
  if (taken.error().code == Code::kUnavailable) {
    return_waiting();
  } else {
    refuse_waiting(taken.error());
  }
  activates_ = true;  // what could not load has nothing to say in the end
  close();
}

void Activation::request_drain() {
  post_work([](Activation& self) { self.drain(); });
}

void Activation::request_end() {
  post_work([](Activation& self) {
    self.drain();
    self.ending_ = true;
  });
}

void Activation::drain() {
  if (moved_) return;
  moved_ = true;
  return_waiting();
  close();
}

void Activation::close() {
  if (draining_) return;
  draining_ = true;
  gate_.close();
  const ActorsDependencies& on = home_->dependencies;
  on.timers.post_at(after(on.clock.now(), type_->options.drain_timeout), [back = weak_from_this()] {
    if (const std::shared_ptr<Activation> self = back.lock()) self->request_end();
  });
}

// True: something was done, and there may be more.
bool Activation::try_end() {
  if (leaves_ && gate_.idle()) close();
  if (!draining_ || phase_ == Phase::kLoading || committing_ > 0) return false;
  if (!gate_.running().empty() && !ending_ && !(moved_ && all_may_restart())) return false;
  const bool in_order = instance_ != nullptr && !activates_ && !ending_ && !spoiled_ &&
                        gate_.running().empty() && may_leave(home_->dependencies.clock.now());
  if (in_order) {
    deactivate();
  } else {
    end();
  }
  return true;
}

bool Activation::all_may_restart() const {
  for (const Ticket* each = gate_.running().first(); each != nullptr; each = each->next) {
    if (!static_cast<const Turn*>(each)->may_restart()) return false;
  }
  return true;
}

void Activation::deactivate() {
  activates_ = true;  // once
  const ActorsDependencies& on = home_->dependencies;
  auto turn = std::make_unique<Turn>(Call{});
  turn->request.key = key_;
  turn->request.method = "on_deactivate";
  turn->request.deadline = after(on.clock.now(), type_->options.turn_timeout);
  turn->deactivates = true;
  Turn& begun = *turn.release();
  gate_.begin_alone(begun);
  begin(begun, on.clock.now());
}

// What runs still is left to itself: what it does goes nowhere, and its calls begin anew at the
// next owner. But not what holds its thread for too long: it would do so there, too.
void Activation::end() {
  phase_ = Phase::kEnded;
  for (Ticket* each = gate_.running().first(); each != nullptr; each = each->next) {
    auto& turn = *static_cast<Turn*>(each);
    if (given_up_) {
      turn.reply(
          fail(Code::kPrecondition, "the turn on " + to_string(key_) + " did not end in time"));
    } else if (type_->options.outside) {
      turn.reply(fail(perhaps_run(turn)));
    } else {
      turn.leave(home_->dependencies.router);
    }
  }
  std::vector<EventList> left;
  EventList waiting;
  while (Ticket* ticket = gate_.take_waiting()) {
    waiting.push_back(std::unique_ptr<Event>(static_cast<Turn*>(ticket)));
  }
  left.push_back(std::move(waiting));
  left.push_back(std::move(late_));
  left.push_back(std::move(batch_));
  count(home_->metrics.activations_ended);
  home_->ended(*this, std::move(left));
}

}  // namespace troupe::actors
