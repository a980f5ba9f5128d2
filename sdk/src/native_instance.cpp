#include "sdk/src/native_instance.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "sdk/src/user_errors.h"

namespace troupe::detail {
namespace {

// Actor and turn outlive it.
// NOLINTNEXTLINE(cppcoreguidelines-avoid-reference-coroutine-parameters)
Task<void> drive(ActorBase& actor, Turn& turn, Step before, Step step) {
  if (before.run) before.run(actor, turn);
  if (before.begin) {
    Task<void> task = before.begin(actor, turn);
    co_await task;
  }
  if (step.run) step.run(actor, turn);
  if (step.begin) {
    Task<void> task = step.begin(actor, turn);
    co_await task;
  }
}

std::optional<Error> thrown_by(const Task<void>& task) {
  try {
    task.take();
  } catch (...) {
    return error_of(std::current_exception());
  }
  return std::nullopt;
}

}  // namespace

/// Makes a turn the actor's current one while it runs.
class NativeInstance::Current {
 public:
  Current(ActorBase& actor, Turn& turn)
      : actor_(actor), before_(std::exchange(actor.turn_, &turn)) {}
  Current(const Current&) = delete;
  Current& operator=(const Current&) = delete;
  ~Current() { actor_.turn_ = before_; }

 private:
  ActorBase& actor_;
  Turn* before_;
};

NativeInstance::NativeInstance(std::shared_ptr<const ActorClassTable> table)
    : table_(std::move(table)), actor_(table_->make()) {}

NativeInstance::~NativeInstance() {
  for (const std::shared_ptr<Turn>& turn : std::exchange(waiting_, {})) {
    const Current current(*actor_, *turn);
    turn->abandoned_ = true;
    turn->task_ = {};
  }
}

Result<void> NativeInstance::load(std::optional<std::string_view> state) {
  if (!state || !table_->load) return {};
  Result<void> loaded = table_->load(*actor_, *state);
  if (loaded) return {};
  return fail(loaded.error().code,
              "the stored state of actor type '" + table_->name + "': " + loaded.error().message);
}

void NativeInstance::run_turn(TurnMessage message, TurnContext& context, Done<TurnResult> done) {
  const bool activates = message.activates;
  const auto found =
      std::find_if(table_->methods.begin(), table_->methods.end(),
                   [&](const ClassMethod& each) { return each.info.name == message.method; });
  if (found == table_->methods.end()) {
    spoiled_ = spoiled_ || activates;
    return done(fail(no_such_method(*table_, message.method)));
  }
  const Step before = activates ? table_->on_activate : Step{};
  const auto turn = std::make_shared<Turn>(*this, context, std::move(message), std::move(done));
  turn->may_write_ = before || found->info.access == Access::kWrite;
  if (before) turn->begin_method();
  run(turn, before, found->step);
}

void NativeInstance::deactivate(TurnContext& context, Done<TurnResult> done) {
  if (!table_->on_deactivate) return done(TurnResult{});
  const auto turn = std::make_shared<Turn>(*this, context, TurnMessage{}, std::move(done));
  turn->may_write_ = true;
  turn->begin_method();
  run(turn, {}, table_->on_deactivate);
}

void NativeInstance::run(const std::shared_ptr<Turn>& turn, Step before, Step step) {
  bool ended = true;
  std::optional<Error> error;
  {
    const Current current(*actor_, *turn);
    try {
      if (before.begin || step.begin) {
        turn->task_ = drive(*actor_, *turn, before, step);
        turn->task_.start(turn->chain_);
        ended = turn->task_.done();
        if (ended) turn->task_.take();
      } else {
        if (before.run) before.run(*actor_, *turn);
        step.run(*actor_, *turn);
      }
    } catch (...) {
      error = error_of(std::current_exception());
    }
  }
  if (ended) return finish(turn, std::move(error));
  waiting_.push_back(turn);
}

void NativeInstance::resume(const std::shared_ptr<Turn>& turn, std::coroutine_handle<> waiter) {
  {
    const Current current(*actor_, *turn);
    turn->chain_.run(waiter);
  }
  if (!turn->task_.done()) return;
  std::erase(waiting_, turn);
  finish(turn, thrown_by(turn->task_));
}

// Last of all, `done` may destroy this instance.
void NativeInstance::finish(const std::shared_ptr<Turn>& turn, std::optional<Error> error) {
  Result<TurnResult> result = outcome(*turn, std::move(error));
  turn->task_ = {};
  Done<TurnResult> done = std::move(turn->done_);
  done(std::move(result));
}

Result<TurnResult> NativeInstance::outcome(Turn& turn, std::optional<Error> error) {
  if (!error && turn.may_write_ && table_->save) {
    try {
      turn.effects_.state = table_->save(*actor_);
    } catch (...) {
      error = error_of(std::current_exception());
    }
  }
  if (!error) return std::move(turn.effects_);
  spoiled_ = spoiled_ || turn.message_.activates || (turn.may_write_ && turn.user_code_ran_);
  return fail(std::move(*error));
}

ActorType to_actor_type(std::shared_ptr<ActorClassTable> table) {
  std::sort(table->methods.begin(), table->methods.end(),
            [](const ClassMethod& a, const ClassMethod& b) { return a.info.name < b.info.name; });
  ActorType type{table->name, table->options, {}, {}};
  for (const ClassMethod& method : table->methods) type.methods.push_back(method.info);
  type.make = [table = std::shared_ptr<const ActorClassTable>(std::move(table))] {
    return std::make_unique<NativeInstance>(table);
  };
  return type;
}

}  // namespace troupe::detail
