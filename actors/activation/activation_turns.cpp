// What happens to a turn from its beginning to its reply.
#include <algorithm>
#include <iterator>
#include <utility>

#include "actors/activation/activation.h"
#include "actors/turns/reminder_writes.h"
#include "runtime/base/deadline.h"

namespace troupe::actors {
namespace {

void count(Counter& counter) { counter.add(); }

std::string chain_id(const storage::CallId& id) {
  return to_string(id.origin) + "-" + std::to_string(id.generation.value) + "-" +
         std::to_string(id.sequence);
}

// Of a count that one thread writes and others read.
template <class T>
void add(std::atomic<T>& count, T more) {
  count.store(static_cast<T>(count.load(std::memory_order_relaxed) + more),
              std::memory_order_relaxed);
}

template <class T>
void append(std::vector<T>& to, std::vector<T>& from) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

}  // namespace

Turn* Activation::running(std::uint64_t number) const {
  for (Ticket* each = gate_.running().first(); each != nullptr; each = each->next) {
    auto* const turn = static_cast<Turn*>(each);
    if (turn->number == number) return turn;
  }
  return nullptr;
}

void Activation::begin(Turn& turn, Time now) {
  add(open_, 1U);
  add(turns_, std::uint64_t{1});
  used_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
  count(home_->metrics.turns_begun);
  turn.home = this;
  turn.number = ++last_turn_;
  turn.began = now;
  if (right_ == nullptr) turn.request.may_repeat = false;  // no shard remembers it
  turn.asked_for_change = type_->options.outside;
  if (type_->options.outside && turn.request.kind == CallKind::kMethod && !admit_outside(turn)) {
    return;
  }
  const bool has_effects = turn.access != Access::kReadOnly && right_ != nullptr;
  if (turn.request.repeated() && has_effects) return recall(turn);
  start(turn, now);
}

// An earlier try may have had its effect: then it is answered as that was, and does not run.
void Activation::recall(Turn& turn) {
  committing_.fetch_add(1, std::memory_order_relaxed);
  count(home_->metrics.recalls);
  home_->dependencies.shards.recall(
      right_, turn.request.id, [self = shared_from_this(), &turn](auto before) mutable {
        self->post_work([&turn, before = std::move(before)](Activation& activation) mutable {
          activation.committing_.fetch_sub(1, std::memory_order_release);
          activation.recalled(turn, std::move(before));
        });
      });
}

void Activation::recalled(Turn& turn, Result<std::optional<storage::Outcome>> before) {
  if (!before) {
    // It has changed nothing: it may begin anew, wherever the actor is now.
    turn.leave(home_->dependencies.router);
    return lost(turn, before.error());
  }
  const bool begun_before = turn.request.may_have_run || turn.request.asked_before;
  if (!*before && turn.request.must_record && begun_before) {
    return finish(turn, fail(perhaps_run(turn)));
  }
  if (!*before) return start(turn, home_->dependencies.clock.now());
  if ((*before)->error) return finish(turn, fail(*(*before)->error));
  count(home_->metrics.commits_consumed);
  finish(turn, recorded_reply(**before));
}

void Activation::start(Turn& turn, Time now) {
  if (turn.request.kind == CallKind::kState) return run_state_operations(turn);
  if (turn.request.kind == CallKind::kTimers) return run_timer_operation(turn);
  if (turn.request.kind == CallKind::kTimer) {
    if (timers_->begin(turn.timer_tick) == nullptr) return finish(turn, Reply{});
    turn.request.deadline = after(now, type_->options.turn_timeout);
  }
  std::optional<TurnMessage> tick;
  if (turn.request.kind == CallKind::kTick) {
    auto due = tick_message(turn.request.message.view(), home_->dependencies.clock.wall(),
                            type_->options.outside);
    if (!due) return finish(turn, fail(due.error()));
    if (!*due) return skip(turn);
    tick = *std::move(due);
    turn.tick_method = tick->method;
  }
  if (activates_ && !turn.deactivates) {
    activates_ = false;
    turn.activates = true;
    turn.access = Access::kWrite;  // nothing beside on_activate
  }
  if (type_->options.reentrant) join_chain(turn);
  run_method(turn, now, tick);
}

// What a program outside has done stays done: its turns form no transaction.
void Activation::join_chain(Turn& turn) {
  Chain& chain = turn.request.chain;
  if (chain.id.empty()) chain.id = chain_id(home_->dependencies.ids.next());
  turn.chain = chain.id;
  if (type_->options.outside) return;
  for (Ticket* each = gate_.running().first(); each != nullptr; each = each->next) {
    auto& other = *static_cast<Turn*>(each);
    if (&other != &turn && other.chain == turn.chain) turn.transaction = other.transaction;
  }
  if (turn.transaction == nullptr) {
    turn.transaction = std::make_shared<Transaction>();
    turn.transaction->outermost = &turn;
  }
  ++turn.transaction->open;
}

// Its reminder moves on, and the user's code hears nothing.
void Activation::skip(Turn& turn) {
  Result<storage::TurnCommand> command = skip_of(turn.request, home_->dependencies.clock.wall());
  if (!command) return finish(turn, fail(command.error()));
  propose(turn, *std::move(command),
          [](Activation& self, Turn& ended, const Result<storage::Outcome>& outcome) {
            if (!outcome) return self.lost(ended, outcome.error());
            self.finish(ended, Reply{});
          });
}

void Activation::run_method(Turn& turn, Time now, std::optional<TurnMessage>& tick) {
  Done<TurnResult> done = [&turn](Result<TurnResult> result) {
    turn.result.emplace(std::move(result));
  };
  if (turn.deactivates) {
    return run_user_code(turn, now, [&] { instance_->deactivate(turn, std::move(done)); });
  }
  if (tick) {
    tick->activates = turn.activates;
    return run_user_code(turn, now,
                         [&] { instance_->run_turn(*std::move(tick), turn, std::move(done)); });
  }
  TurnMessage message{.method = turn.request.method,
                      .body = turn.request.message,
                      .content_type = turn.request.content_type,
                      .activates = turn.activates,
                      .tick = turn.timer_facts};
  run_user_code(turn, now, [&] { instance_->run_turn(std::move(message), turn, std::move(done)); });
}

void Activation::code_ended(Turn& turn) {
  if (turn.transaction != nullptr) return merge(turn);
  conclude(turn, *std::move(turn.result));
}

// Inner turns answer at once: the outer ones wait for them. The outermost answers when all have
// ended and the whole is committed.
void Activation::merge(Turn& turn) {
  const std::shared_ptr<Transaction> whole = turn.transaction;
  Result<TurnResult> result = *std::move(turn.result);
  turn.result.emplace(TurnResult{});
  --whole->open;
  const bool outermost = whole->outermost == &turn;
  if (!result && !whole->failed) whole->failed = result.error();
  if (result) {
    TurnResult& all = whole->effects;
    if (result->state) all.state = std::move(result->state);
    append(all.timers, result->timers);
    append(all.reminders, result->reminders);
    append(all.outbox, result->outbox);
    all.deactivate_when_idle = all.deactivate_when_idle || result->deactivate_when_idle;
    if (outermost) {
      all.reply = result->reply;
      all.content_type = result->content_type;
      all.metadata = std::move(result->metadata);
    }
  }
  if (!outermost) {
    Result<Reply> reply = fail(Code::kApplication, "");
    if (result) {
      reply = Reply{.body = result->reply,
                    .content_type = result->content_type,
                    .metadata = result->metadata};
    } else {
      reply = fail(result.error());
    }
    finish(turn, std::move(reply));
  }
  if (whole->open > 0) return;
  Turn& first = *whole->outermost;
  first.transaction.reset();
  if (whole->failed) return conclude(first, fail(*whole->failed));
  conclude(first, std::move(whole->effects));
}

// `result` may be the turn's own, and go with it.
void Activation::conclude(Turn& turn, Result<TurnResult>&& result) {
  if (!result) return threw(turn, result.error());
  const ActorsDependencies& on = home_->dependencies;
  const Time now = on.clock.now();
  used_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
  if (now >= turn.request.deadline && !type_->options.outside) {
    count(home_->metrics.turns_timed_out);
    return aborted(turn, {Code::kTimeout, turn.request.method + " on " + to_string(key_) +
                                              " ran beyond its deadline and was aborted"});
  }
  if (right_ == nullptr) result->state.reset();
  Result<Effects> effects = effects_of(turn.request, *result, committed_, on.clock, on.shards);
  if (!effects) return aborted(turn, effects.error());
  if (!effects->command) return conclude_without_entry(turn, *std::move(result), now);
  if (right_ == nullptr) {
    return aborted(turn, {Code::kUnimplemented,
                          "stateless workers have no reminders and no outbox, "
                          "and their calls are not recorded"});
  }
  turn.state_written = effects->state;
  if (!turn.result || &*turn.result != &result) turn.result.emplace(std::move(result));
  propose(turn, *std::move(effects->command),
          [](Activation& self, Turn& ended, const Result<storage::Outcome>& outcome) {
            self.settled(ended, outcome);
          });
}

void Activation::conclude_without_entry(Turn& turn, TurnResult&& result, Time now) {
  if (may_leave(now)) return succeed(turn, std::move(result));
  count(home_->metrics.confirms);
  gate_.finish(turn);
  committing_.fetch_add(1, std::memory_order_relaxed);
  home_->dependencies.shards.confirm(
      right_,
      [self = shared_from_this(), &turn, result = std::move(result)](Result<void> current) mutable {
        self->post_work([&turn, current = std::move(current),
                         result = std::move(result)](Activation& activation) mutable {
          activation.committing_.fetch_sub(1, std::memory_order_release);
          if (current) return activation.succeed(turn, std::move(result));
          // It has changed nothing: it may begin anew, wherever the actor is now.
          if (turn.left_no_trace()) turn.leave(activation.home_->dependencies.router);
          if (activation.type_->options.outside) return activation.replaced(turn, current.error());
          activation.lost(turn, current.error());
        });
      });
}

void Activation::settled(Turn& turn, const Result<storage::Outcome>& outcome) {
  if (!outcome) {
    if (outcome.error().code == Code::kPrecondition) return replaced(turn, outcome.error());
    if (outcome.error().code != Code::kExhausted) return lost(turn, outcome.error());
    count(home_->metrics.commits_refused);
    return aborted(turn, outcome.error());
  }
  switch (outcome->kind) {
    case storage::Outcome::Kind::kApplied:
      if (turn.state_written) committed_ = turn.state_written;
      return succeed(turn, **std::move(turn.result));
    case storage::Outcome::Kind::kConsumed:
      count(home_->metrics.commits_consumed);
      spoiled_ = true;
      return finish(turn, turn.request.may_repeat ? recorded_reply(*outcome) : Reply{});
    case storage::Outcome::Kind::kStaleEpoch:
    case storage::Outcome::Kind::kGap:
      return replaced(turn, {Code::kPrecondition,
                             "this node is not the owner of " + to_string(key_) + " any more"});
    case storage::Outcome::Kind::kRefused:
      count(home_->metrics.commits_refused);
      return aborted(turn, outcome->error.value_or(Error{
                               Code::kConflict, "the entry of " + turn.request.method + " on " +
                                                    to_string(key_) + " was refused"}));
  }
}

// Another may own the actor by now, and what is in memory may differ from what is committed.
void Activation::lost(Turn& turn, const Error& error) {
  count(home_->metrics.commits_lost);
  spoiled_ = true;
  finish(turn, fail(error));
  drain();
}

void Activation::threw(Turn& turn, const Error& error) {
  if (error.code == Code::kApplication) count(home_->metrics.turns_failed);
  spoiled_ = spoiled_ || instance_->spoiled();
  failed(turn, error);
}

// Its code ended well, but what it did to the state does not count.
void Activation::aborted(Turn& turn, const Error& error) {
  spoiled_ = spoiled_ || turn.access == Access::kWrite;
  failed(turn, error);
}

void Activation::failed(Turn& turn, const Error& error) {
  const CallKind kind = turn.request.kind;
  if (type_->options.outside && error.code == Code::kUnavailable) return not_reached(turn, error);
  if (kind == CallKind::kTick) return commit_consumption(turn, error);
  if (kind == CallKind::kOneWay && !draining_) {
    if (++turn.attempts >= home_->options.one_way_attempts_max) {
      return commit_consumption(turn, error);
    }
    return begin_again(turn);
  }
  if (kind == CallKind::kTimer || turn.deactivates) {
    home_->dependencies.log.warning(
        "turn failed, and nobody waits for it",
        {{"actor", to_string(key_)}, {"method", turn.request.method}, {"error", error.message}});
  }
  finish(turn, fail(error));
}

void Activation::begin_again(Turn& turn) {
  gate_.end(turn);
  add(open_, ~0U);
  turn.result.reset();
  turn.activates = false;
  turn.outstanding = 0;
  waiting_.fetch_add(1, std::memory_order_relaxed);
  gate_.arrive_first(turn);
}

void Activation::commit_consumption(Turn& turn, const Error& error) {
  bool given_up = true;
  Result<storage::TurnCommand> command =
      consumption_of(turn.request, home_->dependencies.clock.wall(), given_up);
  if (!command) return finish(turn, fail(command.error()));
  propose(
      turn, *std::move(command),
      [error, given_up](Activation& self, Turn& ended, const Result<storage::Outcome>& outcome) {
        self.consumed(ended, outcome, error, given_up);
      });
}

void Activation::consumed(Turn& turn, const Result<storage::Outcome>& outcome, const Error& error,
                          bool given_up) {
  if (!outcome) return lost(turn, outcome.error());
  if (outcome->kind != storage::Outcome::Kind::kApplied &&
      outcome->kind != storage::Outcome::Kind::kConsumed) {
    return lost(turn, {Code::kPrecondition, "the cause of a failed turn was not consumed"});
  }
  const bool tick = turn.request.kind == CallKind::kTick;
  if (given_up) {
    count(tick ? home_->metrics.ticks_given_up : home_->metrics.one_way_given_up);
    home_->dependencies.log.warning(tick ? "tick given up" : "one-way message given up",
                                    {{"actor", to_string(key_)},
                                     {"method", tick ? turn.tick_method : turn.request.method},
                                     {"error", error.message}});
  }
  finish(turn, tick ? Result<Reply>(fail(error)) : Reply{});
}

void Activation::succeed(Turn& turn, TurnResult&& result) {
  leaves_ = leaves_ || result.deactivate_when_idle;
  change_timers(result);
  finish(turn, Reply{.body = std::move(result.reply),
                     .content_type = std::move(result.content_type),
                     .metadata = std::move(result.metadata)});
}

void Activation::finish(Turn& turn, Result<Reply>&& reply) {
  const std::unique_ptr<Turn> ended(&turn);
  gate_.end(turn);
  add(open_, ~0U);
  if (turn.request.kind == CallKind::kTimer) {
    timers_->finished(home_->dependencies.clock.now(), turn.timer_tick);
    arm_timers();
  }
  turn.reply(std::move(reply));
}

}  // namespace troupe::actors
