// What the API asks of an activation besides calls: named values, and timers.
#include <algorithm>
#include <utility>

#include "actors/activation/activation.h"
#include "actors/state/operations.h"
#include "actors/state/timer_operations.h"

namespace troupe::actors {

void Activation::run_state_operations(Turn& turn) {
  const ActorsDependencies& on = home_->dependencies;
  Result<StateOperations> operations = decode_state_operations(turn.request.message.view());
  if (!operations) return finish(turn, fail(operations.error()));
  if (right_ == nullptr) {
    return finish(turn, fail(Code::kUnimplemented, "stateless workers have no state"));
  }
  if (operations->changes.empty()) return read_values(turn, *std::move(operations));
  Result<storage::TurnCommand> command =
      entry_of(turn.request, *operations, on.clock.wall(), on.clock.now());
  if (!command) return finish(turn, fail(command.error()));
  propose(turn, *std::move(command),
          [](Activation& self, Turn& ended, const Result<storage::Outcome>& outcome) {
            self.values_changed(ended, outcome);
          });
}

void Activation::values_changed(Turn& turn, const Result<storage::Outcome>& outcome) {
  using Kind = storage::Outcome::Kind;
  if (!outcome) {
    if (outcome.error().code != Code::kExhausted) return lost(turn, outcome.error());
    return finish(turn, fail(outcome.error()));
  }
  if (outcome->kind == Kind::kStaleEpoch || outcome->kind == Kind::kGap) {
    return replaced(turn,
                    {Code::kPrecondition, "not the owner of " + to_string(key_) + " any more"});
  }
  if (outcome->kind == Kind::kRefused) {
    home_->metrics.commits_refused.add();
    return finish(
        turn,
        fail(outcome->error.value_or(Error{
            Code::kConflict, "a value of " + to_string(key_) + " was changed by somebody else"})));
  }
  finish(turn, Reply{});
}

void Activation::read_values(Turn& turn, StateOperations operations) {
  gate_.finish(turn);
  committing_.fetch_add(1, std::memory_order_relaxed);
  home_->dependencies.shards.load(
      right_, key_,
      [self = shared_from_this(), &turn,
       operations = std::move(operations)](Result<StoredValues> values) mutable {
        self->post_work([&turn, values = std::move(values),
                         operations = std::move(operations)](Activation& activation) mutable {
          activation.committing_.fetch_sub(1, std::memory_order_release);
          if (!values) return activation.finish(turn, fail(values.error()));
          std::erase_if(*values, [&](const auto& each) {
            return each.first.empty() ||
                   (!operations.read_all &&
                    std::ranges::find(operations.reads, each.first) == operations.reads.end());
          });
          Reply reply;
          reply.body = encode(*values);
          activation.finish(turn, std::move(reply));
        });
      });
}

void Activation::change_timers(const TurnResult& result) {
  if (result.timers.empty()) return;
  for (const TimerChange& each : result.timers) {
    const TimerOperation operation = operation_of(each, home_->dependencies.clock.wall());
    if (Result<void> changed = change_timer(operation); !changed) {
      home_->dependencies.log.warning(
          "timer not set",
          {{"actor", to_string(key_)}, {"timer", each.name}, {"error", changed.error().message}});
    }
  }
  arm_timers();
}

void Activation::run_timer_operation(Turn& turn) {
  Result<TimerOperation> operation = decode_timer_operation(turn.request.message.view());
  if (!operation) return finish(turn, fail(operation.error()));
  const Result<void> changed = change_timer(*std::move(operation));
  if (!changed) return finish(turn, fail(changed.error()));
  arm_timers();
  finish(turn, Reply{});
}

Result<void> Activation::change_timer(TimerOperation operation) {
  if (timers_ == nullptr) timers_ = std::make_unique<Timers>();
  const Clock& clock = home_->dependencies.clock;
  if (operation.timer) {
    return timers_->set(clock.now(), clock.wall(), std::move(operation.name),
                        *std::move(operation.timer));
  }
  timers_->cancel(operation.name);
  return {};
}

void Activation::arm_timers() {
  has_timers_.store(timers_->count() > 0, std::memory_order_relaxed);
  const std::optional<Time> next = timers_->next_due();
  if (!next || (armed_ && *armed_ <= *next)) return;
  armed_ = next;
  home_->dependencies.timers.post_at(*next, [back = weak_from_this()] {
    const std::shared_ptr<Activation> self = back.lock();
    if (self) self->post_work([](Activation& activation) { activation.timers_due(); });
  });
}

void Activation::timers_due() {
  armed_.reset();
  for (TimerTick& tick : timers_->take_due(home_->dependencies.clock.now())) {
    const Timer& timer = *timers_->begin(tick);
    Call call;
    call.key = key_;
    call.kind = CallKind::kTimer;
    call.method = timer.method.empty() ? tick.name : timer.method;
    call.message = timer.data;
    auto turn = std::make_unique<Turn>(std::move(call));
    if (type_->options.outside) {
      turn->timer_facts = std::make_shared<TickFacts>(TickFacts{.name = tick.name,
                                                                .timer = true,
                                                                .callback = timer.method,
                                                                .due_time = timer.texts.due_time,
                                                                .period = timer.texts.period});
    }
    turn->timer_tick = std::move(tick);
    waiting_.fetch_add(1, std::memory_order_relaxed);
    arrive(std::move(turn));
  }
  arm_timers();
}

}  // namespace troupe::actors
